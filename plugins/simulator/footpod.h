/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/simulator/body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A footpod: Running Speed and Cadence.  Only bytes; links and times are in simulator.c. */

enum { PL_FOOTPOD_SIZE = 10 };

typedef struct {
  bool steps;       /* counts both feet; most pods count their own */
  double counter_m; /* the distance counter when the simulation began */
  double last_m;    /* at the last measurement */
  int64_t last_us;
} PlSimulatorFootpod;

void pl_simulator_footpod_init(PlSimulatorFootpod *footpod, bool steps, uint64_t seed);

/* Somebody listens from now on. */
void pl_simulator_footpod_begin(PlSimulatorFootpod *footpod, const PlBody *body);

/* RSC Measurement (2A53): speed since the last one, cadence and length now, distance. */
void pl_simulator_footpod_measure(PlSimulatorFootpod *footpod, const PlBody *body,
                                  uint8_t value[PL_FOOTPOD_SIZE]);
