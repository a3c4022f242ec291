/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/scene.h"

#include <math.h>

/* When runs begin, pause and end, and what they are made of.  Speeds: 3 m/s is a run, 1.4 m/s a
 * walk. */

static Scene *
begun(void) {
  Scene *scene = scene_new(1);
  scene_start(scene);
  return scene;
}

/* -- starting ------------------------------------------------------------------------------ */

static void
test_starts_by_itself(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 30, 70, 0);
  g_assert_cmpstr(scene->story->str, ==, "");
  scene_run(scene, 0, 9, 120, 3);
  g_assert_cmpstr(scene->story->str, ==, " 31 candidate@30");
  scene_pass(scene, 1);
  g_assert_cmpstr(scene->story->str, ==, " 31 candidate@30 40 started@30");
  g_assert_true(scene->frames[0].in_run);
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 10);
  g_assert_cmpfloat(scene->frames[0].moving_s, ==, 10);
}

/* The way to the first step belongs to the run. */
static void
test_dated_back_to_the_walk(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 10, 70, 0);
  scene_run(scene, 0, 50, 90, 1.4);
  scene_run(scene, 0, 30, 120, 3);
  g_assert_cmpstr(scene->story->str, ==, " 11 candidate@10 70 started@10");
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 80);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 50 * 1.4 + 30 * 3, 3.1);
}

static void
test_walking_is_no_run(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 3 * 3600, 100, 1.4);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0");
  g_assert_false(scene->frames[0].in_run);
  scene_run(scene, 0, 30, 80, 0);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10815 discarded@10815");
  g_assert_cmpstr(scene->phases->str, ==, "");
}

/* Here and there in the house: nothing comes of it, however often. */
static void
test_around_the_house(void) {
  g_autoptr(Scene) scene = begun();
  for (int i = 0; i < 50; i++) {
    scene_run(scene, 0, 8, 80, 1.2);
    scene_run(scene, 0, 20, 75, 0);
  }
  for (int i = 0; i < 20; i++) {
    scene_run(scene, 0, 9, 100, 3); /* for the bus: a second too short */
    scene_run(scene, 0, 20, 90, 0);
  }
  unsigned candidates = 0, discarded = 0;
  for (guint i = 0; i < scene->runs->len; i++) {
    PlRunEventType type = g_array_index(scene->runs, SceneRun, i).type;
    candidates += type == PL_RUN_CANDIDATE;
    discarded += type == PL_RUN_DISCARDED;
  }
  g_assert_cmpuint(candidates, ==, 70);
  g_assert_cmpuint(discarded, ==, 70);
  g_assert_cmpuint(scene->runs->len, ==, 140);
}

static void
test_heart_alone_starts_nothing(void) {
  g_autoptr(Scene) scene = begun();
  scene_pass(scene, 3600); /* nor does nothing */
  g_assert_cmpuint(scene->frame_counts[0], ==, 0);
  g_assert_cmpuint(scene->seconds, ==, 3600);
  scene_run(scene, 0, 3600, 170, NAN);
  g_assert_cmpstr(scene->story->str, ==, "");
  g_assert_cmpuint(scene->frame_counts[0], ==, 3600);
}

/* A belt runs when it moves at 0.5 m/s, whatever the pace looks like. */
static void
test_treadmill(void) {
  const SceneSensor belt = {.kind = SCENE_TREADMILL, .counter_m = NAN};
  g_autoptr(Scene) scene = scene_new_with(1, &belt, 1);
  scene_start(scene);
  scene_run(scene, 0, 30, NAN, 0.4);
  scene_run(scene, 0, 9, NAN, 0.5);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0");
  scene_pass(scene, 1);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 40 started@0");
}

/* A counter that was out of reach for an hour tells of a way that is not part of the run. */
static void
test_way_to_the_start(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 10, 70, 0);
  scene->sensors[1].sends = false;
  scene->sensors[1].speed_m_s = 2;
  scene_pass(scene, 3600);
  scene_run(scene, 0, 60, 120, 3);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 180, 3.1);
}

/* -- pausing ------------------------------------------------------------------------------- */

