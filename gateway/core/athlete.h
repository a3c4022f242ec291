/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/fusion.h"
#include "gateway/core/link.h"
#include "gateway/core/outlet.h"
#include "gateway/core/run.h"
#include "gateway/core/warning.h"

/* One person: where in a run they are, its totals, and their warnings. */

typedef struct {
  double start_after_s; /* of running, before it is a run */
  double pause_after_s; /* without a step */
  double end_after_s;   /* of rest; without data, where the runner has the say */
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
  double before_m; /* of the same outing, in a run that has ended a moment ago; 0: none */
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
  bool stopped; /* by command: nothing starts by itself until the runner has rested */
  bool alive;   /* the last second moved */
  PlRun run;
  PlRun at_rest;     /* the run as it was at the last movement: how it will have ended */
  double rest_s;     /* since the last movement */
  double silent_s;   /* since any sensor was heard */
  double run_gait_s; /* of running in a row */

  PlPhase phase;
  int64_t phase_since_us;

  PlWarningMachine machines[PL_WARNING_COUNT];
  PlWarningEvent opened[PL_WARNING_COUNT]; /* what began the last episode of each */
  uint64_t active;                         /* bit n: warning n is on and was announced */
  unsigned *episodes;                      /* the engine's: the last number that was given */
  double spike_limit_m;                    /* the last one that was announced; 0: none */
  double heart_rates[PL_HEART_MEDIAN_WINDOW];
  unsigned heart_rates_at;
} PlAthlete;

void pl_athlete_init(PlAthlete *athlete, int index, const PlAthleteSettings *settings,
                     const PlRunSettings *run_settings, PlOutlet *outlet, unsigned *episodes,
                     int64_t now_us);

/* Instead of a sensor that is in trouble: one may be. */
enum { PL_SENSOR_UNCERTAIN = PL_NO_SENSOR - 1 };

/* The end of a second.  `troubled_sensor`: one that served this run and is silent,
 * PL_SENSOR_UNCERTAIN or PL_NO_SENSOR. */
void pl_athlete_step(PlAthlete *athlete, int64_t t_us, PlSensorInput *const *inputs,
                     size_t count, int troubled_sensor);

/* Commands.  False when it makes no sense now (no run to stop, one that is on already). */
bool pl_athlete_start(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_stop(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_pause(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_resume(PlAthlete *athlete, int64_t t_us);
bool pl_athlete_lap(PlAthlete *athlete);

/* Ends what is going on, as when nothing more will come: a run at its last movement. */
void pl_athlete_end(PlAthlete *athlete, int64_t t_us);

/* Goes on with a run after a restart: begin, then every stored record in order.  `ends_lap`:
 * a stored lap ends with this record. */
void pl_athlete_restore(PlAthlete *athlete, int64_t start_us, bool is_run, bool by_hand);
void pl_athlete_restore_record(PlAthlete *athlete, const PlRecord *record, bool ends_lap);

/* Every stored transition of a warning in order; after the records, and with the history set.
 */
void pl_athlete_restore_warning(PlAthlete *athlete, const PlWarningEvent *event);

/* Last of all: what the distance has passed already is not announced again, and who has paused
 * by command still does. */
void pl_athlete_restore_end(PlAthlete *athlete, bool paused_by_hand);

/* In athlete-warnings.c: the warnings of this second, their end with the run, and that they
 * know what the distance has passed before a restart. */
void pl_athlete_warnings_init(PlAthlete *athlete);
void pl_athlete_warnings_step(PlAthlete *athlete, const PlRecord *record, int troubled_sensor);
void pl_athlete_warnings_end(PlAthlete *athlete, int64_t t_us);
void pl_athlete_warnings_restored(PlAthlete *athlete);
