/* SPDX-License-Identifier: Apache-2.0 */

/* Wall time from boot time.
 *
 * Where the clock was right, it stands in rows some minutes apart, and time between two of them
 * is interpolated, which follows a clock that is being slewed.  A step between two such rows
 * means that everything before it was wrong after all: the last stretch without a step counts,
 * and it dates the whole boot.  Without any right row the last row is all that is known. */

#include "gateway/edge/store-private.h"

/* The fastest slew of the kernel is 500 ppm; twice that, and half a second, is no step. */
static const int64_t slack_us = 500 * 1000;
static const int64_t slew_divisor = 1000;

static int64_t
offset_of(const PlClockRow *row) {
  return row->wall_us - row->boot_us;
}

static bool
is_step(const PlClockRow *from, const PlClockRow *to) {
  int64_t change = offset_of(to) - offset_of(from);
  int64_t allowed = slack_us + (to->boot_us - from->boot_us) / slew_divisor;
  return change > allowed || change < -allowed;
}

/* The synced row before `index`, or -1. */
static int
synced_before(const PlClockRow *rows, int index) {
  do
    index--;
  while (index >= 0 && !rows[index].synced);
  return index;
}

static int64_t
interpolate(const PlClockRow *from, const PlClockRow *to, int64_t t_us) {
  int64_t span = to->boot_us - from->boot_us;
  if (span <= 0)
    return t_us + offset_of(to);
  double share = (double)(t_us - from->boot_us) / (double)span;
  return t_us + offset_of(from) + (int64_t)(share * (double)(offset_of(to) - offset_of(from)));
}

int64_t
pl_clock_wall(const PlClockRow *rows, unsigned count, int64_t t_us, bool *synced) {
  int at = synced_before(rows, (int)count);
  *synced = at >= 0;
  if (at < 0)
    return count > 0 ? t_us + offset_of(&rows[count - 1]) : 0;

  /* Back through the last stretch to the pair of rows around `t_us`. */
  while (rows[at].boot_us > t_us) {
    int earlier = synced_before(rows, at);
    if (earlier < 0 || is_step(&rows[earlier], &rows[at]))
      break;
    if (rows[earlier].boot_us <= t_us)
      return interpolate(&rows[earlier], &rows[at], t_us);
    at = earlier;
  }
  return t_us + offset_of(&rows[at]);
}
