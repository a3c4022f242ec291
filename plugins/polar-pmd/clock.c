/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/polar-pmd/clock.h"

#include <limits.h>
#include <math.h>

static const double ns_per_s = 1e9;
/* Of a rate that nobody has told; the strap's usual one. */
static const double rate_guess_hz = 100;
/* What any of these sensors can do; a learnt rate outside is a mistake. */
static const double rate_min_hz = 10, rate_max_hz = 1000;
/* More time than this share of what the samples should have taken: frames are missing. */
static const double gap_share = 1.5;
/* The sensor's clock may run ahead of reception by as much as packets may wait in queues.
 * Beyond, somebody has set it. */
static const int64_t queue_max_ns = INT64_C(30) * 1000 * 1000 * 1000;

void
pl_pmd_clock_start(PlPmdClock *clock, double rate_hz) {
  *clock = (PlPmdClock){.rate_hz = rate_hz};
}

static double
nominal_step(const PlPmdClock *clock) {
  return ns_per_s / (clock->rate_hz > 0 ? clock->rate_hz : rate_guess_hz);
}

/* Time since the last frame on the sensor's clock; 0 when there is none, or the clock was set.
 */
static int64_t
elapsed_ns(const PlPmdClock *clock, int64_t last_ns, int64_t received_us) {
  if (!clock->started || last_ns <= clock->last_ns)
    return 0;
  int64_t elapsed = last_ns - clock->last_ns;
  double received_ns = ((double)received_us - (double)clock->received_us) * 1000;
  return (double)elapsed - received_ns > (double)queue_max_ns ? 0 : elapsed;
}

static void
learn_rate(PlPmdClock *clock, double step_ns) {
  double rate_hz = ns_per_s / step_ns;
  if (rate_hz >= rate_min_hz && rate_hz <= rate_max_hz)
    clock->rate_hz = rate_hz;
}

double
pl_pmd_clock_step(PlPmdClock *clock, int64_t last_ns, unsigned count, int64_t received_us,
                  unsigned *lost) {
  int64_t elapsed = elapsed_ns(clock, last_ns, received_us);
  double expected = nominal_step(clock) * count;
  double step = (double)elapsed / count;

  *lost = 0;
  if (elapsed == 0) {
    step = nominal_step(clock);
  } else if (clock->rate_hz == 0) {
    learn_rate(clock, step);
    step = nominal_step(clock);
  } else if ((double)elapsed > gap_share * expected) {
    *lost = (unsigned)fmin(fmax(1, round((double)elapsed / expected) - 1), UINT_MAX);
    step = nominal_step(clock);
  }
  clock->started = true;
  clock->last_ns = last_ns;
  clock->received_us = received_us;
  return step;
}
