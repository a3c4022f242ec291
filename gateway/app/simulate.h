/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/simulator/scenario.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Captures of simulated runs. */

typedef struct {
  const PlScenario *scenario;
  double minutes;   /* 0: the scenario's own */
  unsigned runners; /* 0: the scenario's own */
  uint64_t seed;
  int64_t start_ms; /* Unix time of the beginning */
  const char *tz;   /* NULL: not said */
} PlSimulateOptions;

/* Runs a scenario from start to end as fast as it goes, with a gateway that connects to every
 * sensor and starts whatever it can send, and writes what arrives to a capture at `path` (`-`:
 * standard output; compressed when it ends in `.gz`).  The same options give the same bytes. */
bool pl_simulate_capture(const PlSimulateOptions *options, const char *path, GError **error);
