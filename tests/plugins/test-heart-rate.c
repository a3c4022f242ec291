/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/drivers.h"
#include "tests/fakes/recording-sink.h"

#include <math.h>

/* One packet and what it means.  `bpm` 0: no heart rate.  Intervals in 1/1024 s, as sent, in
 * the order of the packet and without those that are dropped. */
typedef struct {
  const char *name;
  const char *hex;
  PlStatus status;
  double bpm;
  PlContact contact;
  unsigned rr_count;
  unsigned rr_1024[3];
} Row;

#define UNKNOWN PL_CONTACT_UNKNOWN
#define NO      PL_CONTACT_NO
#define YES     PL_CONTACT_YES

static const Row rows[] = {
    /* straps of several makers, as received */
    {"contact-lost", "04 54", PL_OK, 0, NO},
    {"contact-lost-wahoo", "04 4a", PL_OK, 0, NO},
    {"contact", "06 3c", PL_OK, 60, YES},
    {"contact-h7", "06 52", PL_OK, 82, YES},
    {"one-interval", "16 59 a2 02", PL_OK, 89, YES, 1, {674}},
    {"one-interval-2", "16 5a 9a 02", PL_OK, 90, YES, 1, {666}},
    {"one-interval-3", "16 5c 8c 02", PL_OK, 92, YES, 1, {652}},
    {"one-interval-h7", "16 74 29 02", PL_OK, 116, YES, 1, {553}},
    {"one-interval-h7-2", "16 54 99 02", PL_OK, 84, YES, 1, {665}},
    {"one-interval-slow", "16 34 e4 04", PL_OK, 52, YES, 1, {1252}},
    {"one-interval-slow-2", "16 33 ea 04", PL_OK, 51, YES, 1, {1258}},
    {"one-interval-rest", "16 3c f5 03", PL_OK, 60, YES, 1, {1013}},
    {"one-interval-fast", "16 77 04 02", PL_OK, 119, YES, 1, {516}},
    {"two-intervals-h7", "16 73 10 02 0d 02", PL_OK, 115, YES, 2, {528, 525}},
    {"two-intervals-h7-2", "16 73 0f 02 11 02", PL_OK, 115, YES, 2, {527, 529}},
    {"two-intervals-h7-3", "16 74 14 02 16 02", PL_OK, 116, YES, 2, {532, 534}},
    {"two-equal-intervals", "16 77 08 02 08 02", PL_OK, 119, YES, 2, {520, 520}},
    {"two-unequal-intervals", "16 48 54 01 ec 02", PL_OK, 72, YES, 2, {340, 748}},
    {"no-contact-bits", "10 4e d2 02 c8 02", PL_OK, 78, UNKNOWN, 2, {722, 712}},
    {"no-contact-bits-2", "10 4f b7 02", PL_OK, 79, UNKNOWN, 1, {695}},
    {"no-contact-bits-3", "10 51 32 03", PL_OK, 81, UNKNOWN, 1, {818}},
    /* test packets of others' programs */
    {"plain", "00 51", PL_OK, 81, UNKNOWN},
    {"u16-beyond-limits", "01 2c 01", PL_BAD_VALUE, 0, UNKNOWN},
    {"u16-257", "01 01 01", PL_BAD_VALUE, 0, UNKNOWN},
    {"u16-32896", "01 80 80", PL_BAD_VALUE, 0, UNKNOWN},
    {"three-intervals", "10 67 72 03 8a 03 95 04", PL_OK, 103, UNKNOWN, 3, {882, 906, 1173}},
    {"one-interval-plain", "10 43 72 03", PL_OK, 67, UNKNOWN, 1, {882}},
    {"energy-and-interval", "18 43 d0 07 72 03", PL_OK, 67, UNKNOWN, 1, {882}},
    {"contact-bit-unsupported", "02 3c", PL_OK, 60, UNKNOWN},
    {"contact-no", "04 43", PL_OK, 0, NO},
    {"zero-contact", "06 00", PL_OK, 0, YES},
    {"zero-no-contact", "04 00", PL_OK, 0, NO},
    {"zero-unsupported", "02 00", PL_OK, 0, UNKNOWN},
    {"zero-u16-energy", "09 00 00 ff ff", PL_OK, 0, UNKNOWN},
    {"intervals-beyond-limits", "11 00 00 ff ff 7f 80", PL_BAD_VALUE, 0, UNKNOWN},
    {"interval-65535", "10 00 ff ff", PL_BAD_VALUE, 0, UNKNOWN},
    {"interval-0", "11 00 00 00 00", PL_BAD_VALUE, 0, UNKNOWN},
    /* at the edges of the layout and of the limits */
    {"half-interval-after-one", "10 48 4a 03 00", PL_TRAILING, 72, UNKNOWN, 1, {842}},
    {"half-interval", "10 48 4a", PL_TRAILING, 72, UNKNOWN},
    {"no-interval", "10 48", PL_OK, 72, UNKNOWN},
    {"energy-cut", "18 48 01", PL_SHORT, 72, UNKNOWN},
    {"energy-missing", "08 48", PL_SHORT, 72, UNKNOWN},
    {"reserved-bits", "e0 48", PL_OK, 72, UNKNOWN},
    {"bytes-without-flag", "00 48 4a 03", PL_TRAILING, 72, UNKNOWN},
    {"slowest", "00 19", PL_OK, 25, UNKNOWN},
    {"too-slow", "00 18", PL_BAD_VALUE, 0, UNKNOWN},
    {"fastest", "00 fa", PL_OK, 250, UNKNOWN},
    {"too-fast", "00 fb", PL_BAD_VALUE, 0, UNKNOWN},
    {"shortest-interval", "10 48 f6 00", PL_OK, 72, UNKNOWN, 1, {246}},
    {"too-short-interval", "10 48 f5 00", PL_BAD_VALUE, 72, UNKNOWN},
    {"longest-interval", "10 48 00 10", PL_OK, 72, UNKNOWN, 1, {4096}},
    {"too-long-interval", "10 48 01 10", PL_BAD_VALUE, 72, UNKNOWN},
    {"bad-interval-between",
     "10 48 4a 03 ff ff 4b 03",
     PL_BAD_VALUE,
     72,
     UNKNOWN,
     2,
     {842, 843}},
    {"bad-rate-good-interval", "11 2c 01 4a 03", PL_BAD_VALUE, 0, UNKNOWN, 1, {842}},
    {"intervals-without-contact", "14 48 4a 03", PL_OK, 0, NO},
};

