/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/status.h"

#include <stddef.h>
#include <stdint.h>

/* Data frames of the Polar Measurement Data service: bytes to numbers, nothing else. */

enum {
  PL_PMD_AXES = 3,
  PL_PMD_SAMPLES_MAX = 1000, /* in one frame; real ones hold 16 to 120 */
};

/* Measurement types. */
enum {
  PL_PMD_ACCELERATION = 2,
};

typedef struct {
  int64_t
      last_ns;    /* sensor clock at the last sample, ns since 2000-01-01 (or since power-up) */
  unsigned count; /* samples that were read */
  unsigned span;  /* samples that the frame announced: `last_ns` is the time of number `span` */
  double scale_mg; /* milli-g a unit */
  int32_t value[PL_PMD_SAMPLES_MAX][PL_PMD_AXES];
} PlPmdFrame;

/* Reads an acceleration frame.  `factor` is what the sensor named when it started, 1 when it
 * named none; it applies to compressed frames only.  `frame` is filled in any case; `count` is
 * 0 when nothing could be used.
 *
 *   PL_TRAILING     there are bytes after the last sample
 *   PL_SHORT        a header or a block does not fit; the samples before it are kept
 *   PL_BAD_VALUE    the time or the width of a block is impossible: nothing is kept; or there
 *                   are too many samples: those before the block that has them are kept
 *   PL_UNSUPPORTED  another measurement, or an unknown frame type
 */
PlStatus pl_pmd_frame(PlPmdFrame *frame, const uint8_t *data, size_t length, double factor);
