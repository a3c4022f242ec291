/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"
#include "gateway/core/heart.h"
#include "gateway/core/warning.h"

#include <stdbool.h>
#include <stdint.h>

/* The totals of a run: a fold over its records.  Everything that a summary or a lap needs is
 * here, so that feeding the stored records again gives the same run. */

typedef struct {
  double sum, weight; /* of value * seconds, and seconds */
  double minimum, maximum, last;
} PlTally;

/* The mean of a tally, NaN when nothing was counted. */
double pl_tally_mean(const PlTally *tally);

typedef struct {
  unsigned number; /* from 1 */
  int64_t start_us, end_us;
  double elapsed_s, moving_s, distance_m, steps;
  PlTally tally[PL_METRIC_COUNT];
} PlLap;

typedef struct {
  int64_t start_us; /* first movement */
  int64_t end_us;   /* end of the last record */
  double elapsed_s, moving_s, distance_m, steps;
  double running_s;             /* gait was running */
  double zone_s[PL_ZONE_COUNT]; /* time in heart-rate zones, zone 0 first */
  double heart_s;               /* seconds with a heart rate */
  PlTally tally[PL_METRIC_COUNT];
  PlLap lap;                                /* the one that is being run */
  unsigned beats;                           /* RR intervals */
  double warning_s[PL_WARNING_COUNT];       /* seconds on */
  double warning_first_s[PL_WARNING_COUNT]; /* elapsed when first raised; NaN: never */
  unsigned warning_count[PL_WARNING_COUNT]; /* announced episodes */
} PlRun;

void pl_run_init(PlRun *run, int64_t start_us);

/* Adds one record.  `heart` gives zones and training impulse. */
void pl_run_add(PlRun *run, const PlRecord *record, const PlHeartProfile *heart);

/* Ends the current lap at the end of the last record and starts the next; the finished one is
 * copied to `lap`. */
void pl_run_next_lap(PlRun *run, PlLap *lap);
