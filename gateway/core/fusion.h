/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/cadence-lock.h"
#include "gateway/core/footpod.h"
#include "gateway/core/frame.h"
#include "gateway/core/gait.h"
#include "gateway/core/heart.h"
#include "gateway/core/mount.h"

#include <stddef.h>

/* The samples of one sensor, waiting for the end of the second. */
typedef struct {
  PlMount mount;
  PlHeartInput heart;
  PlFootpod footpod;
  bool gives_heart, gives_footpod; /* it has sent such samples */
} PlSensorInput;

void pl_sensor_input_init(PlSensorInput *input, PlMount mount, double factor,
                          const PlCadence *cadence);
void pl_sensor_input_add(PlSensorInput *input, const PlSample *sample);

/* All sensors of one athlete become one record a second: of several that give the same, the
 * best fresh one is used and the others are passed over. */
typedef struct {
  PlGaitMachine gait;
  PlCadenceLock lock;
  double pace_speed_m_s; /* speed smoothed with 5 s, for the pace; NaN: none */
} PlFusion;

void pl_fusion_init(PlFusion *fusion);

/* Makes the record of the second that ends at `t_us` of `count` inputs, and says what is
 * missing.  Takes beats, distance and steps out of the inputs.  True when anything is fresh. */
bool pl_fusion_step(PlFusion *fusion, int64_t t_us, PlSensorInput *const *inputs, size_t count,
                    PlRecord *record, PlMissing missing[PL_METRIC_COUNT]);
