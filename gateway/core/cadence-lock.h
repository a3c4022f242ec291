/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* An optical band may count steps and call them beats.  It is caught when its heart rate stays
 * within 3 bpm of the step rate for a minute although that changed by 4 or more
 * meanwhile: a heart follows the legs neither so closely nor so fast. */
typedef struct {
  unsigned near_s;                /* seconds in a row */
  double lowest_spm, highest_spm; /* of the step rate in them */
} PlCadenceLock;

void pl_cadence_lock_init(PlCadenceLock *lock);

/* One second; either may be NaN, which ends the suspicion.  True while the heart rate is not to
 * be trusted. */
bool pl_cadence_lock_step(PlCadenceLock *lock, double heart_rate_bpm, double cadence_spm);
