/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <string.h>

#include "tests/e2e/radio/advertising.h"
#include "tests/e2e/radio/packet.h"

static void
test_strap(void) {
  static const uint8_t expected[] = {2, 0x01, 0x06, 3, 0x03, 0x0d, 0x18};
  static const uint8_t expected_name[] = {6, 0x09, 's', 't', 'r', 'a', 'p'};
  RadioAdvertising advertising = {
      .name = "strap", .services = {radio_uuid16(0x180d)}, .n_services = 1};
  RadioAdvertisingData data;
  RadioAdvertisingData response;
  g_assert_true(radio_advertising_build(&advertising, &data, &response));
  g_assert_cmpmem(data.data, data.length, expected, sizeof expected);
  g_assert_cmpmem(response.data, response.length, expected_name, sizeof expected_name);
}

static void
test_manufacturer(void) {
  static const uint8_t expected[] = {2,    0x01, 0x06, 3,    0x03, 0x0d, 0x18, 7,
                                     0xff, 0x6b, 0x00, 0x33, 0x00, 0x00, 0x38};
  RadioAdvertising advertising = {.services = {radio_uuid16(0x180d)},
                                  .n_services = 1,
                                  .has_manufacturer = true,
                                  .company = 0x006b,
                                  .manufacturer = {0x33, 0x00, 0x00, 0x38},
                                  .manufacturer_length = 4};
  RadioAdvertisingData data;
  RadioAdvertisingData response;
  g_assert_true(radio_advertising_build(&advertising, &data, &response));
  g_assert_cmpmem(data.data, data.length, expected, sizeof expected);
  g_assert_cmpuint(response.length, ==, 0);
}

static void
test_overflow(void) {
  RadioAdvertising advertising = {.name = "a name that does not fit into what is left of it",
                                  .n_services = 2,
                                  .has_manufacturer = true,
                                  .company = 1,
                                  .manufacturer_length = 8};
  g_assert_true(
      pl_uuid_parse("fb005c80-02e7-f387-1cad-8acd2d8df0c8", &advertising.services[0]));
  advertising.services[1] = radio_uuid16(0x180d);
  RadioAdvertisingData data;
  RadioAdvertisingData response;
  g_assert_true(radio_advertising_build(&advertising, &data, &response));
  g_assert_cmpuint(data.length, ==, 3 + 4 + 18);
  g_assert_cmpuint(response.length, ==, RADIO_ADVERTISING_MAX);
  g_assert_cmphex(response.data[1], ==, 0xff);  /* the manufacturer's went into the response */
  g_assert_cmphex(response.data[13], ==, 0x08); /* and the name was shortened */
  advertising.services[1] = advertising.services[0];
  g_assert_false(radio_advertising_build(&advertising, &data, &response));
}

/* Any combination is a whole number of fields of at most 31 bytes. */
static void
test_any(void) {
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  for (int n = 0; n < 5000; n++) {
    char name[60] = "";
    memset(name, 'n', (size_t)g_rand_int_range(random, 0, sizeof name));
    RadioAdvertising advertising = {
        .name = name,
        .n_services = (size_t)g_rand_int_range(random, 0, RADIO_ADVERTISED_SERVICES_MAX + 1),
        .has_manufacturer = g_rand_boolean(random),
        .manufacturer_length = (size_t)g_rand_int_range(random, 0, RADIO_ADVERTISING_MAX + 1),
    };
    for (size_t i = 0; i < advertising.n_services; i++)
      if (g_rand_boolean(random))
        advertising.services[i] = radio_uuid16((uint16_t)g_rand_int_range(random, 0, 0x10000));
    RadioAdvertisingData parts[2];
    radio_advertising_build(&advertising, &parts[0], &parts[1]);
    for (size_t part = 0; part < 2; part++) {
      size_t at = 0;
      while (at < parts[part].length)
        at += 1U + parts[part].data[at];
      g_assert_cmpuint(at, ==, parts[part].length);
      g_assert_cmpuint(at, <=, RADIO_ADVERTISING_MAX);
    }
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/advertising/strap", test_strap);
  g_test_add_func("/radio/advertising/manufacturer", test_manufacturer);
  g_test_add_func("/radio/advertising/overflow", test_overflow);
  g_test_add_func("/radio/advertising/any", test_any);
  return g_test_run();
}
