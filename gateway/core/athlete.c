/* SPDX-License-Identifier: Apache-2.0 */

/* When a run begins, pauses and ends, without anybody pressing anything.  What moves is counted
 * from the first step on as what may become a run; `start-after-s` of running make it one, a
 * pause before that discards it.  A run that rests for `end-after-s` has ended at its last
 * movement: that is why the totals of that moment are kept.  One that was started or paused by
 * command goes on until the next command, or until no sensor says anything for that long.
 * After a stop by command nothing starts by itself until the runner has rested. */

#include "gateway/core/athlete.h"

#include <math.h>

static const int64_t second_us = 1000000;
static const int64_t ended_us = 60000000;
static const double warmup_s = 180;
static const double gait_lag_s = 4; /* running is recognised in its fifth second */
static const double well_covered = 0.8;

static void
set_phase(PlAthlete *athlete, PlPhase phase, int64_t t_us) {
  if (athlete->phase == phase)
    return;
  athlete->phase = phase;
  athlete->phase_since_us = t_us;
  athlete->outlet->phase(athlete->outlet, athlete->index, phase, t_us);
}

static void
announce(PlAthlete *athlete, PlRunEventType type, int64_t t_us, const PlRun *run) {
  athlete->outlet->run(athlete->outlet, &(PlRunEvent){
                                            .type = type,
                                            .athlete = athlete->index,
                                            .t_us = t_us,
                                            .run = run,
                                        });
}

void
pl_athlete_init(PlAthlete *athlete, int index, const PlAthleteSettings *settings,
                const PlRunSettings *run_settings, PlOutlet *outlet, unsigned *episodes,
                int64_t now_us) {
  *athlete = (PlAthlete){
      .index = index,
      .settings = *settings,
      .run_settings = *run_settings,
      .history = {.longest_30d_m = NAN},
      .outlet = outlet,
      .phase_since_us = now_us,
      .episodes = episodes,
  };
  pl_heart_profile(&athlete->heart, &settings->heart);
  pl_fusion_init(&athlete->fusion);
  pl_athlete_warnings_init(athlete);
}

static void
begin(PlAthlete *athlete, PlRunStage stage, int64_t start_us, bool by_hand) {
  pl_run_init(&athlete->run, start_us);
  athlete->run.by_hand = by_hand;
  athlete->stage = stage;
  athlete->paused = athlete->paused_by_hand = athlete->stopped = false;
  athlete->alive = true;
  athlete->rest_s = athlete->silent_s = 0;
  athlete->run_gait_s = 0;
}

static void
emit_lap(PlAthlete *athlete, const PlLap *lap) {
  athlete->outlet->lap(athlete->outlet, athlete->index, lap);
}

/* Of what is not a run yet, too: whoever gets them keeps them until it is. */
static void
next_lap(PlAthlete *athlete) {
  PlLap lap;
  if (!athlete->alive)
    pl_run_next_lap(&athlete->at_rest, &lap);
  pl_run_next_lap(&athlete->run, &lap);
  emit_lap(athlete, &lap);
}

/* Ends the run at its last movement, or where it stands when it was moving until now. */
static void
finish(PlAthlete *athlete, int64_t t_us) {
  PlRun *ended = athlete->alive ? &athlete->run : &athlete->at_rest;
  athlete->stage = PL_RUN_NONE;
  pl_athlete_warnings_end(athlete, t_us);
  if (ended->lap.elapsed_s > 0)
    emit_lap(athlete, &ended->lap);
  announce(athlete, PL_RUN_FINISHED, ended->end_us, ended);
  set_phase(athlete, PL_PHASE_ENDED, t_us);
}

static void
discard(PlAthlete *athlete, int64_t t_us) {
  athlete->stage = PL_RUN_NONE;
  announce(athlete, PL_RUN_DISCARDED, t_us, NULL);
}

static void
confirm(PlAthlete *athlete) {
  athlete->stage = PL_RUN_ON;
  announce(athlete, PL_RUN_STARTED, athlete->run.start_us, &athlete->run);
}

