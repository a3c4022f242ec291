/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

/* An org.bluez on a private bus, for what the real one can not be made to do.  Left alone it
 * behaves as BlueZ 5.66 was measured to behave, its oddities included; a script replaces single
 * answers.  It runs in the default main context beside what it tests. */

#define FAKE_ADAPTER        "org.bluez.Adapter1"
#define FAKE_DEVICE         "org.bluez.Device1"
#define FAKE_SERVICE        "org.bluez.GattService1"
#define FAKE_CHARACTERISTIC "org.bluez.GattCharacteristic1"
#define FAKE_BATTERY        "org.bluez.Battery1"

typedef struct FakeBluez FakeBluez;

/* Connects to the bus and takes the name, before it returns. */
FakeBluez *fake_bluez_new(const char *bus_address);
/* Drops the connection without a word, as a killed bluetoothd does.  NULL is fine. */
void fake_bluez_free(FakeBluez *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeBluez, fake_bluez_free)

GDBusConnection *fake_bluez_bus(FakeBluez *fake);

/* -- objects --------------------------------------------------------------------------- */

/* Adds an interface with its properties, `a{sv}`, and signals it. */
void fake_bluez_add(FakeBluez *fake, const char *path, const char *interface,
                    GVariant *properties);
/* The same without the signal: only a snapshot shows it. */
void fake_bluez_add_silently(FakeBluez *fake, const char *path, const char *interface,
                             GVariant *properties);
/* Removes an object and all below it, children first. */
void fake_bluez_remove(FakeBluez *fake, const char *path);
/* Changes a property and signals it. */
void fake_bluez_set(FakeBluez *fake, const char *path, const char *interface, const char *name,
                    GVariant *value);
/* NULL when there is none. */
GVariant *fake_bluez_get(FakeBluez *fake, const char *path, const char *interface,
                         const char *name);
bool fake_bluez_get_bool(FakeBluez *fake, const char *path, const char *interface,
                         const char *name);
/* Any signal with any body. */
void fake_bluez_signal(FakeBluez *fake, const char *path, const char *interface,
                       const char *signal, GVariant *arguments);
/* PropertiesChanged with any properties. */
void fake_bluez_change(FakeBluez *fake, const char *path, const char *interface,
                       GVariant *properties);

/* -- calls ----------------------------------------------------------------------------- */

typedef struct {
  unsigned delay_ms;
  const char *error; /* without "org.bluez.Error." unless it holds a dot; NULL: as always */
  const char *text;
  bool silent;  /* it never answers */
  bool garbage; /* it answers with the wrong type */
  bool accept;  /* it answers with success, and does nothing */
} FakeAnswer;

/* The answer to the next call of this method that has no answer yet. */
void fake_bluez_script(FakeBluez *fake, const char *method, FakeAnswer answer);
/* An answer of a script is still due. */
bool fake_bluez_owes(FakeBluez *fake);
/* How many calls of this method have come. */
unsigned fake_bluez_calls(FakeBluez *fake, const char *method);
/* How many calls went to a path that does not exist. */
unsigned fake_bluez_stray_calls(FakeBluez *fake);
/* "interface.method path", one a line, in order. */
const char *fake_bluez_log(FakeBluez *fake);
/* The unique name of whom the last call came from. */
const char *fake_bluez_client(FakeBluez *fake);
/* The arguments of the last call of this method, or NULL. */
GVariant *fake_bluez_last(FakeBluez *fake, const char *method);
/* Two Connect() at once on one adapter, or one while it scans. */
unsigned fake_bluez_violations(FakeBluez *fake);

/* -- the radio -------------------------------------------------------------------------- */

typedef struct {
  unsigned connect_ms; /* from Connect() to its reply */
  unsigned resolve_ms; /* from there to ServicesResolved */
  unsigned objects_ms; /* from ServicesResolved to the objects: late when above 0 */
  unsigned disconnect_ms;
  unsigned hang_up_ms; /* until it notices that a socket was closed */
  unsigned give_up_ms; /* until Connect() to an absent sensor fails */
} FakeTimes;

/* Of everything that begins after it.  As in BlueZ 5.66, but faster. */
void fake_bluez_set_times(FakeBluez *fake, FakeTimes times);

/* hciN with an address: powered, central. */
void fake_bluez_add_adapter(FakeBluez *fake, const char *path, const char *address);
/* A sensor that can be heard: its path is adapter/dev_...; the caller frees the result. */
char *fake_bluez_add_device(FakeBluez *fake, const char *adapter, const char *address,
                            const char *type);
/* A characteristic that the sensor has; the objects come with the first connection.  Flags are
 * separated by blanks. */
void fake_bluez_give(FakeBluez *fake, const char *device, unsigned handle, const char *uuid,
                     const char *flags);
/* Makes the object of the last characteristic that was given, now. */
void fake_bluez_export(FakeBluez *fake, const char *device);
/* The path of the characteristic with this handle; the caller frees. */
char *fake_bluez_characteristic(const char *device, unsigned handle);
/* An advertisement. */
void fake_bluez_advertise(FakeBluez *fake, const char *device, int rssi_dbm);
/* It stops answering: a Connect() takes very long and fails. */
void fake_bluez_set_absent(FakeBluez *fake, const char *device, bool absent);
/* The link breaks. */
void fake_bluez_drop(FakeBluez *fake, const char *device);
/* A notification, by socket or by signal, as it was subscribed to.  False: nobody listens, or
 * the socket is full. */
bool fake_bluez_notify(FakeBluez *fake, const char *characteristic, const void *data,
                       size_t length);
/* Closes BlueZ' end of the socket while the link stays. */
void fake_bluez_close_socket(FakeBluez *fake, const char *characteristic);