static void
test_pause_and_resume(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 600, 140, 3);
  scene_run(scene, 0, 100, 100, 0);
  scene_run(scene, 0, 300, 140, 3);
  g_assert_cmpstr(scene->story->str, ==,
                  " 1 candidate@0 10 started@0 615 paused@600 701 resumed@701");
  g_assert_cmpstr(scene->phases->str, ==,
                  " 10 warmup 184 running 615 paused 701 walking 705 running");
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 1000);
  /* The second in which the runner stopped has half a second of running. */
  g_assert_cmpfloat_with_epsilon(scene->frames[0].moving_s, 900, 1);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 2700, 3.1);
}

static void
test_traffic_light(void) {
  g_autoptr(Scene) scene = begun();
  for (int i = 0; i < 20; i++) {
    scene_run(scene, 0, 60, 140, 3);
    scene_run(scene, 0, 13, 130, 0);
  }
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10 started@0");
}

/* Walking inside a run counts for time and way. */
static void
test_walking_in_a_run(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 300, 140, 3);
  scene_run(scene, 0, 600, 110, 1.4);
  scene_run(scene, 0, 300, 140, 3);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10 started@0");
  g_assert_cmpstr(scene->phases->str, ==, " 10 warmup 184 running 303 walking 905 running");
  g_assert_cmpfloat(scene->frames[0].moving_s, ==, 1200);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 600 * 3 + 600 * 1.4, 3.1);
  double steps = 600 * 170 / 60.0 + 600 * 110 / 60.0;
  g_assert_cmpfloat_with_epsilon(scene->frames[0].steps, steps, 3);
}

/* -- ending -------------------------------------------------------------------------------- */

/* At the last movement, with the totals of that moment. */
static void
test_ends_by_itself(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 1000, 150, 3);
  PlRun before = scene_athlete(scene, 0)->run;
  scene_run(scene, 0, 299, 90, 0);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10 started@0 1015 paused@1000");
  scene_run(scene, 0, 2, 90, 0);
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat_with_epsilon(end->about, 1000, 1);
  g_assert_cmpfloat(end->t, ==, 1300);
  g_assert_cmpfloat_with_epsilon(end->run.elapsed_s, before.elapsed_s, 1);
  g_assert_cmpfloat_with_epsilon(end->run.moving_s, before.moving_s, 1);
  g_assert_cmpfloat_with_epsilon(end->run.distance_m, before.distance_m, 1.6);
  g_assert_cmpfloat_with_epsilon(end->run.steps, before.steps, 1.5);
  g_assert_cmpfloat_with_epsilon(end->run.trimp, before.trimp, 0.1);
  g_assert_cmpfloat(pl_tally_mean(&end->run.tally[PL_METRIC_HEART_RATE]), >, 149.5);
  g_assert_false(scene->frames[0].in_run);
}

static void
test_ended_for_a_minute(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 60, 150, 3);
  scene_run(scene, 0, 500, 90, 0);
  g_assert_cmpstr(scene->phases->str, ==, " 10 warmup 75 paused 360 ended 420 idle");
}

/* All sensors go out of reach: the same. */
static void
test_ends_in_silence(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 1000, 150, 3);
  scene->sensors[0].sends = scene->sensors[1].sends = false;
  scene_pass(scene, 310);
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat_with_epsilon(end->about, 1000, 2);
  g_assert_cmpfloat_with_epsilon(end->run.distance_m, 3000, 3.1);
}

/* Out of reach for four minutes, and home again: one run, and no metre is missing. */
static void
test_gap_is_bridged(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 600, 150, 3);
  scene->sensors[0].sends = scene->sensors[1].sends = false;
  scene_pass(scene, 240);
  scene->sensors[0].sends = scene->sensors[1].sends = true;
  scene_pass(scene, 60);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 2700, 3.1);
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 900);
  /* The last of the way was out of reach, and then the runner stands. */
  scene->sensors[0].sends = scene->sensors[1].sends = false;
  scene_pass(scene, 100);
  scene_run(scene, 0, 400, 90, 0);
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat_with_epsilon(end->run.distance_m, 3000, 3.1);
  g_assert_cmpfloat_with_epsilon(end->about, 1001, 1);
}

static void
test_second_run(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 600, 150, 3);
  scene_run(scene, 0, 400, 90, 0);
  scene_run(scene, 0, 100, 150, 3);
  const SceneRun *second = scene_find_run(scene, 0, PL_RUN_STARTED, 1);
  g_assert_cmpfloat(second->about, ==, 1000);
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 100);
  g_assert_cmpfloat_with_epsilon(scene->frames[0].distance_m, 300, 3.1);
}

/* -- laps ---------------------------------------------------------------------------------- */

