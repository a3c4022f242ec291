/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

#define NO_ADDRESS "00:00:00:00:00:00" /* of a radio that is still starting, or failed to */

/* -- which adapter ---------------------------------------------------------------------- */

PlBluezAdapter *
pl_bluez_adapter_at(PlBluez *self, const char *path, size_t length) {
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    PlBluezAdapter *adapter = &self->adapters[i];
    if (adapter->path && strlen(adapter->path) == length &&
        memcmp(adapter->path, path, length) == 0)
      return adapter;
  }
  return NULL;
}

PlBluezAdapter *
pl_bluez_adapter_of(PlBluez *self, const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? pl_bluez_adapter_at(self, path, (size_t)(slash - path)) : NULL;
}

/* The present adapter with this number, or NULL. */
static PlBluezAdapter *
present_adapter(PlLink *link, int index) {
  PlBluez *self = (PlBluez *)link;
  bool known = index >= 0 && index < PL_ADAPTER_MAX && self->adapters[index].path;
  return known ? &self->adapters[index] : NULL;
}

/* The number that belongs to the address, a new one if need be; NULL when there are too many.
 */
static PlBluezAdapter *
numbered_adapter(PlBluez *self, const char *address) {
  PlBluezAdapter *vacant = NULL;

  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    PlBluezAdapter *adapter = &self->adapters[i];
    if (g_ascii_strcasecmp(adapter->address, address) == 0)
      return adapter;
    if (!vacant && adapter->address[0] == '\0')
      vacant = adapter;
  }
  if (vacant)
    g_strlcpy(vacant->address, address, sizeof vacant->address);
  return vacant;
}

static bool
is_real(const char *address) {
  char key[32];
  return pl_bluez_key(address, "", key) && !g_str_equal(address, NO_ADDRESS);
}

static bool
is_allowed(const PlBluez *self, const char *address) {
  bool listed = false;

  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    listed |= self->adapters[i].allowed &&
              g_ascii_strcasecmp(self->adapters[i].address, address) == 0;
  return listed || self->any_adapter;
}

static bool
is_central(GVariant *properties) {
  g_autofree const char **roles = NULL;

  if (!g_variant_lookup(properties, "Roles", "^a&s", &roles))
    return true; /* BlueZ before 5.52 does not say */
  return g_strv_contains(roles, "central");
}

/* -- the kernel's view ------------------------------------------------------------------ */

/* A radio on the board hangs on a serial port or on SDIO; a dongle on USB, and so does the
 * radio of a PC, which then counts as a dongle: it has as few links. */
static bool
is_builtin(const PlBluez *self, const char *path) {
  g_autofree char *link =
      g_strdup_printf("%s/class/bluetooth/%s", self->sysfs, strrchr(path, '/') + 1);
  g_autofree char *target = g_file_read_link(link, NULL);
  return target && !strstr(target, "/usb") && !strstr(target, "/virtual/");
}

static bool
is_set(const char *directory, const char *name, const char *attribute) {
  g_autofree char *path = g_build_filename(directory, name, attribute, NULL);
  g_autofree char *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) && text[0] == '1';
}

/* Whether rfkill holds the radio: /sys/class/bluetooth/hciN/rfkillM/{soft,hard} are 1. */
static bool
is_blocked(const PlBluez *self, const char *path) {
  g_autofree char *directory =
      g_strdup_printf("%s/class/bluetooth/%s", self->sysfs, strrchr(path, '/') + 1);
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir)))
    if (g_str_has_prefix(name, "rfkill") &&
        (is_set(directory, name, "soft") || is_set(directory, name, "hard")))
      return true;
  return false;
}

/* -- news from BlueZ --------------------------------------------------------------------- */

static PlLinkEvent
adapter_event(const PlBluezAdapter *adapter, PlFailure failure) {
  PlLinkEvent event = pl_bluez_event(PL_LINK_ADAPTER, adapter->index, PL_NO_SENSOR);
  event.ok = failure == PL_FAILURE_NONE;
  event.failure = failure;
  event.powered = adapter->powered;
  event.builtin = adapter->builtin;
  return event;
}

static void
emit_adapter(PlBluez *self, const PlBluezAdapter *adapter, PlFailure failure) {
  PlLinkEvent event = adapter_event(adapter, failure);
  pl_bluez_emit(self, &event);
}

