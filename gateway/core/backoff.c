/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/backoff.h"

enum { TRANSIENTS_MAX = 9, REFUSALS_MAX = 5, STEPS = 6 };

static const int64_t ms = 1000;

uint32_t
pl_random_next(uint32_t *random) {
  uint32_t x = *random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *random = x;
  return x;
}

/* The table's delay in ms, before jitter. */
static int64_t
count_and_choose(PlBackoff *backoff, PlBackoffCause cause) {
  static const int64_t step_ms[STEPS] = {1000, 2000, 4000, 8000, 15000, 30000};

  switch (cause) {
  case PL_BACKOFF_DROPPED:
    return 0;
  case PL_BACKOFF_PAUSE:
    return 4000;
  case PL_BACKOFF_TRANSIENT:
    backoff->failures++;
    if (backoff->transients++ < TRANSIENTS_MAX)
      return 250;
    return step_ms[STEPS - 1];
  case PL_BACKOFF_IN_PROGRESS:
    backoff->failures++;
    return 1000;
  case PL_BACKOFF_AUTHENTICATION:
    backoff->failures++;
    backoff->refusals++;
    return 60000;
  case PL_BACKOFF_FAILED:
    break;
  }
  backoff->failures++;
  backoff->transients = 0;
  unsigned step = backoff->steps < STEPS ? backoff->steps++ : STEPS - 1;
  return step_ms[step];
}

int64_t
pl_backoff_delay(PlBackoff *backoff, PlBackoffCause cause, uint32_t *random) {
  int64_t delay_us = count_and_choose(backoff, cause) * ms;
  if (backoff->refusals >= REFUSALS_MAX)
    return PL_BACKOFF_FOREVER;
  /* Sensors that failed together must not come back together. */
  int64_t per_mille = (int64_t)(pl_random_next(random) % 401) - 200;
  return delay_us + delay_us * per_mille / 1000;
}

void
pl_backoff_connected(PlBackoff *backoff) {
  backoff->transients = 0;
  backoff->refusals = 0;
}
