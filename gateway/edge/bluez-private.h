/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/bluez.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "gateway/core/driver.h"

/* What the files of the BlueZ edge share:
 *   bluez.c           the bus, the owner of org.bluez, calls and events
 *   bluez-mirror.c    signals and snapshots, sorted to the three kinds of objects
 *   bluez-adapter.c   Adapter1: power, scan, facts
 *   bluez-device.c    Device1 and Battery1: coming, going, advertisements
 *   bluez-link.c      Device1: connect, disconnect, services
 *   bluez-gatt.c      GattCharacteristic1: subscribe, read, write
 *   bluez-notify.c    the sockets of AcquireNotify
 *   bluez-discover.c  the listing of strangers
 *   bluez-text.c      errors, names and values
 *   bluez-value.c     reads and writes */

#define PL_BLUEZ_ADAPTER        "org.bluez.Adapter1"
#define PL_BLUEZ_DEVICE         "org.bluez.Device1"
#define PL_BLUEZ_CHARACTERISTIC "org.bluez.GattCharacteristic1"
#define PL_BLUEZ_BATTERY        "org.bluez.Battery1"
#define PL_BLUEZ_PROPERTIES     "org.freedesktop.DBus.Properties"
#define PL_BLUEZ_OBJECTS        "org.freedesktop.DBus.ObjectManager"

/* How long each call may take.  They are longer than what BlueZ needs in the worst case and
 * differ from GDBus' 25 s, which would report a failure while BlueZ goes on. */
enum {
  PL_BLUEZ_OBJECTS_MS = 10000,
  PL_BLUEZ_PROPERTY_MS = 10000,
  PL_BLUEZ_FILTER_MS = 5000,
  PL_BLUEZ_START_SCAN_MS = 15000,
  PL_BLUEZ_STOP_SCAN_MS = 5000,
  PL_BLUEZ_CONNECT_MS = 45000, /* the kernel gives up after 40 s */
  PL_BLUEZ_DISCONNECT_MS = 5000,
  PL_BLUEZ_REMOVE_MS = 10000,
  PL_BLUEZ_NOTIFY_MS = 10000,
  PL_BLUEZ_VALUE_MS = 35000, /* ATT gives up after 30 s */
  PL_BLUEZ_START_SERVICE_MS = 25000,
};

/* How an object or its properties came to be known. */
typedef enum {
  PL_BLUEZ_SNAPSHOT, /* GetManagedObjects: all of it */
  PL_BLUEZ_ADDED,    /* InterfacesAdded: all of it */
  PL_BLUEZ_CHANGED,  /* PropertiesChanged: what has changed */
} PlBluezNews;

typedef struct PlBluezDevice PlBluezDevice;
typedef struct PlBluezCharacteristic PlBluezCharacteristic;
typedef struct PlBluezCall PlBluezCall;
typedef struct PlBluezListing PlBluezListing;

typedef struct {
  int index;
  char address[PL_BLUEZ_ADDRESS_SIZE]; /* "": the number is free */
  char *path;                          /* NULL: not there now */
  uint64_t serial;                     /* tells this stay from an earlier one */
  char alias[PL_BLUEZ_NAME_SIZE];
  unsigned round; /* of the snapshot that last told of it */
  bool allowed;   /* by the configuration, unless any is */
  bool powered;
  bool builtin;
  bool discovering;
  bool blocked;
  bool scanning;       /* our session, by our own bookkeeping */
  bool scan_wanted;    /* by the last request */
  bool scan_busy;      /* a call is on its way */
  int64_t stranger_us; /* when a stranger may be told of again */
  uint64_t advertisements;
  uint64_t objects;
} PlBluezAdapter;

/* Of a Connect(). */
typedef enum {
  PL_BLUEZ_NOT_ASKED,
  PL_BLUEZ_ASKED,
  PL_BLUEZ_ANSWERED, /* successfully, but Connected is not true yet */
  PL_BLUEZ_REFUSED,  /* but Connected is still true */
} PlBluezProgress;

