/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/heart.h"

#include <glib.h>
#include <math.h>

static const int64_t second = 1000000;

static PlHeartSettings
nobody(void) {
  return (PlHeartSettings){
      .age_years = NAN,
      .max_heart_rate_bpm = NAN,
      .resting_heart_rate_bpm = NAN,
      .threshold_heart_rate_bpm = NAN,
  };
}

/* Resting 55, maximum 185: the person of most published examples. */
static PlHeartSettings
somebody(PlSex sex) {
  PlHeartSettings settings = nobody();
  settings.sex = sex;
  settings.resting_heart_rate_bpm = 55;
  settings.max_heart_rate_bpm = 185;
  return settings;
}

static PlHeartProfile
profile_of(const PlHeartSettings *settings) {
  PlHeartProfile profile;
  g_assert_true(pl_heart_profile(&profile, settings));
  return profile;
}

static void
assert_floors(const PlHeartProfile *profile, const double floors[PL_ZONE_COUNT]) {
  for (int z = 0; z < PL_ZONE_COUNT; z++)
    g_assert_cmpfloat_with_epsilon(profile->zone_floor_bpm[z], floors[z], 1e-9);
}

/* Tanaka: 208 - 0.7 * age. */
static void
test_maximum(void) {
  PlHeartSettings settings = nobody();
  settings.age_years = 40;
  PlHeartProfile profile = profile_of(&settings);
  g_assert_cmpfloat_with_epsilon(profile.maximum_bpm, 180, 1e-9);
  g_assert_true(profile.maximum_estimated);
  g_assert_true(profile.age_known);

  settings.age_years = 65.5;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).maximum_bpm, 162.15, 1e-9);

  settings.max_heart_rate_bpm = 191;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.maximum_bpm, ==, 191);
  g_assert_false(profile.maximum_estimated);

  settings = nobody();
  profile = profile_of(&settings);
  g_assert_true(profile.maximum_estimated);
  g_assert_false(profile.age_known);
}

static void
test_resting_and_threshold(void) {
  PlHeartSettings settings = nobody();
  PlHeartProfile profile = profile_of(&settings);
  g_assert_cmpfloat(profile.resting_bpm, ==, 60);
  g_assert_true(profile.resting_estimated);

  settings = somebody(PL_SEX_MALE);
  profile = profile_of(&settings);
  g_assert_cmpfloat_with_epsilon(profile.threshold_bpm, 165.5, 1e-9);
  g_assert_true(profile.threshold_estimated);
  g_assert_false(profile.resting_estimated);

  settings.threshold_heart_rate_bpm = 160;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.threshold_bpm, ==, 160);
  g_assert_false(profile.threshold_estimated);
}

/* Edwards: 50, 60, 70, 80 and 90 % of the maximum. */
static void
test_zones_of_maximum(void) {
  PlHeartSettings settings = nobody();
  settings.max_heart_rate_bpm = 200;
  PlHeartProfile profile = profile_of(&settings);
  assert_floors(&profile, (double[]){0, 100, 120, 140, 160, 180});
  g_assert_cmpint(pl_heart_zone(&profile, 30), ==, 0);
  g_assert_cmpint(pl_heart_zone(&profile, 99.99), ==, 0);
  for (int zone = 1; zone <= 5; zone++) {
    double floor_bpm = 80 + 20 * zone;
    g_assert_cmpint(pl_heart_zone(&profile, floor_bpm), ==, zone);
    g_assert_cmpint(pl_heart_zone(&profile, floor_bpm - 0.01), ==, zone - 1);
  }
  g_assert_cmpint(pl_heart_zone(&profile, 230), ==, 5);
}

/* Karvonen: 70 % of the reserve is 146. */
static void
test_zones_of_reserve(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  PlHeartProfile profile = profile_of(&settings);
  assert_floors(&profile, (double[]){0, 120, 133, 146, 159, 172});
}

/* Friel: 85, 90, 95 and 100 % of the threshold; all below is zone 1. */
static void
test_zones_of_threshold(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  settings.threshold_heart_rate_bpm = 160;
  PlHeartProfile profile = profile_of(&settings);
  assert_floors(&profile, (double[]){0, 0, 136, 144, 152, 160});
  g_assert_cmpint(pl_heart_zone(&profile, 40), ==, 1);
  g_assert_cmpint(pl_heart_zone(&profile, 170), ==, 5);
}

static void
test_zones_by_wish(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  settings.threshold_heart_rate_bpm = 160;
  settings.zones = PL_ZONES_MAX;
  PlHeartProfile profile = profile_of(&settings);
  assert_floors(&profile, (double[]){0, 92.5, 111, 129.5, 148, 166.5});
  settings.zones = PL_ZONES_RESERVE;
  profile = profile_of(&settings);
  assert_floors(&profile, (double[]){0, 120, 133, 146, 159, 172});
}

