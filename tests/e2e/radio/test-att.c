/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <string.h>

#include "tests/e2e/radio/att.h"
#include "tests/e2e/radio/packet.h"

enum { NAME_HANDLE = 3, FIRST_OWN_HANDLE = 0x20 };

typedef struct {
  RadioGatt *gatt;
  RadioAtt att;
  unsigned writes;
  uint8_t written[RADIO_VALUE_MAX];
  size_t written_length;
  uint8_t reply[RADIO_ATT_MTU_MAX];
  size_t length;
} Server;

static uint8_t
on_written(void *user, RadioAttribute *attribute, const uint8_t *value, size_t length) {
  (void)attribute;
  Server *server = user;
  server->writes++;
  memcpy(server->written, value, length);
  server->written_length = length;
  return RADIO_ATT_OK;
}

/* Handles: 20 service, 21-23 heart rate with configuration, 24-25 location, 26-27 control
 * point, 28 vendor service, 29-2a vendor characteristic of 30 bytes. */
static void
set_up(Server *server, const void *unused) {
  static const uint8_t location = 1;
  uint8_t vendor_value[30];
  PlUuid vendor;
  (void)unused;
  g_assert_true(pl_uuid_parse("fb005c80-02e7-f387-1cad-8acd2d8df0c8", &vendor));
  for (size_t i = 0; i < sizeof vendor_value; i++)
    vendor_value[i] = (uint8_t)i;
  server->gatt = radio_gatt_new("strap");
  radio_gatt_skip_to(server->gatt, FIRST_OWN_HANDLE);
  radio_gatt_add_service(server->gatt, radio_uuid16(0x180d));
  radio_gatt_add_characteristic(server->gatt, radio_uuid16(0x2a37), RADIO_PROPERTY_NOTIFY, NULL,
                                0);
  radio_gatt_add_characteristic(server->gatt, radio_uuid16(0x2a38), RADIO_PROPERTY_READ,
                                &location, 1);
  radio_gatt_add_characteristic(server->gatt, radio_uuid16(0x2a39), RADIO_PROPERTY_WRITE, NULL,
                                0);
  radio_gatt_add_service(server->gatt, vendor);
  radio_gatt_add_characteristic(server->gatt, vendor, RADIO_PROPERTY_READ, vendor_value,
                                sizeof vendor_value);
  server->att = (RadioAtt){
      .gatt = server->gatt,
      .mtu = RADIO_ATT_MTU_DEFAULT,
      .mtu_max = 185,
      .user = server,
      .written = on_written,
  };
}

static void
tear_down(Server *server, const void *unused) {
  (void)unused;
  radio_gatt_free(server->gatt);
}

/* The request lies in memory of exactly its size, so that a read past its end is caught. */
static void
request(Server *server, const uint8_t *pdu, size_t length) {
  g_autofree uint8_t *exact = g_memdup2(pdu, length);
  server->length = radio_att_handle(&server->att, exact, length, server->reply);
}

#define REQUEST(server, ...)                                                                   \
  request(server, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
assert_reply(const Server *server, const uint8_t *expected, size_t length) {
  g_assert_cmpmem(server->reply, server->length, expected, length);
}

#define ASSERT_REPLY(server, ...)                                                              \
  assert_reply(server, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
test_mtu(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x02, 0x05, 0x02); /* 517 */
  ASSERT_REPLY(server, 0x03, 0xb9, 0x00);
  g_assert_cmpuint(server->att.mtu, ==, 185);
  REQUEST(server, 0x02, 0x05, 0x00); /* 5: never below the default */
  g_assert_cmpuint(server->att.mtu, ==, 23);
  REQUEST(server, 0x02, 0x05);
  ASSERT_REPLY(server, 0x01, 0x02, 0x00, 0x00, RADIO_ATT_INVALID_PDU);
}

static void
test_services(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x10, 0x01, 0x00, 0xff, 0xff, 0x00, 0x28);
  ASSERT_REPLY(server, 0x11, 6, 0x01, 0, 0x05, 0, 0x00, 0x18, 0x06, 0, 0x09, 0, 0x01, 0x18,
               0x20, 0, 0x27, 0, 0x0d, 0x18);
  REQUEST(server, 0x10, 0x28, 0x00, 0xff, 0xff, 0x00,
          0x28); /* a longer entry, in its own reply */
  ASSERT_REPLY(server, 0x11, 20, 0x28, 0, 0x2a, 0, 0xc8, 0xf0, 0x8d, 0x2d, 0xcd, 0x8a, 0xad,
               0x1c, 0x87, 0xf3, 0xe7, 0x02, 0x80, 0x5c, 0x00, 0xfb);
  REQUEST(server, 0x10, 0x2b, 0x00, 0xff, 0xff, 0x00, 0x28);
  ASSERT_REPLY(server, 0x01, 0x10, 0x2b, 0x00, RADIO_ATT_ATTRIBUTE_NOT_FOUND);
  REQUEST(server, 0x10, 0x01, 0x00, 0xff, 0xff, 0x03, 0x28);
  ASSERT_REPLY(server, 0x01, 0x10, 0x01, 0x00, RADIO_ATT_UNSUPPORTED_GROUP_TYPE);
  REQUEST(server, 0x06, 0x01, 0x00, 0xff, 0xff, 0x00, 0x28, 0x0d, 0x18);
  ASSERT_REPLY(server, 0x07, 0x20, 0x00, 0x27, 0x00);
}