/* While the runner says pause, nothing of the feet counts. */
static void
strip(PlRecord *record, PlMissing missing[PL_METRIC_COUNT]) {
  record->distance_m = record->steps = 0;
  record->gait = PL_GAIT_STAND;
  for (int m = PL_METRIC_SPEED; m <= PL_METRIC_STEP_LENGTH; m++) {
    if (!isnan(record->value[m]))
      missing[m] = PL_MISSING_NOT_RUNNING;
    record->value[m] = NAN;
  }
}

/* Before the first movement nothing belongs to a run: a counter that was out of reach tells of
 * the way there. */
static void
forget_the_way_here(PlRecord *record) {
  double speed_m_s = record->value[PL_METRIC_SPEED];
  record->distance_m = fmin(record->distance_m, isnan(speed_m_s) ? 0 : speed_m_s);
}

/* Adds a second to the run, keeping the totals of the last movement.  `looks_running`: the gait
 * is not only still that of a moment ago. */
static void
fold(PlAthlete *athlete, const PlRecord *record, bool looks_running) {
  bool moves = pl_run_moves(&athlete->run, record);
  if (athlete->alive && !moves)
    athlete->at_rest = athlete->run;
  pl_run_add(&athlete->run, record, &athlete->heart);
  athlete->alive = moves;
  athlete->rest_s = moves ? 0 : athlete->rest_s + 1;
  athlete->run_gait_s = record->gait == PL_GAIT_RUN ? athlete->run_gait_s + looks_running : 0;
}

static void
split_lap(PlAthlete *athlete, const PlRecord *record) {
  double lap_m = athlete->run_settings.lap_m;
  double now_m = athlete->run.distance_m;
  if (lap_m > 0 && floor(now_m / lap_m) > floor((now_m - record->distance_m) / lap_m))
    next_lap(athlete);
}

static void
update_pause(PlAthlete *athlete, int64_t t_us) {
  bool paused =
      athlete->paused_by_hand || athlete->rest_s >= athlete->run_settings.pause_after_s;
  if (paused == athlete->paused)
    return;
  athlete->paused = paused;
  if (paused)
    announce(athlete, PL_RUN_PAUSED, athlete->run.last_moving_us, &athlete->run);
  else
    announce(athlete, PL_RUN_RESUMED, t_us, &athlete->run);
}

/* Whether this second is the first movement of what may become a run. */
static bool
sets_out(PlAthlete *athlete, const PlRecord *record) {
  static const PlRun none = {.by_hand = false};
  bool moves = pl_run_moves(&none, record);
  bool rested = athlete->rest_s >= athlete->run_settings.pause_after_s;
  athlete->rest_s = moves ? 0 : athlete->rest_s + 1;
  athlete->stopped &= !rested;
  return moves && !athlete->stopped;
}

/* The seconds without movement, or without a word from any sensor, after which it is over. */
static bool
is_over(const PlAthlete *athlete) {
  bool has_the_say = athlete->run.by_hand || athlete->paused_by_hand;
  double waited_s = has_the_say ? athlete->silent_s : athlete->rest_s;
  return waited_s >= athlete->run_settings.end_after_s;
}

static void
step_run(PlAthlete *athlete, PlRecord *record) {
  if (athlete->stage == PL_RUN_NONE) {
    forget_the_way_here(record);
    if (!sets_out(athlete, record))
      return;
    begin(athlete, PL_RUN_MAYBE, record->t_us - second_us, false);
    announce(athlete, PL_RUN_CANDIDATE, athlete->run.start_us, NULL);
  }
  fold(athlete, record, athlete->fusion.gait.run_s > 0);
  split_lap(athlete, record);
  if (athlete->stage == PL_RUN_MAYBE) {
    if (athlete->run_gait_s > 0 &&
        athlete->run_gait_s + gait_lag_s >= athlete->run_settings.start_after_s)
      confirm(athlete);
    else if (athlete->rest_s >= athlete->run_settings.pause_after_s)
      discard(athlete, record->t_us);
    return;
  }
  update_pause(athlete, record->t_us);
  if (is_over(athlete))
    finish(athlete, record->t_us);
}

