/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

enum {
  BUS_RETRY_S = 3,
  BACK_OFF_MAX_S = 30, /* for bluetoothd: 1, 2, 4 ... 30 s */
  FAREWELL_MS = 500,
};

static void connect_bus(PlBluez *self);

/* -- events ---------------------------------------------------------------------------- */

PlLinkEvent
pl_bluez_event(PlLinkEventType type, int adapter, int sensor) {
  return (PlLinkEvent){.type = type, .adapter = adapter, .sensor = sensor};
}

void
pl_bluez_emit(PlBluez *self, PlLinkEvent *event) {
  event->t_us = self->now_us();
  self->handler(event, self->data);
}

static gboolean
send_posted(gpointer data) {
  PlBluez *self = data;
  g_autoptr(GArray) events = g_steal_pointer(&self->posted);

  self->posted = g_array_new(FALSE, FALSE, sizeof(PlLinkEvent));
  self->post_source = 0;
  for (guint i = 0; i < events->len; i++)
    pl_bluez_emit(self, &g_array_index(events, PlLinkEvent, i));
  return G_SOURCE_REMOVE;
}

void
pl_bluez_post(PlBluez *self, const PlLinkEvent *event) {
  g_array_append_val(self->posted, *event);
  if (self->post_source == 0)
    self->post_source = g_idle_add_full(G_PRIORITY_DEFAULT, send_posted, self, NULL);
}

guint
pl_bluez_timer(PlBluez *self, guint ms, GSourceFunc function, gpointer data) {
  return g_timeout_add(ms / self->hurry, function, data);
}

uint64_t
pl_bluez_serial(PlBluez *self) {
  return ++self->last_serial;
}

/* -- calls ----------------------------------------------------------------------------- */

PlBluezCall *
pl_bluez_call_new(PlBluez *self, const char *path, PlBluezDone done) {
  PlBluezCall *call = g_new0(PlBluezCall, 1);
  call->bluez = self;
  call->done = done;
  call->path = g_strdup(path);
  return call;
}

static void
call_free(PlBluezCall *call) {
  g_free(call->path);
  g_free(call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlBluezCall, call_free)

/* A cancelled call must not touch `bluez`: it may be gone. */
static void
on_reply(GObject *source, GAsyncResult *result, gpointer data) {
  g_autoptr(PlBluezCall) call = data;
  g_autoptr(GUnixFDList) fds = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
      G_DBUS_CONNECTION(source), &fds, result, &error);

  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (error)
    g_debug("call to %s failed: %s", strrchr(call->path, '/'), error->message);
  if (call->done)
    call->done(call, reply, fds, error);
}

static void
send_call(PlBluezCall *call, const char *destination, const char *interface, const char *method,
          GVariant *arguments, const char *reply_type, int timeout_ms) {
  PlBluez *self = call->bluez;
  g_dbus_connection_call_with_unix_fd_list(
      self->bus, destination, call->path, interface, method, arguments,
      reply_type ? G_VARIANT_TYPE(reply_type) : NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START,
      MAX(1, timeout_ms / (int)self->hurry), NULL, self->session, on_reply, call);
}

void
pl_bluez_call_send(PlBluezCall *call, const char *interface, const char *method,
                   GVariant *arguments, const char *reply_type, int timeout_ms) {
  /* To the owner itself: a successor does not know our objects.  Without an owner the mirror is
   * empty, so that nobody gets here. */
  send_call(call, call->bluez->owner, interface, method, arguments, reply_type, timeout_ms);
}

/* -- the owner of org.bluez -------------------------------------------------------------- */

static void
start_retry(PlBluez *self, guint seconds, GSourceFunc function) {
  g_clear_handle_id(&self->retry_timer, g_source_remove);
  self->retry_timer = pl_bluez_timer(self, seconds * 1000, function, self);
}

static void
new_session(PlBluez *self) {
  g_cancellable_cancel(self->session);
  g_object_unref(self->session);
  self->session = g_cancellable_new();
}