static void
test_characteristics(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x08, 0x20, 0x00, 0x27, 0x00, 0x03, 0x28);
  ASSERT_REPLY(server, 0x09, 7, 0x21, 0, 0x10, 0x22, 0, 0x37, 0x2a, 0x24, 0, 0x02, 0x25, 0,
               0x38, 0x2a, 0x26, 0, 0x08, 0x27, 0, 0x39, 0x2a);
  REQUEST(server, 0x04, 0x23, 0x00, 0x23, 0x00);
  ASSERT_REPLY(server, 0x05, 0x01, 0x23, 0x00, 0x02, 0x29);
  REQUEST(server, 0x04, 0x29, 0x00, 0x2a, 0x00); /* 16 and then 128 bits do not mix */
  ASSERT_REPLY(server, 0x05, 0x01, 0x29, 0x00, 0x03, 0x28);
  REQUEST(server, 0x08, 0x20, 0x00, 0x27, 0x00, 0x37, 0x2a); /* not readable */
  ASSERT_REPLY(server, 0x01, 0x08, 0x22, 0x00, RADIO_ATT_READ_NOT_PERMITTED);
}

static void
test_ranges(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x10, 0x00, 0x00, 0xff, 0xff, 0x00, 0x28);
  ASSERT_REPLY(server, 0x01, 0x10, 0x00, 0x00, RADIO_ATT_INVALID_HANDLE);
  REQUEST(server, 0x08, 0x21, 0x00, 0x20, 0x00, 0x03, 0x28);
  ASSERT_REPLY(server, 0x01, 0x08, 0x21, 0x00, RADIO_ATT_INVALID_HANDLE);
  REQUEST(server, 0x08, 0x21, 0x00, 0x22, 0x00, 0x03);
  ASSERT_REPLY(server, 0x01, 0x08, 0x21, 0x00, RADIO_ATT_INVALID_PDU);
}

static void
test_reads(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x0a, NAME_HANDLE, 0x00);
  ASSERT_REPLY(server, 0x0b, 's', 't', 'r', 'a', 'p');
  REQUEST(server, 0x0a, 0x2a, 0x00);
  g_assert_cmpuint(server->length, ==, RADIO_ATT_MTU_DEFAULT);
  REQUEST(server, 0x0c, 0x2a, 0x00, 22, 0x00);
  ASSERT_REPLY(server, 0x0d, 22, 23, 24, 25, 26, 27, 28, 29);
  REQUEST(server, 0x0c, 0x2a, 0x00, 30, 0x00);
  ASSERT_REPLY(server, 0x0d);
  REQUEST(server, 0x0c, 0x2a, 0x00, 31, 0x00);
  ASSERT_REPLY(server, 0x01, 0x0c, 0x2a, 0x00, RADIO_ATT_INVALID_OFFSET);
  REQUEST(server, 0x0a, 0x22, 0x00);
  ASSERT_REPLY(server, 0x01, 0x0a, 0x22, 0x00, RADIO_ATT_READ_NOT_PERMITTED);
  REQUEST(server, 0x0a, 0x10, 0x00); /* in the hole before the sensor's own handles */
  ASSERT_REPLY(server, 0x01, 0x0a, 0x10, 0x00, RADIO_ATT_INVALID_HANDLE);
}

