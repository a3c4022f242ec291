/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"

#include <stdbool.h>
#include <stddef.h>

/* What a simulated runner does.  A scenario is data: see the table in scenario.c. */

/* A stretch of a scenario: so many seconds, or so many metres, at a speed. */
typedef struct {
  PlGait gait;
  double speed_m_s;
  double seconds;
  double metres;    /* above 0: instead of seconds */
  bool stretchable; /* gets the time that the others leave; one in each scenario */
} PlSegment;

/* The kinds of sensors that a runner wears. */
typedef enum {
  PL_SIMULATOR_STRAP,   /* heart-rate strap with accelerometer, as a Polar H10 */
  PL_SIMULATOR_FOOTPOD, /* running speed and cadence */
  PL_SIMULATOR_KINDS
} PlSimulatorKind;

/* A sensor that is out of reach for a part of the time; from = until: never. */
typedef struct {
  PlSimulatorKind kind;
  double from, until; /* of the whole duration, 0 to 1 */
} PlDropout;

enum { PL_SCENARIO_SEGMENTS_MAX = 16 };

typedef struct {
  const char *name;
  const char *description; /* a line for people */
  double minutes;          /* by default */
  unsigned runners;
  const PlSegment *segments;
  size_t segment_count;
  PlDropout dropout;
} PlScenario;

/* All scenarios, in the order in which they are to be listed. */
const PlScenario *pl_simulator_scenarios(size_t *count);

/* The scenario of that name, or NULL. */
const PlScenario *pl_simulator_find(const char *name);
