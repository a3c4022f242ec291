/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/polar-pmd/clock.h"
#include "plugins/polar-pmd/frame.h"
#include "tests/fakes/recording-sink.h"

#include <math.h>

#define TIME_2S "00 94 35 77 00 00 00 00"

static PlStatus
read_frame(PlPmdFrame *frame, const char *hex, double factor) {
  size_t length;
  g_autofree uint8_t *data = bytes_of_hex(hex, &length);
  return pl_pmd_frame(frame, data, length, factor);
}

/* A frame and what it holds: the number of samples, the first three and the last. */
typedef struct {
  const char *name;
  const char *hex;
  PlStatus status;
  unsigned count;
  unsigned span;
  int32_t first[3][PL_PMD_AXES];
} Row;

static const Row rows[] = {
    {"chest-strap",
     "02 ea 54 a2 42 8b 45 52 08 01 45 ff e4 ff b5 03 45 ff e4 ff b8 03",
     PL_OK,
     2,
     2,
     {{-187, -28, 949}, {-187, -28, 952}}},
    {"chest-strap-flat",
     "02 " TIME_2S " 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03",
     PL_OK,
     2,
     2,
     {{-9, -1, 999}, {-8, -2, 997}}},
    {"one-byte",
     "02 " TIME_2S " 00 80 ff 7f 01 02 03",
     PL_OK,
     2,
     2,
     {{-128, -1, 127}, {1, 2, 3}}},
    {"three-bytes",
     "02 " TIME_2S " 02 02 80 ff ff ff ff 00 04 00",
     PL_OK,
     1,
     1,
     {{-32766, -1, 1024}}},
    {"raw-trailing", "02 " TIME_2S " 01 01 00 02 00 03 00 04", PL_TRAILING, 1, 1, {{1, 2, 3}}},
    {"raw-short", "02 " TIME_2S " 01 01 00 02 00 03", PL_SHORT, 0, 0},
    {"raw-empty", "02 " TIME_2S " 01", PL_SHORT, 0, 0},
    {"6-bits",
     "02 65 00 00 00 00 00 00 00 81 f1 ff 14 00 f0 03 06 01 7b 0f 08",
     PL_OK,
     2,
     2,
     {{-15, 20, 1008}, {-20, 17, 1008}}},
    /* the beginning of an armband's frame: 29 differences of 8 bits announced, four given */
    {"8-bits",
     "02 64 6c 76 c4 3c c6 7f 07 80 d0 ff 65 01 e4 0f 08 04 fc 07 ff 0c 13 f2 11 f1 1a 00 00 "
     "00",
     PL_OK,
     5,
     5,
     {{-48, 357, 4068}, {-52, 364, 4067}, {-40, 383, 4053}}},
    {"8-bits-cut",
     "02 64 6c 76 c4 3c c6 7f 07 80 d0 ff 65 01 e4 0f 08 1d fc 07 ff 0c 13 f2",
     PL_SHORT,
     1,
     30,
     {{-48, 357, 4068}}},
    {"9-bits",
     "02 " TIME_2S " 81 00 00 00 00 00 00 09 01 ff 01 03 04",
     PL_OK,
     2,
     2,
     {{0, 0, 0}, {-1, -128, -256}}},
    {"no-bits",
     "02 " TIME_2S " 81 01 00 02 00 03 00 00 20",
     PL_OK,
     33,
     33,
     {{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}},
    {"32-bits",
     "02 " TIME_2S " 81 00 00 00 00 00 00 20 01 ff ff ff ff 00 00 00 80 ff ff ff 7f",
     PL_OK,
     2,
     2,
     {{0, 0, 0}, {-1, INT32_MIN, INT32_MAX}}},
    {"sum-wraps",
     "02 " TIME_2S " 81 01 00 ff ff 00 00 20 01 ff ff ff 7f 00 00 00 80 00 00 00 00",
     PL_OK,
     2,
     2,
     {{1, -1, 0}, {INT32_MIN, INT32_MAX, 0}}},
    {"empty-block",
     "02 " TIME_2S " 81 01 00 02 00 03 00 08 00 08 01 01 01 01",
     PL_OK,
     2,
     2,
     {{1, 2, 3}, {2, 3, 4}}},
    {"reference-only", "02 " TIME_2S " 80 01 00 02 00 03 00", PL_OK, 1, 1, {{1, 2, 3}}},
    {"reference-cut", "02 " TIME_2S " 80 01 00 02 00 03", PL_SHORT, 0, 0},
    {"half-block-header",
     "02 " TIME_2S " 80 01 00 02 00 03 00 08",
     PL_TRAILING,
     1,
     1,
     {{1, 2, 3}}},
    {"block-cut",
     "02 " TIME_2S " 80 01 00 02 00 03 00 0a ff 00 00 00",
     PL_SHORT,
     1,
     256,
     {{1, 2, 3}}},
    {"block-one-byte-short",
     "02 " TIME_2S " 80 01 00 02 00 03 00 08 01 01 01",
     PL_SHORT,
     1,
     2,
     {{1, 2, 3}}},
    {"second-block-cut",
     "02 " TIME_2S " 80 01 00 02 00 03 00 08 01 01 01 01 0c 14 00 00",
     PL_SHORT,
     2,
     22,
     {{1, 2, 3}, {2, 3, 4}}},
    {"64-bits", "02 " TIME_2S " 80 01 00 02 00 03 00 40 01 00 00 00 00 00 00 00 00",
     PL_BAD_VALUE, 0, 2},
    {"33-bits-after-good", "02 " TIME_2S " 80 01 00 02 00 03 00 08 01 01 01 01 21 00",
     PL_BAD_VALUE, 0, 2},
    {"too-many-samples",
     "02 " TIME_2S " 80 01 00 02 00 03 00 00 ff 00 ff 00 ff 00 ff",
     PL_BAD_VALUE,
     766,
     1021,
     {{1, 2, 3}}},
    {"time-beyond", "02 ff ff ff ff ff ff ff ff 01 01 00 02 00 03 00", PL_BAD_VALUE, 0, 0},
    {"no-samples", "02 " TIME_2S, PL_SHORT, 0, 0},
    {"empty", "", PL_SHORT, 0, 0},
    {"one-byte-only", "02", PL_SHORT, 0, 0},
    {"ecg", "00 " TIME_2S " 00 02 80 ff 02 80 00", PL_UNSUPPORTED, 0, 0},
    {"gyroscope", "05 " TIME_2S " 80 ea ff 08 00 0d 00 03 01 df 00", PL_UNSUPPORTED, 0, 0},
    {"beat-intervals", "03 00 00 00 00 00 00 00 00 00 80 80 80 80 80 ff", PL_UNSUPPORTED, 0, 0},
    {"unknown-measurement", "7f " TIME_2S " 01 01 00 02 00 03 00", PL_UNSUPPORTED, 0, 0},
    {"unknown-raw-type", "02 " TIME_2S " 03 01 00 02 00 03 00", PL_UNSUPPORTED, 0, 0},
    {"unknown-compressed-type", "02 " TIME_2S " 82 01 00 02 00 03 00", PL_UNSUPPORTED, 0, 0},
};

static void
test_row(const void *data) {
  const Row *row = data;
  PlPmdFrame frame;

  g_assert_cmpint(read_frame(&frame, row->hex, 1), ==, row->status);
  g_assert_cmpuint(frame.count, ==, row->count);
  g_assert_cmpuint(frame.span, ==, row->span);
  for (unsigned i = 0; i < MIN(row->count, 3); i++)
    if (i == 0 || row->first[i][2] != 0)
      for (unsigned axis = 0; axis < PL_PMD_AXES; axis++)
        g_assert_cmpint(frame.value[i][axis], ==, row->first[i][axis]);
}

static void
test_header(void) {
  PlPmdFrame frame;

  read_frame(&frame, "02 ea 54 a2 42 8b 45 52 08 01 45 ff e4 ff b5 03", 0.5);
  g_assert_cmpint(frame.last_ns, ==, G_GINT64_CONSTANT(599618164814402794));
  g_assert_cmpfloat(frame.scale_mg, ==, 1);
  read_frame(&frame, "02 " TIME_2S " 80 01 00 02 00 03 00", 0.5);
  g_assert_cmpfloat(frame.scale_mg, ==, 500);
  read_frame(&frame, "02 " TIME_2S " 81 01 00 02 00 03 00", 0.5);
  g_assert_cmpfloat(frame.scale_mg, ==, 0.5);
}

/* A whole frame of one block of 56 differences of 10 bits.  The sums were computed with another
 * program. */
static void
test_long_block(void) {
  static const char hex[] = "02 " TIME_2S " 80"
                            "7107F06A9E8D0A38BE5CBEBA2F96B3EE4BE5ADFB42B9EBBE4CFEBA2F92BFEE4B"
                            "E4B1FB12B9ECBD3C3EBB2F8FD3DE4BE3B5F7D2B8EDBD307E7B2F8BE3CE8BE2BA"
                            "F7A2B8EEBC20BE7B2F88F3CECBE1BDEF52F8EFBC18FE3B2F8403BFCBE0C2EF32"
                            "B8F0BB044EBC2E8113AF0BE0C6EFF2F7F1B9FC7DBC2E7D279F4BDFCAEBC2F7F2"
                            "B8ECCD7C2E7B378F4BDECEE392F7F3B8E00DFD2D774B7FCBDDD2DF6237F5B7D4"
                            "4DBD2D745B6FCBDCD7D73237F6B5C88D7D2D716B4F4BDCDCD3F236F7B4BCDDFD"
                            "2C6F7B3F4BDBE0CFD236F8B2B02DBE2C6C8F1FCBDAE3C7A276F9";
  static const int32_t first[3][PL_PMD_AXES] = {
      {1905, 27376, -29282}, {2095, 27271, -29367}, {2285, 27165, -29451}};
  static const int32_t last[PL_PMD_AXES] = {12274, 20173, -32449};
  static const int64_t sums[PL_PMD_AXES] = {407646, 1367041, -1774775};
  static const int first_mg[PL_PMD_AXES] = {464, 6679, -7144};
  static const int last_mg[PL_PMD_AXES] = {2994, 4922, -7917};
  PlPmdFrame frame;

  g_assert_cmpint(read_frame(&frame, hex, 2.44e-4), ==, PL_OK);
  g_assert_cmpuint(frame.count, ==, 57);
  for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
    int64_t sum = 0;
    for (unsigned i = 0; i < 3; i++)
      g_assert_cmpint(frame.value[i][axis], ==, first[i][axis]);
    for (unsigned i = 0; i < frame.count; i++)
      sum += frame.value[i][axis];
    g_assert_cmpint(sum, ==, sums[axis]);
    g_assert_cmpint(frame.value[56][axis], ==, last[axis]);
    g_assert_cmpint((int)(frame.value[0][axis] * frame.scale_mg), ==, first_mg[axis]);
    g_assert_cmpint((int)(frame.value[56][axis] * frame.scale_mg), ==, last_mg[axis]);
  }
}