void
pl_bluez_adapter_forget(PlBluezAdapter *adapter) {
  g_clear_pointer(&adapter->path, g_free);
  adapter->powered = false;
  adapter->discovering = false;
  adapter->blocked = false;
  adapter->scanning = false;
  adapter->scan_wanted = false;
  adapter->scan_busy = false;
}

void
pl_bluez_adapter_removed(PlBluez *self, const char *path) {
  PlBluezAdapter *adapter = pl_bluez_adapter_at(self, path, strlen(path));

  if (!adapter)
    return;
  for (size_t i = 0; i < self->sensor_count; i++) {
    PlBluezDevice *device = self->sensors[i].devices[adapter->index];
    if (!device)
      continue;
    pl_bluez_gatt_end(device);
    g_hash_table_remove(self->devices, device->path);
  }
  pl_bluez_adapter_forget(adapter);
  PlLinkEvent event = pl_bluez_event(PL_LINK_ADAPTER_GONE, adapter->index, PL_NO_SENSOR);
  pl_bluez_emit(self, &event);
}

/* The same address at another path: the index has moved, after a reset for instance. */
static PlBluezAdapter *
place(PlBluez *self, const char *path, const char *address, GVariant *properties) {
  if (!is_real(address) || !is_allowed(self, address) || !is_central(properties))
    return NULL;
  PlBluezAdapter *adapter = numbered_adapter(self, address);
  if (!adapter)
    return NULL;
  if (adapter->path) {
    g_autofree char *old = g_strdup(adapter->path);
    pl_bluez_adapter_removed(self, old);
  }
  adapter->path = g_strdup(path);
  adapter->serial = pl_bluez_serial(self);
  adapter->builtin = is_builtin(self, path);
  return adapter;
}

static void
take_properties(PlBluez *self, PlBluezAdapter *adapter, GVariant *properties) {
  gboolean flag;
  const char *text;

  if (g_variant_lookup(properties, "Alias", "&s", &text))
    pl_bluez_escape(text, adapter->alias);
  if (g_variant_lookup(properties, "Discovering", "b", &flag))
    adapter->discovering = flag;
  if (g_variant_lookup(properties, "PowerState", "&s", &text))
    adapter->blocked = g_str_equal(text, "off-blocked");
  if (g_variant_lookup(properties, "Powered", "b", &flag)) {
    adapter->powered = flag;
    if (!flag)
      adapter->scanning = false; /* BlueZ ends all sessions */
    else
      adapter->blocked = false;
  }
}

void
pl_bluez_adapter_apply(PlBluez *self, const char *path, GVariant *properties,
                       PlBluezNews news) {
  PlBluezAdapter *adapter = pl_bluez_adapter_at(self, path, strlen(path));
  const char *address = NULL;

  g_variant_lookup(properties, "Address", "&s", &address);
  if (adapter && address && g_ascii_strcasecmp(adapter->address, address) != 0) {
    pl_bluez_adapter_removed(self, path);
    adapter = NULL;
  }
  if (!adapter && news == PL_BLUEZ_CHANGED) {
    if (address && is_real(address))
      pl_bluez_refresh(self); /* it was not ready when it was announced */
    return;
  }
  bool is_new = !adapter;
  if (is_new)
    adapter = address ? place(self, path, address, properties) : NULL;
  if (!adapter)
    return;
  bool was_powered = adapter->powered;
  adapter->round = self->round;
  take_properties(self, adapter, properties);
  if (is_new || adapter->powered != was_powered)
    emit_adapter(self, adapter, PL_FAILURE_NONE);
}

/* -- requests -------------------------------------------------------------------------- */

static PlBluezCall *
call_adapter(PlBluez *self, const PlBluezAdapter *adapter, PlBluezDone done) {
  PlBluezCall *call = pl_bluez_call_new(self, adapter->path, done);
  call->serial = adapter->serial;
  call->number = (unsigned)adapter->index;
  return call;
}

/* The adapter with which the call was made, or NULL when it has gone or moved since. */
static PlBluezAdapter *
adapter_of_call(const PlBluezCall *call) {
  PlBluezAdapter *adapter = &call->bluez->adapters[call->number];
  return adapter->path && adapter->serial == call->serial ? adapter : NULL;
}