static gboolean start_service(gpointer data);

static void
on_service_started(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds,
                   const GError *error) {
  PlBluez *self = call->bluez;

  self->back_off_s = MIN(2 * self->back_off_s, BACK_OFF_MAX_S);
  start_retry(self, self->back_off_s, start_service);
}

static gboolean
start_service(gpointer data) {
  PlBluez *self = data;

  self->retry_timer = 0;
  send_call(pl_bluez_call_new(self, "/org/freedesktop/DBus", on_service_started),
            "org.freedesktop.DBus", "org.freedesktop.DBus", "StartServiceByName",
            g_variant_new("(su)", "org.bluez", 0), "(u)", PL_BLUEZ_START_SERVICE_MS);
  return G_SOURCE_REMOVE;
}

/* bluetoothd may die without a word: no Connected=false, no InterfacesRemoved. */
static void
lose_owner(PlBluez *self) {
  if (!self->owner)
    return;
  new_session(self);
  pl_bluez_mirror_stop(self);
  g_clear_pointer(&self->owner, g_free);
  g_array_set_size(self->posted, 0);
  PlLinkEvent event = pl_bluez_event(PL_LINK_SERVICE_LOST, PL_NO_ADAPTER, PL_NO_SENSOR);
  pl_bluez_emit(self, &event);
}

static void
on_owner(GDBusConnection *bus, const char *name, const char *owner, gpointer data) {
  PlBluez *self = data;

  lose_owner(self);
  new_session(self);
  g_clear_handle_id(&self->retry_timer, g_source_remove);
  self->owner = g_strdup(owner);
  pl_bluez_mirror_start(self);
}

static void
on_no_owner(GDBusConnection *bus, const char *name, gpointer data) {
  PlBluez *self = data;

  lose_owner(self);
  if (!bus)
    return; /* on_closed() takes care of that */
  self->back_off_s = 1;
  start_retry(self, self->back_off_s, start_service);
}

/* -- the bus --------------------------------------------------------------------------- */

static gboolean
retry_bus(gpointer data) {
  PlBluez *self = data;

  self->retry_timer = 0;
  connect_bus(self);
  return G_SOURCE_REMOVE;
}

static void
leave_bus(PlBluez *self) {
  if (!self->bus)
    return;
  g_bus_unwatch_name(self->watch);
  g_signal_handler_disconnect(self->bus, self->closed_handler);
  g_clear_object(&self->bus);
}

static void
on_closed(GDBusConnection *bus, gboolean remote, GError *error, gpointer data) {
  PlBluez *self = data;

  g_debug("the system bus has closed the connection: %s", error ? error->message : "by us");
  lose_owner(self);
  leave_bus(self);
  start_retry(self, BUS_RETRY_S, retry_bus);
  if (self->closed)
    self->closed(self->data);
}

static void
on_bus(GObject *source, GAsyncResult *result, gpointer data) {
  g_autoptr(GError) error = NULL;
  GDBusConnection *bus = g_dbus_connection_new_for_address_finish(result, &error);

  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  PlBluez *self = data;
  if (!bus) {
    g_debug("no system bus: %s", error->message);
    start_retry(self, BUS_RETRY_S, retry_bus);
    return;
  }
  self->bus = bus;
  g_dbus_connection_set_exit_on_close(bus, FALSE);
  self->closed_handler = g_signal_connect(bus, "closed", G_CALLBACK(on_closed), self);
  self->watch = g_bus_watch_name_on_connection(bus, "org.bluez", G_BUS_NAME_WATCHER_FLAGS_NONE,
                                               on_owner, on_no_owner, self, NULL);
}

/* A connection of our own, not g_bus_get()'s: scans and subscriptions belong to a connection
 * and end with it. */
static void
connect_bus(PlBluez *self) {
  g_autoptr(GError) error = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

  if (!address) {
    start_retry(self, BUS_RETRY_S, retry_bus);
    return;
  }
  g_dbus_connection_new_for_address(address,
                                    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                    NULL, self->cancel, on_bus, self);
}