/* Writes differences the way a sensor does, one bit after the other. */
static void
append_block(GByteArray *frame, int32_t (*value)[PL_PMD_AXES], unsigned count, unsigned width) {
  guint8 header[] = {(guint8)width, (guint8)count};
  unsigned bit = 0;
  guint8 byte = 0;

  g_byte_array_append(frame, header, sizeof header);
  for (unsigned i = 0; i < count; i++)
    for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
      uint32_t difference = (uint32_t)value[i + 1][axis] - (uint32_t)value[i][axis];
      for (unsigned b = 0; b < width; b++) {
        byte |= (guint8)(((difference >> b) & 1) << (bit % 8));
        if (++bit % 8 == 0) {
          g_byte_array_append(frame, &byte, 1);
          byte = 0;
        }
      }
    }
  if (bit % 8 != 0)
    g_byte_array_append(frame, &byte, 1);
}

/* Every width, several blocks, random values: what was packed comes out. */
static void
test_round_trip(void) {
  for (unsigned width = 1; width <= 32; width++) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    int32_t value[41][PL_PMD_AXES];
    PlPmdFrame frame;

    g_byte_array_append(bytes, (const guint8 *)"\x02\0\0\0\0\0\0\0\0\x81", 10);
    for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
      value[0][axis] = g_test_rand_int_range(INT16_MIN, INT16_MAX + 1);
      guint8 reference[] = {(guint8)value[0][axis], (guint8)(value[0][axis] >> 8)};
      g_byte_array_append(bytes, reference, sizeof reference);
    }
    for (unsigned i = 1; i < G_N_ELEMENTS(value); i++)
      for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
        int64_t half = G_GINT64_CONSTANT(1) << (width - 1);
        int64_t difference = (int64_t)(g_test_rand_double() * (double)(2 * half)) - half;
        value[i][axis] = (int32_t)((uint32_t)value[i - 1][axis] + (uint32_t)difference);
      }
    append_block(bytes, value, 1, width);
    append_block(bytes, value + 1, 7, width);
    append_block(bytes, value + 8, 32, width);
    g_autofree guint8 *exact = g_memdup2(bytes->data, bytes->len);
    g_assert_cmpint(pl_pmd_frame(&frame, exact, bytes->len, 1), ==, PL_OK);
    g_assert_cmpmem(frame.value, frame.count * sizeof frame.value[0], value, sizeof value);
  }
}

