/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/metric.h"

#include <stdbool.h>
#include <stdint.h>

/* What the feet do, from footpod or motion sensors (science: running is a flight phase). */
typedef enum {
  PL_GAIT_UNKNOWN, /* no sensor tells */
  PL_GAIT_STAND,
  PL_GAIT_WALK,
  PL_GAIT_RUN,
  PL_GAIT_COUNT
} PlGait;

/* Where an athlete is in a run. */
typedef enum {
  PL_PHASE_IDLE,
  PL_PHASE_CALIBRATING,
  PL_PHASE_WARMUP, /* the first 180 s of running */
  PL_PHASE_RUNNING,
  PL_PHASE_WALKING,
  PL_PHASE_PAUSED,
  PL_PHASE_ENDED, /* for 60 s */
  PL_PHASE_COUNT
} PlPhase;

enum {
  PL_FRAME_RR_MAX = 32, /* beats in one second, with what a late packet may bring */
};

/* One second of one athlete as it was measured: what is stored, replayed and recomputed from.
 * Everything about a run is a fold over its records, so a run survives a restart and is
 * computed again with newer formulas from the same rows. */
typedef struct {
  int64_t t_us; /* boot time of the end of the second */
  PlGait gait;
  double value[PL_METRIC_COUNT];     /* NaN: not known */
  float confidence[PL_METRIC_COUNT]; /* 0..1; means something where value is a number */
  unsigned rr_count;
  double rr_ms[PL_FRAME_RR_MAX]; /* new beats, oldest first */
  double distance_m;             /* covered in this second */
  double steps;                  /* made in this second */
  double counter_m;              /* the footpod's own counter, NaN without one */
} PlRecord;

/* A record and what the run made of it: one `live` message. */
typedef struct {
  PlRecord record;
  int athlete;
  PlPhase phase;
  bool streaming; /* a sensor is heard: it is worth publishing */
  bool recorded;  /* the record belongs to a run, or to what may become one */
  bool in_run;
  int64_t phase_since_us;
  double elapsed_s; /* since the start, with pauses */
  double moving_s;  /* without */
  double distance_m;
  double steps;
  PlMissing missing[PL_METRIC_COUNT];
  uint64_t warnings; /* bit n: warning code n is on */
} PlFrame;

/* "run", "walk", ...; "warmup", "paused", ... as in messages. */
const char *pl_gait_name(PlGait gait);
const char *pl_phase_name(PlPhase phase);

/* Seconds to a kilometre; NaN below 0.5 m/s (science F2). */
double pl_pace_s_per_km(double speed_m_s);

/* All unknown, nothing covered: distance and steps are 0. */
void pl_record_clear(PlRecord *record);

/* Whether a metric is stored.  The others follow from those that are, and are NaN after
 * decoding: pace from the speed of the last seconds, zone and training impulse from the heart
 * rate and the athlete's settings. */
bool pl_record_keeps(PlMetric metric);

enum {
  PL_RECORD_FORMAT = 1, /* of the bytes below; stored with them */
  PL_RECORD_BYTES_MAX = 512,
};

/* The bytes of a record in the store, 30 to 60 as a rule, and their number.  Values are rounded
 * to a tenth of what is published or finer, confidences to 1/200, beats to 1/1024 s, which is
 * exact for what a strap sends; time is exact.  What is not finite, or absurdly large, is
 * stored as unknown. */
unsigned pl_record_encode(const PlRecord *record, uint8_t bytes[PL_RECORD_BYTES_MAX]);

/* Reads one record; the number of bytes it took, 0 (and nothing written) when they are not
 * one.  Records may stand one after the other. */
unsigned pl_record_decode(PlRecord *record, const uint8_t *bytes, unsigned length);
