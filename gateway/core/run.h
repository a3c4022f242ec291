/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"
#include "gateway/core/heart.h"

#include <stdbool.h>
#include <stdint.h>

/* The totals of a run: a fold over its records.  Everything that a summary or a lap needs of
 * the measured values is here, so that feeding the stored records again gives the same run. */

typedef struct {
  double sum, weight_s; /* of value * seconds, and seconds */
  double minimum, maximum;
} PlTally;

/* The mean of a tally, NaN when nothing was counted. */
double pl_tally_mean(const PlTally *tally);

typedef struct {
  unsigned number;          /* from 1 */
  int64_t start_us, end_us; /* boot time */
  double elapsed_s, moving_s, distance_m, steps;
  PlTally tally[PL_METRIC_COUNT];
} PlLap;

enum { PL_RUN_HEART_WINDOW = 5 }; /* seconds over which a zone is judged */

typedef struct {
  int64_t start_us;       /* first movement */
  int64_t end_us;         /* end of the last record */
  int64_t last_moving_us; /* end of the last record that moves */
  double elapsed_s;       /* with pauses */
  double moving_s;        /* without */
  double distance_m, steps;
  double running_s;                  /* gait was running */
  double zone_s[PL_ZONE_COUNT];      /* time in heart-rate zones, zone 0 first */
  double trimp;                      /* Banister, per second (H2) */
  double trimp_edwards;              /* minutes in zone of maximum times its number (H3) */
  double trimp_lucia;                /* minutes below, between and above thresholds (H4) */
  double impulse_s;                  /* seconds that the three rest on */
  double covered_s[PL_METRIC_COUNT]; /* seconds in which the metric was known */
  double records_s;                  /* seconds with a record */
  bool by_hand; /* started by command: seconds without a footpod count as moving */
  PlTally tally[PL_METRIC_COUNT];
  PlLap lap; /* the one that is being run */
  double heart_window[PL_RUN_HEART_WINDOW];
  unsigned heart_window_at;
  double last_heart_rate_bpm; /* for gaps */
  double heart_gap_s;
} PlRun;

void pl_run_init(PlRun *run, int64_t start_us);

/* Adds one record.  `heart` gives zones and training impulse. */
void pl_run_add(PlRun *run, const PlRecord *record, const PlHeartProfile *heart);

/* Ends the current lap at the end of the last record and starts the next; the finished one is
 * copied to `lap`. */
void pl_run_next_lap(PlRun *run, PlLap *lap);

/* Whether a value is known well enough to count: half sure, form at 0.6. */
bool pl_run_counts(const PlRecord *record, PlMetric metric);

/* Heart rate over the last 5 s, NaN without any: what the zone is judged by. */
double pl_run_heart_mean(const PlRun *run);

/* Share of the run in which the heart rate is known well enough for training impulse. */
double pl_run_heart_coverage(const PlRun *run);

/* The runner moves in this second: at 0.3 m/s, with a step, by 0.3 m, or because the run was
 * started by hand and no sensor says otherwise. */
bool pl_run_moves(const PlRun *run, const PlRecord *record);