/* As many samples as there may be, and one more, raw and compressed. */
static void
test_most_samples(void) {
  g_autoptr(GString) raw = g_string_new("02 " TIME_2S " 00");
  PlPmdFrame frame;

  for (unsigned i = 0; i < PL_PMD_SAMPLES_MAX; i++)
    g_string_append(raw, "010203");
  g_assert_cmpint(read_frame(&frame, raw->str, 1), ==, PL_OK);
  g_assert_cmpuint(frame.count, ==, PL_PMD_SAMPLES_MAX);
  g_string_append(raw, "010203");
  g_assert_cmpint(read_frame(&frame, raw->str, 1), ==, PL_TRAILING);
  g_assert_cmpuint(frame.count, ==, PL_PMD_SAMPLES_MAX);

  const char *compressed = "02 " TIME_2S " 81 01 00 02 00 03 00 00 ff 00 ff 00 ff 00 ea";
  g_assert_cmpint(read_frame(&frame, compressed, 1), ==, PL_OK);
  g_assert_cmpuint(frame.count, ==, PL_PMD_SAMPLES_MAX);
  compressed = "02 " TIME_2S " 81 01 00 02 00 03 00 00 ff 00 ff 00 ff 00 eb";
  g_assert_cmpint(read_frame(&frame, compressed, 1), ==, PL_BAD_VALUE);
  g_assert_cmpuint(frame.count, ==, 766);
}

