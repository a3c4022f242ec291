/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Times of samples from the times of frames.  A frame carries the time of its last sample on
 * the sensor's clock; the samples before it lie at equal steps, back to the last one of the
 * frame before.  The sensor's clock is not trusted for anything but differences. */

typedef struct {
  double rate_hz;      /* as agreed with the sensor; 0: not known, learnt from two frames */
  bool started;        /* a frame has come on this stream */
  int64_t last_ns;     /* sensor clock at its last sample */
  int64_t received_us; /* boot time of its reception */
} PlPmdClock;

/* A stream begins: nothing that came before counts.  `rate_hz` 0 when it is not known. */
void pl_pmd_clock_start(PlPmdClock *clock, double rate_hz);

/* A frame of `count` (1 or more) samples arrived.  Returns the step between its samples in ns,
 * and the number of frames of this size that were lost before it. */
double pl_pmd_clock_step(PlPmdClock *clock, int64_t last_ns, unsigned count,
                         int64_t received_us, unsigned *lost);