/* The phase of a second inside a run. */
static PlPhase
phase_in_run(const PlAthlete *athlete, PlGait gait) {
  bool unknown_by_hand = athlete->run.by_hand && gait == PL_GAIT_UNKNOWN;
  if (athlete->paused)
    return PL_PHASE_PAUSED;
  if (unknown_by_hand)
    return athlete->run.moving_s < warmup_s ? PL_PHASE_WARMUP : PL_PHASE_RUNNING;
  if (gait == PL_GAIT_RUN)
    return athlete->run.running_s < warmup_s ? PL_PHASE_WARMUP : PL_PHASE_RUNNING;
  if (gait == PL_GAIT_WALK)
    return PL_PHASE_WALKING;
  bool was_moving = athlete->phase >= PL_PHASE_WARMUP && athlete->phase <= PL_PHASE_WALKING;
  return was_moving ? athlete->phase : PL_PHASE_WALKING;
}

static void
update_phase(PlAthlete *athlete, PlGait gait, int64_t t_us) {
  if (athlete->stage == PL_RUN_ON)
    set_phase(athlete, phase_in_run(athlete, gait), t_us);
  else if (athlete->phase != PL_PHASE_ENDED || t_us - athlete->phase_since_us >= ended_us)
    set_phase(athlete, PL_PHASE_IDLE, t_us);
}

/* What the run makes of the second, for `live`. */
static void
complete(const PlAthlete *athlete, PlFrame *frame) {
  const PlRun *run = &athlete->run;
  frame->athlete = athlete->index;
  frame->phase = athlete->phase;
  frame->phase_since_us = athlete->phase_since_us;
  frame->warnings = athlete->active;
  frame->in_run = athlete->stage == PL_RUN_ON;
  if (!frame->in_run)
    return;
  frame->elapsed_s = run->elapsed_s;
  frame->moving_s = run->moving_s;
  frame->distance_m = run->distance_m;
  frame->steps = run->steps;
  if (run->impulse_s > 0) {
    double coverage = pl_run_heart_coverage(run);
    frame->record.value[PL_METRIC_TRIMP] = run->trimp;
    frame->record.confidence[PL_METRIC_TRIMP] =
        (float)(athlete->heart.trimp_confidence * (coverage < well_covered ? coverage : 1));
  }
}

/* The zone of the last 5 s, as far as the heart rate is known well enough. */
static void
add_zone(const PlAthlete *athlete, PlRecord *record, PlMissing missing[PL_METRIC_COUNT]) {
  const double *window = athlete->heart_rates;
  unsigned at = athlete->heart_rates_at + PL_HEART_MEDIAN_WINDOW;
  double sum = 0;
  unsigned count = 0;
  if (isnan(record->value[PL_METRIC_HEART_RATE]))
    return;
  for (unsigned i = 1; i <= PL_RUN_HEART_WINDOW; i++) {
    double value = window[(at - i) % PL_HEART_MEDIAN_WINDOW];
    if (isnan(value))
      continue;
    sum += value;
    count++;
  }
  if (count == 0) {
    missing[PL_METRIC_HEART_ZONE] = PL_MISSING_LOW_QUALITY;
    return;
  }
  record->value[PL_METRIC_HEART_ZONE] = pl_heart_zone(&athlete->heart, sum / count);
  record->confidence[PL_METRIC_HEART_ZONE] =
      (float)athlete->heart.zone_confidence * record->confidence[PL_METRIC_HEART_RATE];
}

void
pl_athlete_step(PlAthlete *athlete, int64_t t_us, PlSensorInput *const *inputs, size_t count,
                int troubled_sensor) {
  PlFrame frame = {.athlete = athlete->index};
  PlRecord *record = &frame.record;
  bool fresh = pl_fusion_step(&athlete->fusion, t_us, inputs, count, record, frame.missing);

  athlete->silent_s = fresh ? 0 : athlete->silent_s + 1;
  if (athlete->stage == PL_RUN_ON && athlete->paused_by_hand)
    strip(record, frame.missing);
  bool known = pl_run_counts(record, PL_METRIC_HEART_RATE);
  athlete->heart_rates[athlete->heart_rates_at] =
      known ? record->value[PL_METRIC_HEART_RATE] : NAN;
  athlete->heart_rates_at = (athlete->heart_rates_at + 1) % PL_HEART_MEDIAN_WINDOW;
  add_zone(athlete, record, frame.missing);

  step_run(athlete, record);
  update_phase(athlete, record->gait, t_us);
  if (athlete->stage == PL_RUN_ON)
    pl_athlete_warnings_step(athlete, record, troubled_sensor);
  complete(athlete, &frame);
  frame.streaming = fresh;
  frame.recorded = athlete->stage != PL_RUN_NONE;
  if (fresh || frame.recorded)
    athlete->outlet->frame(athlete->outlet, &frame);
}