/* 0.89 of the threshold, else three quarters of the reserve, else 0.80 of the maximum; without
 * the wish for an easy run 0.95 of the maximum, whatever else is known. */
static void
test_cap(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  settings.threshold_heart_rate_bpm = 160;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 175.75, 1e-9);
  settings.effort = PL_EFFORT_EASY;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 142.4, 1e-9);
  settings.threshold_heart_rate_bpm = NAN;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 152.5, 1e-9);
  settings.resting_heart_rate_bpm = NAN;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 148, 1e-9);
  g_assert_cmpfloat(profile_of(&settings).cap_confidence, ==, 1);
  settings.max_heart_rate_bpm = NAN;
  settings.age_years = 40;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 144, 1e-9);
  g_assert_cmpfloat(profile_of(&settings).cap_confidence, <, 0.5);
  /* A threshold that was measured stands above a maximum that was not. */
  settings.age_years = 80;
  settings.threshold_heart_rate_bpm = 170;
  g_assert_cmpfloat_with_epsilon(profile_of(&settings).cap_bpm, 151.3, 1e-9);
  g_assert_cmpfloat(profile_of(&settings).cap_confidence, ==, 1);
}

/* What rests on an estimate says so, and only that. */
static void
test_confidences(void) {
  PlHeartSettings settings = somebody(PL_SEX_FEMALE);
  PlHeartProfile profile = profile_of(&settings);
  g_assert_cmpfloat(profile.zone_confidence, ==, 1);
  g_assert_cmpfloat(profile.trimp_confidence, ==, 1);

  settings.sex = PL_SEX_UNKNOWN;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.zone_confidence, ==, 1);
  g_assert_cmpfloat(profile.trimp_confidence, ==, 0.4);

  settings = somebody(PL_SEX_FEMALE);
  settings.resting_heart_rate_bpm = NAN;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.zone_confidence, ==, 1); /* of the maximum */
  g_assert_cmpfloat(profile.trimp_confidence, ==, 0.3);
  settings.zones = PL_ZONES_RESERVE;
  g_assert_cmpfloat(profile_of(&settings).zone_confidence, ==, 0.3);
  settings.zones = PL_ZONES_THRESHOLD;
  g_assert_cmpfloat(profile_of(&settings).zone_confidence, ==, 0.4);

  settings = somebody(PL_SEX_FEMALE);
  settings.max_heart_rate_bpm = NAN;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.zone_confidence, ==, 0.4);
  g_assert_cmpfloat(profile.trimp_confidence, ==, 0.4);
  settings.threshold_heart_rate_bpm = 160;
  profile = profile_of(&settings);
  g_assert_cmpfloat(profile.zone_confidence, ==, 1);
  g_assert_cmpfloat(profile.trimp_confidence, ==, 0.4);
}

static void
test_impossible(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  PlHeartProfile profile;
  settings.resting_heart_rate_bpm = 185;
  g_assert_false(pl_heart_profile(&profile, &settings));
  g_assert_cmpfloat(profile.maximum_bpm, >, profile.resting_bpm);
  g_assert_true(profile.maximum_estimated && profile.resting_estimated);
}

/* -- training impulse -------------------------------------------------------------------- */

static void
test_trimp(void) {
  PlHeartSettings man = somebody(PL_SEX_MALE), woman = somebody(PL_SEX_FEMALE),
                  unknown = somebody(PL_SEX_UNKNOWN);
  PlHeartProfile of_man = profile_of(&man), of_woman = profile_of(&woman),
                 of_unknown = profile_of(&unknown);
  g_assert_cmpfloat_with_epsilon(pl_heart_trimp(&of_man, 150, 2400), 76.097219, 1e-6);
  g_assert_cmpfloat_with_epsilon(pl_heart_trimp(&of_woman, 150, 2400), 85.181444, 1e-6);
  g_assert_cmpfloat_with_epsilon(pl_heart_trimp(&of_unknown, 150, 2400), 76.097219, 1e-6);
}

/* 10 min at 120, 20 at 150, 5 at 170, 10 at 125: second by second, and against what an hour at
 * a threshold of 160 would be. */
