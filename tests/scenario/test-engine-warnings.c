/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/scene.h"

#include <math.h>

/* Live warnings that need no motion sensor. */

static void
assert_warned(Scene *scene, PlWarningCode code, const char *expected) {
  g_autofree char *text = scene_warnings(scene, code);
  g_assert_cmpstr(text, ==, expected);
}

static const SceneWarning *
warning(const Scene *scene, guint number) {
  g_assert_cmpuint(number, <, scene->warnings->len);
  return &g_array_index(scene->warnings, SceneWarning, number);
}

static bool
is_active(Scene *scene, PlWarningCode code) {
  return scene->frames[0].warnings & UINT64_C(1) << code;
}

/* -- heart-rate-cap ------------------------------------------------------------------------ */

/* 0.95 of 185 is 175.75.  The median of 30 s follows a step after 16 s; 60 s later it is
 * raised. It is over after 30 s below 172.75, which a step down reaches after 15 s. */
static void
test_cap(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 300, 160, 3);
  scene_run(scene, 0, 100, 180, 3);
  g_assert_true(is_active(scene, PL_WARNING_HEART_RATE_CAP));
  scene_run(scene, 0, 100, 160, 3);
  g_assert_false(is_active(scene, PL_WARNING_HEART_RATE_CAP));
  scene_run(scene, 0, 100, 180, 3); /* within 300 s of the first */
  g_assert_false(is_active(scene, PL_WARNING_HEART_RATE_CAP));
  scene_run(scene, 0, 100, 160, 3);
  scene_run(scene, 0, 100, 180, 3);
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP,
                " 375 raised 444 cleared 575 suppressed 644 cleared 775 raised");
  g_assert_cmpuint(scene->warnings->len, ==, 5);
  const PlWarningEvent *event = &warning(scene, 0)->event;
  g_assert_cmpfloat(event->value, ==, 180);
  g_assert_cmpfloat(event->limit, ==, 175.75);
  g_assert_cmpfloat(event->confidence, ==, 1);
  g_assert_cmpint(event->sensor, ==, -1);
}

/* Raised and cleared are one episode, the next one is another. */
static void
test_episodes(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  for (int i = 0; i < 3; i++) {
    scene_run(scene, 0, 100, 160, 3);
    scene_run(scene, 0, 100, 180, 3);
  }
  scene_run(scene, 0, 100, 160, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 6);
  for (guint i = 0; i < 6; i++) {
    g_assert_cmpuint(warning(scene, i)->event.episode, ==, i / 2 + 1);
    g_assert_cmpfloat(warning(scene, i)->since, ==, warning(scene, i / 2 * 2)->t);
  }
}

static void
test_cap_by_configuration(void) {
  g_autoptr(Scene) scene = scene_new(1);
  PlWarningLimits *limits = &scene->settings[0].warnings[PL_WARNING_HEART_RATE_CAP];
  *limits = (PlWarningLimits){
      .enabled = true, .enter = 160, .exit = 150, .hold_s = 20, .clear_s = 5, .cooldown_s = 0};
  scene_start(scene);
  scene_run(scene, 0, 100, 140, 3);
  scene_run(scene, 0, 100, 160, 3);
  scene_run(scene, 0, 100, 151, 3); /* below enter, not below exit */
  scene_run(scene, 0, 100, 149, 3);
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 135 raised 320 cleared");
}

static void
test_cap_switched_off(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->settings[0].warnings[PL_WARNING_HEART_RATE_CAP].enabled = false;
  scene_start(scene);
  scene_run(scene, 0, 1000, 200, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
}

/* Of somebody of whom nothing is known there is no cap; by age it is a guess, and says so. */
static void
test_cap_of_strangers(void) {
  g_autoptr(Scene) scene = scene_new(2);
  for (int a = 0; a < 2; a++)
    scene->settings[a].heart = (PlHeartSettings){.age_years = a == 0 ? NAN : 40,
                                                 .max_heart_rate_bpm = NAN,
                                                 .resting_heart_rate_bpm = NAN,
                                                 .threshold_heart_rate_bpm = NAN};
  scene_start(scene);
  scene_run(scene, 0, 0, 210, 3);
  scene_run(scene, 1, 600, 210, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 1);
  g_assert_cmpint(warning(scene, 0)->event.athlete, ==, 1);
  g_assert_cmpfloat(warning(scene, 0)->event.limit, ==, 171);
  g_assert_cmpfloat(warning(scene, 0)->event.confidence, ==, 0.4);
}

/* 3 bpm below the cap are not yet below it. */
static void
test_cap_exit(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->settings[0].heart.age_years = NAN; /* the maximum is known: age is of no use */
  scene_start(scene);
  scene_run(scene, 0, 300, 160, 3);
  scene_run(scene, 0, 100, 180, 3);
  scene_run(scene, 0, 300, 173, 3);
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 375 raised");
  scene_run(scene, 0, 100, 172, 3); /* a median of 172.5 after 15 s */
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 375 raised 744 cleared");
}

/* The next run is warned again, if it is not too soon. */
static void
test_cap_of_the_next_run(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 400, 180, 3);
  scene_run(scene, 0, 400, 160, 0);
  scene_run(scene, 0, 400, 180, 3);
  /* From 21 s of 30 on there is a median; the end of the run clears; and again from 816 s. */
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 80 raised 444 cleared 875 raised");
}

