/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/fakes/fake-bluez.h"

typedef struct {
  unsigned handle;
  char *uuid;
  char *flags;
} FakeAttribute;

typedef struct {
  char *path;
  GHashTable *interfaces; /* name -> GHashTable of property -> GVariant */
  bool session;           /* adapter: our client discovers; characteristic: it is notified */
  GDBusMessage *pending;  /* device: a Connect() that has not been answered */
  GDBusMessage *ending;   /* device: a Disconnect() that has not */
  bool absent;
  guint timer;           /* of that Connect(), or of what follows it */
  GPtrArray *attributes; /* device: of FakeAttribute */
  int fd;                /* characteristic: our end of the socket */
  guint hang_up;         /* its watch */
} FakeObject;

typedef struct FakeAlive FakeAlive;

struct FakeBluez {
  GDBusConnection *bus;
  FakeAlive *alive;
  guint filter;
  GHashTable *objects; /* path -> FakeObject */
  GHashTable *scripts; /* method -> GQueue of FakeAnswer */
  GHashTable *counts;
  GHashTable *last;
  GString *log;
  char *client;
  unsigned strays;
  unsigned violations;
  FakeTimes times;
  GList *delayed; /* of FakeDelayed */
};

/* What a timer or a watch of an object needs. */
typedef struct {
  FakeBluez *fake;
  char *path;
} FakeLater;

FakeObject *fake_object(FakeBluez *fake, const char *path);
/* The object one level up, or NULL. */
FakeObject *fake_parent(FakeBluez *fake, const char *path);
bool fake_has(FakeObject *object, const char *interface);
/* Objects below the path, the path itself not included, deepest first. */
GList *fake_below(FakeBluez *fake, const char *path);

void fake_reply(FakeBluez *fake, GDBusMessage *call, GVariant *value);
void fake_fail(FakeBluez *fake, GDBusMessage *call, const char *name, const char *text);
void fake_later_free(gpointer later);
/* Calls the function with a FakeLater, instead of what the object's timer was to do. */
void fake_later(FakeBluez *fake, FakeObject *object, unsigned ms, GSourceFunc function);
/* A property of a device. */
bool fake_is_on(FakeBluez *fake, FakeObject *device, const char *name);
void fake_set_bool(FakeBluez *fake, const char *path, const char *interface, const char *name,
                   bool value);
void fake_end_sockets(FakeBluez *fake, FakeObject *device);
void fake_export_all(FakeBluez *fake, FakeObject *device);
bool fake_act_characteristic(FakeBluez *fake, FakeObject *object, GDBusMessage *call,
                             const char *method);

/* Does what BlueZ would do.  False: there is no such method. */
bool fake_act(FakeBluez *fake, FakeObject *object, GDBusMessage *call);
/* The object is about to go. */
void fake_object_end(FakeBluez *fake, FakeObject *object);
