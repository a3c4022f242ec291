/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that every driver keeps, over the whole table and the example. */
#include "plugins/drivers.h"
#include "tests/fakes/strict-sink.h"

#include <glib.h>
#include <string.h>

extern const PlDriver pl_driver_example;

static bool
is_id(const char *text) {
  size_t length = strlen(text);
  return length >= 1 && length <= 32 &&
         strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void
assert_file_in_folder(const PlDriver *driver, const char *name) {
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "plugins", driver->id, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr(GError) error = NULL;

  g_file_get_contents(path, &text, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(strlen(text), >, 200);
}

static void
test_descriptor(const void *data) {
  const PlDriver *driver = data;
  g_autofree char *source = g_strconcat(driver->id, ".c", NULL);

  g_assert_cmpuint(driver->abi, ==, PL_DRIVER_ABI);
  g_assert_true(is_id(driver->id));
  assert_file_in_folder(driver, "README.md");
  assert_file_in_folder(driver, source);
  g_assert_cmpuint(strlen(driver->name), >, 0);
  g_assert_cmpuint(strlen(driver->name), <=, 80);
  g_assert_cmpuint(driver->state_size, <=, PL_DRIVER_STATE_MAX);
  g_assert_cmpfloat(driver->nominal_rate_hz, >, 0);
  g_assert_cmpfloat(driver->nominal_rate_hz, <=, 500);
  g_assert_cmpint(driver->stale_us, >=, 0);
  g_assert_nonnull(driver->init);
  g_assert_nonnull(driver->handle);
}

/* A match without a condition would take every sensor there is. */
static void
test_matches(const void *data) {
  const PlDriver *driver = data;
  static const PlUuid nil;

  g_assert_true(driver->match_count > 0 || driver == &pl_driver_example);
  for (size_t i = 0; i < driver->match_count; i++) {
    const PlMatch *match = &driver->matches[i];
    g_assert_true(match->name_prefix || match->has_service || match->has_company);
    g_assert_true(!match->name_prefix || *match->name_prefix != '\0');
    g_assert_true(match->has_service != pl_uuid_equal(&match->service, &nil));
  }
}

static void
test_characteristics(const void *data) {
  const PlDriver *driver = data;
  static const PlUuid nil;

  g_assert_cmpuint(driver->characteristic_count, <=, PL_DRIVER_CHARACTERISTICS);
  for (size_t i = 0; i < driver->characteristic_count; i++) {
    const PlCharacteristic *characteristic = &driver->characteristics[i];
    g_assert_false(pl_uuid_equal(&characteristic->service, &nil));
    g_assert_false(pl_uuid_equal(&characteristic->uuid, &nil));
    g_assert_true(characteristic->flags & (PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_READ |
                                           PL_CHARACTERISTIC_WRITE));
    if (characteristic->flags & PL_CHARACTERISTIC_FAST)
      g_assert_true(characteristic->flags & PL_CHARACTERISTIC_NOTIFY);
    /* the first one of that UUID is this one: none is there twice */
    g_assert_cmpint(pl_driver_characteristic(driver, &characteristic->uuid), ==, (int)i);
  }
}

static void
test_table(void) {
  g_assert_cmpuint(pl_driver_count, >, 0);
  g_assert_null(pl_driver_find(""));
  g_assert_null(pl_driver_find("example"));
  g_assert_null(pl_driver_find("heart"));
  for (size_t i = 0; i < pl_driver_count; i++) {
    g_assert_true(pl_driver_find(pl_drivers[i]->id) == pl_drivers[i]);
    for (size_t other = 0; other < i; other++)
      for (size_t c = 0; c < pl_drivers[i]->characteristic_count; c++)
        g_assert_cmpint(pl_driver_characteristic(pl_drivers[other],
                                                 &pl_drivers[i]->characteristics[c].uuid),
                        ==, -1);
  }
}

/* Random bytes get nowhere in most decoders, so the first ones are often such as mean something
 * somewhere. */
static void
fill(GRand *random, uint8_t *data, size_t length) {
  static const uint8_t lucky[] = {0, 1, 2, 3, 6, 16, 0x80, 0x81, 0xf0, 0xff};

  for (size_t i = 0; i < length; i++) {
    bool use_lucky = i < 12 && g_rand_boolean(random);
    data[i] = use_lucky ? lucky[(guint)g_rand_int_range(random, 0, G_N_ELEMENTS(lucky))]
                        : (uint8_t)g_rand_int(random);
  }
}

static PlDriverEvent
random_event(GRand *random, const PlDriver *driver, int64_t t_us) {
  bool is_data = g_rand_int_range(random, 0, 4) > 0;
  return (PlDriverEvent){
      .type = is_data
                  ? PL_DRIVER_DATA
                  : (PlDriverEventType)g_rand_int_range(random, 0, PL_DRIVER_SERVICE_DATA + 1),
      .t_us = t_us,
      .characteristic =
          (unsigned)g_rand_int_range(random, 0, (int)driver->characteristic_count + 1),
      .ok = g_rand_boolean(random),
      .company = (uint16_t)g_rand_int(random),
  };
}

/* Events of every kind with packets of every length.  Returns what came of it. */
static uint64_t
torture(const PlDriver *driver, guint32 seed) {
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  g_autofree void *state = g_malloc(driver->state_size);
  PlDriverOptions options = {.rate_hz = g_rand_int_range(random, 0, 300)};
  uint8_t data[PL_VALUE_MAX];
  int64_t t_us = 0;
  StrictSink strict;

  strict_sink_init(&strict, driver);
  if (g_rand_boolean(random))
    strict.sink.lost = NULL; /* nobody counts */
  driver->init(state, &options);
  for (size_t length = 0; length <= PL_VALUE_MAX; length++) {
    t_us += g_rand_int_range(random, 0, G_USEC_PER_SEC);
    PlDriverEvent event = random_event(random, driver, t_us);
    fill(random, data, length);
    event.data = data;
    event.length = length;
    strict_sink_send(&strict, state, &event);
  }
  return strict.digest;
}

static void
test_torture(const void *data) {
  unsigned rounds = g_test_thorough() ? 2000 : 60;

  for (unsigned i = 0; i < rounds; i++)
    torture(data, g_test_rand_int());
}

/* The same events give the same samples, whatever else has been decoded meanwhile. */
static void
test_no_hidden_state(const void *data) {
  guint32 seed = g_test_rand_int();
  uint64_t first = torture(data, seed);

  torture(data, seed + 1);
  g_assert_cmpuint(torture(data, seed), ==, first);
}

static void
add_tests(const PlDriver *driver) {
  static const struct {
    const char *name;
    GTestDataFunc function;
  } rules[] = {
      {"descriptor", test_descriptor},           {"matches", test_matches},
      {"characteristics", test_characteristics}, {"torture", test_torture},
      {"no-hidden-state", test_no_hidden_state},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
    g_autofree char *path = g_strdup_printf("/plugins/%s/%s", driver->id, rules[i].name);
    g_test_add_data_func(path, driver, rules[i].function);
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < pl_driver_count; i++)
    add_tests(pl_drivers[i]);
  add_tests(&pl_driver_example);
  g_test_add_func("/plugins/table", test_table);
  return g_test_run();
}
