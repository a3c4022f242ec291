/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/frame.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* Published decimals (of messages): a stored value has to be ten times finer.  The
 * expectation does not come from the table of the program. */
static double
published_step(PlMetric metric) {
  static const PlMetric thousandths[] = {
      PL_METRIC_SPEED,  PL_METRIC_DFA_ALPHA1,  PL_METRIC_DUTY_FACTOR,   PL_METRIC_PEAK_FORCE,
      PL_METRIC_IMPACT, PL_METRIC_STEP_LENGTH, PL_METRIC_LEG_STIFFNESS, PL_METRIC_SWAY_RATIO,
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(thousandths); i++)
    if (thousandths[i] == metric)
      return 0.001;
  return 0.1;
}

static const PlMetric derived[] = {PL_METRIC_HEART_ZONE, PL_METRIC_PACE, PL_METRIC_TRIMP};

static bool
is_derived(PlMetric metric) {
  for (unsigned i = 0; i < G_N_ELEMENTS(derived); i++)
    if (derived[i] == metric)
      return true;
  return false;
}

static PlRecord
reread(const PlRecord *record) {
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  PlRecord read;
  unsigned length = pl_record_encode(record, bytes);
  g_assert_cmpuint(length, >, 0);
  g_assert_cmpuint(length, <=, PL_RECORD_BYTES_MAX);
  g_assert_cmpuint(pl_record_decode(&read, bytes, length), ==, length);
  return read;
}

static void
test_clear(void) {
  PlRecord record;
  memset(&record, 0x55, sizeof record);
  pl_record_clear(&record);
  g_assert_cmpint(record.t_us, ==, 0);
  g_assert_cmpint(record.gait, ==, PL_GAIT_UNKNOWN);
  for (unsigned m = 0; m < PL_METRIC_COUNT; m++)
    g_assert_true(isnan(record.value[m]));
  g_assert_cmpuint(record.rr_count, ==, 0);
  g_assert_true(isnan(record.counter_m));
  g_assert_cmpfloat(record.distance_m, ==, 0);
  g_assert_cmpfloat(record.steps, ==, 0);
}

static void
test_names(void) {
  g_assert_cmpstr(pl_gait_name(PL_GAIT_RUN), ==, "run");
  g_assert_cmpstr(pl_gait_name(PL_GAIT_WALK), ==, "walk");
  g_assert_cmpstr(pl_gait_name((PlGait)77), ==, "?");
  g_assert_cmpstr(pl_phase_name(PL_PHASE_WARMUP), ==, "warmup");
  g_assert_cmpstr(pl_phase_name(PL_PHASE_ENDED), ==, "ended");
  g_assert_cmpstr(pl_phase_name((PlPhase)-1), ==, "?");
}

/* Worked out by hand from the layout at the top of record.c: what is in people's databases. */
static void
test_layout(void) {
  static const uint8_t expected[] = {0x1b, 0x80, 0x89, 0x7a, 0x19, 0x01, 0xb0, 0xea,
                                     0x01, 0x00, 0x00, 0x64, 0x01, 0x90, 0x01};
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  PlRecord record;

  pl_record_clear(&record);
  record.t_us = 1000000;
  record.gait = PL_GAIT_RUN;
  record.value[PL_METRIC_HEART_RATE] = 150;
  record.confidence[PL_METRIC_HEART_RATE] = 0.5f;
  record.rr_count = 1;
  record.rr_ms[0] = 390.625;
  unsigned length = pl_record_encode(&record, bytes);
  g_assert_cmpmem(bytes, length, expected, sizeof expected);
}

static void
assert_metric(const PlRecord *read, const PlRecord *record, PlMetric m) {
  if (is_derived(m)) {
    g_assert_false(pl_record_keeps(m));
    g_assert_true(isnan(read->value[m]));
    return;
  }
  g_assert_true(pl_record_keeps(m));
  if (isnan(record->value[m])) {
    g_assert_true(isnan(read->value[m]));
    return;
  }
  g_assert_cmpfloat(fabs(read->value[m] - record->value[m]), <=, published_step(m) / 20 + 1e-9);
  g_assert_cmpfloat(fabs((double)read->confidence[m] - (double)record->confidence[m]), <=,
                    0.0026);
}