/* The heart never calmed down: the run ended, and its warning with it. */
static void
test_cap_through_the_end(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 400, 180, 3);
  scene_run(scene, 0, 400, 180, 0);
  scene_run(scene, 0, 400, 180, 3); /* a run from 810 s on */
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 80 raised 700 cleared 869 raised");
}

/* A heart rate that is not known neither raises nor clears. */
static void
test_cap_frozen(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 300, 160, 3);
  scene_run(scene, 0, 100, 180, 3);
  scene_run(scene, 0, 600, NAN, 3);
  g_assert_true(is_active(scene, PL_WARNING_HEART_RATE_CAP));
  scene_run(scene, 0, 100, 160, 3);
  assert_warned(scene, PL_WARNING_HEART_RATE_CAP, " 375 raised 1050 cleared");
}

/* -- distance-spike ------------------------------------------------------------------------ */

/* 12 km in 30 days: 13.2, 15.6 and 24.0 km, and a notice 500 m before. */
static void
test_spike(void) {
  static const struct {
    double at_m, limit_m;
    bool ahead;
  } raised[] = {{12700, 13200, true},
                {13200, 13200, false},
                {15600, 15600, false},
                {24000, 24000, false}};
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 12000, .confidence = 1};
  scene_start(scene);
  scene_run(scene, 0, 7000, 150, 4);
  g_assert_cmpuint(scene->warnings->len, ==, 7); /* each clears the one before */
  for (guint i = 0; i < 4; i++) {
    const PlWarningEvent *event = &warning(scene, 2 * i)->event;
    g_assert_cmpint(event->state, ==, PL_WARNING_RAISED);
    g_assert_cmpint(event->code, ==, PL_WARNING_DISTANCE_SPIKE);
    g_assert_cmpfloat_with_epsilon(event->value, raised[i].at_m, 5);
    g_assert_cmpfloat(event->value, >=, raised[i].at_m);
    g_assert_cmpfloat_with_epsilon(event->limit, raised[i].limit_m, 1e-6);
    g_assert_cmpfloat(event->baseline, ==, 12000);
    g_assert_cmpfloat(event->confidence, ==, 1);
    g_assert_cmpint(event->ahead, ==, raised[i].ahead);
    if (i == 3)
      break;
    const PlWarningEvent *cleared = &warning(scene, 2 * i + 1)->event;
    g_assert_cmpint(cleared->state, ==, PL_WARNING_CLEARED);
    g_assert_cmpuint(cleared->episode, ==, event->episode);
    g_assert_cmpfloat(cleared->limit, ==, event->limit);
    g_assert_cmpint(cleared->ahead, ==, event->ahead);
    g_assert_cmpint(cleared->t_us, ==, warning(scene, 2 * i + 2)->event.t_us);
    g_assert_cmpfloat(cleared->value, ==, warning(scene, 2 * i + 2)->event.value);
  }
  g_assert_true(is_active(scene, PL_WARNING_DISTANCE_SPIKE));
  scene_run(scene, 0, 310, 90, 0);
  g_assert_cmpint(warning(scene, 7)->event.state, ==, PL_WARNING_CLEARED);
  g_assert_cmpfloat_with_epsilon(warning(scene, 7)->event.value, 28000, 5);
  g_assert_cmpuint(scene->warnings->len, ==, 8);
}

/* Each run begins anew. */
static void
test_spike_of_the_next_run(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 1000, .confidence = 1};
  scene_start(scene);
  for (int i = 0; i < 2; i++) {
    scene_run(scene, 0, 160, 150, 4); /* 640 m: the notice */
    scene_run(scene, 0, 320, 90, 0);
  }
  g_assert_cmpuint(scene->warnings->len, ==, 4);
  g_assert_true(warning(scene, 2)->event.ahead);
}

