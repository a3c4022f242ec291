/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/athlete.h"
#include "gateway/core/link.h"
#include "gateway/core/outlet.h"
#include "gateway/core/radio.h"

/* The whole of the pure program: link events and the time come in; requests to sensors, frames,
 * laps, warnings and runs go out.  The same engine runs in the daemon, in replay, in the tests
 * and in the fuzzers.  It owns no memory: the caller gives arrays that live as long as it. */

typedef struct {
  PlSessionConfig session;
  int athlete; /* index, or -1: nobody wears it */
  PlMount mount;
  double factor; /* calibration of speed, length and distance; 1 by default */
} PlEngineSensor;

typedef struct PlEngine PlEngine;
