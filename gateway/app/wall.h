/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Boot time to wall time: inside everything is boot time, and this is what it is outside.  A
 * capture has its own. */
typedef struct {
  int64_t offset_us; /* wall time since 1970 minus boot time */
  bool synced;
  GTimeZone *zone; /* of the runner's days */
} PlWall;

static inline int64_t
pl_wall_us(const PlWall *wall, int64_t t_us) {
  return t_us + wall->offset_us;
}

static inline int64_t
pl_wall_ms(const PlWall *wall, int64_t t_us) {
  return pl_wall_us(wall, t_us) / 1000;
}

/* The wall time at which the local day of `wall_us` began, `days` days before it. */
int64_t pl_wall_midnight_us(const PlWall *wall, int64_t wall_us, int days);
