/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/cadence.h"
#include "gateway/core/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* One footpod or treadmill: speed, cadence in steps, and the distance and steps that have been
 * made but not handed on yet. */
typedef struct {
  PlCadence cadence;
  double factor;                                /* calibration: of speed, length and distance */
  int64_t t_us;                                 /* of the last sample; PL_NO_TIME: none yet */
  double speed_m_s, cadence_spm, step_length_m; /* NaN: not sent */
  bool says_running;
  bool gives_cadence; /* it has sent one */
  double counter_m;   /* the device's own, as sent; NaN: none */
  int64_t counter_us; /* when it was read */
  double still_s;     /* for how long it has stood still while samples came */
  double ahead_m;     /* counted without it since it moved, in its metres */
  double slack_m;     /* how much further it may leap in a burst of packets */
  double pending_m;   /* the speed says so, the counter not yet: not counted */
  double elsewhere_m; /* another sensor has counted since the last sample, in its metres */
  double distance_m, steps; /* since the last take */
} PlFootpod;

/* `cadence`: as pl_cadence_init() left it. */
void pl_footpod_init(PlFootpod *pod, const PlCadence *cadence, double factor);

/* `motion_spm`: step rate of a motion sensor on the same body, NaN without one. */
void pl_footpod_add(PlFootpod *pod, int64_t t_us, const PlFootpodSample *sample,
                    double motion_spm);

/* Goes on from what was stored before a restart, so that the counter bridges the gap. */
void pl_footpod_resume(PlFootpod *pod, int64_t t_us, double counter_m);

/* Hands on the distance in m and the steps since the last call. */
void pl_footpod_take(PlFootpod *pod, double *distance_m, double *steps);

/* Drops what was not handed on, because another sensor of the same runner counted `metres`
 * instead.  `silent`: this one said nothing meanwhile; what its counter says later includes
 * those metres. */
void pl_footpod_pass(PlFootpod *pod, double metres, bool silent);
