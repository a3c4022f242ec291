/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-bluez-private.h"

#include <string.h>
#include <unistd.h>

/* Calls are taken from the connection before GDBus looks at them, so that anything can be
 * answered to anything. */

typedef struct {
  FakeBluez *fake;
  GDBusMessage *call;
  FakeAnswer answer;
  guint timer;
} FakeDelayed;

/* -- objects --------------------------------------------------------------------------- */

FakeObject *
fake_object(FakeBluez *fake, const char *path) {
  return g_hash_table_lookup(fake->objects, path);
}

FakeObject *
fake_parent(FakeBluez *fake, const char *path) {
  g_autofree char *parent = g_path_get_dirname(path);
  return fake_object(fake, parent);
}

bool
fake_has(FakeObject *object, const char *interface) {
  return object && g_hash_table_contains(object->interfaces, interface);
}

static void
attribute_free(gpointer data) {
  FakeAttribute *attribute = data;
  g_free(attribute->uuid);
  g_free(attribute->flags);
  g_free(attribute);
}

static FakeObject *
object_new(const char *path) {
  FakeObject *object = g_new0(FakeObject, 1);
  object->path = g_strdup(path);
  object->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                             (GDestroyNotify)g_hash_table_unref);
  object->attributes = g_ptr_array_new_with_free_func(attribute_free);
  object->fd = -1;
  return object;
}

static void
object_free(gpointer data) {
  FakeObject *object = data;
  g_clear_handle_id(&object->timer, g_source_remove);
  g_clear_handle_id(&object->hang_up, g_source_remove);
  if (object->fd >= 0)
    close(object->fd);
  g_clear_object(&object->pending);
  g_clear_object(&object->ending);
  g_hash_table_unref(object->interfaces);
  g_ptr_array_unref(object->attributes);
  g_free(object->path);
  g_free(object);
}

static GVariant *
properties_of(FakeObject *object, const char *interface) {
  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer name, value;
  GHashTable *properties = g_hash_table_lookup(object->interfaces, interface);

  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_hash_table_iter_init(&iter, properties);
  while (g_hash_table_iter_next(&iter, &name, &value))
    g_variant_builder_add(&builder, "{sv}", name, value);
  return g_variant_builder_end(&builder);
}

static void
store(FakeObject *object, const char *interface, const char *name, GVariant *value) {
  GHashTable *properties = g_hash_table_lookup(object->interfaces, interface);
  g_hash_table_replace(properties, g_strdup(name), g_variant_ref_sink(value));
}

void
fake_bluez_add_silently(FakeBluez *fake, const char *path, const char *interface,
                        GVariant *properties) {
  g_autoptr(GVariant) all = g_variant_ref_sink(properties);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  FakeObject *object = fake_object(fake, path);

  if (!object) {
    object = object_new(path);
    g_hash_table_insert(fake->objects, object->path, object);
  }
  g_hash_table_replace(
      object->interfaces, g_strdup(interface),
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref));
  g_variant_iter_init(&iter, all);
  while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
    store(object, interface, name, value);
    g_variant_unref(value);
  }
}

void
fake_bluez_add(FakeBluez *fake, const char *path, const char *interface, GVariant *properties) {
  GVariantBuilder interfaces;

  fake_bluez_add_silently(fake, path, interface, properties);
  g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
  g_variant_builder_add(&interfaces, "{s@a{sv}}", interface,
                        properties_of(fake_object(fake, path), interface));
  fake_bluez_signal(fake, "/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
                    g_variant_new("(oa{sa{sv}})", path, &interfaces));
}

static int
by_depth(gconstpointer a, gconstpointer b) {
  return strcmp(b, a); /* a longer path sorts behind its own beginning */
}

GList *
fake_below(FakeBluez *fake, const char *path) {
  g_autofree char *prefix = g_strdup_printf("%s/", path);
  g_autoptr(GList) paths = g_hash_table_get_keys(fake->objects);
  GList *below = NULL;

  for (GList *at = paths; at; at = at->next)
    if (g_str_has_prefix(at->data, prefix))
      below = g_list_prepend(below, at->data);
  return g_list_sort(below, by_depth);
}