/* -- life ------------------------------------------------------------------------------ */

static char *
sensor_key(const PlBluezSensor *sensor) {
  char key[32];

  if (!pl_bluez_key(sensor->address, sensor->address_type ? sensor->address_type : "auto", key))
    g_strlcpy(key, "?", sizeof key);
  return g_strdup(key);
}

static void
sensor_clear(PlBluezSensorState *sensor) {
  g_free(sensor->key);
  g_free(sensor->characteristics);
}

static void
take_sensors(PlBluez *self, const PlBluezSensor *sensors, size_t count) {
  self->sensors = g_new0(PlBluezSensorState, count);
  self->sensor_count = count;
  g_hash_table_remove_all(self->sensor_of_key);
  for (size_t i = 0; i < count; i++) {
    PlBluezSensorState *state = &self->sensors[i];
    state->key = sensor_key(&sensors[i]);
    state->asked = PL_NO_ADAPTER;
    state->characteristic_count = sensors[i].characteristic_count;
    state->characteristics =
        g_memdup2(sensors[i].characteristics,
                  sensors[i].characteristic_count * sizeof *sensors[i].characteristics);
    g_hash_table_insert(self->sensor_of_key, state->key, GINT_TO_POINTER((int)i + 1));
  }
}

/* The number of the same sensor in the new list, where its type may be told in another way. */
static int
successor(const PlBluez *self, const PlBluezSensorState *old) {
  char address[PL_BLUEZ_ADDRESS_SIZE];
  const char *type = strchr(old->key, '/');

  if (!type)
    return PL_NO_SENSOR;
  g_strlcpy(address, old->key, sizeof address);
  if (!g_str_equal(type, "/auto"))
    return pl_bluez_sensor_of(self, address, type + 1);
  int number = pl_bluez_sensor_of(self, address, "public");
  return number == PL_NO_SENSOR ? pl_bluez_sensor_of(self, address, "random") : number;
}

/* What outlives a new list: who asked for the link, what is known of the sensor. */
static void
keep_sensor(PlBluez *self, PlBluezSensorState *old) {
  int number = successor(self, old);

  if (number == PL_NO_SENSOR) {
    pl_bluez_farewell(self, old);
    return;
  }
  PlBluezSensorState *sensor = &self->sensors[number];
  sensor->asked = old->asked;
  sensor->no_acquire = old->no_acquire;
  sensor->info = old->info;
}

void
pl_bluez_set_sensors(PlBluez *self, const PlBluezSensor *sensors, size_t count) {
  PlBluezSensorState *old = self->sensors;
  size_t old_count = self->sensor_count;

  take_sensors(self, sensors, count);
  for (size_t i = 0; i < old_count; i++)
    keep_sensor(self, &old[i]);
  g_hash_table_remove_all(self->devices); /* they point into the old list */
  for (size_t i = 0; i < old_count; i++)
    sensor_clear(&old[i]);
  g_free(old);
  g_array_set_size(self->posted, 0);
  pl_bluez_adapters_anew(self);
  if (self->owner)
    pl_bluez_refresh(self);
}

void
pl_bluez_set_adapters(PlBluez *self, const char *const *addresses) {
  pl_bluez_adapters_allow(self, addresses);
  if (self->owner)
    pl_bluez_refresh(self);
}

