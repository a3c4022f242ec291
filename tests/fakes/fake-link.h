/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/radio.h"

#include <glib.h>

/* A source of sensors made of numbers, with a clock of its own: sensors that advertise, accept
 * or refuse links and send notifications, and adapters that scan.  It drives a PlRadio, records
 * what that asks for and fails the test when it breaks a rule that must hold at all times:
 *
 *   at most one Connect() pending on an adapter, none while it scans (but for private
 *   addresses), none without an advertisement of the last 5 s, none above the limit of links,
 *   nothing asked of adapters that are gone, nothing subscribed to that no driver wants,
 *   one read or write at a time, and after every step the next one lies ahead.
 *
 * Times are in seconds from the beginning where they are doubles. */

typedef enum {
  FAKE_POWER_ON,
  FAKE_POWER_OFF,
  FAKE_SCAN_ON,
  FAKE_SCAN_OFF,
  FAKE_CONNECT,
  FAKE_DISCONNECT,
  FAKE_REMOVE,
  FAKE_SUBSCRIBE, /* by signals */
  FAKE_ACQUIRE,   /* by a socket */
  FAKE_UNSUBSCRIBE,
  FAKE_READ,
  FAKE_WRITE,
} FakeRequestType;

typedef struct {
  FakeRequestType type;
  double t;
  int sensor;
  int adapter;
  PlUuid uuid;
  guint8 data[PL_DRIVER_WRITE_MAX];
  size_t length;
} FakeRequest;

/* How a request is answered. */
typedef enum { FAKE_YES, FAKE_NO, FAKE_SILENCE } FakeAnswer;

typedef struct {
  FakeAnswer answer;
  PlFailure failure; /* of FAKE_NO */
  unsigned times;    /* so often, then FAKE_YES; 0: always */
  double after;      /* seconds */
} FakeReply;

typedef struct {
  /* To be set by tests, at any time. */
  const PlDriver *drivers[PL_SESSION_DRIVERS];
  bool advertises;
  double advertise_every;
  int rssi_dbm[PL_ADAPTER_MAX]; /* 0: out of reach of that adapter */
  bool private_address;
  bool told_once; /* of its advertisements only the first in each scan is told */
  FakeReply connect;
  bool connects_late;   /* the link comes up although the answer was a failure or none */
  double resolve_after; /* below 0: never */
  double objects_after; /* characteristics come so long after RESOLVED; 0: before it */
  FakeReply subscribe;
  FakeReply acquire;
  FakeReply write;
  bool sends;
  double send_every;
  bool cancel_answers;     /* a cancelled Connect() is answered */
  double disconnect_after; /* below 0: never */

  /* What holds. */
  bool connected;
  guint32 streams; /* that send, a bit for each characteristic */
  unsigned sent;
  double heard; /* when it was last heard */

  /* What the radio said of it. */
  unsigned samples, joined, lost, floods;
  double joined_at, lost_at, flood_at;
  GString *history; /* of its link state, " seen connecting streaming" */

  bool advertisement_queued;
  double told_in_scan; /* that began then */
  int adapter;         /* that carries the link or the attempt */
  unsigned attempt;
  unsigned link_number;
  bool operating;
} FakeSensor;

typedef struct {
  bool present, powered, builtin;
  bool deaf;
  bool power_refused;     /* stays off whatever is asked */
  double strangers_every; /* 0: there are none */
  FakeReply start, stop;
  unsigned slots; /* further attempts are aborted; 0: no limit */

  bool scanning;
  double scan_until; /* it scans, or may: INFINITY while wanted */
  double scanned;    /* seconds */
  double scan_since;
  bool stranger_queued;
  int pending; /* sensor that Connect() is pending for */
  unsigned lost, resets;
} FakeAdapter;

typedef struct {
  PlLink link; /* first: the requests get this */
  PlRadioListener listener;
  PlRadio radio;
  PlRadioOptions options;
  PlSession *sessions;
  PlSessionConfig *configs;
  FakeSensor *sensors;
  size_t count;
  FakeAdapter adapters[PL_ADAPTER_MAX];
  GArray *requests;
  GSequence *queue;
  int64_t now_us;
  guint64 serial;
  bool lawless; /* events come in any order: only the rules of the radio itself are checked */
} Fake;

/* A strap (2a37, 1 Hz, stale after 10 s). */
extern const PlDriver fake_strap;
/* An inertial sensor: control point, fast data, something to read; stale after 3 s.  It writes
 * 01 when it is ready and 00 when it is stopped. */
extern const PlDriver fake_imu;
/* Speaks by advertisements only, company 0x0107. */
extern const PlDriver fake_beacon;

/* One built-in adapter and `count` straps that do not advertise yet.  Options, sensors and
 * adapters may be changed before fake_start(). */
Fake *fake_new(size_t count);
void fake_free(Fake *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fake, fake_free)
void fake_start(Fake *fake);

double fake_now(const Fake *fake);
/* Lets time pass. */
void fake_run(Fake *fake, double seconds);
/* The same until the sensor's link state is as wished; false after `seconds`. */
bool fake_wait(Fake *fake, int sensor, PlLinkState link, double seconds);
bool fake_wait_all(Fake *fake, PlLinkState link, double seconds);
/* The same until `number` requests of the type were made for the sensor. */
bool fake_wait_request(Fake *fake, FakeRequestType type, int sensor, unsigned number,
                       double seconds);

/* Requests of that type from `since` on; sensor PL_NO_SENSOR: for anybody. */
unsigned fake_count(const Fake *fake, FakeRequestType type, int sensor, double since);
/* When the `number`th (from 1) was made; NaN: never. */
double fake_when(const Fake *fake, FakeRequestType type, int sensor, unsigned number);

void fake_event(Fake *fake, const PlLinkEvent *event);
void fake_advertise(Fake *fake, int sensor, bool on);
/* The link goes down as by a supervision timeout. */
void fake_drop(Fake *fake, int sensor);
void fake_adapter_appears(Fake *fake, int adapter);
void fake_adapter_vanishes(Fake *fake, int adapter);
void fake_set_power(Fake *fake, int adapter, bool on);
void fake_service_lost(Fake *fake);
/* The seconds that the adapter has scanned so far. */
double fake_scanned(const Fake *fake, int adapter);
PlLinkState fake_link(const Fake *fake, int sensor);
