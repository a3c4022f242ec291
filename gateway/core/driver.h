/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/sample.h"
#include "gateway/core/status.h"
#include "gateway/core/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The plugin interface.  A driver is data plus two pure functions.  It does no I/O, reads no
 * clock and allocates nothing: bytes and times come in as events, samples and requests go out
 * through the sink.  `handle` is total: any bytes, any event, any order. */

#define PL_DRIVER_ABI 1

enum {
  PL_DRIVER_STATE_MAX = 1024,    /* bytes of state a driver may ask for */
  PL_DRIVER_CHARACTERISTICS = 8, /* in one driver */
  PL_VALUE_MAX = 514,            /* the longest attribute value that GATT allows */
  PL_DRIVER_TIMERS = 4,          /* their ids go from 0 to 3 */
  PL_DRIVER_WRITE_MAX = 64,      /* bytes of one write; a longer one fails */
};

typedef enum {
  PL_CHARACTERISTIC_NOTIFY = 1 << 0,   /* subscribe to it (notification or indication) */
  PL_CHARACTERISTIC_READ = 1 << 1,     /* read once after connecting */
  PL_CHARACTERISTIC_WRITE = 1 << 2,    /* the driver writes to it */
  PL_CHARACTERISTIC_OPTIONAL = 1 << 3, /* its absence is no error */
  PL_CHARACTERISTIC_FAST = 1 << 4,     /* 20 notifications a second or more */
} PlCharacteristicFlags;

typedef struct {
  PlUuid service;
  PlUuid uuid;
  unsigned flags;
} PlCharacteristic;

/* How an unknown sensor is recognised: every given field has to match. */
typedef struct {
  const char *name_prefix; /* of the advertised name; NULL: any */
  bool has_service;        /* `service` is advertised or resolved */
  PlUuid service;
  bool has_company;
  uint16_t company; /* manufacturer data of this company is advertised */
} PlMatch;

typedef enum {
  PL_DRIVER_READY,         /* connected and subscribed to everything */
  PL_DRIVER_GONE,          /* the link is down: forget what belongs to it */
  PL_DRIVER_STOP,          /* about to disconnect on purpose: write what stops the sensor */
  PL_DRIVER_DATA,          /* a notification or the result of a read */
  PL_DRIVER_WRITTEN,       /* a write has been answered; `ok` tells how */
  PL_DRIVER_TIMER,         /* a timer of the driver's is due */
  PL_DRIVER_ADVERTISEMENT, /* manufacturer data: `company`, data without the company id */
  PL_DRIVER_SERVICE_DATA,  /* service data: `characteristic` is meaningless, `uuid` is set */
} PlDriverEventType;

typedef struct {
  PlDriverEventType type;
  int64_t t_us;            /* boot time of reception */
  unsigned characteristic; /* index into the driver's list; or the timer's id */
  bool ok;
  uint16_t company;
  PlUuid uuid;
  const uint8_t *data; /* valid during the call only */
  size_t length;
} PlDriverEvent;

typedef struct PlSink PlSink;
struct PlSink {
  void (*sample)(PlSink *sink, const PlSample *sample);
  /* Write with response to one of the driver's own characteristics. */
  void (*write)(PlSink *sink, unsigned characteristic, const uint8_t *data, size_t length);
  /* Ask for PL_DRIVER_TIMER in `after_us`; the same id again moves it, below 0 stops it. */
  void (*timer)(PlSink *sink, unsigned id, int64_t after_us);
  /* The sensor's own clock or counter says that `packets` (1 or more) never arrived.  NULL
   * where nobody counts. */
  void (*lost)(PlSink *sink, unsigned packets);
};

/* What the configuration says about the sensor that a driver serves; all zero means nothing. */
typedef struct {
  double rate_hz; /* wished for; 0: the driver's own default */
} PlDriverOptions;

typedef struct {
  unsigned abi;     /* PL_DRIVER_ABI */
  const char *id;   /* the folder's name, as in the configuration */
  const char *name; /* for people */
  const PlMatch *matches;
  size_t match_count;
  const PlCharacteristic *characteristics;
  size_t characteristic_count;
  double nominal_rate_hz; /* notifications a second when all is well */
  int64_t stale_us;       /* silence after which the link is suspect; 0: it may be silent */
  bool silent_at_rest;    /* silence is suspect only while somebody runs, as with a footpod */
  bool counts_lost;       /* it tells the sink of every lost packet: no word means none */
  size_t state_size;      /* at most PL_DRIVER_STATE_MAX */
  void (*init)(void *state, const PlDriverOptions *options);
  PlStatus (*handle)(void *state, const PlDriverEvent *event, PlSink *sink);
} PlDriver;

/* The index of a characteristic in the driver's list, or -1. */
int pl_driver_characteristic(const PlDriver *driver, const PlUuid *uuid);