/* Whoever has already run 8 km, and had a coffee, is at 9 after the first. */
static void
test_spike_after_a_coffee(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 8000, .confidence = 1, .before_m = 8000};
  scene_start(scene);
  scene_run(scene, 0, 210, 150, 4);
  g_assert_cmpuint(scene->warnings->len, ==, 3);
  g_assert_cmpfloat_with_epsilon(warning(scene, 0)->event.value, 8300, 5);
  g_assert_cmpfloat_with_epsilon(warning(scene, 2)->event.value, 8800, 5);
}

static void
test_spike_unknown(void) {
  static const double longest_m[] = {NAN, 0};
  for (unsigned i = 0; i < G_N_ELEMENTS(longest_m); i++) {
    g_autoptr(Scene) scene = scene_new(1);
    scene->history.longest_30d_m = longest_m[i];
    scene_start(scene);
    scene_run(scene, 0, 3000, 150, 4);
    g_assert_cmpuint(scene->warnings->len, ==, 0);
  }
}

static void
test_spike_switched_off(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 1000, .confidence = 1};
  scene->settings[0].warnings[PL_WARNING_DISTANCE_SPIKE].enabled = false;
  scene_start(scene);
  scene_run(scene, 0, 1000, 150, 4);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
}

/* After a first run of 400 m there is nothing to give notice of. */
static void
test_spike_of_short_runs(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 400, .confidence = 0.4};
  scene_start(scene);
  scene_run(scene, 0, 105, 150, 4);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
  scene_run(scene, 0, 10, 150, 4);
  g_assert_cmpuint(scene->warnings->len, ==, 1);
  g_assert_false(warning(scene, 0)->event.ahead);
  g_assert_cmpfloat(warning(scene, 0)->event.confidence, ==, 0.4);
}

/* Whoever wants to hear of it later hears of 30 % and 100 % all the same. */
static void
test_spike_by_configuration(void) {
  static const struct {
    double enter, limits[4];
  } cases[] = {{1.2, {1.2, 1.2, 1.3, 2}}, {1.5, {1.5, 1.5, 2}}, {2.5, {2.5, 2.5}}};
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Scene) scene = scene_new(1);
    scene->history = (PlHistory){.longest_30d_m = 4000, .confidence = 1};
    scene->settings[0].warnings[PL_WARNING_DISTANCE_SPIKE].enter = cases[i].enter;
    scene_start(scene);
    scene_run(scene, 0, 2600, 150, 4);
    unsigned count = 0;
    for (guint w = 0; w < scene->warnings->len; w++) {
      const PlWarningEvent *event = &warning(scene, w)->event;
      if (event->state != PL_WARNING_RAISED)
        continue;
      g_assert_cmpint(event->ahead, ==, count == 0);
      g_assert_cmpfloat_with_epsilon(event->limit, 4000 * cases[i].limits[count++], 1e-6);
    }
    g_assert_cmpuint(count, ==, 4 - i);
  }
}

/* -- sensor-problem ------------------------------------------------------------------------ */

/* The link is doubted after 10 s of silence, and 10 s later it is said; over after 10 s. */
static void
test_strap_falls_silent(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 100, NAN, 3);
  g_assert_true(is_active(scene, PL_WARNING_SENSOR_PROBLEM));
  scene_run(scene, 0, 100, 150, 3);
  g_assert_false(is_active(scene, PL_WARNING_SENSOR_PROBLEM));
  assert_warned(scene, PL_WARNING_SENSOR_PROBLEM, " 619 raised 710 cleared");
  g_assert_cmpint(warning(scene, 0)->event.sensor, ==, 0);
  g_assert_cmpint(warning(scene, 1)->event.sensor, ==, 0);
  g_assert_cmpfloat(warning(scene, 0)->event.confidence, ==, 1);
}

/* That the run pauses without the pod does not hide that it is gone. */
static void
test_pod_falls_silent(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 100, 150, NAN);
  assert_warned(scene, PL_WARNING_SENSOR_PROBLEM, " 619 raised");
  g_assert_cmpint(warning(scene, 0)->event.sensor, ==, 1);
}

/* A pod sleeps when nobody moves, and a strap may be taken off. */
static void
test_silence_at_rest(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 20, 100, 0);
  scene_run(scene, 0, 200, 90, NAN);
  scene_run(scene, 0, 60, NAN, NAN);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
  scene_run(scene, 0, 60, NAN, 3); /* on without the strap, from 881 s */
  assert_warned(scene, PL_WARNING_SENSOR_PROBLEM, " 891 raised");
}

/* A pause neither raises nor clears. */
static void
test_problem_through_a_pause(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 100, NAN, 3);
  scene_run(scene, 0, 100, NAN, 0);
  g_assert_true(is_active(scene, PL_WARNING_SENSOR_PROBLEM));
  scene_run(scene, 0, 100, NAN, 3);
  assert_warned(scene, PL_WARNING_SENSOR_PROBLEM, " 619 raised");
}

