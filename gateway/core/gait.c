/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/gait.h"

#include <math.h>

enum { ENTER_RUN_S = 5, LEAVE_RUN_S = 3, ENTER_STAND_S = 3 };

static const double stand_m_s = 0.3;
static const double belt_m_s = 0.5;

void
pl_gait_init(PlGaitMachine *machine) {
  *machine = (PlGaitMachine){.gait = PL_GAIT_UNKNOWN};
}

/* Grown-up runners at 1.9 m/s and more take 130 steps; slow beginners keep 140 at 1.4 m/s,
 * where nobody walks. */
static bool
looks_like_running(const PlGaitInput *in) {
  if (in->is_treadmill)
    return in->speed_m_s >= belt_m_s;
  if (in->cadence_spm >= 130 && (in->says_running || in->speed_m_s >= 1.9))
    return true;
  return in->cadence_spm >= 140 && in->speed_m_s >= 1.4;
}

static bool
is_moving(const PlGaitInput *in) {
  return in->speed_m_s >= stand_m_s || in->cadence_spm > 0;
}

PlGait
pl_gait_step(PlGaitMachine *machine, const PlGaitInput *in) {
  if (isnan(in->speed_m_s) && isnan(in->cadence_spm)) {
    pl_gait_init(machine);
    return machine->gait;
  }
  bool running = looks_like_running(in);
  machine->run_s = running ? machine->run_s + 1 : 0;
  machine->not_run_s = running ? 0 : machine->not_run_s + 1;
  machine->still_s = is_moving(in) ? 0 : machine->still_s + 1;

  if (machine->run_s >= ENTER_RUN_S)
    machine->gait = PL_GAIT_RUN;
  else if (machine->still_s >= ENTER_STAND_S)
    machine->gait = PL_GAIT_STAND;
  else if (machine->gait == PL_GAIT_RUN && machine->not_run_s < LEAVE_RUN_S)
    machine->gait = PL_GAIT_RUN;
  else if (machine->still_s == 0)
    machine->gait = PL_GAIT_WALK;
  return machine->gait;
}
