/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/backoff.h"
#include "gateway/core/driver.h"
#include "gateway/core/link.h"
#include "gateway/core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One sensor: its link, its drivers and its counters.  The machine, its timers and its back-off
 * table are in radio.c, because links share an adapter; this is their state. */

enum {
  PL_SESSION_DRIVERS = 4, /* drivers that may serve one sensor */
  PL_SESSION_CHARACTERISTICS = PL_SESSION_DRIVERS * PL_DRIVER_CHARACTERISTICS,
  PL_SESSION_WRITES = 8,     /* of a sensor's drivers that may wait for their turn */
  PL_SESSION_CANDIDATES = 32 /* drivers to choose from when the configuration names none */
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

/* Why a sensor is not used although it may be there. */
typedef enum {
  PL_SENSOR_FINE,
  PL_SENSOR_NEEDS_PAIRING, /* it asks for encryption; after five refusals it is left alone */
  PL_SENSOR_INCOMPLETE,    /* connected, but without the characteristics that were expected */
  PL_SENSOR_FLOODS,        /* it sent far more than it should and is shut out for a while */
} PlSensorProblem;

/* What the configuration says about one sensor. */
typedef struct {
  /* NULL-terminated unless full.  None: those of the radio's table whose characteristics the
   * sensor has; a driver that only listens to advertisements has to be named. */
  const PlDriver *drivers[PL_SESSION_DRIVERS];
  PlDriverOptions options;
  PlNotify notify;
  int adapter; /* PL_NO_ADAPTER: whichever hears it best */
} PlSessionConfig;

/* What is published and stored about one sensor. */
typedef struct {
  PlLinkState link;
  PlSensorProblem problem;
  int64_t since_us;   /* when `link` became what it is */
  double battery_pct; /* NaN: unknown */
  int rssi_dbm;       /* 0: unknown */
  double rate_hz;     /* notifications a second over the last 10 s; NaN: unknown */
  double loss_pct; /* of the packets of the last 10 s, as far as the sensor numbers them; NaN */
  uint64_t received;                /* notifications since the engine began */
  uint64_t lost;                    /* known to be lost since then */
  uint64_t limited;                 /* dropped unread because they came too fast */
  uint64_t status[PL_STATUS_COUNT]; /* what became of the others */
  int64_t last_data_us;             /* PL_NO_TIME: never */
  unsigned drops;                   /* links that ended without our wish */
} PlSensorState;

/* What follows is the state of the machine, here only so that it can be embedded: nobody but
 * radio*.c and session*.c looks inside. */

typedef enum {
  PL_PHASE_ABSENT,
  PL_PHASE_SEEN,
  PL_PHASE_CONNECTING, /* has the connect token of its adapter */
  PL_PHASE_RESOLVING,
  PL_PHASE_SUBSCRIBING,
  PL_PHASE_STREAMING,
  PL_PHASE_STALE,
  PL_PHASE_STOPPING, /* drivers write what stops the sensor */
  PL_PHASE_CLOSING,  /* Disconnect() is on its way */
  PL_PHASE_BACKOFF,
} PlSessionPhase;

typedef enum {
  PL_TIMER_PHASE,     /* how long the phase may last */
  PL_TIMER_SILENCE,   /* how long no data may come */
  PL_TIMER_OPERATION, /* of the read or write that is on its way */
  PL_TIMER_REPORT,
  PL_TIMER_REFUSED, /* when to tell drivers of writes that could not be queued */
  PL_TIMER_DRIVER,  /* the first of the drivers' own */
  PL_TIMER_COUNT = PL_TIMER_DRIVER + PL_SESSION_DRIVERS * PL_DRIVER_TIMERS
} PlSessionTimer;

/* Lists that a session can be in, each sorted by a time. */
typedef enum {
  PL_LIST_HEARD,   /* of an adapter: those without a link, by when they were last heard */
  PL_LIST_MISSING, /* those to be looked for, by when they were last expected */
  PL_LIST_COUNT
} PlSessionListKind;

typedef struct {
  int first, last; /* PL_NO_SENSOR: empty */
} PlSessionList;

typedef struct {
  PlSessionList *list; /* NULL: in none */
  int previous, next;
} PlSessionListEntry;

typedef struct {
  const PlCharacteristic *characteristic;
  unsigned flags; /* of all drivers that want it */
  bool acquire;   /* asked for by a socket of its own */
} PlSessionCharacteristic;

typedef struct {
  uint8_t slot; /* of the driver */
  uint8_t characteristic;
  uint8_t length;
  uint8_t data[PL_DRIVER_WRITE_MAX];
} PlSessionWrite;

typedef enum { PL_OPERATION_NONE, PL_OPERATION_READ, PL_OPERATION_WRITE } PlSessionOperation;

/* Tokens for packets: a sensor that sends faster than they come is flooding. */
typedef struct {
  double tokens;
  int64_t filled_us;
  int64_t over_since_us; /* PL_NO_TIME: within the limit */
} PlSessionBucket;

typedef struct {
  const PlSessionConfig *config;
  PlSensorState state;
  PlSessionPhase phase;
  PlBackoff backoff;

  bool run_active;
  bool linked;  /* the link is up */
  bool ours;    /* and we asked for it */
  bool present; /* `joined` was told, `lost` not yet */
  bool banned;  /* not even looked for until the phase ends */
  bool refound; /* BlueZ forgot it: at the next advertisement wait, then connect */
  bool private_address;
  bool fast;           /* counted in the adapter's fast links */
  bool acquire_failed; /* no sockets for this sensor any more */
  int adapter;         /* that heard it best or carries its link */
  unsigned attempt;    /* number of the last one */
  PlBackoffCause cause;
  unsigned unresolved; /* links in a row that did not get past RESOLVING */
  int64_t removable_us;

  int64_t seen_us;         /* last advertisement of any strength, or PL_NO_TIME */
  int64_t heard_us;        /* last one that was strong enough to connect */
  int64_t waiting_us;      /* since when it has been SEEN */
  int64_t missing_us;      /* since when it has not streamed */
  int64_t expected_us;     /* since when it has been worth hunting for */
  int64_t streaming_us;    /* since when it has streamed */
  int64_t quiet_us;        /* silence counts from here, or from the last data */
  int64_t first_silent_us; /* how long the first silence may last; 0: as any other */

  uint8_t found[PL_SESSION_CANDIDATES]; /* by candidate: which characteristics exist */
  const PlDriver *drivers[PL_SESSION_DRIVERS];
  bool active[PL_SESSION_DRIVERS];     /* it has what it needs on this link */
  uint8_t refused[PL_SESSION_DRIVERS]; /* by characteristic: writes to be reported as failed */
  PlSessionCharacteristic wanted[PL_SESSION_CHARACTERISTICS];
  unsigned wanted_count;
  bool resolved;      /* RESOLVED has come */
  bool grown;         /* more has been found since it was subscribed to */
  bool resubscribing; /* a second time on the same link */
  int subscribing;    /* the one whose answer is awaited, or -1 */

  PlSessionOperation operation;
  bool operation_busy; /* it has to be asked for again */
  unsigned operation_tries;
  unsigned reading; /* of READ: the one that is on its way */
  uint32_t reads;   /* still to be read, a bit each */
  unsigned write_first, write_count;

  PlSessionBucket bucket;
  int64_t window_us; /* since when the two below count */
  unsigned window_received, window_lost;
  bool counts_lost;
  int64_t reported_us;

  PlSessionListEntry lists[PL_LIST_COUNT];
  int64_t timers[PL_TIMER_COUNT];
  int64_t due_us;       /* the earliest of them */
  size_t heap_position; /* where this session stands in the heap of all */
  int heap_item;        /* the session that stands in the heap at this one's index */

  /* From here on nothing is touched before it is needed. */
  PlSessionWrite writes[PL_SESSION_WRITES];
  struct {
    _Alignas(max_align_t) unsigned char bytes[PL_DRIVER_STATE_MAX];
  } driver_state[PL_SESSION_DRIVERS];
} PlSession;