/* What never served this run is not missed in it. */
static void
test_sensor_of_yesterday(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, 60, 80, 0);
  scene_run(scene, 0, 60, NAN, 0);
  scene_run(scene, 0, 600, NAN, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
}

/* -- all of them --------------------------------------------------------------------------- */

static void
test_end_clears_all(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 1000, .confidence = 1};
  scene_start(scene);
  scene_run(scene, 0, 400, 180, 3);
  scene_run(scene, 0, 30, NAN, 3);
  uint64_t active = scene->frames[0].warnings;
  g_assert_cmpuint(active, ==,
                   UINT64_C(1) << PL_WARNING_HEART_RATE_CAP |
                       UINT64_C(1) << PL_WARNING_SENSOR_PROBLEM |
                       UINT64_C(1) << PL_WARNING_DISTANCE_SPIKE);
  pl_athlete_stop(scene_athlete(scene, 0), scene_us(scene->t));
  g_assert_cmpuint(scene_athlete(scene, 0)->active, ==, 0);
  unsigned open[PL_WARNING_COUNT] = {0};
  for (guint i = 0; i < scene->warnings->len; i++) {
    const PlWarningEvent *event = &warning(scene, i)->event;
    if (event->state == PL_WARNING_CLEARED) {
      bool of_distance = event->code == PL_WARNING_DISTANCE_SPIKE;
      g_assert_cmpuint(event->episode, ==, open[event->code]);
      g_assert_cmpint(isnan(event->value), ==, !of_distance); /* what is known at the end */
    }
    open[event->code] = event->state == PL_WARNING_CLEARED ? 0 : event->episode;
  }
  for (int w = 0; w < PL_WARNING_COUNT; w++)
    g_assert_cmpuint(open[w], ==, 0);
  scene_run(scene, 0, 400, 180, 3); /* without a run nobody is warned */
  g_assert_cmpuint(scene_athlete(scene, 0)->active, ==, 0);
}

/* An even run of half an hour, with everything known. */
static void
test_even_run(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 8000, .confidence = 1};
  scene_start(scene);
  scene_run(scene, 0, 1800, 150, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
  g_assert_cmpuint(scene->frames[0].warnings, ==, 0);
}

/* Nothing known is no reason to warn. */
static void
test_nothing_known(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->history = (PlHistory){.longest_30d_m = 10, .confidence = 1};
  scene_start(scene);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(0));
  scene_pass(scene, 290);
  g_assert_cmpuint(scene->warnings->len, ==, 0);
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    g_assert_true(isnan(scene->frames[0].record.value[m]));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/engine/cap/course", test_cap);
  g_test_add_func("/engine/cap/episodes", test_episodes);
  g_test_add_func("/engine/cap/by-configuration", test_cap_by_configuration);
  g_test_add_func("/engine/cap/switched-off", test_cap_switched_off);
  g_test_add_func("/engine/cap/of-strangers", test_cap_of_strangers);
  g_test_add_func("/engine/cap/exit", test_cap_exit);
  g_test_add_func("/engine/cap/next-run", test_cap_of_the_next_run);
  g_test_add_func("/engine/cap/through-the-end", test_cap_through_the_end);
  g_test_add_func("/engine/cap/frozen", test_cap_frozen);
  g_test_add_func("/engine/spike/course", test_spike);
  g_test_add_func("/engine/spike/next-run", test_spike_of_the_next_run);
  g_test_add_func("/engine/spike/after-a-coffee", test_spike_after_a_coffee);
  g_test_add_func("/engine/spike/unknown", test_spike_unknown);
  g_test_add_func("/engine/spike/switched-off", test_spike_switched_off);
  g_test_add_func("/engine/spike/short-runs", test_spike_of_short_runs);
  g_test_add_func("/engine/spike/by-configuration", test_spike_by_configuration);
  g_test_add_func("/engine/sensor/strap", test_strap_falls_silent);
  g_test_add_func("/engine/sensor/pod", test_pod_falls_silent);
  g_test_add_func("/engine/sensor/at-rest", test_silence_at_rest);
  g_test_add_func("/engine/sensor/through-a-pause", test_problem_through_a_pause);
  g_test_add_func("/engine/sensor/of-yesterday", test_sensor_of_yesterday);
  g_test_add_func("/engine/warnings/end", test_end_clears_all);
  g_test_add_func("/engine/warnings/even-run", test_even_run);
  g_test_add_func("/engine/warnings/nothing-known", test_nothing_known);
  return g_test_run();
}