bool
pl_athlete_start(PlAthlete *athlete, int64_t t_us) {
  if (athlete->stage == PL_RUN_ON)
    return false;
  if (athlete->stage == PL_RUN_MAYBE) {
    athlete->run.by_hand = true;
  } else {
    begin(athlete, PL_RUN_MAYBE, t_us, true);
    announce(athlete, PL_RUN_CANDIDATE, t_us, NULL);
  }
  confirm(athlete);
  update_phase(athlete, PL_GAIT_UNKNOWN, t_us);
  return true;
}

void
pl_athlete_end(PlAthlete *athlete, int64_t t_us) {
  if (athlete->stage == PL_RUN_MAYBE)
    discard(athlete, t_us);
  else if (athlete->stage == PL_RUN_ON)
    finish(athlete, t_us);
}

bool
pl_athlete_stop(PlAthlete *athlete, int64_t t_us) {
  if (athlete->stage == PL_RUN_NONE)
    return false;
  pl_athlete_end(athlete, t_us);
  athlete->stopped = true;
  return true;
}

bool
pl_athlete_pause(PlAthlete *athlete, int64_t t_us) {
  if (athlete->stage != PL_RUN_ON || athlete->paused_by_hand)
    return false;
  athlete->paused_by_hand = true;
  if (athlete->paused) /* now it is the runner who says so */
    announce(athlete, PL_RUN_PAUSED, athlete->run.last_moving_us, &athlete->run);
  update_pause(athlete, t_us);
  update_phase(athlete, PL_GAIT_STAND, t_us);
  return true;
}

bool
pl_athlete_resume(PlAthlete *athlete, int64_t t_us) {
  if (athlete->stage != PL_RUN_ON || !athlete->paused)
    return false;
  athlete->paused_by_hand = false;
  athlete->rest_s = 0;
  update_pause(athlete, t_us);
  update_phase(athlete, PL_GAIT_WALK, t_us);
  return true;
}

bool
pl_athlete_lap(PlAthlete *athlete) {
  if (athlete->stage != PL_RUN_ON)
    return false;
  next_lap(athlete);
  return true;
}

void
pl_athlete_restore(PlAthlete *athlete, int64_t start_us, bool is_run, bool by_hand) {
  begin(athlete, is_run ? PL_RUN_ON : PL_RUN_MAYBE, start_us, by_hand);
  athlete->phase = is_run ? PL_PHASE_WALKING : PL_PHASE_IDLE;
  athlete->phase_since_us = start_us;
}

void
pl_athlete_restore_record(PlAthlete *athlete, const PlRecord *record, bool ends_lap) {
  PlLap lap;
  fold(athlete, record, true);
  if (ends_lap && !athlete->alive)
    pl_run_next_lap(&athlete->at_rest, &lap);
  if (ends_lap)
    pl_run_next_lap(&athlete->run, &lap);
  athlete->paused = athlete->rest_s >= athlete->run_settings.pause_after_s;
  if (athlete->stage != PL_RUN_ON)
    return;
  PlPhase phase = phase_in_run(athlete, record->gait);
  if (phase != athlete->phase)
    athlete->phase_since_us = record->t_us;
  athlete->phase = phase;
}

void
pl_athlete_restore_end(PlAthlete *athlete, bool paused_by_hand) {
  athlete->paused_by_hand = paused_by_hand;
  athlete->paused |= paused_by_hand;
  if (athlete->paused && athlete->stage == PL_RUN_ON)
    athlete->phase = PL_PHASE_PAUSED;
  pl_athlete_warnings_restored(athlete);
}
