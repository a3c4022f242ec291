/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/athlete.h"
#include "gateway/core/link.h"
#include "gateway/core/outlet.h"
#include "gateway/core/radio.h"

#include <stddef.h>

/* The whole of the pure program: link events and the time come in; requests to sensors, frames,
 * laps, warnings and runs go out.  The same engine runs in the daemon, in replay, in the tests
 * and in the fuzzers.  It owns no memory: the caller gives arrays that live as long as it. */

enum { PL_NO_ATHLETE = -1 };

typedef struct {
  int athlete; /* index, or PL_NO_ATHLETE: nobody wears it */
  PlMount mount;
  double factor;                /* calibration of speed, length and distance; 1 by default */
  PlCadenceUnit cadence_unit;   /* by configuration */
  PlCadenceUnit cadence_learnt; /* of an earlier day */
  const char *name;             /* as advertised, NULL: not known */
} PlEngineSensor;

typedef struct {
  size_t sensor_count, athlete_count;
  const PlSessionConfig *sessions; /* of sensor_count; kept, not copied */
  const PlEngineSensor *sensors;   /* of sensor_count; kept, not copied */
  const PlAthleteSettings *athletes;
  PlRunSettings run;
  PlRadioOptions radio;
} PlEngineConfig;

/* Arrays of sensor_count and athlete_count, in any state. */
typedef struct {
  PlSession *sessions;
  PlSensorInput *inputs;
  PlSensorInput **inputs_of; /* of sensor_count: those of athlete 0, then 1, ... */
  int *sensors_of;           /* of sensor_count: their indices */
  size_t *first_of;          /* of athlete_count + 1: where they begin */
  PlAthlete *athletes;
} PlEngineMemory;

typedef struct {
  PlEngineConfig config;
  PlEngineMemory memory;
  PlRadio radio;
  PlRadioListener listener;
  PlOutlet *outlet;
  int64_t tick_us; /* when the present second ends */
  unsigned episodes;
} PlEngine;

/* Seconds end at `now_us` and every full second after it. */
void pl_engine_init(PlEngine *engine, const PlEngineConfig *config,
                    const PlEngineMemory *memory, PlLink *link, PlOutlet *outlet,
                    int64_t now_us);

/* Runs what is due up to the event, then takes it. */
void pl_engine_handle(PlEngine *engine, const PlLinkEvent *event);

/* Runs what is due: timers and ends of seconds, in the order of their time. */
void pl_engine_advance(PlEngine *engine, int64_t now_us);

/* When it wants to be woken. */
int64_t pl_engine_next_us(const PlEngine *engine);

PlAthlete *pl_engine_athlete(PlEngine *engine, int athlete);
