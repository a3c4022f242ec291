/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"
#include "gateway/core/link.h"
#include "gateway/core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* One sensor: its link, its drivers and its counters.  The machine, its timers and its back-off
 * table are in radio.c, because links share an adapter; this is their state. */

enum {
  PL_SESSION_DRIVERS = 4,         /* drivers that may serve one sensor */
  PL_SESSION_CHARACTERISTICS = 16 /* wanted of one sensor, over all its drivers */
};

/* As published: link of `sensor/<sensor>/state`. */
typedef enum {
  PL_LINK_STATE_ABSENT,     /* not heard */
  PL_LINK_STATE_SEEN,       /* heard a moment ago, waiting for its turn */
  PL_LINK_STATE_CONNECTING, /* connecting, resolving or subscribing */
  PL_LINK_STATE_STREAMING,
  PL_LINK_STATE_STALE,   /* connected but silent */
  PL_LINK_STATE_BACKOFF, /* waiting before the next attempt */
  PL_LINK_STATE_COUNT
} PlLinkState;

const char *pl_link_state_name(PlLinkState state);

typedef enum {
  PL_NOTIFY_AUTO, /* sockets for fast characteristics, signals for the others */
  PL_NOTIFY_START,
  PL_NOTIFY_ACQUIRE,
} PlNotify;

/* What the configuration says about one sensor. */
typedef struct {
  const PlDriver *drivers[PL_SESSION_DRIVERS]; /* NULL-terminated unless full */
  PlDriverOptions options;
  PlNotify notify;
  int adapter; /* PL_NO_ADAPTER: whichever hears it best */
} PlSessionConfig;

/* What is published and stored about one sensor. */
typedef struct {
  PlLinkState link;
  int64_t since_us;
  double battery_pct; /* NaN: unknown */
  int rssi_dbm;       /* 0: unknown */
  double rate_hz;     /* notifications a second over the last 10 s; NaN: unknown */
  double loss_pct;    /* of the packets that its own clock or counter says were sent; NaN */
  uint64_t received;  /* notifications since the engine began */
  uint64_t lost;      /* known to be lost since then */
  uint64_t status[PL_STATUS_COUNT]; /* what became of them */
  int64_t last_data_us;             /* PL_NO_TIME: never */
  unsigned drops;                   /* links that ended without our wish */
} PlSensorState;
