/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/simulator/simulator.h"

/* A gateway that connects to every simulated sensor, subscribes to everything and starts the
 * accelerometer, and hands each event to a test. */
typedef struct {
  PlSimulator *simulator;
  unsigned rate_hz; /* of the accelerometer; 0: not started */
  void (*see)(void *data, const PlLinkEvent *event);
  void *data;
  bool busy[PL_SIMULATOR_SENSORS_MAX]; /* connected, or on the way */
} SimulatorGateway;

extern const PlUuid uuid_heart_rate, uuid_rsc, uuid_pmd_control, uuid_pmd_data;

/* Plays a scenario to its end, or up to `until_us`. */
void simulator_gateway_run(SimulatorGateway *gateway, int64_t until_us);

/* The little-endian number of `bytes` at `data`. */
uint64_t simulator_number(const uint8_t *data, size_t bytes);
