/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/scene.h"

#include <math.h>

/* Long runs, many runners, and runs that outlive the program. */

/* -- six hours ------------------------------------------------------------------------------
 */

/* Nothing is lost in sums: way, time, beats of an even run are exact to a packet. */
static void
test_six_hours(void) {
  const unsigned seconds = 6 * 3600;
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  scene_run(scene, 0, seconds, 150, 2.75);
  scene_run(scene, 0, 310, 90, 0);
  const PlRun *run = &scene_find_run(scene, 0, PL_RUN_FINISHED, 0)->run;
  /* The first packet is the beginning; half a second of slowing down comes at the end. */
  g_assert_cmpfloat_with_epsilon(run->distance_m, 2.75 * seconds, 2.81);
  g_assert_cmpfloat_with_epsilon(run->steps, 170 / 60.0 * seconds, 3);
  g_assert_cmpfloat_with_epsilon(run->elapsed_s, seconds, 1.1);
  g_assert_cmpfloat(run->elapsed_s, ==, run->moving_s);
  g_assert_cmpfloat(run->zone_s[4] + run->zone_s[3], ==, run->elapsed_s);
  /* 73.08 % of the reserve */
  double x = 95 / 130.0, per_s = x * 0.64 * exp(1.92 * x) / 60;
  g_assert_cmpfloat_with_epsilon(run->trimp, per_s * seconds, 0.06);
  g_assert_cmpuint(scene->laps->len, ==, 60);
  double distance_m = 0, elapsed_s = 0, moving_s = 0;
  for (unsigned i = 0; i < scene->laps->len; i++) {
    const PlLap *lap = &scene_lap(scene, i)->lap;
    if (i < 59)
      g_assert_cmpfloat_with_epsilon(distance_m + lap->distance_m, 1000 * (i + 1), 2.8);
    distance_m += lap->distance_m;
    elapsed_s += lap->elapsed_s;
    moving_s += lap->moving_s;
  }
  g_assert_cmpfloat_with_epsilon(distance_m, run->distance_m, 1e-6);
  g_assert_cmpfloat(elapsed_s, ==, run->elapsed_s);
  g_assert_cmpfloat(moving_s, ==, run->moving_s);
}

/* -- twenty runners --------------------------------------------------------------------------
 */

enum { RUNNERS = 20 };

/* Each starts, runs and ends on their own, and nobody's metres are another's. */
static void
test_squad(void) {
  g_autoptr(Scene) scene = scene_new(RUNNERS);
  scene_start(scene);
  for (int minute = 0; minute < 60; minute++) {
    for (int a = 0; a < RUNNERS; a++) {
      bool runs = minute >= a && minute < 30 + a;
      scene_run(scene, a, 0, runs ? 120 + 2 * a : 70, runs ? 2.5 + 0.125 * a : 0);
    }
    scene_pass(scene, 60);
  }
  for (int a = 0; a < RUNNERS; a++) {
    const SceneRun *start = scene_find_run(scene, a, PL_RUN_STARTED, 0);
    const SceneRun *end = scene_find_run(scene, a, PL_RUN_FINISHED, 0);
    const PlTally *heart = &end->run.tally[PL_METRIC_HEART_RATE];
    g_assert_cmpfloat(start->about, ==, 60 * a);
    g_assert_cmpfloat_with_epsilon(end->about, 60 * (a + 30), 1.1);
    g_assert_cmpfloat_with_epsilon(end->run.distance_m, 1800 * (2.5 + 0.125 * a), 6);
    g_assert_cmpfloat_with_epsilon(pl_tally_mean(heart), 120 + 2 * a, 0.2);
    g_assert_cmpuint(scene->frame_counts[a], ==, 3600);
  }
  unsigned finished = 0;
  for (guint i = 0; i < scene->runs->len; i++)
    finished += g_array_index(scene->runs, SceneRun, i).type == PL_RUN_FINISHED;
  g_assert_cmpuint(finished, ==, RUNNERS);
}

/* -- restarts -------------------------------------------------------------------------------
 */

/* A course with everything that a run can hold. */
static void
course(Scene *scene, unsigned from, unsigned to) {
  for (unsigned s = from; s < to; s++) {
    double heart_rate = s < 100 ? 90 + 0.5 * s : 140 + s % 40;
    double speed = s < 40 ? 1.4 : s >= 400 && s < 440 ? 0 : s >= 700 && s < 760 ? 1.25 : 3.25;
    bool lost = s >= 900 && s < 930;
    scene_run(scene, 0, 1, s % 300 < 280 ? heart_rate : NAN, lost ? NAN : speed);
  }
}

enum { COURSE_S = 1200 };

static Scene *
uninterrupted(void) {
  Scene *scene = scene_new(1);
  scene->keeps_records = true;
  scene_start(scene);
  course(scene, 0, COURSE_S);
  scene_run(scene, 0, 310, 80, 0);
  return scene;
}