PlBluez *
pl_bluez_new(const PlBluezOptions *options, PlLinkHandler handler, void *data) {
  g_return_val_if_fail(options->now_us && handler, NULL);
  PlBluez *self = g_new0(PlBluez, 1);

  self->link = (PlLink){
      .power = pl_bluez_power,
      .scan = pl_bluez_scan,
      .connect = pl_bluez_connect,
      .disconnect = pl_bluez_disconnect,
      .remove = pl_bluez_remove,
      .subscribe = pl_bluez_subscribe,
      .unsubscribe = pl_bluez_unsubscribe,
      .read = pl_bluez_read,
      .write = pl_bluez_write,
  };
  self->handler = handler;
  self->data = data;
  self->now_us = options->now_us;
  self->closed = options->closed;
  self->informed = options->informed;
  self->sysfs = g_strdup(options->sysfs ? options->sysfs : "/sys");
  self->hurry = MAX(1, options->hurry);
  self->repaired_us = INT64_MIN;
  self->cancel = g_cancellable_new();
  self->session = g_cancellable_new();
  self->posted = g_array_new(FALSE, FALSE, sizeof(PlLinkEvent));
  self->devices = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, pl_bluez_device_free);
  self->characteristics = g_hash_table_new(g_str_hash, g_str_equal);
  self->sensor_of_key = g_hash_table_new(g_str_hash, g_str_equal);
  pl_bluez_adapters_allow(self, options->adapters);
  take_sensors(self, options->sensors, options->sensor_count);
  connect_bus(self);
  return self;
}

static void
on_flushed(GObject *source, GAsyncResult *result, gpointer data) {
  bool *done = data;
  *done = true;
}

static gboolean
on_farewell_over(gpointer data) {
  g_cancellable_cancel(data);
  return G_SOURCE_CONTINUE;
}

/* A process that ends at once would take its last messages with it. */
static void
flush(GDBusConnection *bus) {
  g_autoptr(GMainContext) context = g_main_context_new();
  g_autoptr(GCancellable) limit = g_cancellable_new();
  g_autoptr(GSource) timer = g_timeout_source_new(FAREWELL_MS);
  bool done = false;

  g_main_context_push_thread_default(context);
  g_source_set_callback(timer, on_farewell_over, limit, NULL);
  g_source_attach(timer, context);
  g_dbus_connection_flush(bus, limit, on_flushed, &done);
  while (!done)
    g_main_context_iteration(context, TRUE);
  g_source_destroy(timer);
  g_main_context_pop_thread_default(context);
}

static void
ignore_event(const PlLinkEvent *event, void *data) {
}

void
pl_bluez_free(PlBluez *self) {
  if (!self)
    return;
  self->handler = ignore_event;
  g_cancellable_cancel(self->cancel);
  g_cancellable_cancel(self->session);
  if (self->owner) {
    for (size_t i = 0; i < self->sensor_count; i++)
      pl_bluez_farewell(self, &self->sensors[i]);
    if (!g_dbus_connection_is_closed(self->bus))
      flush(self->bus);
    pl_bluez_mirror_stop(self);
  }
  if (self->bus)
    g_dbus_connection_close(self->bus, NULL, NULL, NULL);
  leave_bus(self);
  g_clear_handle_id(&self->retry_timer, g_source_remove);
  g_clear_handle_id(&self->post_source, g_source_remove);
  for (size_t i = 0; i < self->sensor_count; i++)
    sensor_clear(&self->sensors[i]);
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    g_free(self->adapters[i].path);
  g_free(self->sensors);
  g_hash_table_unref(self->sensor_of_key);
  g_hash_table_unref(self->characteristics);
  g_hash_table_unref(self->devices);
  g_array_unref(self->posted);
  pl_bluez_listing_free(self->listing);
  g_object_unref(self->cancel);
  g_object_unref(self->session);
  g_free(self->owner);
  g_free(self->sysfs);
  g_free(self);
}

PlLink *
pl_bluez_link(PlBluez *self) {
  return &self->link;
}

PlBluezState
pl_bluez_state(const PlBluez *self) {
  if (!self->bus)
    return PL_BLUEZ_NO_BUS;
  if (!self->owner)
    return PL_BLUEZ_NO_SERVICE;
  return self->ready ? PL_BLUEZ_UP : PL_BLUEZ_NO_ANSWER;
}

const PlBluezInfo *
pl_bluez_info(const PlBluez *self, int sensor) {
  bool known = sensor >= 0 && (size_t)sensor < self->sensor_count;
  return known ? &self->sensors[sensor].info : NULL;
}
