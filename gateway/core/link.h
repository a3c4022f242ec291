/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What passes between the core and a source of sensors (BlueZ, a capture, the simulator, a
 * test).  Requests go out through PlLink and return nothing; every answer comes back as a
 * PlLinkEvent, so nothing re-enters.  Sensors and adapters are known by index: sensors in the
 * order of the configuration, adapters as the source numbers them (a number stays with an
 * address for the life of the process, whatever hciN it gets). */

enum {
  PL_ADAPTER_MAX = 8,
  PL_NO_ADAPTER = -1,
  PL_NO_SENSOR = -1,
};

typedef enum {
  PL_LINK_ADAPTER,        /* an adapter is there, or changed: `powered` */
  PL_LINK_ADAPTER_GONE,   /* and everything it carried */
  PL_LINK_SERVICE_LOST,   /* bluetoothd is gone: no adapter, no sensor, no scan is left */
  PL_LINK_SCAN,           /* answer to scan(): `ok`, `scanning` is what holds now */
  PL_LINK_ADVERTISEMENT,  /* a configured sensor was heard: `rssi_dbm`; or PL_NO_SENSOR: a
                           * stranger, told once a second at most */
  PL_LINK_MANUFACTURER,   /* its manufacturer data: `company`, data */
  PL_LINK_SERVICE_DATA,   /* its service data: `uuid`, data */
  PL_LINK_CONNECTED,      /* the request was answered and the link is up; or it was found up,
                           * then `attempt` is 0; or its services change and are told anew */
  PL_LINK_CONNECT_FAILED, /* the request failed: `failure` */
  PL_LINK_DISCONNECTED,   /* the link is down, whoever ended it */
  PL_LINK_REMOVED,        /* the sensor's object is gone: it has to be heard again */
  PL_LINK_CHARACTERISTIC, /* one that exists on the sensor: `uuid`, sent before RESOLVED */
  PL_LINK_RESOLVED,       /* all services are known; again when there are more */
  PL_LINK_SUBSCRIBED,     /* answer to subscribe(): `uuid`, `ok`, `failure` */
  PL_LINK_NOTIFICATION,   /* `uuid`, data */
  PL_LINK_VALUE,          /* answer to read(): `uuid`, `ok`, data */
  PL_LINK_WRITTEN,        /* answer to write(): `uuid`, `ok` */
  PL_LINK_BATTERY,        /* `battery_pct` as BlueZ reports it */
  PL_LINK_DROPPED,        /* `count` notifications were lost before they could be read */
} PlLinkEventType;

/* Causes that the back-off table tells apart. */
typedef enum {
  PL_FAILURE_NONE,
  PL_FAILURE_ABORTED,        /* "le-connection-abort-by-local" and its kin: cause unknown */
  PL_FAILURE_TIMEOUT,        /* no answer in time */
  PL_FAILURE_UNKNOWN_OBJECT, /* BlueZ has forgotten the device */
  PL_FAILURE_IN_PROGRESS,    /* BlueZ says that it is still at it */
  PL_FAILURE_NOT_READY,      /* the adapter is off */
  PL_FAILURE_AUTHENTICATION, /* the sensor wants pairing */
  PL_FAILURE_NOT_SUPPORTED,  /* the sensor or BlueZ can not do this */
  PL_FAILURE_NOT_PERMITTED,  /* somebody else holds it */
  PL_FAILURE_OTHER,
  PL_FAILURE_COUNT
} PlFailure;

typedef struct {
  PlLinkEventType type;
  int64_t t_us;     /* boot time, stamped when the bytes were received; never falls */
  int adapter;      /* PL_NO_ADAPTER where it says nothing */
  int sensor;       /* PL_NO_SENSOR where it says nothing */
  unsigned attempt; /* of connect(), echoed: an answer to an attempt given up is ignored */
  bool ok;
  bool powered;
  bool scanning;
  bool builtin;         /* PL_LINK_ADAPTER: the radio of the board itself, not a dongle */
  bool private_address; /* PL_LINK_ADVERTISEMENT: the object will vanish when the scan stops */
  PlFailure failure;
  int rssi_dbm; /* 0: unknown */
  uint16_t company;
  unsigned count;
  double battery_pct;
  PlUuid uuid;
  const uint8_t *data; /* valid during the call only */
  size_t length;
} PlLinkEvent;

typedef struct PlLink PlLink;
struct PlLink {
  void (*power)(PlLink *link, int adapter, bool on);
  void (*scan)(PlLink *link, int adapter, bool on);
  /* One attempt at a time for each adapter; `attempt`, never 0, comes back in the answer. */
  void (*connect)(PlLink *link, int sensor, int adapter, unsigned attempt);
  /* Ends the link, or cancels an attempt. */
  void (*disconnect)(PlLink *link, int sensor);
  /* Forgets the device and what BlueZ has cached of it; a bonded one is left alone. */
  void (*remove)(PlLink *link, int sensor);
  /* `acquire`: by a socket of its own rather than by signals. */
  void (*subscribe)(PlLink *link, int sensor, const PlUuid *uuid, bool acquire);
  void (*unsubscribe)(PlLink *link, int sensor, const PlUuid *uuid);
  void (*read)(PlLink *link, int sensor, const PlUuid *uuid);
  void (*write)(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data,
                size_t length);
};

/* A short lower-case name ("connected", "aborted"), for logs and tests. */
const char *pl_link_event_name(PlLinkEventType type);
const char *pl_failure_name(PlFailure failure);