#define SECOND G_GINT64_CONSTANT(1000000000)

typedef struct {
  int64_t last_ns;
  unsigned count;
  int64_t received_us;
  double step_ns; /* expected */
  unsigned lost;
} Tick;

static void
assert_ticks(double rate_hz, const Tick *ticks, unsigned count) {
  PlPmdClock clock;

  pl_pmd_clock_start(&clock, rate_hz);
  for (unsigned i = 0; i < count; i++) {
    unsigned lost;
    double step = pl_pmd_clock_step(&clock, ticks[i].last_ns, ticks[i].count,
                                    ticks[i].received_us, &lost);
    g_assert_cmpfloat_with_epsilon(step, ticks[i].step_ns, 1e-6);
    g_assert_cmpuint(lost, ==, ticks[i].lost);
  }
}

/* A strap of 98 Hz that says 100: the first frame by what it says, then by what it does. */
static void
test_clock_steady(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 36, 0, 1e7, 0},
      {10 * SECOND + 360000000, 36, 360000, 1e7, 0},
      {10 * SECOND + 720000000 + 7200000, 36, 730000, 1.02e7, 0},
      {10 * SECOND + 1080000000 + 14400000, 36, 1090000, 1.02e7, 0},
      {10 * SECOND + 1080000000 + 14400000 + 102000000, 10, 1190000, 1.02e7, 0},
  };
  assert_ticks(100, ticks, G_N_ELEMENTS(ticks));
}

static void
test_clock_gaps(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 50, 0, 1e7, 0},
      {10 * SECOND + 750000000, 50, 750000, 1.5e7, 0}, /* exactly 1.5: stretched */
      {10 * SECOND + 1510000000, 50, 1510000, 1e7, 1}, /* more than that: a gap */
      {10 * SECOND + 3510000000, 50, 3510000, 1e7, 3}, /* four frames' time */
      {10 * SECOND + 4010000000, 50, 4010000, 1e7, 0},
  };
  assert_ticks(100, ticks, G_N_ELEMENTS(ticks));
}