/* What the store would give back. */
static PlRecord
stored(const PlRecord *record) {
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  PlRecord again;
  unsigned length = pl_record_encode(record, bytes);
  g_assert_cmpuint(pl_record_decode(&again, bytes, length), ==, length);
  return again;
}

/* A new engine goes on with what was recorded: as after a restart of the program. */
static void
restart(Scene *scene) {
  PlAthlete *athlete = scene_athlete(scene, 0);
  PlRunStage stage = athlete->stage;
  int64_t start_us = athlete->run.start_us;
  PlRecord last, counted = {.counter_m = NAN};
  guint lap = 0;

  scene_start(scene);
  athlete = scene_athlete(scene, 0);
  if (stage == PL_RUN_NONE)
    return;
  pl_athlete_restore(athlete, start_us, stage == PL_RUN_ON, false);
  for (guint i = 0; i < scene->records->len; i++) {
    last = stored(&g_array_index(scene->records, PlRecord, i));
    bool ends_lap = lap < scene->laps->len && scene_lap(scene, lap)->lap.end_us == last.t_us;
    lap += ends_lap;
    pl_athlete_restore_record(athlete, &last, ends_lap);
    if (!isnan(last.counter_m))
      counted = last;
  }
  pl_athlete_restore_end(athlete, false);
  if (!isnan(counted.counter_m))
    pl_footpod_resume(&scene->memory.inputs[1].footpod, counted.t_us, counted.counter_m);
}

static void
assert_same(const PlRun *got, const PlRun *expected) {
  g_assert_cmpint(got->start_us, ==, expected->start_us);
  g_assert_cmpint(got->end_us, ==, expected->end_us);
  g_assert_cmpfloat(got->elapsed_s, ==, expected->elapsed_s);
  g_assert_cmpfloat_with_epsilon(got->moving_s, expected->moving_s, 1.1);
  g_assert_cmpfloat_with_epsilon(got->distance_m, expected->distance_m, 3.3);
  g_assert_cmpfloat_with_epsilon(got->steps, expected->steps, 3);
  g_assert_cmpfloat_with_epsilon(got->trimp, expected->trimp, 0.2);
  g_assert_cmpfloat_with_epsilon(got->trimp_edwards, expected->trimp_edwards, 0.2);
  for (int z = 0; z < PL_ZONE_COUNT; z++)
    g_assert_cmpfloat_with_epsilon(got->zone_s[z], expected->zone_s[z], 5.1);
  static const PlMetric metrics[] = {PL_METRIC_HEART_RATE, PL_METRIC_SPEED, PL_METRIC_CADENCE};
  for (unsigned i = 0; i < G_N_ELEMENTS(metrics); i++) {
    const PlTally *tally = &got->tally[metrics[i]], *of = &expected->tally[metrics[i]];
    g_assert_cmpfloat_with_epsilon(pl_tally_mean(tally), pl_tally_mean(of), 0.2);
    g_assert_cmpfloat_with_epsilon(tally->maximum, of->maximum, 0.01);
    g_assert_cmpfloat_with_epsilon(tally->minimum, of->minimum, 0.01);
  }
}

/* At any second: the run is the same, begun once and ended once, with the same laps. */
static void
test_restart(void) {
  g_autoptr(Scene) whole = uninterrupted();
  const SceneRun *expected = scene_find_run(whole, 0, PL_RUN_FINISHED, 0);
  for (unsigned at = 3; at < COURSE_S; at += 13) {
    g_autoptr(Scene) scene = scene_new(1);
    scene->keeps_records = true;
    scene_start(scene);
    course(scene, 0, at);
    restart(scene);
    course(scene, at, COURSE_S);
    scene_run(scene, 0, 310, 80, 0);
    assert_same(&scene_find_run(scene, 0, PL_RUN_FINISHED, 0)->run, &expected->run);
    g_assert_cmpuint(scene->laps->len, ==, whole->laps->len);
    for (guint i = 0; i < whole->laps->len; i++)
      g_assert_cmpfloat_with_epsilon(scene_lap(scene, i)->lap.distance_m,
                                     scene_lap(whole, i)->lap.distance_m, 6.6);
    bool begins = at >= 40 && at < 50;         /* running has to be recognised again */
    bool falls_silent = at >= 900 && at < 902; /* what was still fresh is forgotten */
    if (!begins && !falls_silent)
      g_assert_cmpstr(scene->story->str, ==, whole->story->str);
  }
}

/* Down for two minutes of running: the counter bridges them. */
static void
test_restart_with_gap(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->keeps_records = true;
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  double t = scene->t;
  restart(scene);
  scene->sensors[1].counter_m += 360;
  scene->t += 120;
  PlEngine before = scene->engine;
  restart(scene);
  g_assert_cmpint(scene->engine.tick_us - before.tick_us, ==, scene_us(t + 120) - scene_us(t));
  scene_run(scene, 0, 300, 150, 3);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 3060, 3.1);
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 1020);
  g_assert_cmpfloat(scene->frames[0].moving_s, ==, 900);
}