/* The answer to a success is the change of the property. */
static void
on_power(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezAdapter *adapter = adapter_of_call(call);

  if (!adapter || !error)
    return;
  PlFailure failure = pl_bluez_failure(error, true);
  adapter->blocked = adapter->blocked || strstr(error->message, "rfkill");
  emit_adapter(call->bluez, adapter, failure == PL_FAILURE_NONE ? PL_FAILURE_OTHER : failure);
}

void
pl_bluez_power(PlLink *link, int index, bool on) {
  PlBluez *self = (PlBluez *)link;
  PlBluezAdapter *adapter = present_adapter(link, index);

  if (!adapter)
    return;
  pl_bluez_call_send(
      call_adapter(self, adapter, on_power), PL_BLUEZ_PROPERTIES, "Set",
      g_variant_new("(ssv)", PL_BLUEZ_ADAPTER, "Powered", g_variant_new_boolean(on)), NULL,
      PL_BLUEZ_PROPERTY_MS);
}

/* A call has ended.  The next one follows when the wish has changed meanwhile. */
static void
scan_done(PlBluez *self, PlBluezAdapter *adapter, bool asked_on, PlFailure failure) {
  adapter->scan_busy = false;
  if (adapter->scan_wanted != asked_on) {
    if (adapter->scan_wanted != adapter->scanning) {
      pl_bluez_scan(&self->link, adapter->index, adapter->scan_wanted);
      return;
    }
    failure = PL_FAILURE_NONE; /* it failed to do what is no longer wanted */
  }
  PlLinkEvent event = pl_bluez_event(PL_LINK_SCAN, adapter->index, PL_NO_SENSOR);
  event.ok = failure == PL_FAILURE_NONE;
  event.failure = failure;
  event.scanning = adapter->scanning;
  pl_bluez_emit(self, &event);
}

/* InProgress means that we have a session already: then there is one that has to be stopped
 * before a connect. */
static void
on_started(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezAdapter *adapter = adapter_of_call(call);

  if (!adapter)
    return;
  PlFailure failure = pl_bluez_failure(error, adapter->powered);
  if (failure == PL_FAILURE_IN_PROGRESS && adapter->discovering)
    failure = PL_FAILURE_NONE;
  adapter->scanning = failure == PL_FAILURE_NONE && adapter->powered;
  scan_done(call->bluez, adapter, true, failure);
}

static void
on_filter(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezAdapter *adapter = adapter_of_call(call);

  if (!adapter)
    return;
  if (error || !adapter->scan_wanted) {
    scan_done(call->bluez, adapter, true, pl_bluez_failure(error, adapter->powered));
    return;
  }
  pl_bluez_call_send(call_adapter(call->bluez, adapter, on_started), PL_BLUEZ_ADAPTER,
                     "StartDiscovery", NULL, NULL, PL_BLUEZ_START_SCAN_MS);
}

/* Any filter makes BlueZ scan without pauses and report every change of the signal.  Without
 * DuplicateData, which is off in BlueZ 5.66 whatever its manual says, a sensor that only
 * advertises would be heard once.  No UUIDs and no RSSI: not all sensors advertise their
 * services, and a weak advertisement may carry data. */
static void
set_filter(PlBluez *self, PlBluezAdapter *adapter) {
  GVariantBuilder filter;

  g_variant_builder_init(&filter, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&filter, "{sv}", "Transport", g_variant_new_string("le"));
  g_variant_builder_add(&filter, "{sv}", "DuplicateData", g_variant_new_boolean(true));
  pl_bluez_call_send(call_adapter(self, adapter, on_filter), PL_BLUEZ_ADAPTER,
                     "SetDiscoveryFilter", g_variant_new("(a{sv})", &filter), NULL,
                     PL_BLUEZ_FILTER_MS);
}

/* Every answer means that our session is over: InProgress comes after BlueZ has dropped it,
 * Failed says that there was none.  Without an answer we go on as if it were: the property
 * Discovering can stay true for ever. */
static void
on_stopped(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezAdapter *adapter = adapter_of_call(call);

  if (!adapter)
    return;
  PlFailure failure = pl_bluez_failure(error, adapter->powered);
  adapter->scanning = false;
  scan_done(call->bluez, adapter, false,
            failure == PL_FAILURE_TIMEOUT ? PL_FAILURE_TIMEOUT : PL_FAILURE_NONE);
}