static void
test_writes(Server *server, const void *unused) {
  (void)unused;
  PlUuid uuid = radio_uuid16(0x2a37);
  const RadioAttribute *configuration =
      radio_gatt_configuration(server->gatt, radio_gatt_value(server->gatt, &uuid));
  REQUEST(server, 0x12, 0x23, 0x00, 0x01, 0x00);
  ASSERT_REPLY(server, 0x13);
  g_assert_cmpmem(configuration->value, configuration->length, "\1\0", 2);
  REQUEST(server, 0x12, 0x23, 0x00, 0x01);
  ASSERT_REPLY(server, 0x01, 0x12, 0x23, 0x00, RADIO_ATT_INVALID_LENGTH);
  REQUEST(server, 0x12, 0x25, 0x00, 0x01);
  ASSERT_REPLY(server, 0x01, 0x12, 0x25, 0x00, RADIO_ATT_WRITE_NOT_PERMITTED);
  REQUEST(server, 0x12, 0x27, 0x00, 0xaa, 0xbb);
  ASSERT_REPLY(server, 0x13);
  g_assert_cmpmem(server->written, server->written_length, "\xaa\xbb", 2);
  REQUEST(server, 0x52, 0x27, 0x00, 0xcc); /* a command: not permitted, and never answered */
  g_assert_cmpuint(server->length, ==, 0);
  g_assert_cmpuint(server->writes, ==, 2);
  radio_gatt_reset_configurations(server->gatt);
  g_assert_cmpmem(configuration->value, configuration->length, "\0\0", 2);
}

static void
test_unknown(Server *server, const void *unused) {
  (void)unused;
  REQUEST(server, 0x16, 0x27, 0x00, 0x00, 0x00, 0x01); /* prepared writes */
  ASSERT_REPLY(server, 0x01, 0x16, 0x00, 0x00, RADIO_ATT_REQUEST_NOT_SUPPORTED);
  static const uint8_t unanswered[] = {0x01, 0x0b, 0x1b, 0x1e, 0x53, 0xd2};
  for (size_t i = 0; i < sizeof unanswered; i++) {
    request(server, &unanswered[i], 1);
    g_assert_cmpuint(server->length, ==, 0);
  }
  request(server, (const uint8_t *)"", 0);
  g_assert_cmpuint(server->length, ==, 0);
}

/* Whatever comes, the reply fits the MTU and answers the request that was made. */
static void
test_any_bytes(Server *server, const void *unused) {
  (void)unused;
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  for (int n = 0; n < 30000; n++) {
    uint8_t pdu[24];
    size_t length = (size_t)g_rand_int_range(random, 0, sizeof pdu + 1);
    for (size_t i = 0; i < length; i++)
      pdu[i] = (uint8_t)g_rand_int_range(random, 0, i == 0 || n % 2 ? 256 : 0x30);
    request(server, pdu, length);
    g_assert_cmpuint(server->length, <=, server->att.mtu);
    if (server->length == 0)
      continue;
    if (server->reply[0] == RADIO_ATT_ERROR_RESPONSE) {
      g_assert_cmpuint(server->length, ==, 5);
      g_assert_cmpuint(server->reply[1], ==, pdu[0]);
    } else {
      g_assert_cmpuint(server->reply[0], ==, pdu[0] + 1);
    }
  }
}

static void
test_value_pdu(Server *server, const void *unused) {
  (void)unused;
  uint8_t value[40] = {1, 2, 3};
  uint8_t pdu[RADIO_ATT_MTU_MAX];
  g_assert_cmpuint(
      radio_att_value_pdu(&server->att, RADIO_ATT_NOTIFICATION, 0x0122, value, 2, pdu), ==, 5);
  g_assert_cmpmem(pdu, 5, "\x1b\x22\x01\x01\x02", 5);
  g_assert_cmpuint(
      radio_att_value_pdu(&server->att, RADIO_ATT_NOTIFICATION, 0x0122, value, 40, pdu), ==,
      23);
}

static void
test_removed_service(Server *server, const void *unused) {
  (void)unused;
  PlUuid service = radio_uuid16(0x180d);
  PlUuid value = radio_uuid16(0x2a37);
  g_assert_true(radio_gatt_remove_service(server->gatt, &service));
  g_assert_false(radio_gatt_remove_service(server->gatt, &service));
  g_assert_null(radio_gatt_value(server->gatt, &value));
  REQUEST(server, 0x0a, 0x2a, 0x00); /* the others keep their handles */
  g_assert_cmpuint(server->reply[0], ==, 0x0b);
}

int
main(int argc, char **argv) {
  static const struct {
    const char *path;
    void (*run)(Server *server, const void *unused);
  } tests[] = {
      {"/radio/att/mtu", test_mtu},
      {"/radio/att/services", test_services},
      {"/radio/att/characteristics", test_characteristics},
      {"/radio/att/ranges", test_ranges},
      {"/radio/att/reads", test_reads},
      {"/radio/att/writes", test_writes},
      {"/radio/att/unknown", test_unknown},
      {"/radio/att/any-bytes", test_any_bytes},
      {"/radio/att/value-pdu", test_value_pdu},
      {"/radio/att/removed-service", test_removed_service},
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].path, Server, NULL, set_up, tests[i].run, tear_down);
  return g_test_run();
}