/* The sensor's clock is set to today, then back, then stands still. */
static void
test_clock_set(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 36, 0, 1e7, 0},
      {800000000 * SECOND, 36, 360000, 1e7, 0},
      {800000000 * SECOND + 360000000, 36, 720000, 1e7, 0},
      {20 * SECOND, 36, 1080000, 1e7, 0},
      {20 * SECOND, 36, 1440000, 1e7, 0},
      {20 * SECOND + 360000000, 36, 1800000, 1e7, 0},
  };
  assert_ticks(100, ticks, G_N_ELEMENTS(ticks));
}

/* Frames that waited in a queue arrive at once: that is no set clock, so a loss still counts.
 */
static void
test_clock_queue(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 36, 0, 1e7, 0},
      {10 * SECOND + 360000000, 36, 10000000, 1e7, 0},
      {10 * SECOND + 1440000000, 36, 10000001, 1e7, 2},
  };
  assert_ticks(100, ticks, G_N_ELEMENTS(ticks));
}

/* The sensor's clock gains 29 s on ours, which a queue may explain, then 31 s, which nothing
 * does. The machine has been up for eleven days. */
static void
test_clock_ahead(void) {
  static const int64_t up_us = G_GINT64_CONSTANT(1000000000000);
  static const Tick ticks[] = {
      {10 * SECOND, 100, up_us, 1e7, 0},
      {40 * SECOND, 100, up_us + 1000000, 1e7, 29},
      {72 * SECOND, 100, up_us + 2000000, 1e7, 0},
      {73 * SECOND, 100, up_us + 3000000, 1e7, 0},
  };
  assert_ticks(100, ticks, G_N_ELEMENTS(ticks));
}

/* A rate that no sensor has is not learnt. */
static void
test_clock_absurd_rate(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 10, 0, 1e7, 0},
      {12 * SECOND, 10, 2000000, 1e7, 0},
      {12 * SECOND + 1000, 10, 2000100, 1e7, 0},
      {13 * SECOND + 1000, 10, 3000000, 1e8, 0},
      {14 * SECOND + 1000, 10, 4000000, 1e8, 0},
  };
  assert_ticks(0, ticks, G_N_ELEMENTS(ticks));
}

/* Nobody has told the rate: 100 Hz is a guess until the second frame. */
static void
test_clock_unknown_rate(void) {
  static const Tick ticks[] = {
      {10 * SECOND, 50, 0, 1e7, 0},
      {11 * SECOND, 50, 1000000, 2e7, 0},
      {15 * SECOND, 50, 5000000, 2e7, 3},
  };
  assert_ticks(0, ticks, G_N_ELEMENTS(ticks));
}

static void
test_clock_extremes(void) {
  PlPmdClock clock;
  unsigned lost;

  pl_pmd_clock_start(&clock, 0);
  pl_pmd_clock_step(&clock, 0, 1, INT64_MIN, &lost);
  pl_pmd_clock_step(&clock, INT64_MAX, 1000, INT64_MAX, &lost);
  pl_pmd_clock_start(&clock, 65535);
  pl_pmd_clock_step(&clock, 1, 1, -1000 * G_USEC_PER_SEC, &lost);
  g_assert_true(isfinite(pl_pmd_clock_step(&clock, INT64_MAX, 1, INT64_MAX, &lost)));
  g_assert_cmpuint(lost, ==, UINT_MAX);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/plugins/polar-pmd/frame/%s", rows[i].name);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/plugins/polar-pmd/frame/header", test_header);
  g_test_add_func("/plugins/polar-pmd/frame/long-block", test_long_block);
  g_test_add_func("/plugins/polar-pmd/frame/most-samples", test_most_samples);
  g_test_add_func("/plugins/polar-pmd/frame/round-trip", test_round_trip);
  g_test_add_func("/plugins/polar-pmd/clock/steady", test_clock_steady);
  g_test_add_func("/plugins/polar-pmd/clock/gaps", test_clock_gaps);
  g_test_add_func("/plugins/polar-pmd/clock/set", test_clock_set);
  g_test_add_func("/plugins/polar-pmd/clock/queue", test_clock_queue);
  g_test_add_func("/plugins/polar-pmd/clock/unknown-rate", test_clock_unknown_rate);
  g_test_add_func("/plugins/polar-pmd/clock/ahead", test_clock_ahead);
  g_test_add_func("/plugins/polar-pmd/clock/absurd-rate", test_clock_absurd_rate);
  g_test_add_func("/plugins/polar-pmd/clock/extremes", test_clock_extremes);
  return g_test_run();
}