typedef struct {
  char *key; /* "AA:BB:CC:DD:EE:FF/random" */
  PlUuid *characteristics;
  size_t characteristic_count;
  PlBluezDevice *devices[PL_ADAPTER_MAX]; /* the same sensor, as each adapter sees it */
  PlBluezDevice *link;                    /* the one that carries the link */
  int asked; /* adapter whose link we asked for, to be ended by us */
  PlBluezProgress progress;
  PlFailure refusal;
  unsigned attempt;
  bool no_acquire; /* AcquireNotify failed to answer: never again while bluetoothd lives */
  PlBluezInfo info;
} PlBluezSensorState;

/* A read or a write that waits for its turn: one at a time for each device, in order. */
typedef struct {
  bool write;
  bool info; /* asked for by ourselves */
  PlUuid uuid;
  GBytes *value;
  unsigned tries;
} PlBluezOperation;

struct PlBluezDevice {
  PlBluez *bluez;
  PlBluezSensorState *sensor;
  int sensor_index;
  int adapter;
  char *path;
  uint64_t serial; /* tells this object from a later one at the same path */
  unsigned round;
  bool connected;
  bool services_resolved;
  bool paired;
  bool bonded;
  bool private_address;
  bool ending;    /* the core waits for PL_LINK_DISCONNECTED */
  bool announced; /* PL_LINK_RESOLVED has been sent for this link */
  bool reshaped;  /* a characteristic has gone since then */
  GPtrArray *characteristics;
  unsigned settle_ticks;
  bool settle_changed; /* there is something to announce */
  bool settle_recent;  /* it has changed since the last tick */
  guint settle_timer;
  GQueue operations; /* of PlBluezOperation */
  GQueue info_reads;
  PlBluezOperation *operation; /* on its way */
  uint64_t operation_serial;
  guint operation_timer;
};

typedef enum {
  PL_BLUEZ_IDLE,
  PL_BLUEZ_STARTING,
  PL_BLUEZ_STARTED,
  PL_BLUEZ_WAITING, /* for BlueZ to notice that the last socket is closed */
  PL_BLUEZ_ACQUIRING,
  PL_BLUEZ_ACQUIRED,
} PlBluezSubscription;

struct PlBluezCharacteristic {
  PlBluezDevice *device;
  char *path;
  PlUuid uuid;
  unsigned round;
  bool acquirable; /* has the property NotifyAcquired */
  bool readable;
  bool answers_writes; /* against "write-without-response" alone */
  PlBluezSubscription subscription;
  uint64_t serial; /* of the subscription: an answer to an older one is ignored */
  int fd;          /* -1 */
  guint fd_source;
  bool releasing;    /* our end is closed, NotifyAcquired is still true */
  bool acquire_next; /* once it is not */
  guint release_timer;
};

struct PlBluez {
  PlLink link; /* first: the requests get this pointer */
  PlLinkHandler handler;
  void *data;
  int64_t (*now_us)(void);
  void (*closed)(void *data);
  void (*informed)(int sensor, void *data);
  char *sysfs;
  unsigned hurry;
  bool any_adapter;

  PlBluezAdapter adapters[PL_ADAPTER_MAX];
  PlBluezSensorState *sensors;
  size_t sensor_count;
  GHashTable *sensor_of_key;   /* key -> index + 1 */
  GHashTable *devices;         /* path -> PlBluezDevice, owned */
  GHashTable *characteristics; /* path -> PlBluezCharacteristic, owned by the device */
  PlBluezListing *listing;

  GCancellable *cancel;  /* of getting a bus */
  GCancellable *session; /* of all calls to the present owner */
  GDBusConnection *bus;
  gulong closed_handler;
  guint watch;
  char *owner; /* unique name; NULL: nobody */
  guint subscriptions[3];
  guint retry_timer;
  unsigned back_off_s;
  bool ready;           /* the first snapshot of this owner is in */
  bool snapshot_busy;   /* GetManagedObjects has not answered yet */
  bool in_snapshot;     /* it is being applied */
  unsigned round;       /* number of the snapshot */
  int64_t repaired_us;  /* when a snapshot was last taken for repair */
  uint64_t last_serial; /* of everything that needs a number of its own */
  GArray *posted;       /* PlLinkEvents that may not be sent from inside a request */
  guint post_source;
};

