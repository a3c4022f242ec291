/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"
#include "gateway/core/run.h"
#include "gateway/core/session.h"
#include "gateway/core/warning.h"

/* What the core gives to the outside.  Pointers are valid during the call only. */

typedef enum {
  PL_RUN_CANDIDATE, /* something moves: it may become a run, dated from here */
  PL_RUN_DISCARDED, /* it did not */
  PL_RUN_STARTED, /* it is one; `t_us` is the first movement, candidate records belong to it */
  PL_RUN_PAUSED,  /* again when the runner says so in a pause */
  PL_RUN_RESUMED,
  PL_RUN_FINISHED, /* `t_us` is the last movement; later records do not belong to it */
} PlRunEventType;

typedef struct {
  PlRunEventType type;
  int athlete;
  int64_t t_us;     /* what the event is about */
  const PlRun *run; /* totals; NULL for candidate and discarded */
} PlRunEvent;

typedef enum {
  PL_EVENT_SENSOR_JOINED, /* a sensor streams again, or for the first time */
  PL_EVENT_SENSOR_LOST,   /* it streamed and is gone */
  PL_EVENT_ADAPTER_LOST,
  PL_EVENT_ADAPTER_RESET,
  PL_EVENT_FLOOD, /* a sensor sent far more than it should and was shut out */
} PlGatewayEventType;

typedef struct {
  PlGatewayEventType type;
  int64_t t_us;
  int sensor;  /* or PL_NO_SENSOR */
  int adapter; /* or PL_NO_ADAPTER */
} PlGatewayEvent;

typedef struct PlOutlet PlOutlet;
struct PlOutlet {
  /* Once a second while a sensor is heard or something is recorded. */
  void (*frame)(PlOutlet *outlet, const PlFrame *frame);
  /* All frames of this second have been given. */
  void (*second)(PlOutlet *outlet, int64_t t_us);
  void (*warning)(PlOutlet *outlet, const PlWarningEvent *event);
  /* Also while it is a candidate: those are laps of the run, if it becomes one. */
  void (*lap)(PlOutlet *outlet, int athlete, const PlLap *lap);
  void (*run)(PlOutlet *outlet, const PlRunEvent *event);
  void (*phase)(PlOutlet *outlet, int athlete, PlPhase phase, int64_t since_us);
  void (*sensor)(PlOutlet *outlet, int sensor, const PlSensorState *state);
  void (*event)(PlOutlet *outlet, const PlGatewayEvent *event);
};