static PlRecord
random_record(GRand *rand) {
  PlRecord record;
  pl_record_clear(&record);
  record.t_us =
      ((int64_t)g_rand_int(rand) << 32 | g_rand_int(rand)) >> g_rand_int_range(rand, 0, 63);
  record.gait = (PlGait)g_rand_int_range(rand, 0, PL_GAIT_COUNT);
  for (unsigned m = 0; m < PL_METRIC_COUNT; m++) {
    if (g_rand_boolean(rand))
      continue;
    record.value[m] = g_rand_double_range(rand, -40, 3000);
    record.confidence[m] = g_rand_boolean(rand) ? 1.0f : (float)g_rand_double(rand);
  }
  record.rr_count = (unsigned)g_rand_int_range(rand, 0, PL_FRAME_RR_MAX + 1);
  for (unsigned i = 0; i < record.rr_count; i++)
    record.rr_ms[i] = g_rand_int_range(rand, 200, 2100) * 1000.0 / 1024;
  record.distance_m = g_rand_double_range(rand, 0, 12.5);
  record.steps = g_rand_boolean(rand) ? (double)NAN : g_rand_double_range(rand, 0, 5);
  record.counter_m = g_rand_boolean(rand) ? (double)NAN : g_rand_double_range(rand, 0, 4e8);
  return record;
}

static void
test_round_trip(void) {
  g_autoptr(GRand) rand = g_rand_new_with_seed(20261123);

  for (unsigned n = 0; n < 20000; n++) {
    PlRecord record = random_record(rand);
    PlRecord read = reread(&record);
    g_assert_cmpint(read.t_us, ==, record.t_us);
    g_assert_cmpint(read.gait, ==, record.gait);
    for (unsigned m = 0; m < PL_METRIC_COUNT; m++)
      assert_metric(&read, &record, (PlMetric)m);
    g_assert_cmpuint(read.rr_count, ==, record.rr_count);
    for (unsigned i = 0; i < record.rr_count; i++)
      g_assert_cmpfloat(read.rr_ms[i], ==, record.rr_ms[i]);
    g_assert_cmpfloat(fabs(read.distance_m - record.distance_m), <=, 5.1e-6);
    g_assert_cmpint(isnan(read.steps), ==, isnan(record.steps));
    if (!isnan(record.steps))
      g_assert_cmpfloat(fabs(read.steps - record.steps), <=, 5.1e-5);
    g_assert_cmpint(isnan(read.counter_m), ==, isnan(record.counter_m));
    if (!isnan(record.counter_m))
      g_assert_cmpfloat(fabs(read.counter_m - record.counter_m), <=, 0.0051);
  }
}

/* Every interval that a strap can send comes back bit for bit. */
static void
test_beats_are_exact(void) {
  PlRecord record;
  pl_record_clear(&record);
  for (unsigned units = 0; units <= UINT16_MAX; units++) {
    record.rr_count = 1;
    record.rr_ms[0] = units * 1000.0 / 1024;
    PlRecord read = reread(&record);
    g_assert_cmpuint(read.rr_count, ==, 1);
    g_assert_cmpfloat(read.rr_ms[0], ==, record.rr_ms[0]);
  }
}

/* What nobody should hand over, but what must not do harm. */
static void
test_extremes(void) {
  static const double odd[] = {INFINITY, -INFINITY, 1e300, -1e300, 1e15, NAN};

  for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++) {
    PlRecord record;
    pl_record_clear(&record);
    record.t_us = i % 2 ? INT64_MIN : INT64_MAX;
    record.gait = (PlGait)(100 + i);
    for (unsigned m = 0; m < PL_METRIC_COUNT; m++) {
      record.value[m] = odd[i];
      record.confidence[m] = (float)odd[i];
    }
    record.distance_m = record.steps = record.counter_m = odd[i];
    record.rr_count = 1000;
    for (unsigned b = 0; b < PL_FRAME_RR_MAX; b++)
      record.rr_ms[b] = b % 2 ? odd[i] : -5;
    PlRecord read = reread(&record);
    g_assert_cmpint(read.t_us, ==, record.t_us);
    g_assert_cmpint(read.gait, ==, PL_GAIT_UNKNOWN);
    g_assert_true(isnan(read.value[PL_METRIC_HEART_RATE]));
    g_assert_true(isnan(read.distance_m));
    g_assert_cmpuint(read.rr_count, ==, 0);
  }
}

/* The longest record that can be, and every shorter piece of it. */
static void
test_longest_and_prefixes(void) {
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  PlRecord record, read;

  pl_record_clear(&record);
  record.t_us = INT64_MIN;
  for (unsigned m = 0; m < PL_METRIC_COUNT; m++) {
    record.value[m] = -1.4e9;
    record.confidence[m] = 0.3f;
  }
  record.distance_m = record.steps = record.counter_m = -1.4e9;
  record.rr_count = PL_FRAME_RR_MAX;
  for (unsigned i = 0; i < PL_FRAME_RR_MAX; i++)
    record.rr_ms[i] = 60000;
  unsigned length = pl_record_encode(&record, bytes);
  for (unsigned cut = 0; cut < length; cut++)
    g_assert_cmpuint(pl_record_decode(&read, bytes, cut), ==, 0);
  g_assert_cmpuint(pl_record_decode(&read, bytes, length), ==, length);
  g_assert_cmpuint(pl_record_decode(&read, bytes, PL_RECORD_BYTES_MAX), ==, length);
}

