/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One measurement as a driver read it from one packet, in SI units unless the name says
 * otherwise.  A value that the packet did not hold is NaN, never 0. */

typedef enum {
  PL_SAMPLE_HEART,   /* heart rate and beats */
  PL_SAMPLE_FOOTPOD, /* speed, cadence, length and distance */
  PL_SAMPLE_MOTION,  /* acceleration, and angular rate where there is a gyroscope */
  PL_SAMPLE_BATTERY, /* charge */
  PL_SAMPLE_KIND_COUNT
} PlSampleKind;

enum {
  PL_RR_MAX = 9, /* RR intervals in one sample; a longer list comes as several samples */
};

/* Whether a strap touches the skin. */
typedef enum { PL_CONTACT_UNKNOWN, PL_CONTACT_NO, PL_CONTACT_YES } PlContact;

typedef struct {
  double heart_rate_bpm; /* NaN: no reading */
  PlContact contact;
  unsigned rr_count;
  double rr_ms[PL_RR_MAX]; /* oldest first, each 1000/1024 ms a unit */
} PlHeartSample;

typedef struct {
  double speed_m_s;
  double cadence_raw;     /* 1/min as sent: steps or strides, the session decides */
  double stride_length_m; /* as sent: of a step or of a stride */
  double distance_m;      /* as sent: a counter that may start anywhere */
  bool running;           /* the pod says so; false proves nothing */
} PlFootpodSample;

typedef struct {
  double acceleration_m_s2[3]; /* specific force, sensor frame */
  double angular_rate_rad_s[3];
  bool has_angular_rate;
  bool clipped; /* at the end of the sensor's range */
} PlMotionSample;

typedef struct {
  PlSampleKind kind;
  int64_t t_us; /* boot time: of reception, or where the driver can tell, of measurement */
  int64_t t_sensor_us; /* the sensor's own clock, unwrapped; PL_NO_TIME without one */
  union {
    PlHeartSample heart;
    PlFootpodSample footpod;
    PlMotionSample motion;
    double battery_pct;
  };
} PlSample;

#define PL_NO_TIME INT64_MIN