static void
test_laps(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 850, 150, 4);
  scene_run(scene, 0, 400, 90, 0);
  g_assert_cmpuint(scene->laps->len, ==, 4);
  double distance_m = 0, elapsed_s = 0;
  for (unsigned i = 0; i < 4; i++) {
    const PlLap *lap = &scene_lap(scene, i)->lap;
    g_assert_cmpuint(lap->number, ==, i + 1);
    g_assert_cmpfloat_with_epsilon(lap->distance_m, i < 3 ? 1000 : 400, 5);
    distance_m += lap->distance_m;
    elapsed_s += lap->elapsed_s;
    if (i > 0)
      g_assert_cmpint(lap->start_us, ==, scene_lap(scene, i - 1)->lap.end_us);
  }
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat_with_epsilon(distance_m, end->run.distance_m, 1e-6);
  g_assert_cmpfloat_with_epsilon(elapsed_s, end->run.elapsed_s, 1e-6);
}

/* Also those of the way to the start. */
static void
test_laps_before_the_run(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 1000, 110, 1.4);
  g_assert_cmpuint(scene->laps->len, ==, 1);
  scene_run(scene, 0, 220, 150, 3);
  g_assert_cmpuint(scene->laps->len, ==, 2);
  g_assert_cmpfloat_with_epsilon(scene_lap(scene, 0)->lap.distance_m, 1000, 3);
  g_assert_cmpfloat_with_epsilon(scene_lap(scene, 1)->lap.distance_m, 1000, 3.5);
}

static void
test_no_laps(void) {
  g_autoptr(Scene) scene = scene_new(1);
  scene->run_settings.lap_m = 0;
  scene_start(scene);
  scene_run(scene, 0, 1000, 150, 4);
  scene_run(scene, 0, 400, 90, 0);
  g_assert_cmpuint(scene->laps->len, ==, 1);
  g_assert_cmpfloat_with_epsilon(scene_lap(scene, 0)->lap.distance_m, 4000, 5);
}

/* Pressed while the runner rests: not again at the end. */
static void
test_lap_at_rest(void) {
  g_autoptr(Scene) scene = begun();
  g_assert_false(pl_athlete_lap(scene_athlete(scene, 0)));
  scene_run(scene, 0, 100, 150, 3);
  scene_run(scene, 0, 20, 90, 0);
  g_assert_true(pl_athlete_lap(scene_athlete(scene, 0)));
  g_assert_cmpuint(scene->laps->len, ==, 1);
  scene_run(scene, 0, 400, 90, 0);
  g_assert_cmpuint(scene->laps->len, ==, 1);
  g_assert_cmpuint(scene_lap(scene, 0)->lap.number, ==, 1);
}

/* -- commands ------------------------------------------------------------------------------ */

static void
test_started_by_hand(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 100, 80, NAN);
  g_assert_true(pl_athlete_start(scene_athlete(scene, 0), scene_us(100.25)));
  g_assert_false(pl_athlete_start(scene_athlete(scene, 0), scene_us(100.25)));
  g_assert_cmpstr(scene->story->str, ==, " 100 candidate@100.25 100 started@100.25");
  scene_run(scene, 0, 200, 150, NAN);
  g_assert_cmpstr(scene->phases->str, ==, " 100.25 warmup 280 running");
  g_assert_cmpfloat_with_epsilon(scene->frames[0].elapsed_s, 199.75, 1e-6);
  g_assert_cmpfloat(scene->frames[0].moving_s, ==, 200);
  g_assert_true(pl_athlete_stop(scene_athlete(scene, 0), scene_us(300)));
  g_assert_false(pl_athlete_stop(scene_athlete(scene, 0), scene_us(300)));
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat(end->about, ==, 300);
  g_assert_true(end->run.by_hand);
}

static void
test_by_hand_ends_without_data(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 10, 80, NAN);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(10));
  scene_run(scene, 0, 990, 150, NAN);
  scene_run(scene, 0, 303, NAN, NAN);
  g_assert_true(scene_athlete(scene, 0)->stage == PL_RUN_ON);
  scene_run(scene, 0, 2, NAN, NAN);
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat(end->about, ==, 1004); /* it was held for 5 s */
}