/* bluez.c ------------------------------------------------------------------------------ */

/* Called once with the reply or the error, never after pl_bluez_free() or a loss of the owner.
 */
typedef void (*PlBluezDone)(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds,
                            const GError *error);

struct PlBluezCall {
  PlBluez *bluez;
  PlBluezDone done; /* may be NULL */
  char *path;
  uint64_t serial; /* of what it is about */
  unsigned number; /* whatever the caller needs to remember */
};

PlBluezCall *pl_bluez_call_new(PlBluez *self, const char *path, PlBluezDone done);

/* Takes the call, sinks the arguments.  A reply of another type than `reply_type` (NULL: any)
 * is an error. */
void pl_bluez_call_send(PlBluezCall *call, const char *interface, const char *method,
                        GVariant *arguments, const char *reply_type, int timeout_ms);

PlLinkEvent pl_bluez_event(PlLinkEventType type, int adapter, int sensor);
/* Stamps the event and hands it over. */
void pl_bluez_emit(PlBluez *self, PlLinkEvent *event);
/* The same from the main loop, for answers that are known at once.  Without data. */
void pl_bluez_post(PlBluez *self, const PlLinkEvent *event);

/* A one-shot or repeating timer in the main context; `ms` is divided by `hurry`. */
guint pl_bluez_timer(PlBluez *self, guint ms, GSourceFunc function, gpointer data);

uint64_t pl_bluez_serial(PlBluez *self);

/* bluez-mirror.c ----------------------------------------------------------------------- */

/* Subscribes to the owner's signals, then asks for its objects.  In this order nothing can be
 * missed. */
void pl_bluez_mirror_start(PlBluez *self);
/* Forgets everything that belongs to the present owner, without events. */
void pl_bluez_mirror_stop(PlBluez *self);
/* Asks for all objects again, to mend the mirror. */
void pl_bluez_refresh(PlBluez *self);
/* The same at most once a minute.  False: not now. */
bool pl_bluez_repair(PlBluez *self);

/* bluez-adapter.c ---------------------------------------------------------------------- */

void pl_bluez_adapter_apply(PlBluez *self, const char *path, GVariant *properties,
                            PlBluezNews news);
void pl_bluez_adapter_removed(PlBluez *self, const char *path);
/* The present adapter at exactly this path, or NULL.  Stable for the life of `self`. */
PlBluezAdapter *pl_bluez_adapter_at(PlBluez *self, const char *path, size_t length);
/* The present adapter that the object belongs to, or NULL. */
PlBluezAdapter *pl_bluez_adapter_of(PlBluez *self, const char *path);
void pl_bluez_adapter_forget(PlBluezAdapter *adapter);
/* Only these from now on; NULL: any.  The others are gone. */
void pl_bluez_adapters_allow(PlBluez *self, const char *const *addresses);
/* Tells of all that are there as if they had just come. */
void pl_bluez_adapters_anew(PlBluez *self);
void pl_bluez_power(PlLink *link, int adapter, bool on);
void pl_bluez_scan(PlLink *link, int adapter, bool on);

/* bluez-device.c ----------------------------------------------------------------------- */

void pl_bluez_device_apply(PlBluez *self, const char *path, GVariant *properties,
                           PlBluezNews news);
void pl_bluez_device_removed(PlBluez *self, const char *path);
void pl_bluez_battery_apply(PlBluez *self, const char *path, GVariant *properties,
                            PlBluezNews news);
void pl_bluez_device_free(gpointer device);
/* The configured device that the object at `path` is or belongs to, or NULL. */
PlBluezDevice *pl_bluez_device_of(PlBluez *self, const char *path);
/* The device with which the call was made, or NULL when it is gone. */
PlBluezDevice *pl_bluez_device_of_call(const PlBluezCall *call);
PlLinkEvent pl_bluez_device_event(PlLinkEventType type, const PlBluezDevice *device);

/* bluez-link.c ------------------------------------------------------------------------- */

