/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/cadence-lock.h"

#include <math.h>

enum { LOCKED_AFTER_S = 60 };

static const double near_bpm = 3;
static const double change_spm = 4;

void
pl_cadence_lock_init(PlCadenceLock *lock) {
  *lock = (PlCadenceLock){.near_s = 0};
}

bool
pl_cadence_lock_step(PlCadenceLock *lock, double heart_rate_bpm, double cadence_spm) {
  if (!(cadence_spm > 0) || !(fabs(heart_rate_bpm - cadence_spm) <= near_bpm)) {
    pl_cadence_lock_init(lock);
    return false;
  }
  bool first = lock->near_s == 0;
  lock->lowest_spm = first ? cadence_spm : fmin(lock->lowest_spm, cadence_spm);
  lock->highest_spm = first ? cadence_spm : fmax(lock->highest_spm, cadence_spm);
  if (lock->near_s < LOCKED_AFTER_S)
    lock->near_s++;
  return lock->near_s == LOCKED_AFTER_S && lock->highest_spm - lock->lowest_spm >= change_spm;
}