/* Whoever waits at the start line has said that it is a run. */
static void
test_by_hand_waits(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 10, 80, 0);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(10));
  scene_run(scene, 0, 1200, 80, 0);
  g_assert_true(scene_athlete(scene, 0)->stage == PL_RUN_ON);
  scene_run(scene, 0, 60, 150, 3);
  g_assert_cmpstr(scene->story->str, ==,
                  " 10 candidate@10 10 started@10 25 paused@10 1211 resumed@1211");
}

/* Started although no sensor has been heard yet. */
static void
test_by_hand_before_any_sensor(void) {
  g_autoptr(Scene) scene = begun();
  scene_pass(scene, 1000);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(1000));
  scene_pass(scene, 60);
  scene_run(scene, 0, 60, 150, 3);
  g_assert_true(scene->frames[0].in_run);
  g_assert_cmpfloat(scene->frames[0].elapsed_s, ==, 120);
}

/* After a stop nobody is asked to stand still at once, but nothing starts before. */
static void
test_stopped(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 600, 150, 3);
  pl_athlete_stop(scene_athlete(scene, 0), scene_us(600));
  scene_run(scene, 0, 120, 150, 2.5);
  scene_run(scene, 0, 10, 130, 0);
  scene_run(scene, 0, 120, 120, 1.4);
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 10 started@0 600 finished@600");
  scene_run(scene, 0, 20, 110, 0);
  scene_run(scene, 0, 20, 150, 3);
  const SceneRun *second = scene_find_run(scene, 0, PL_RUN_STARTED, 1);
  g_assert_cmpfloat(second->about, ==, 870);
}

static void
test_paused_by_hand(void) {
  g_autoptr(Scene) scene = begun();
  g_assert_false(pl_athlete_pause(scene_athlete(scene, 0), scene_us(0)));
  scene_run(scene, 0, 300, 150, 3);
  g_assert_false(pl_athlete_resume(scene_athlete(scene, 0), scene_us(300)));
  g_assert_true(pl_athlete_pause(scene_athlete(scene, 0), scene_us(300)));
  g_assert_false(pl_athlete_pause(scene_athlete(scene, 0), scene_us(300)));
  scene_run(scene, 0, 600, 120, 3); /* a walk through the shop, at a run */
  PlFrame *frame = &scene->frames[0];
  g_assert_cmpint(frame->phase, ==, PL_PHASE_PAUSED);
  g_assert_cmpfloat_with_epsilon(frame->distance_m, 900, 3.1);
  g_assert_cmpfloat(frame->moving_s, ==, 300);
  g_assert_true(isnan(frame->record.value[PL_METRIC_SPEED]));
  g_assert_cmpint(frame->missing[PL_METRIC_SPEED], ==, PL_MISSING_NOT_RUNNING);
  g_assert_true(pl_athlete_resume(scene_athlete(scene, 0), scene_us(900)));
  scene_run(scene, 0, 100, 150, 3);
  g_assert_cmpfloat_with_epsilon(frame->distance_m, 1200, 3.1);
  g_assert_cmpfloat(frame->moving_s, ==, 400);
  g_assert_cmpfloat(frame->elapsed_s, ==, 1000);
  g_assert_cmpstr(scene->story->str, ==,
                  " 1 candidate@0 10 started@0 300 paused@300 900 resumed@900");
  g_assert_cmpstr(scene->phases->str, ==,
                  " 10 warmup 184 running 300 paused 900 walking 901 running");
}

/* Forgotten: it ends when nothing is heard any more, not while the runner eats. */
static void
test_pause_forgotten(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 300, 150, 3);
  pl_athlete_pause(scene_athlete(scene, 0), scene_us(300));
  scene_run(scene, 0, 3600, 70, 0);
  g_assert_true(scene_athlete(scene, 0)->stage == PL_RUN_ON);
  scene_run(scene, 0, 310, NAN, NAN);
  const SceneRun *end = scene_find_run(scene, 0, PL_RUN_FINISHED, 0);
  g_assert_cmpfloat(end->about, ==, 300);
  g_assert_cmpfloat(end->run.elapsed_s, ==, 300);
}

static void
test_candidate_made_a_run(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 60, 100, 1.4);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(60));
  g_assert_cmpstr(scene->story->str, ==, " 1 candidate@0 60 started@0");
  scene_run(scene, 0, 900, 80, 0); /* it ends when its runner says so */
  g_assert_true(scene_athlete(scene, 0)->stage == PL_RUN_ON);
}