static void
remove_one(FakeBluez *fake, const char *path) {
  FakeObject *object = fake_object(fake, path);
  g_autoptr(GList) interfaces = g_hash_table_get_keys(object->interfaces);
  GVariantBuilder names;

  fake_object_end(fake, object);
  g_variant_builder_init(&names, G_VARIANT_TYPE("as"));
  for (GList *at = interfaces; at; at = at->next)
    g_variant_builder_add(&names, "s", at->data);
  fake_bluez_signal(fake, "/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
                    g_variant_new("(oas)", path, &names));
  g_hash_table_remove(fake->objects, path);
}

void
fake_bluez_remove(FakeBluez *fake, const char *path) {
  g_autofree char *own = g_strdup(path);
  g_autoptr(GList) below = fake_below(fake, own);

  for (GList *at = below; at; at = at->next)
    remove_one(fake, at->data);
  if (fake_object(fake, own))
    remove_one(fake, own);
}

void
fake_bluez_change(FakeBluez *fake, const char *path, const char *interface,
                  GVariant *properties) {
  fake_bluez_signal(fake, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                    g_variant_new("(s@a{sv}as)", interface, properties, NULL));
}

void
fake_bluez_set(FakeBluez *fake, const char *path, const char *interface, const char *name,
               GVariant *value) {
  FakeObject *object = fake_object(fake, path);
  GVariantBuilder changed;

  g_assert_true(fake_has(object, interface));
  store(object, interface, name, value);
  g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&changed, "{sv}", name, value);
  fake_bluez_change(fake, path, interface, g_variant_builder_end(&changed));
}

GVariant *
fake_bluez_get(FakeBluez *fake, const char *path, const char *interface, const char *name) {
  FakeObject *object = fake_object(fake, path);
  if (!fake_has(object, interface))
    return NULL;
  return g_hash_table_lookup(g_hash_table_lookup(object->interfaces, interface), name);
}

bool
fake_bluez_get_bool(FakeBluez *fake, const char *path, const char *interface,
                    const char *name) {
  GVariant *value = fake_bluez_get(fake, path, interface, name);
  return value && g_variant_get_boolean(value);
}

void
fake_bluez_signal(FakeBluez *fake, const char *path, const char *interface, const char *signal,
                  GVariant *arguments) {
  g_dbus_connection_emit_signal(fake->bus, NULL, path, interface, signal, arguments, NULL);
}

/* -- answers --------------------------------------------------------------------------- */

static void
send_message(FakeBluez *fake, GDBusMessage *message) {
  g_dbus_connection_send_message(fake->bus, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                 NULL);
}

void
fake_reply(FakeBluez *fake, GDBusMessage *call, GVariant *value) {
  g_autoptr(GDBusMessage) reply = g_dbus_message_new_method_reply(call);
  if (value)
    g_dbus_message_set_body(reply, value);
  send_message(fake, reply);
}

void
fake_fail(FakeBluez *fake, GDBusMessage *call, const char *name, const char *text) {
  g_autofree char *full =
      strchr(name, '.') ? g_strdup(name) : g_strdup_printf("org.bluez.Error.%s", name);
  g_autoptr(GDBusMessage) reply =
      g_dbus_message_new_method_error_literal(call, full, text ? text : "");
  send_message(fake, reply);
}

