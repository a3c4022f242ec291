/* SPDX-License-Identifier: Apache-2.0 */
/* RSC Measurement: u8 flags (1 length, 2 distance, 4 running), u16 speed in 1/256 m/s, u8
 * cadence in 1/min, u16 length in cm, u32 distance in 0.1 m; little endian.  Cadence and length
 * are both of a stride (two steps), or both of a step. */
#include "plugins/simulator/footpod.h"

#include "plugins/simulator/random.h"

#include <math.h>

enum { FLAG_LENGTH = 1, FLAG_DISTANCE = 2, FLAG_RUNNING = 4 };

void
pl_simulator_footpod_init(PlSimulatorFootpod *footpod, bool steps, uint64_t seed) {
  PlRandom random;
  pl_random_init(&random, seed);
  *footpod = (PlSimulatorFootpod){
      .steps = steps,
      .counter_m = floor(1e6 * pl_random_uniform(&random)),
  };
}

void
pl_simulator_footpod_begin(PlSimulatorFootpod *footpod, const PlBody *body) {
  footpod->last_m = body->distance_m;
  footpod->last_us = body->t_us;
}

static uint32_t
rounded(double value, double unit, uint32_t maximum) {
  return (uint32_t)fmin(floor(value / unit + 0.5), maximum);
}

void
pl_simulator_footpod_measure(PlSimulatorFootpod *footpod, const PlBody *body,
                             uint8_t value[PL_FOOTPOD_SIZE]) {
  double seconds = (double)(body->t_us - footpod->last_us) / 1e6;
  double speed = seconds > 0 ? (body->distance_m - footpod->last_m) / seconds : 0;
  double cadence = footpod->steps ? body->cadence_spm : body->cadence_spm / 2;
  double length = cadence > 0 ? speed * 60 / cadence : 0;
  uint32_t raw_speed = rounded(speed, 1.0 / 256, UINT16_MAX);
  uint32_t raw_length = rounded(length, 0.01, UINT16_MAX);
  uint32_t distance = rounded(footpod->counter_m + body->distance_m, 0.1, UINT32_MAX);

  pl_simulator_footpod_begin(footpod, body);
  value[0] = FLAG_LENGTH | FLAG_DISTANCE | (body->gait == PL_GAIT_RUN ? FLAG_RUNNING : 0);
  value[1] = (uint8_t)raw_speed;
  value[2] = (uint8_t)(raw_speed >> 8);
  value[3] = (uint8_t)rounded(cadence, 1, UINT8_MAX);
  value[4] = (uint8_t)raw_length;
  value[5] = (uint8_t)(raw_length >> 8);
  for (int i = 0; i < 4; i++)
    value[6 + i] = (uint8_t)(distance >> (8 * i));
}