/* There is one way to write a record: what decodes encodes to the same bytes. */
static void
test_any_bytes(void) {
  g_autoptr(GRand) rand = g_rand_new_with_seed(5);
  unsigned decoded = 0;

  for (unsigned n = 0; n < 200000; n++) {
    uint8_t bytes[PL_RECORD_BYTES_MAX], again[PL_RECORD_BYTES_MAX];
    PlRecord record;
    unsigned length = 64;
    if (n % 2) {
      PlRecord valid = random_record(rand);
      length = pl_record_encode(&valid, bytes);
      bytes[g_rand_int_range(rand, 0, (int)length)] ^=
          (uint8_t)(1 << g_rand_int_range(rand, 0, 8));
    } else {
      for (unsigned i = 0; i < length; i++)
        bytes[i] = (uint8_t)g_rand_int(rand);
      bytes[0] &= 0x1f;
    }
    unsigned took = pl_record_decode(&record, bytes, length);
    if (took == 0)
      continue;
    decoded++;
    g_assert_cmpuint(took, <=, length);
    unsigned wrote = pl_record_encode(&record, again);
    g_assert_cmpmem(again, wrote, bytes, took);
  }
  g_assert_cmpuint(decoded, >, 1000);
}

static void
test_refused_leaves_record(void) {
  PlRecord record = {.t_us = 42};
  g_assert_cmpuint(pl_record_decode(&record, (const uint8_t *)"\xff", 1), ==, 0);
  g_assert_cmpuint(pl_record_decode(&record, (const uint8_t *)"", 0), ==, 0);
  g_assert_cmpuint(pl_record_decode(&record, NULL, 0), ==, 0);
  g_assert_cmpint(record.t_us, ==, 42);
}

/* What a strap and a footpod give in one second, ten days after the boot. */
static void
test_size(void) {
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  PlRecord record;

  pl_record_clear(&record);
  record.t_us = INT64_C(864000123456);
  record.gait = PL_GAIT_RUN;
  record.value[PL_METRIC_HEART_RATE] = 171.4;
  record.value[PL_METRIC_SPEED] = 3.3218;
  record.value[PL_METRIC_CADENCE] = 174.2;
  record.confidence[PL_METRIC_HEART_RATE] = 1;
  record.confidence[PL_METRIC_SPEED] = 1;
  record.confidence[PL_METRIC_CADENCE] = 0.8f;
  record.distance_m = 3.3218;
  record.steps = 2.9033;
  record.counter_m = 10544.7;
  record.rr_count = 3;
  for (unsigned i = 0; i < 3; i++)
    record.rr_ms[i] = (350 + i) * 1000.0 / 1024;
  unsigned length = pl_record_encode(&record, bytes);
  g_test_message("heart rate, speed, cadence, distance, counter and 3 beats: %u bytes", length);
  g_assert_cmpuint(length, <=, 45);
}

/* Hours of rounded seconds add up to the distance that was run. */
static void
test_sums_hold(void) {
  double exact = 0, stored = 0;
  PlRecord record;

  pl_record_clear(&record);
  for (unsigned s = 0; s < 4 * 3600; s++) {
    record.distance_m = 2.777774999 + 1e-5 * (s % 7);
    exact += record.distance_m;
    stored += reread(&record).distance_m;
  }
  g_assert_cmpfloat(fabs(stored - exact), <=, 0.1);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/record/clear", test_clear);
  g_test_add_func("/core/record/names", test_names);
  g_test_add_func("/core/record/layout", test_layout);
  g_test_add_func("/core/record/round-trip", test_round_trip);
  g_test_add_func("/core/record/beats-are-exact", test_beats_are_exact);
  g_test_add_func("/core/record/extremes", test_extremes);
  g_test_add_func("/core/record/longest-and-prefixes", test_longest_and_prefixes);
  g_test_add_func("/core/record/any-bytes", test_any_bytes);
  g_test_add_func("/core/record/refused-leaves-record", test_refused_leaves_record);
  g_test_add_func("/core/record/size", test_size);
  g_test_add_func("/core/record/sums-hold", test_sums_hold);
  return g_test_run();
}