/* The phase has lasted as long as it has. */
static void
test_restart_keeps_phase(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->keeps_records = true;
  scene_start(scene);
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 100, 150, 1.4);
  PlFrame before = scene->frames[0];
  restart(scene);
  g_assert_cmpint(scene_athlete(scene, 0)->phase, ==, PL_PHASE_WALKING);
  g_assert_cmpint(scene_athlete(scene, 0)->phase_since_us, ==, before.phase_since_us);
}

/* What was said of the distance is not said again. */
static void
test_restart_keeps_warnings(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->keeps_records = true;
  scene->history = (PlHistory){.longest_30d_m = 1000, .confidence = 1};
  scene_start(scene);
  scene_run(scene, 0, 400, 150, 3); /* past the notice and 10 % */
  g_assert_cmpuint(scene->warnings->len, ==, 3);
  PlWarningEvent raised = g_array_index(scene->warnings, SceneWarning, 2).event;
  restart(scene);
  PlAthlete *athlete = scene_athlete(scene, 0);
  athlete->history = scene->history;
  for (guint i = 0; i < 3; i++)
    pl_athlete_restore_warning(athlete, &g_array_index(scene->warnings, SceneWarning, i).event);
  pl_athlete_restore_end(athlete, false);
  g_assert_cmpuint(athlete->active, ==, UINT64_C(1) << PL_WARNING_DISTANCE_SPIKE);
  scene_run(scene, 0, 30, 150, 3);
  g_assert_cmpuint(scene->warnings->len, ==, 3);
  scene_run(scene, 0, 10, 150, 3); /* past 30 % */
  g_assert_cmpuint(scene->warnings->len, ==, 5);
  const PlWarningEvent *cleared = &g_array_index(scene->warnings, SceneWarning, 3).event;
  const PlWarningEvent *next = &g_array_index(scene->warnings, SceneWarning, 4).event;
  g_assert_cmpint(cleared->state, ==, PL_WARNING_CLEARED);
  g_assert_cmpuint(cleared->episode, ==, raised.episode);
  g_assert_cmpfloat(cleared->limit, ==, raised.limit);
  g_assert_cmpuint(next->episode, ==, raised.episode + 1);
}

/* The cooldown goes on, too; and what was cleared or suppressed is not raised. */
static void
test_restore_states(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  PlAthlete *athlete = scene_athlete(scene, 0);
  PlWarningEvent event = {.code = PL_WARNING_HEART_RATE_CAP,
                          .state = PL_WARNING_RAISED,
                          .episode = 7,
                          .t_us = scene_us(-200)};
  pl_athlete_restore(athlete, scene_us(-400), true, false);
  pl_athlete_restore_warning(athlete, &event);
  g_assert_cmpuint(athlete->active, ==, UINT64_C(1) << PL_WARNING_HEART_RATE_CAP);
  event.state = PL_WARNING_ACKNOWLEDGED;
  pl_athlete_restore_warning(athlete, &event);
  g_assert_cmpuint(athlete->active, ==, UINT64_C(1) << PL_WARNING_HEART_RATE_CAP);
  event.state = PL_WARNING_CLEARED;
  event.t_us = scene_us(-100);
  pl_athlete_restore_warning(athlete, &event);
  g_assert_cmpuint(athlete->active, ==, 0);
  scene_run(scene, 0, 90, 180, 3);
  g_autofree char *text = scene_warnings(scene, PL_WARNING_HEART_RATE_CAP);
  g_assert_cmpstr(text, ==, " 80 suppressed");
  g_assert_cmpuint(g_array_index(scene->warnings, SceneWarning, 0).event.episode, ==, 8);
}

/* What was on when the program stopped is over when its value says so. */
static void
test_restored_is_cleared(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene_start(scene);
  PlAthlete *athlete = scene_athlete(scene, 0);
  pl_athlete_restore(athlete, scene_us(-400), true, false);
  pl_athlete_restore_warning(athlete, &(PlWarningEvent){.code = PL_WARNING_HEART_RATE_CAP,
                                                        .state = PL_WARNING_RAISED,
                                                        .episode = 3,
                                                        .t_us = scene_us(-100)});
  scene_run(scene, 0, 60, 150, 3);
  g_autofree char *text = scene_warnings(scene, PL_WARNING_HEART_RATE_CAP);
  g_assert_cmpstr(text, ==, " 50 cleared");
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/engine/long/six-hours", test_six_hours);
  g_test_add_func("/engine/long/squad", test_squad);
  g_test_add_func("/engine/restart/any-second", test_restart);
  g_test_add_func("/engine/restart/with-gap", test_restart_with_gap);
  g_test_add_func("/engine/restart/phase", test_restart_keeps_phase);
  g_test_add_func("/engine/restart/warnings", test_restart_keeps_warnings);
  g_test_add_func("/engine/restart/states", test_restore_states);
  g_test_add_func("/engine/restart/cleared", test_restored_is_cleared);
  return g_test_run();
}