static void
reply_objects(FakeBluez *fake, GDBusMessage *call) {
  GVariantBuilder objects;
  GHashTableIter at_object, at_interface;
  gpointer value, interface;

  g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
  g_hash_table_iter_init(&at_object, fake->objects);
  while (g_hash_table_iter_next(&at_object, NULL, &value)) {
    FakeObject *object = value;
    g_variant_builder_open(&objects, G_VARIANT_TYPE("{oa{sa{sv}}}"));
    g_variant_builder_add(&objects, "o", object->path);
    g_variant_builder_open(&objects, G_VARIANT_TYPE("a{sa{sv}}"));
    g_hash_table_iter_init(&at_interface, object->interfaces);
    while (g_hash_table_iter_next(&at_interface, &interface, NULL))
      g_variant_builder_add(&objects, "{s@a{sv}}", interface, properties_of(object, interface));
    g_variant_builder_close(&objects);
    g_variant_builder_close(&objects);
  }
  fake_reply(fake, call, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

static void
act(FakeBluez *fake, GDBusMessage *call) {
  const char *path = g_dbus_message_get_path(call);
  const char *method = g_dbus_message_get_member(call);
  FakeObject *object = fake_object(fake, path);
  const char *interface = NULL;

  if (g_str_equal(method, "GetManagedObjects")) {
    reply_objects(fake, call);
    return;
  }
  if (!object) {
    fake->strays++;
    fake_fail(fake, call, "org.freedesktop.DBus.Error.UnknownObject",
              "Method does not exist, the object is gone");
    return;
  }
  if (g_str_equal(method, "GetAll")) {
    g_variant_get(g_dbus_message_get_body(call), "(&s)", &interface);
    fake_reply(fake, call, g_variant_new("(@a{sv})", properties_of(object, interface)));
  } else if (!fake_act(fake, object, call)) {
    fake_fail(fake, call, "org.freedesktop.DBus.Error.UnknownMethod", method);
  }
}

static void
carry_out(FakeBluez *fake, GDBusMessage *call, const FakeAnswer *answer) {
  if (answer->silent)
    return;
  if (answer->error)
    fake_fail(fake, call, answer->error, answer->text);
  else if (answer->garbage)
    fake_reply(fake, call, g_variant_new("(sd)", "garbage", 1.5));
  else if (answer->accept)
    fake_reply(fake, call, NULL);
  else
    act(fake, call);
}

static void
delayed_free(gpointer data) {
  FakeDelayed *delayed = data;
  g_clear_handle_id(&delayed->timer, g_source_remove);
  g_object_unref(delayed->call);
  g_free(delayed);
}

static gboolean
on_delay_over(gpointer data) {
  FakeDelayed *delayed = data;
  FakeBluez *fake = delayed->fake;

  delayed->timer = 0;
  fake->delayed = g_list_remove(fake->delayed, delayed);
  carry_out(fake, delayed->call, &delayed->answer);
  delayed_free(delayed);
  return G_SOURCE_REMOVE;
}

static void
note_call(FakeBluez *fake, GDBusMessage *call) {
  const char *method = g_dbus_message_get_member(call);
  GVariant *body = g_dbus_message_get_body(call);
  guint count = GPOINTER_TO_UINT(g_hash_table_lookup(fake->counts, method));

  g_hash_table_replace(fake->counts, g_strdup(method), GUINT_TO_POINTER(count + 1));
  if (body)
    g_hash_table_replace(fake->last, g_strdup(method), g_variant_ref(body));
  g_free(fake->client);
  fake->client = g_strdup(g_dbus_message_get_sender(call));
  g_string_append_printf(fake->log, "%s.%s %s\n", g_dbus_message_get_interface(call), method,
                         g_dbus_message_get_path(call));
}

static void
handle(FakeBluez *fake, GDBusMessage *call) {
  note_call(fake, call);
  GQueue *script = g_hash_table_lookup(fake->scripts, g_dbus_message_get_member(call));
  g_autofree FakeAnswer *answer = script ? g_queue_pop_head(script) : NULL;
  if (!answer) {
    act(fake, call);
    return;
  }
  if (answer->delay_ms == 0) {
    carry_out(fake, call, answer);
    return;
  }
  FakeDelayed *delayed = g_new0(FakeDelayed, 1);
  delayed->fake = fake;
  delayed->call = g_object_ref(call);
  delayed->answer = *answer;
  delayed->timer = g_timeout_add(answer->delay_ms, on_delay_over, delayed);
  fake->delayed = g_list_prepend(fake->delayed, delayed);
}

void
fake_bluez_script(FakeBluez *fake, const char *method, FakeAnswer answer) {
  GQueue *script = g_hash_table_lookup(fake->scripts, method);

  if (!script) {
    script = g_queue_new();
    g_hash_table_insert(fake->scripts, g_strdup(method), script);
  }
  g_queue_push_tail(script, g_memdup2(&answer, sizeof answer));
}

bool
fake_bluez_owes(FakeBluez *fake) {
  return fake->delayed != NULL;
}

unsigned
fake_bluez_calls(FakeBluez *fake, const char *method) {
  return GPOINTER_TO_UINT(g_hash_table_lookup(fake->counts, method));
}

unsigned
fake_bluez_stray_calls(FakeBluez *fake) {
  return fake->strays;
}

const char *
fake_bluez_client(FakeBluez *fake) {
  return fake->client;
}

const char *
fake_bluez_log(FakeBluez *fake) {
  return fake->log->str;
}

GVariant *
fake_bluez_last(FakeBluez *fake, const char *method) {
  return g_hash_table_lookup(fake->last, method);
}

unsigned
fake_bluez_violations(FakeBluez *fake) {
  return fake->violations;
}

/* -- the bus --------------------------------------------------------------------------- */

/* Shared with the thread of GDBus; `fake` is NULL once it is gone. */
struct FakeAlive {
  FakeBluez *fake;
};

typedef struct {
  FakeAlive *alive;
  GDBusMessage *message;
} FakeArrival;

static gboolean
on_arrival(gpointer data) {
  FakeArrival *arrival = data;

  if (arrival->alive->fake)
    handle(arrival->alive->fake, arrival->message);
  g_object_unref(arrival->message);
  g_atomic_rc_box_release(arrival->alive);
  g_free(arrival);
  return G_SOURCE_REMOVE;
}

/* In the thread of GDBus. */
static GDBusMessage *
filter(GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer data) {
  if (!incoming || g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  FakeArrival *arrival = g_new0(FakeArrival, 1);
  arrival->alive = g_atomic_rc_box_acquire(data);
  arrival->message = message;
  g_idle_add_full(G_PRIORITY_DEFAULT, on_arrival, arrival, NULL);
  return NULL;
}

static void
script_free(gpointer data) {
  g_queue_free_full(data, g_free);
}

FakeBluez *
fake_bluez_new(const char *bus_address) {
  g_autoptr(GError) error = NULL;
  FakeBluez *fake = g_new0(FakeBluez, 1);

  fake->objects = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, object_free);
  fake->scripts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, script_free);
  fake->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  fake->last =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
  fake->log = g_string_new(NULL);
  fake->times =
      (FakeTimes){.connect_ms = 5, .resolve_ms = 5, .disconnect_ms = 20, .give_up_ms = 407};
  fake->bus =
      g_dbus_connection_new_for_address_sync(bus_address,
                                             G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                 G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                             NULL, NULL, &error);
  g_assert_no_error(error);
  fake->alive = g_atomic_rc_box_new0(FakeAlive);
  fake->alive->fake = fake;
  fake->filter = g_dbus_connection_add_filter(
      fake->bus, filter, g_atomic_rc_box_acquire(fake->alive), g_atomic_rc_box_release);
  GVariant *owned = g_dbus_connection_call_sync(
      fake->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new("(su)", "org.bluez", 0), G_VARIANT_TYPE("(u)"), 0, -1, NULL,
      &error);
  g_assert_no_error(error);
  g_variant_unref(owned);
  return fake;
}

void
fake_bluez_free(FakeBluez *fake) {
  if (!fake)
    return;
  fake->alive->fake = NULL;
  g_list_free_full(fake->delayed, delayed_free);
  g_dbus_connection_close_sync(fake->bus, NULL, NULL);
  g_dbus_connection_remove_filter(fake->bus, fake->filter);
  g_object_unref(fake->bus);
  g_atomic_rc_box_release(fake->alive);
  g_hash_table_unref(fake->objects);
  g_hash_table_unref(fake->scripts);
  g_hash_table_unref(fake->counts);
  g_hash_table_unref(fake->last);
  g_string_free(fake->log, TRUE);
  g_free(fake->client);
  g_free(fake);
}

GDBusConnection *
fake_bluez_bus(FakeBluez *fake) {
  return fake->bus;
}
