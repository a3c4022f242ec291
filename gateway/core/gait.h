/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* Running, walking or standing, from a footpod once a second.  A run needs 5 s of it; it is
 * left, and standing is entered, after 3 s. */
typedef struct {
  PlGait gait;
  unsigned run_s, not_run_s, still_s; /* in a row */
} PlGaitMachine;

typedef struct {
  double speed_m_s, cadence_spm; /* NaN: not known */
  bool says_running;             /* the pod's own opinion; false proves nothing */
  bool is_treadmill;             /* a belt: speed alone tells */
} PlGaitInput;

void pl_gait_init(PlGaitMachine *machine);
PlGait pl_gait_step(PlGaitMachine *machine, const PlGaitInput *input);