/* A pause ends with its run. */
static void
test_run_after_a_pause(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 100, 150, 3);
  pl_athlete_pause(scene_athlete(scene, 0), scene_us(100));
  scene_run(scene, 0, 30, 100, 0);
  pl_athlete_stop(scene_athlete(scene, 0), scene_us(130));
  scene_run(scene, 0, 60, 150, 3); /* who has rested before the stop may go at once */
  g_assert_cmpstr(scene->story->str, ==,
                  " 1 candidate@0 10 started@0 100 paused@100 130 finished@100"
                  " 131 candidate@130 140 started@130");
  g_assert_cmpfloat(scene->frames[0].moving_s, ==, 60);
}

/* Which of walking and running it was is not forgotten when the pod is late. */
static void
test_phase_in_a_gap(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 300, 150, 3);
  scene_run(scene, 0, 60, 110, 1.4);
  scene_run(scene, 0, 12, 110, NAN);
  scene_run(scene, 0, 30, 110, 1.4);
  g_assert_cmpstr(scene->phases->str, ==, " 10 warmup 184 running 303 walking");
}

/* While a run goes on its sensors are hunted for, however it began and ended. */
static void
test_sensors_of_runs(void) {
  g_autoptr(Scene) scene = begun();
  scene_run(scene, 0, 5, 80, 0);
  g_assert_false(scene->memory.sessions[0].run_active);
  pl_athlete_start(scene_athlete(scene, 0), scene_us(5));
  scene_pass(scene, 1);
  g_assert_true(scene->memory.sessions[0].run_active);
  g_assert_true(scene->memory.sessions[1].run_active);
  pl_athlete_stop(scene_athlete(scene, 0), scene_us(6));
  scene_pass(scene, 1);
  g_assert_false(scene->memory.sessions[0].run_active);
  scene_pass(scene, 20);
  scene_run(scene, 0, 10, 150, 3);
  g_assert_true(scene->memory.sessions[1].run_active);
  scene_run(scene, 0, 310, 80, 0);
  g_assert_false(scene->memory.sessions[1].run_active);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/engine/start/by-itself", test_starts_by_itself);
  g_test_add_func("/engine/start/dated-back", test_dated_back_to_the_walk);
  g_test_add_func("/engine/start/not-by-walking", test_walking_is_no_run);
  g_test_add_func("/engine/start/not-around-the-house", test_around_the_house);
  g_test_add_func("/engine/start/not-by-heart", test_heart_alone_starts_nothing);
  g_test_add_func("/engine/start/treadmill", test_treadmill);
  g_test_add_func("/engine/start/way-there", test_way_to_the_start);
  g_test_add_func("/engine/pause/by-itself", test_pause_and_resume);
  g_test_add_func("/engine/pause/not-at-traffic-lights", test_traffic_light);
  g_test_add_func("/engine/pause/not-by-walking", test_walking_in_a_run);
  g_test_add_func("/engine/pause/not-in-a-gap", test_phase_in_a_gap);
  g_test_add_func("/engine/end/by-itself", test_ends_by_itself);
  g_test_add_func("/engine/end/for-a-minute", test_ended_for_a_minute);
  g_test_add_func("/engine/end/in-silence", test_ends_in_silence);
  g_test_add_func("/engine/end/not-in-a-gap", test_gap_is_bridged);
  g_test_add_func("/engine/end/second-run", test_second_run);
  g_test_add_func("/engine/lap/each", test_laps);
  g_test_add_func("/engine/lap/before-the-run", test_laps_before_the_run);
  g_test_add_func("/engine/lap/none", test_no_laps);
  g_test_add_func("/engine/lap/at-rest", test_lap_at_rest);
  g_test_add_func("/engine/command/start-and-stop", test_started_by_hand);
  g_test_add_func("/engine/command/ends-without-data", test_by_hand_ends_without_data);
  g_test_add_func("/engine/command/waits", test_by_hand_waits);
  g_test_add_func("/engine/command/before-any-sensor", test_by_hand_before_any_sensor);
  g_test_add_func("/engine/command/stopped", test_stopped);
  g_test_add_func("/engine/command/pause", test_paused_by_hand);
  g_test_add_func("/engine/command/pause-forgotten", test_pause_forgotten);
  g_test_add_func("/engine/command/candidate", test_candidate_made_a_run);
  g_test_add_func("/engine/command/after-a-pause", test_run_after_a_pause);
  g_test_add_func("/engine/command/sensors", test_sensors_of_runs);
  return g_test_run();
}
