/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/link.h"
#include "gateway/core/sample.h"
#include "gateway/core/session.h"

/* The state machines of all sensors and adapters: who is looked for, who is connected next,
 * when to give up, when to try again.  Pure: events and the time come in, requests go out
 * through PlLink.  The rules and their numbers, with the reasons, stand at the top of radio.c.
 */

/* All have to be given.  None may call back into the radio. */
typedef struct PlRadioListener PlRadioListener;
struct PlRadioListener {
  void (*sample)(PlRadioListener *listener, int sensor, const PlSample *sample);
  /* The link state, battery, signal or problem changed, from "absent" on; rates and counters
   * alone come every 10 s while it streams, the signal alone no more often. */
  void (*state)(PlRadioListener *listener, int sensor, const PlSensorState *state);
  /* Its first data after it was missing. */
  void (*joined)(PlRadioListener *listener, int sensor, int64_t t_us);
  /* It had joined, and has fallen silent or its link is down. */
  void (*lost)(PlRadioListener *listener, int sensor, int64_t t_us);
  void (*flood)(PlRadioListener *listener, int sensor, int64_t t_us);
  /* It is gone or has been switched off. */
  void (*adapter_lost)(PlRadioListener *listener, int adapter, int64_t t_us);
  /* We switch it off and on again, because nothing else helped. */
  void (*adapter_reset)(PlRadioListener *listener, int adapter, int64_t t_us);
};

typedef struct {
  unsigned max_links;     /* on one adapter; 0: 7 on a built-in radio, 5 on a dongle */
  int rssi_floor_dbm;     /* weaker advertisements are no reason to connect; 0: -92 */
  bool passive;           /* a capture is played: data arrives without our connecting */
  bool respect_power_off; /* an adapter that is off stays off */
  uint32_t seed;          /* of the jitter: the same events give the same requests */
  /* For sensors whose configuration names no driver: special ones before general ones, at most
   * PL_SESSION_CANDIDATES of them. */
  const PlDriver *const *drivers;
  size_t driver_count;
} PlRadioOptions;

/* One adapter, for health reports. */
typedef struct {
  bool present;
  bool powered;
  bool builtin;
  bool scanning;
  bool stuck;           /* it hears nothing, or can not be made to listen */
  bool slots_exhausted; /* it takes no more links although it should */
  unsigned links;
  unsigned max_links;
  unsigned resets;
} PlAdapterState;

/* What follows is the state of the machine, here only so that it can be embedded. */

typedef enum { PL_SCAN_IDLE, PL_SCAN_STARTING, PL_SCAN_RUNNING, PL_SCAN_STOPPING } PlScan;

typedef enum {
  PL_SCAN_MODE_OFF,
  PL_SCAN_MODE_TRICKLE,
  PL_SCAN_MODE_HUNT,
  PL_SCAN_MODE_SQUAD, /* sensors are listened to, not connected */
  PL_SCAN_MODE_USER,
} PlScanMode;

typedef enum { PL_RESET_NONE, PL_RESET_OFF, PL_RESET_ON } PlReset;

enum { PL_SUSPICIONS = 3 };

typedef struct {
  PlAdapterState state;
  int64_t wake_us; /* when to look at it again */

  PlScan scan;
  PlScanMode mode;
  int64_t scan_deadline_us; /* for the answer to the last request */
  int64_t scan_retry_us;    /* not before */
  unsigned scan_failures;   /* in a row */
  int64_t scan_since_us;    /* when the running scan began */
  int64_t cycle_us;         /* when the present turn of scan and pause began */
  int64_t listening_us;     /* of a running scan: counted as silence up to here */
  int64_t silent_us;        /* scanned without hearing anybody */
  int64_t silent_since_us;
  unsigned level; /* of the ladder of remedies */

  PlReset reset;
  int64_t reset_us;      /* when its next step is due */
  int64_t last_reset_us; /* or PL_NO_TIME */
  int64_t power_us;      /* when to ask for power again */
  unsigned power_attempts;

  int connecting;         /* the sensor that has the connect token, or PL_NO_SENSOR */
  bool connect_sent;      /* Connect() is on its way */
  int64_t release_us;     /* given up: the token is free from here, or on an answer */
  unsigned in_progress;   /* answers of that kind in a row */
  unsigned aborts;        /* in a row, by sensors that were near */
  int abort_sensor;       /* whose the first of them was */
  bool aborts_of_several; /* not all were its */
  int64_t exhausted_us;   /* no Connect() before this */
  unsigned fast_links;
  unsigned suspicion;
  int64_t suspicions_us[PL_SUSPICIONS]; /* when disconnecting had no effect */
  PlSessionList heard;
} PlAdapter;

typedef struct {
  PlSession *sessions;
  size_t count;
  PlRadioOptions options;
  PlLink *link;
  PlRadioListener *listener;
  int64_t now_us;
  uint32_t random;
  bool stopping;
  int64_t user_scan_us;  /* until when somebody wants to see what is there */
  unsigned broadcasting; /* sensors that stream by advertisements */
  unsigned changed;      /* adapters to look at, a bit each */
  PlAdapter adapters[PL_ADAPTER_MAX];
  PlSessionList missing[PL_ADAPTER_MAX + 1]; /* the last: of sensors that any may serve */
} PlRadio;

/* `sessions` and `configs` are arrays of `count`; they, what `options` points to, the link and
 * the listener have to outlive the radio.  `configs` is not copied.  A passive radio needs no
 * link. */
void pl_radio_init(PlRadio *radio, PlSession *sessions, size_t count,
                   const PlSessionConfig *configs, const PlRadioOptions *options, PlLink *link,
                   PlRadioListener *listener, int64_t now_us);

/* Runs what is due up to the time of the event, then takes the event. */
void pl_radio_handle(PlRadio *radio, const PlLinkEvent *event);

/* Runs what is due, in the order of its time.  One that comes more than 5 s later than
 * pl_radio_next_us() takes itself for suspended: then all waiting starts where it stopped. */
void pl_radio_advance(PlRadio *radio, int64_t now_us);

/* When it wants to be woken; always later than the last advance.  INT64_MAX: never. */
int64_t pl_radio_next_us(const PlRadio *radio);

/* The sensor is needed now: it is connected before others and hunted for again. */
void pl_radio_set_run_active(PlRadio *radio, int sensor, bool active);

/* Scans on all adapters until then, but for 60 s at most. */
void pl_radio_user_scan(PlRadio *radio, int64_t until_us);

/* Lets the drivers stop their sensors, then ends the links that we asked for; found ones stay.
 * Nothing is looked for any more. */
void pl_radio_stop(PlRadio *radio);

/* All of that is done; at most 8 s after pl_radio_stop(). */
bool pl_radio_stopped(const PlRadio *radio);

/* `sensor` and `adapter` have to be in range: below `count`, below PL_ADAPTER_MAX. */
const PlSensorState *pl_radio_sensor(const PlRadio *radio, int sensor);
const PlAdapterState *pl_radio_adapter(const PlRadio *radio, int adapter);
