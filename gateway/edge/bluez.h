/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/link.h"

#include <glib.h>

/* BlueZ over D-Bus as a PlLink: requests become method calls, replies and signals become
 * PlLinkEvents.  It keeps a mirror of the configured sensors and of the adapters, nothing of
 * strangers, and decides nothing: when to scan, connect, give up or try again is the core's
 * business.
 *
 * Everything happens in the default main context.  The handlers may issue any PlLink request,
 * but may call neither pl_bluez_set_...() nor pl_bluez_free().
 *
 * It needs neither a bus nor a bluetoothd to begin with: it waits for both, and asks the bus to
 * start bluetoothd.  The bus address may be given in DBUS_SYSTEM_BUS_ADDRESS. */

typedef struct PlBluez PlBluez;

typedef void (*PlLinkHandler)(const PlLinkEvent *event, void *data);

/* A configured sensor; its number is its place in the list. */
typedef struct {
  const char *address;      /* "AA:BB:CC:DD:EE:FF", either case */
  const char *address_type; /* "auto", "public" or "random"; NULL: "auto" */
  /* The characteristics that its drivers know.  Others are not looked at, however many the
   * sensor has.  None given: the first PL_BLUEZ_CHARACTERISTICS of the sensor. */
  const PlUuid *characteristics;
  size_t characteristic_count;
} PlBluezSensor;

enum {
  PL_BLUEZ_CHARACTERISTICS = 64, /* kept of one sensor */
  PL_BLUEZ_ADDRESS_SIZE = 18,    /* "AA:BB:CC:DD:EE:FF" */
  PL_BLUEZ_NAME_SIZE = 128,      /* 31 bytes, each of which may be written as \xNN */
  PL_BLUEZ_TEXT_SIZE = 65,       /* of device information */
  PL_BLUEZ_FOUND_MAX = 200,      /* entries of a discovery */
  PL_BLUEZ_FOUND_SERVICES = 16,
  PL_BLUEZ_FOUND_COMPANIES = 8,
};

typedef struct {
  const char *const *adapters; /* addresses, NULL-terminated; NULL: any adapter */
  const PlBluezSensor *sensors;
  size_t sensor_count;
  int64_t (*now_us)(void);                  /* boot time; has to be given */
  void (*closed)(void *data);               /* the bus is gone; may be NULL */
  void (*informed)(int sensor, void *data); /* pl_bluez_info() has news; may be NULL */
  const char *sysfs;                        /* NULL: "/sys" */
  unsigned hurry; /* for tests: every waiting time is divided by this; 0 is 1 */
} PlBluezOptions;

/* Copies what it needs from the options.  `data` is given to every handler. */
PlBluez *pl_bluez_new(const PlBluezOptions *options, PlLinkHandler handler, void *data);

/* Ends the links that were asked for and leaves those that were found up.  NULL is fine.  Waits
 * at most half a second for the bus to take the farewell. */
void pl_bluez_free(PlBluez *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlBluez, pl_bluez_free)

/* The requests; lives as long as `self`. */
PlLink *pl_bluez_link(PlBluez *self);

/* Takes over a new list, and with it new numbers.  Links of sensors that stay are kept.  All
 * that is known of adapters and sensors comes again as events, as after a start, and no scan
 * goes on.
 */
void pl_bluez_set_sensors(PlBluez *self, const PlBluezSensor *sensors, size_t count);

/* Another choice of adapters, as in PlBluezOptions.  Those that are no longer among them are
 * gone with all that they carried; those that were there keep their numbers. */
void pl_bluez_set_adapters(PlBluez *self, const char *const *addresses);

/* What is missing for BlueZ to be usable. */
typedef enum {
  PL_BLUEZ_NO_BUS,     /* no system bus */
  PL_BLUEZ_NO_SERVICE, /* nobody owns org.bluez: bluetoothd is not running */
  PL_BLUEZ_NO_ANSWER,  /* bluetoothd has not told its objects yet */
  PL_BLUEZ_UP,
} PlBluezState;

PlBluezState pl_bluez_state(const PlBluez *self);

/* An adapter, for health reports.  The counters only rise. */
typedef struct {
  char address[PL_BLUEZ_ADDRESS_SIZE];
  char name[16];                  /* "hci0" just now; "" while it is not there */
  char alias[PL_BLUEZ_NAME_SIZE]; /* as BlueZ calls it, escaped */
  bool present;
  bool powered;
  bool builtin;
  bool scanning;           /* for us */
  bool discovering;        /* for anybody, as BlueZ says; it may be wrong for ever */
  bool blocked;            /* by rfkill: somebody has to run `rfkill unblock bluetooth` */
  unsigned links;          /* configured sensors that are connected */
  uint64_t advertisements; /* heard from anybody */
  uint64_t objects;        /* devices that BlueZ has added: rises fast in a flood */
} PlBluezAdapterFacts;

/* False when no adapter has had this number.  `index` goes from 0 to PL_ADAPTER_MAX - 1. */
bool pl_bluez_adapter_facts(const PlBluez *self, int index, PlBluezAdapterFacts *facts);

/* Device information, as read from the sensor and made printable; "" is unknown. */
typedef struct {
  char manufacturer[PL_BLUEZ_TEXT_SIZE];
  char model[PL_BLUEZ_TEXT_SIZE];
  char firmware[PL_BLUEZ_TEXT_SIZE];
  char modalias[PL_BLUEZ_TEXT_SIZE]; /* "bluetooth:v006Bp000Ad0100" */
} PlBluezInfo;

/* NULL when there is no such sensor; else valid until the sensors are set anew. */
const PlBluezInfo *pl_bluez_info(const PlBluez *self, int sensor);

/* Somebody heard while a discovery was on. */
typedef struct {
  char address[PL_BLUEZ_ADDRESS_SIZE];
  char address_type[8];          /* "public" or "random" */
  char name[PL_BLUEZ_NAME_SIZE]; /* escaped; "" when it has not told one */
  int adapter;
  int sensor; /* PL_NO_SENSOR: not configured */
  int rssi_dbm;
  PlUuid services[PL_BLUEZ_FOUND_SERVICES];
  size_t service_count;
  uint16_t companies[PL_BLUEZ_FOUND_COMPANIES];
  size_t company_count;
} PlBluezFound;

/* Begins a new listing, or ends it; what was found stays readable.  The scan itself is asked
 * for as always. */
void pl_bluez_discover(PlBluez *self, bool on);

/* The entry at `index`, in the order in which they were heard; NULL past the last. */
const PlBluezFound *pl_bluez_found(const PlBluez *self, size_t index);
