/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/load.h"
#include "gateway/app/payload.h"

/* The summary of a run. */

/* What a run's warnings came to. */
typedef struct {
  unsigned count[PL_WARNING_COUNT]; /* that were announced */
  double first_s[PL_WARNING_COUNT]; /* elapsed, of the first */
  double seconds[PL_WARNING_COUNT]; /* on */
} PlWarningTotals;

typedef struct {
  const char *sensor;
  double share; /* of the run in which it was heard */
} PlSensorShare;

typedef struct {
  const char *run, *athlete;
  int64_t start_ms, end_ms;
  const char *shoe;      /* NULL: none */
  const GPtrArray *laps; /* of char: JSON objects */
  const GArray *sensors; /* of PlSensorShare */
  const PlWarningTotals *warnings;
  const PlHeartProfile *heart;
  PlHistory history;
  PlLanguage language;
  PlUnits units;
} PlSummaryContext;

void pl_payload_summary(PlJson *json, const PlStamp *stamp, const PlSummaryContext *context,
                        const PlRun *run);

/* "10.74 km in 48:42": at most 60 characters.  Free it. */
char *pl_summary_title(const PlSummaryContext *context, const PlRun *run);