static void
test_trimp_segments(void) {
  static const struct {
    double bpm;
    int minutes;
  } segments[] = {{120, 10}, {150, 20}, {170, 5}, {125, 10}};
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  settings.threshold_heart_rate_bpm = 160;
  PlHeartProfile profile = profile_of(&settings);
  double trimp = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS(segments); i++)
    for (int s = 0; s < 60 * segments[i].minutes; s++)
      trimp += pl_heart_trimp(&profile, segments[i].bpm, 1);
  double of_hour = pl_heart_trimp(&profile, profile.threshold_bpm, 3600);
  g_assert_cmpfloat_with_epsilon(trimp, 71.567801, 1e-6);
  g_assert_cmpfloat_with_epsilon(of_hour, 146.240509, 1e-6);
  g_assert_cmpfloat_with_epsilon(100 * trimp / of_hour, 48.938424, 1e-6);
}

/* Nothing below rest, no more than at the maximum. */
static void
test_trimp_limits(void) {
  PlHeartSettings settings = somebody(PL_SEX_MALE);
  PlHeartProfile profile = profile_of(&settings);
  g_assert_cmpfloat(pl_heart_trimp(&profile, 55, 60), ==, 0);
  g_assert_cmpfloat(pl_heart_trimp(&profile, 40, 60), ==, 0);
  g_assert_cmpfloat_with_epsilon(pl_heart_trimp(&profile, 185, 60), 0.64 * exp(1.92), 1e-9);
  g_assert_cmpfloat_with_epsilon(pl_heart_trimp(&profile, 220, 60), 0.64 * exp(1.92), 1e-9);
}

/* -- one strap --------------------------------------------------------------------------- */

static void
send(PlHeartInput *input, double t_s, double bpm, PlContact contact) {
  PlHeartSample sample = {.heart_rate_bpm = bpm, .contact = contact};
  pl_heart_input_add(input, (int64_t)(t_s * (double)second), &sample);
}

static void
assert_reads(const PlHeartInput *input, double bpm, double confidence) {
  g_assert_cmpfloat(input->heart_rate_bpm, ==, bpm);
  g_assert_cmpfloat(input->confidence, ==, confidence);
}

static void
test_plausible(void) {
  PlHeartInput input;
  pl_heart_input_init(&input);
  g_assert_true(isnan(input.heart_rate_bpm));
  send(&input, 1, 30, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 30, 1);
  const double implausible[] = {29, 0, 231, 255, 65535, NAN};
  for (unsigned i = 0; i < G_N_ELEMENTS(implausible); i++) {
    send(&input, 2 + i, implausible[i], PL_CONTACT_UNKNOWN);
    assert_reads(&input, 30, 1);
    g_assert_cmpint(input.t_us, ==, second); /* it grows old */
    g_assert_cmpint(input.packet_us, ==, (int64_t)(2 + i) * second);
  }
  send(&input, 20, 230, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 230, 1);
}

static void
test_contact(void) {
  PlHeartInput input;
  pl_heart_input_init(&input);
  send(&input, 1, 120, PL_CONTACT_YES);
  assert_reads(&input, 120, 1);
  send(&input, 2, 121, PL_CONTACT_NO);
  g_assert_true(isnan(input.heart_rate_bpm));
  send(&input, 3, 180, PL_CONTACT_YES); /* nothing to compare it with */
  assert_reads(&input, 180, 1);
}

/* More than 25 bpm within a second is doubted for 3 s. */
static void
test_jump(void) {
  PlHeartInput input;
  pl_heart_input_init(&input);
  send(&input, 0, 120, PL_CONTACT_UNKNOWN);
  send(&input, 1, 145, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 145, 1);
  send(&input, 2, 119, PL_CONTACT_UNKNOWN); /* 26 */
  assert_reads(&input, 145, 0.5);
  send(&input, 3, 118, PL_CONTACT_UNKNOWN);
  send(&input, 4.9, 118, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 145, 0.5);
  send(&input, 5, 117, PL_CONTACT_UNKNOWN); /* it insists */
  assert_reads(&input, 117, 1);
  send(&input, 6, 118, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 118, 1);
}

/* A spike of one packet leaves no trace, and the next one is doubted anew. */
static void
test_jump_returns(void) {
  PlHeartInput input;
  pl_heart_input_init(&input);
  for (int i = 0; i < 10; i++) {
    send(&input, 2 * i, 150, PL_CONTACT_UNKNOWN);
    assert_reads(&input, 150, 1);
    send(&input, 2 * i + 1, 220, PL_CONTACT_UNKNOWN);
    assert_reads(&input, 150, 0.5);
  }
}

/* After a gap a different heart rate is no wonder. */
static void
test_jump_after_gap(void) {
  PlHeartInput input;
  pl_heart_input_init(&input);
  send(&input, 0, 150, PL_CONTACT_UNKNOWN);
  send(&input, 2, 110, PL_CONTACT_UNKNOWN);
  assert_reads(&input, 110, 1);
}

/* -- beats --------------------------------------------------------------------------------- */