static void
stop_scan(PlBluez *self, PlBluezAdapter *adapter) {
  pl_bluez_call_send(call_adapter(self, adapter, on_stopped), PL_BLUEZ_ADAPTER, "StopDiscovery",
                     NULL, NULL, PL_BLUEZ_STOP_SCAN_MS);
}

void
pl_bluez_scan(PlLink *link, int index, bool on) {
  PlBluez *self = (PlBluez *)link;
  PlBluezAdapter *adapter = present_adapter(link, index);

  if (!adapter) {
    PlLinkEvent event = pl_bluez_event(PL_LINK_SCAN, index, PL_NO_SENSOR);
    event.ok = !on;
    event.failure = on ? PL_FAILURE_UNKNOWN_OBJECT : PL_FAILURE_NONE;
    pl_bluez_post(self, &event);
    return;
  }
  adapter->scan_wanted = on;
  if (adapter->scan_busy)
    return; /* the call that is on its way sees to it */
  adapter->scan_busy = true;
  if (on)
    set_filter(self, adapter);
  else
    stop_scan(self, adapter);
}

/* -- another configuration --------------------------------------------------------------- */

static void
dismiss(PlBluez *self, const PlBluezAdapter *adapter) {
  g_autofree char *path = g_strdup(adapter->path);

  for (size_t i = 0; i < self->sensor_count; i++)
    if (self->sensors[i].asked == adapter->index)
      pl_bluez_farewell(self, &self->sensors[i]);
  pl_bluez_call_send(call_adapter(self, adapter, NULL), PL_BLUEZ_ADAPTER, "StopDiscovery", NULL,
                     NULL, PL_BLUEZ_STOP_SCAN_MS);
  pl_bluez_adapter_removed(self, path);
}

void
pl_bluez_adapters_allow(PlBluez *self, const char *const *addresses) {
  self->any_adapter = !addresses;
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    self->adapters[i].index = i;
    self->adapters[i].allowed = false;
  }
  for (size_t i = 0; addresses && addresses[i]; i++) {
    char key[32];
    bool valid = pl_bluez_key(addresses[i], "", key);
    key[PL_BLUEZ_ADDRESS_SIZE - 1] = '\0';
    PlBluezAdapter *adapter = valid ? numbered_adapter(self, key) : NULL;
    if (adapter)
      adapter->allowed = true;
  }
  for (int i = 0; i < PL_ADAPTER_MAX && !self->any_adapter; i++)
    if (self->adapters[i].path && !self->adapters[i].allowed)
      dismiss(self, &self->adapters[i]);
}

/* Who listens now does not know of a scan: it ends. */
void
pl_bluez_adapters_anew(PlBluez *self) {
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    PlBluezAdapter *adapter = &self->adapters[i];
    if (!adapter->path)
      continue;
    PlLinkEvent event = adapter_event(adapter, PL_FAILURE_NONE);
    pl_bluez_post(self, &event);
    if (adapter->scanning || adapter->scan_busy)
      pl_bluez_scan(&self->link, i, false);
  }
}

/* -- facts ----------------------------------------------------------------------------- */

static unsigned
count_links(const PlBluez *self, int adapter) {
  unsigned links = 0;

  for (size_t i = 0; i < self->sensor_count; i++)
    links += self->sensors[i].link && self->sensors[i].link->adapter == adapter;
  return links;
}

bool
pl_bluez_adapter_facts(const PlBluez *self, int index, PlBluezAdapterFacts *facts) {
  if (index < 0 || index >= PL_ADAPTER_MAX || self->adapters[index].address[0] == '\0')
    return false;
  const PlBluezAdapter *adapter = &self->adapters[index];
  *facts = (PlBluezAdapterFacts){
      .present = adapter->path,
      .powered = adapter->powered,
      .builtin = adapter->builtin,
      .scanning = adapter->scanning,
      .discovering = adapter->discovering,
      .blocked = adapter->blocked || (adapter->path && is_blocked(self, adapter->path)),
      .links = count_links(self, index),
      .advertisements = adapter->advertisements,
      .objects = adapter->objects,
  };
  g_strlcpy(facts->address, adapter->address, sizeof facts->address);
  g_strlcpy(facts->alias, adapter->alias, sizeof facts->alias);
  if (adapter->path)
    g_strlcpy(facts->name, strrchr(adapter->path, '/') + 1, sizeof facts->name);
  return true;
}
