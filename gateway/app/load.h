/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/wall.h"
#include "gateway/core/athlete.h"
#include "gateway/edge/store.h"

/* How far a run is past the longest of 30 days (Frandsen 2025,
 * doi:10.1136/bjsports-2024-109380). */
typedef enum {
  PL_SPIKE_UNKNOWN,   /* too few records to say */
  PL_SPIKE_REFERENCE, /* at most 10 % past it */
  PL_SPIKE_SMALL,     /* at most 30 % */
  PL_SPIKE_MODERATE,  /* at most 100 % */
  PL_SPIKE_LARGE,
} PlSpike;

const char *pl_spike_name(PlSpike spike);

/* `longest_m` may be NaN. */
PlSpike pl_spike_of(double distance_m, double longest_m);

/* What the store knows of an athlete's runs before one that begins at `wall_us`: the longest of
 * the 30 local days before its own, and what belongs to the same outing, because less than half
 * an hour lies between.  Unknown with under 14 days of records; half of the longest of 90 days,
 * at least 3 km, at confidence 0.4 when there was no run in 30. */
PlHistory pl_load_history(PlStore *store, const char *athlete, const PlWall *wall,
                          int64_t wall_us);