static void
send_beats(PlHeartInput *input, unsigned count, double first_ms) {
  PlHeartSample sample = {.heart_rate_bpm = 150, .rr_count = count};
  for (unsigned i = 0; i < count; i++)
    sample.rr_ms[i] = first_ms + i;
  pl_heart_input_add(input, second, &sample);
}

static void
test_beats(void) {
  PlHeartInput input;
  double rr_ms[PL_BEATS_MAX];
  pl_heart_input_init(&input);
  g_assert_false(input.has_beats);
  g_assert_cmpuint(pl_heart_input_take_beats(&input, rr_ms, PL_BEATS_MAX), ==, 0);
  double next_ms = 300, expected_ms = 300;
  for (int round = 0; round < 100; round++) { /* several times around the ring */
    send_beats(&input, 7, next_ms);
    next_ms += 7;
    unsigned taken = pl_heart_input_take_beats(&input, rr_ms, 5 + round % 5);
    for (unsigned i = 0; i < taken; i++)
      g_assert_cmpfloat(rr_ms[i], ==, expected_ms++);
  }
  while (pl_heart_input_take_beats(&input, rr_ms, 1) == 1)
    g_assert_cmpfloat(rr_ms[0], ==, expected_ms++);
  g_assert_cmpfloat(expected_ms, ==, next_ms);
  g_assert_true(input.has_beats);
  g_assert_cmpuint(input.beats_lost, ==, 0);
}

/* When nobody takes them the oldest go, and it is known how many. */
static void
test_beats_overflow(void) {
  PlHeartInput input;
  double rr_ms[PL_BEATS_MAX];
  pl_heart_input_init(&input);
  for (int i = 0; i < 20; i++)
    send_beats(&input, 9, 300 + 9 * i);
  g_assert_cmpuint(input.beats_lost, ==, 180 - PL_BEATS_MAX);
  g_assert_cmpuint(pl_heart_input_take_beats(&input, rr_ms, PL_BEATS_MAX), ==, PL_BEATS_MAX);
  g_assert_cmpfloat(rr_ms[0], ==, 300 + 180 - PL_BEATS_MAX);
  g_assert_cmpfloat(rr_ms[PL_BEATS_MAX - 1], ==, 479);
}

/* Intervals that are no beats are left out; those of a strap in the air are not looked at. */
static void
test_beats_refused(void) {
  PlHeartInput input;
  double rr_ms[4];
  PlHeartSample sample = {.heart_rate_bpm = 150, .rr_count = 4, .rr_ms = {0, 400, NAN, 3000}};
  pl_heart_input_init(&input);
  pl_heart_input_add(&input, second, &sample);
  g_assert_cmpuint(pl_heart_input_take_beats(&input, rr_ms, 4), ==, 2);
  g_assert_cmpfloat(rr_ms[0], ==, 400);
  g_assert_cmpfloat(rr_ms[1], ==, 3000); /* beats were missed: who uses them has to know */
  sample.contact = PL_CONTACT_NO;
  pl_heart_input_add(&input, 2 * second, &sample);
  g_assert_cmpuint(pl_heart_input_take_beats(&input, rr_ms, 4), ==, 0);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/heart/profile/maximum", test_maximum);
  g_test_add_func("/heart/profile/resting-and-threshold", test_resting_and_threshold);
  g_test_add_func("/heart/profile/cap", test_cap);
  g_test_add_func("/heart/profile/confidences", test_confidences);
  g_test_add_func("/heart/profile/impossible", test_impossible);
  g_test_add_func("/heart/zones/of-maximum", test_zones_of_maximum);
  g_test_add_func("/heart/zones/of-reserve", test_zones_of_reserve);
  g_test_add_func("/heart/zones/of-threshold", test_zones_of_threshold);
  g_test_add_func("/heart/zones/by-wish", test_zones_by_wish);
  g_test_add_func("/heart/trimp/forty-minutes", test_trimp);
  g_test_add_func("/heart/trimp/segments", test_trimp_segments);
  g_test_add_func("/heart/trimp/limits", test_trimp_limits);
  g_test_add_func("/heart/input/plausible", test_plausible);
  g_test_add_func("/heart/input/contact", test_contact);
  g_test_add_func("/heart/input/jump", test_jump);
  g_test_add_func("/heart/input/jump-returns", test_jump_returns);
  g_test_add_func("/heart/input/jump-after-gap", test_jump_after_gap);
  g_test_add_func("/heart/beats/order", test_beats);
  g_test_add_func("/heart/beats/overflow", test_beats_overflow);
  g_test_add_func("/heart/beats/refused", test_beats_refused);
  return g_test_run();
}