/* The properties Connected and ServicesResolved. */
void pl_bluez_device_connected(PlBluezDevice *device, bool connected);
void pl_bluez_device_resolved(PlBluezDevice *device, bool resolved);
/* The object is about to go. */
void pl_bluez_device_vanish(PlBluezDevice *device);
/* A characteristic has come or gone (`lost`): announces all of them once they are complete. */
void pl_bluez_device_reshape(PlBluezDevice *device, bool lost);
/* The snapshot is in: what is there is all there is. */
void pl_bluez_device_settled(PlBluezDevice *device);
void pl_bluez_connect(PlLink *link, int sensor, int adapter, unsigned attempt);
void pl_bluez_disconnect(PlLink *link, int sensor);
void pl_bluez_remove(PlLink *link, int sensor);
/* Ends the links that we asked for, without waiting for an answer. */
void pl_bluez_farewell(PlBluez *self, PlBluezSensorState *sensor);

/* bluez-gatt.c ------------------------------------------------------------------------- */

void pl_bluez_characteristic_apply(PlBluez *self, const char *path, GVariant *properties,
                                   PlBluezNews news);
void pl_bluez_characteristic_removed(PlBluez *self, const char *path);
void pl_bluez_characteristic_free(gpointer characteristic);
PlBluezCharacteristic *pl_bluez_characteristic_of(PlBluezDevice *device, const PlUuid *uuid);
/* The link is down: subscriptions and operations are void.  What the sockets still hold is
 * delivered first. */
void pl_bluez_gatt_end(PlBluezDevice *device);
/* Drops what has been asked for and not been answered. */
void pl_bluez_operations_clear(PlBluezDevice *device);
/* Reads the device information, after everything that the core has asked for. */
void pl_bluez_read_info(PlBluezDevice *device);
bool pl_bluez_is_info(const PlUuid *uuid);
void pl_bluez_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire);
void pl_bluez_unsubscribe(PlLink *link, int sensor, const PlUuid *uuid);
void pl_bluez_read(PlLink *link, int sensor, const PlUuid *uuid);
void pl_bluez_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data,
                    size_t length);
/* Hands a notification over, or counts it as lost when it is longer than GATT allows. */
void pl_bluez_notify(PlBluezCharacteristic *characteristic, const uint8_t *data, size_t length);

/* bluez-notify.c ----------------------------------------------------------------------- */

/* Takes the socket. */
void pl_bluez_socket_open(PlBluezCharacteristic *characteristic, int fd);
/* Delivers what is queued. */
void pl_bluez_socket_drain(PlBluezCharacteristic *characteristic);
void pl_bluez_socket_close(PlBluezCharacteristic *characteristic);

/* bluez-discover.c --------------------------------------------------------------------- */

void pl_bluez_listing_note(PlBluez *self, const char *path, GVariant *properties,
                           PlBluezNews news);
/* The owner is gone, and with it the answers.  NULL is fine for both. */
void pl_bluez_listing_abandon(PlBluezListing *listing);
void pl_bluez_listing_free(PlBluezListing *listing);

/* bluez-text.c ------------------------------------------------------------------------- */

/* What BlueZ's error means.  `powered`: whether the adapter is on, because BlueZ before 5.70
 * says only "Input/output error" when it is off. */
PlFailure pl_bluez_failure(const GError *error, bool powered);

/* Points data and length of the event at the bytes of an `ay`.  False for any other type. */
bool pl_bluez_bytes(GVariant *value, PlLinkEvent *event);

/* Everything outside 0x20 to 0x7e, and the backslash, becomes \xNN; the name is cut after 31
 * bytes. */
void pl_bluez_escape(const char *name, char text[PL_BLUEZ_NAME_SIZE]);

/* Text from a sensor: without NULs and blanks at the ends, at most 64 bytes of UTF-8, what can
 * not be printed becomes '?'. */
void pl_bluez_clean(const uint8_t *data, size_t length, char text[PL_BLUEZ_TEXT_SIZE]);

/* The key of a sensor: address in upper case, slash, type.  False unless it is an address. */
bool pl_bluez_key(const char *address, const char *type, char key[32]);

/* The number of the configured sensor, or PL_NO_SENSOR. */
int pl_bluez_sensor_of(const PlBluez *self, const char *address, const char *type);
