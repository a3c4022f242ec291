/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

/* The only place that remembers strangers, and only while somebody looks for them: at most
 * PL_BLUEZ_FOUND_MAX, by path. */

enum { ASKING_MAX = 16 }; /* a system bus allows 128 calls without an answer */

struct PlBluezListing {
  bool on;
  uint64_t serial;
  GHashTable *index; /* path -> place in `found` + 1 */
  GPtrArray *paths;  /* the keys of `index`, by place */
  GArray *found;     /* of PlBluezFound */
  GPtrArray *shown;  /* of those whose address is known, in this order */
  guint looked;      /* entries that have been asked about, or need not */
  guint asking;      /* calls without an answer */
};

void
pl_bluez_listing_free(PlBluezListing *listing) {
  if (!listing)
    return;
  g_hash_table_unref(listing->index);
  g_array_unref(listing->found);
  g_ptr_array_unref(listing->paths);
  g_ptr_array_unref(listing->shown);
  g_free(listing);
}

void
pl_bluez_listing_abandon(PlBluezListing *listing) {
  if (listing)
    listing->asking = 0;
}

void
pl_bluez_discover(PlBluez *self, bool on) {
  if (!on) {
    if (self->listing)
      self->listing->on = false;
    return;
  }
  pl_bluez_listing_free(self->listing);
  self->listing = g_new0(PlBluezListing, 1);
  self->listing->on = true;
  self->listing->serial = pl_bluez_serial(self);
  self->listing->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  self->listing->found =
      g_array_sized_new(FALSE, TRUE, sizeof(PlBluezFound), PL_BLUEZ_FOUND_MAX);
  self->listing->paths = g_ptr_array_new();
  self->listing->shown = g_ptr_array_new();
}

const PlBluezFound *
pl_bluez_found(const PlBluez *self, size_t index) {
  if (!self->listing || index >= self->listing->shown->len)
    return NULL;
  return g_ptr_array_index(self->listing->shown, index);
}

static void
take_services(PlBluezFound *found, GVariant *properties) {
  g_autofree const char **uuids = NULL;

  if (!g_variant_lookup(properties, "UUIDs", "^a&s", &uuids))
    return;
  found->service_count = 0;
  for (size_t i = 0; uuids[i] && found->service_count < PL_BLUEZ_FOUND_SERVICES; i++)
    if (pl_uuid_parse(uuids[i], &found->services[found->service_count]))
      found->service_count++;
}

static void
take_companies(PlBluezFound *found, GVariant *properties) {
  GVariantIter iter;
  guint16 company;
  g_autoptr(GVariant) all =
      g_variant_lookup_value(properties, "ManufacturerData", G_VARIANT_TYPE("a{qv}"));

  if (!all)
    return;
  found->company_count = 0;
  g_variant_iter_init(&iter, all);
  while (found->company_count < PL_BLUEZ_FOUND_COMPANIES &&
         g_variant_iter_next(&iter, "{qv}", &company, NULL))
    found->companies[found->company_count++] = company;
}

static void
take_properties(PlBluez *self, PlBluezFound *found, GVariant *properties) {
  const char *text;
  int16_t rssi_dbm;

  if (g_variant_lookup(properties, "Address", "&s", &text))
    g_strlcpy(found->address, text, sizeof found->address);
  if (g_variant_lookup(properties, "AddressType", "&s", &text))
    g_strlcpy(found->address_type, text, sizeof found->address_type);
  if (g_variant_lookup(properties, "Name", "&s", &text))
    pl_bluez_escape(text, found->name);
  if (g_variant_lookup(properties, "RSSI", "n", &rssi_dbm) && rssi_dbm < 20)
    found->rssi_dbm = rssi_dbm;
  take_services(found, properties);
  take_companies(found, properties);
  found->sensor = pl_bluez_sensor_of(self, found->address, found->address_type);
}

/* Shows an entry from the moment that its address is known. */
static void
update(PlBluez *self, PlBluezFound *found, GVariant *properties) {
  bool was_known = found->address[0] != '\0';

  take_properties(self, found, properties);
  if (!was_known && found->address[0] != '\0')
    g_ptr_array_add(self->listing->shown, found);
}

static PlBluezFound *
lookup(PlBluezListing *listing, const char *path) {
  guint place = GPOINTER_TO_UINT(g_hash_table_lookup(listing->index, path));
  return place ? &g_array_index(listing->found, PlBluezFound, place - 1) : NULL;
}

static void ask(PlBluez *self);

static void
on_all(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluez *self = call->bluez;

  if (call->serial != self->listing->serial)
    return;
  self->listing->asking--;
  if (reply) {
    g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
    update(self, lookup(self->listing, call->path), properties);
  }
  ask(self);
}

/* A device that BlueZ knew before tells only what changes: it is asked for the rest, once. */
static void
ask(PlBluez *self) {
  PlBluezListing *listing = self->listing;

  while (listing->looked < listing->found->len && listing->asking < ASKING_MAX) {
    guint place = listing->looked++;
    if (g_array_index(listing->found, PlBluezFound, place).address[0] != '\0')
      continue;
    PlBluezCall *call =
        pl_bluez_call_new(self, g_ptr_array_index(listing->paths, place), on_all);
    call->serial = listing->serial;
    listing->asking++;
    pl_bluez_call_send(call, PL_BLUEZ_PROPERTIES, "GetAll",
                       g_variant_new("(s)", PL_BLUEZ_DEVICE), "(a{sv})", PL_BLUEZ_PROPERTY_MS);
  }
}

/* The array is never moved: it has been made as long as it may become. */
static PlBluezFound *
add(PlBluez *self, const char *path) {
  PlBluezListing *listing = self->listing;
  guint place = listing->found->len;
  const PlBluezAdapter *adapter = pl_bluez_adapter_of(self, path);

  if (place >= PL_BLUEZ_FOUND_MAX)
    return NULL;
  g_array_set_size(listing->found, place + 1);
  char *key = g_strdup(path);
  g_hash_table_insert(listing->index, key, GUINT_TO_POINTER(place + 1));
  g_ptr_array_add(listing->paths, key);
  PlBluezFound *found = &g_array_index(listing->found, PlBluezFound, place);
  found->adapter = adapter ? adapter->index : PL_NO_ADAPTER;
  found->sensor = PL_NO_SENSOR;
  return found;
}

void
pl_bluez_listing_note(PlBluez *self, const char *path, GVariant *properties, PlBluezNews news) {
  int16_t rssi_dbm;

  if (!self->listing || !self->listing->on || news == PL_BLUEZ_SNAPSHOT)
    return;
  PlBluezFound *found = lookup(self->listing, path);
  if (!found && !g_variant_lookup(properties, "RSSI", "n", &rssi_dbm))
    return;
  if (!found)
    found = add(self, path);
  if (!found)
    return;
  update(self, found, properties);
  ask(self);
}
