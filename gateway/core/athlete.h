/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/fusion.h"
#include "gateway/core/outlet.h"
#include "gateway/core/run.h"
#include "gateway/core/warning.h"

/* One person: where in a run they are, its totals, and their warnings. */

typedef struct {
  double start_after_s; /* of running, before it is a run */
  double pause_after_s; /* without a step */
  double end_after_s;   /* of pause, or without data in a run started by hand */
  double lap_m;         /* 0: none */
} PlRunSettings;

typedef struct {
  PlHeartSettings heart;
  PlWarningLimits warnings[PL_WARNING_COUNT]; /* NaN thresholds: worked out for the person */
} PlAthleteSettings;

/* What earlier days have to say, as far as live warnings need it. */
typedef struct {
  double longest_30d_m; /* longest single run of the 30 days before today; NaN: unknown */
  double confidence;
} PlHistory;

enum { PL_HEART_MEDIAN_WINDOW = 30 };

typedef enum {
  PL_RUN_NONE,
  PL_RUN_MAYBE, /* moving, and counted, but not a run yet */
  PL_RUN_ON,
} PlRunStage;

typedef struct {
  int index;
  PlAthleteSettings settings;
  PlRunSettings run_settings;
  PlHeartProfile heart;
  PlHistory history;
  PlOutlet *outlet;

  PlFusion fusion;
  PlRunStage stage;
  bool paused, paused_by_hand;
  bool alive; /* the last second moved */
  PlRun run;
  PlRun at_rest;     /* the run as it was at the last movement: how it will have ended */
  double rest_s;     /* since the last movement */
  double run_gait_s; /* of running in a row */

  PlPhase phase;
  int64_t phase_since_us;

  PlWarningMachine machines[PL_WARNING_COUNT];
  unsigned episode[PL_WARNING_COUNT];
  int64_t raised_us[PL_WARNING_COUNT];
  uint64_t active;      /* bit n: warning n is on and was announced */
  unsigned *episodes;   /* the engine's: the last number that was given */
  double spike_limit_m; /* the last one that was announced; 0: none */
  double heart_rates[PL_HEART_MEDIAN_WINDOW];
  unsigned heart_rates_at;
} PlAthlete;

void pl_athlete_init(PlAthlete *athlete, int index, const PlAthleteSettings *settings,
                     const PlRunSettings *run_settings, PlOutlet *outlet, unsigned *episodes,
                     int64_t now_us);

/* The end of a second.  `troubled_sensor`: one that served this run and is silent, or -1. */
void pl_athlete_step(PlAthlete *athlete, int64_t t_us, PlSensorInput *const *inputs,
                     size_t count, int troubled_sensor);

/* Commands.  False when it makes no sense now (no run to stop, one that is on already). */
bool pl_athlete_start(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_stop(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_pause(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_resume(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_lap(PlAthlete *athlete);

/* Goes on with a run after a restart: begin, then every stored record in order.  `ends_lap`:
 * a stored lap ends with this record. */
void pl_athlete_restore(PlAthlete *athlete, int64_t start_us, bool is_run, bool by_hand);
void pl_athlete_restore_record(PlAthlete *athlete, const PlRecord *record, bool ends_lap);

/* A warning that was on when the run was interrupted; after the records, and with the history
 * set. */
void pl_athlete_restore_warning(PlAthlete *athlete, PlWarningCode code, unsigned episode,
                                int64_t raised_us);

/* Last of all: what the distance has passed already is not announced again. */
void pl_athlete_restore_end(PlAthlete *athlete);

/* In athlete-warnings.c: the warnings of this second, and their end with the run. */
void pl_athlete_warnings_init(PlAthlete *athlete);
void pl_athlete_warnings_step(PlAthlete *athlete, const PlRecord *record, int troubled_sensor);
void pl_athlete_warnings_end(PlAthlete *athlete, int64_t t_us);