static void
test_row(const void *data) {
  const Row *row = data;
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);

  g_assert_cmpint(recorder_data(recorder, 0, row->hex), ==, row->status);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  const PlSample *sample = &recorder->samples[0];
  g_assert_cmpint(sample->kind, ==, PL_SAMPLE_HEART);
  g_assert_cmpint(sample->t_us, ==, recorder->t_us);
  g_assert_cmpint(sample->t_sensor_us, ==, PL_NO_TIME);
  if (row->bpm == 0)
    g_assert_true(isnan(sample->heart.heart_rate_bpm));
  else
    g_assert_cmpfloat(sample->heart.heart_rate_bpm, ==, row->bpm);
  g_assert_cmpint(sample->heart.contact, ==, row->contact);
  g_assert_cmpuint(sample->heart.rr_count, ==, row->rr_count);
  for (unsigned i = 0; i < row->rr_count; i++)
    g_assert_cmpfloat(sample->heart.rr_ms[i], ==, row->rr_1024[i] * 1000.0 / 1024.0);
}

/* The three conversions that the science of this field is quoted with. */
static void
test_milliseconds(void) {
  static const struct {
    const char *hex;
    double ms;
  } cases[] = {{"10 48 80 01", 375.0}, {"10 48 99 01", 399.4140625}, {"10 48 00 04", 1000.0}};
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(recorder_data(recorder, 0, cases[i].hex), ==, PL_OK);
    g_assert_cmpfloat(recorder->samples[0].heart.rr_ms[0], ==, cases[i].ms);
  }
}

static void
test_short(void) {
  static const char *const cases[] = {"", "10", "00", "01 48", "ff"};
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(recorder_data(recorder, 0, cases[i]), ==, PL_SHORT);
    g_assert_cmpuint(recorder->sample_count, ==, 0);
  }
}

/* Sends `count` intervals of 600, 601, ... units in one packet and checks that each comes out
 * once and in order, the heart rate with the first ones only. */
static void
assert_all_delivered(unsigned count) {
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);
  g_autoptr(GString) hex = g_string_new("16 64");
  unsigned seen = 0;

  for (unsigned i = 0; i < count; i++)
    g_string_append_printf(hex, " %02x %02x", (600 + i) & 0xff, (600 + i) >> 8);
  g_assert_cmpint(recorder_data(recorder, 0, hex->str), ==, PL_OK);
  for (unsigned s = 0; s < recorder->sample_count; s++) {
    const PlHeartSample *heart = &recorder->samples[s].heart;
    g_assert_cmpint(heart->contact, ==, PL_CONTACT_YES);
    g_assert_true(s == 0 ? heart->heart_rate_bpm == 100 : isnan(heart->heart_rate_bpm));
    for (unsigned i = 0; i < heart->rr_count; i++)
      g_assert_cmpfloat(heart->rr_ms[i], ==, (600 + seen++) * 1000.0 / 1024.0);
  }
  g_assert_cmpuint(seen, ==, count);
  g_assert_cmpuint(recorder->sample_count, ==, MAX(1, (count + PL_RR_MAX - 1) / PL_RR_MAX));
}

static void
test_long_lists(void) {
  for (unsigned count = 0; count <= (PL_VALUE_MAX - 2) / 2; count++)
    assert_all_delivered(count);
}

/* A part of a long list that holds nothing usable is no sample. */
static void
test_long_list_bad_end(void) {
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);
  const char *hex = "10 64  00 04 00 04 00 04 00 04 00 04 00 04 00 04 00 04 00 04  ff ff ff ff";

  g_assert_cmpint(recorder_data(recorder, 0, hex), ==, PL_BAD_VALUE);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  g_assert_cmpuint(recorder->samples[0].heart.rr_count, ==, 9);
}

static void
test_other_events(void) {
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find("heart-rate"), NULL);

  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_READY), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_STOP), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_GONE), ==, PL_OK);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_UNEXPECTED);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_WRITTEN), ==, PL_UNEXPECTED);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_ADVERTISEMENT), ==, PL_UNEXPECTED);
  g_assert_cmpint(recorder_data(recorder, 1, "00 48"), ==, PL_UNEXPECTED);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/plugins/heart-rate/packet/%s", rows[i].name);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/plugins/heart-rate/milliseconds", test_milliseconds);
  g_test_add_func("/plugins/heart-rate/short", test_short);
  g_test_add_func("/plugins/heart-rate/long-lists", test_long_lists);
  g_test_add_func("/plugins/heart-rate/long-list-bad-end", test_long_list_bad_end);
  g_test_add_func("/plugins/heart-rate/other-events", test_other_events);
  return g_test_run();
}
