/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/link.h"
#include "plugins/simulator/body.h"
#include "plugins/simulator/footpod.h"
#include "plugins/simulator/scenario.h"
#include "plugins/simulator/strap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Simulated runners whose sensors behave as real ones do, down to the bytes: they advertise,
 * are connected to, have characteristics, are subscribed to, take commands, drop out.  A source
 * of link events like BlueZ, driven through PlLink, so that the same session machine and the
 * same drivers run on it.
 *
 * Pure and deterministic: the same options and the same requests at the same times give the
 * same bytes.  Call pl_simulator_next with the time that it is now until it returns false, hand
 * every event to the engine, whose requests come back through the link.
 *
 * Each runner wears a strap on the chest and a pod on the left foot; sensor 2 r is the strap of
 * runner r, 2 r + 1 the pod. */

enum {
  PL_SIMULATOR_RUNNERS_MAX = 32,
  PL_SIMULATOR_SENSORS_MAX = PL_SIMULATOR_RUNNERS_MAX * PL_SIMULATOR_KINDS,
  PL_SIMULATOR_SERVICES_MAX = 4,
  PL_SIMULATOR_ANSWERS_MAX = 24, /* of one sensor, on their way */
};

typedef struct {
  const PlScenario *scenario;
  double minutes;   /* how long it lasts; 0: the scenario's own */
  unsigned runners; /* 0: the scenario's own; at most PL_SIMULATOR_RUNNERS_MAX */
  uint64_t seed;
  bool footpod_steps; /* the pod counts steps, not strides */
  bool repeat;        /* begins again after a rest of six minutes, for ever */
  int64_t start_us;   /* boot time of the beginning */
} PlSimulatorOptions;

/* What a configuration, or the header of a capture, says of a sensor. */
typedef struct {
  PlSimulatorKind kind;
  unsigned runner;
  char id[32];
  char name[24];    /* as advertised */
  char address[18]; /* locally administered: nobody's */
  const char *mount;
  size_t service_count;
  const PlUuid *services;
} PlSimulatorSensor;

/* Something that a sensor, or the adapter, is about to say. */
typedef struct {
  PlLinkEventType type;
  int64_t t_us;
  PlUuid uuid;
  bool ok;
  bool flag; /* PL_LINK_SCAN: scanning; PL_LINK_ADAPTER: powered */
  PlFailure failure;
  unsigned attempt;
  uint16_t company;
  uint8_t length;
  uint8_t data[PL_STRAP_ANSWER_SIZE];
} PlSimulatorAnswer;

/* First in, first out; times never fall. */
typedef struct {
  unsigned first, count;
  int64_t last_us;
  PlSimulatorAnswer answers[PL_SIMULATOR_ANSWERS_MAX];
} PlSimulatorQueue;

typedef enum {
  PL_SIMULATOR_PRESENCE, /* goes out of reach, or comes back */
  PL_SIMULATOR_ADVERTISE,
  PL_SIMULATOR_MEASURE, /* heart rate, or speed and cadence */
  PL_SIMULATOR_FRAME,   /* of acceleration */
  PL_SIMULATOR_BATTERY,
  PL_SIMULATOR_TIMERS
} PlSimulatorTimer;

typedef struct {
  PlSimulatorKind kind;
  unsigned runner;
  enum { PL_SIMULATOR_FREE, PL_SIMULATOR_CONNECTING, PL_SIMULATOR_CONNECTED } link;
  unsigned attempt;
  unsigned subscribed; /* a bit for each characteristic */
  int64_t measured_us; /* when the last measurement was made; it arrives a little later */
  int64_t due_us[PL_SIMULATOR_TIMERS]; /* INT64_MAX: off */
  PlSimulatorQueue queue;
} PlSimulatorDevice;

typedef struct {
  PlBody body;
  PlStrap strap;
  PlSimulatorFootpod footpod;
} PlSimulatorRunner;

typedef struct {
  PlLink link; /* first */
  PlSimulatorOptions options;
  int64_t duration_us, cycle_us; /* of the scenario, and with the rest after it */
  int64_t now_us;                /* since the beginning, as all times here */
  PlRandom random;               /* of the radio */
  bool powered, scanning;
  PlSimulatorQueue adapter;
  unsigned sensor_count;
  PlSimulatorDevice devices[PL_SIMULATOR_SENSORS_MAX];
  PlSimulatorRunner runners[PL_SIMULATOR_RUNNERS_MAX];
  uint8_t packet[PL_STRAP_FRAME_SIZE]; /* of the last event */
} PlSimulator;

void pl_simulator_init(PlSimulator *simulator, const PlSimulatorOptions *options);

/* For requests, which take effect at the time of the last call of pl_simulator_next. */
PlLink *pl_simulator_link(PlSimulator *simulator);

/* Tells what holds as after a start, for somebody who has not listened so far: the adapter, and
 * the links that are up, as ones that were found. */
void pl_simulator_tell_again(PlSimulator *simulator);

/* The next event up to the time `until_us`; its data are valid until the next call.  False when
 * there is none, which makes `until_us` the present. */
bool pl_simulator_next(PlSimulator *simulator, int64_t until_us, PlLinkEvent *event);

/* When the next event is due if nothing is asked for; INT64_MAX: never. */
int64_t pl_simulator_due(const PlSimulator *simulator);

/* The scenario is over, and its sensors are gone. */
bool pl_simulator_finished(const PlSimulator *simulator);

/* How long the scenario lasts, from its start. */
int64_t pl_simulator_duration(const PlSimulator *simulator);

unsigned pl_simulator_sensor_count(const PlSimulator *simulator);
void pl_simulator_sensor(const PlSimulator *simulator, unsigned sensor,
                         PlSimulatorSensor *description);

/* The truth about a runner at the time of its last event. */
const PlBody *pl_simulator_body(const PlSimulator *simulator, unsigned runner);
