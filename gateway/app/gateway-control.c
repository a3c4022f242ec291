/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway-private.h"

#include "plugins/drivers.h"

#include <string.h>

enum { SCAN_SECONDS_MAX = 60, SCAN_SECONDS_DEFAULT = 10 };

/* What a discovered device seems to be, by what it advertises; NULL: unknown. */
static const char *
kind_of(const PlBluezFound *found) {
  for (size_t d = 0; d < pl_driver_count; d++) {
    for (size_t m = 0; m < pl_drivers[d]->match_count; m++) {
      const PlMatch *match = &pl_drivers[d]->matches[m];
      if (match->name_prefix != NULL && !g_str_has_prefix(found->name, match->name_prefix))
        continue;
      bool has_service = !match->has_service;
      for (size_t s = 0; s < found->service_count; s++)
        has_service |= pl_uuid_equal(&found->services[s], &match->service);
      if (has_service)
        return pl_drivers[d]->id;
    }
  }
  return NULL;
}

static json_t *
found_json(const PlConfig *config, const PlBluezFound *found) {
  const char *kind = kind_of(found);
  json_t *entry =
      json_pack("{s:s, s:s}", "address", found->address, "address_type", found->address_type);
  if (found->name[0] != '\0')
    json_object_set_new(entry, "name", json_string(found->name));
  if (found->rssi_dbm != 0)
    json_object_set_new(entry, "rssi_dbm", json_integer(found->rssi_dbm));
  if (kind != NULL)
    json_object_set_new(entry, "kind", json_string(kind));
  if (found->sensor >= 0)
    json_object_set_new(entry, "sensor", json_string(config->sensors[found->sensor].id));
  json_t *services = json_array();
  for (size_t s = 0; s < found->service_count; s++) {
    char text[PL_UUID_TEXT_SIZE];
    pl_uuid_format(&found->services[s], text);
    json_array_append_new(services, json_string(text));
  }
  json_object_set_new(entry, "services", services);
  return entry;
}

static gboolean
on_scan_over(void *data) {
  PlGateway *self = data;
  json_t *list = json_array();
  const PlBluezFound *found;

  self->scan_source = 0;
  for (size_t i = 0; (found = pl_bluez_found(self->source->bluez, i)) != NULL; i++)
    json_array_append_new(list, found_json(self->config, found));
  pl_bluez_discover(self->source->bluez, false);
  pl_control_reply(self->control, self->scan_client,
                   pl_control_ok(json_pack("{s:o}", "found", list)));
  self->scan_client = NULL;
  return G_SOURCE_REMOVE;
}

void
pl_gateway_end_scan(PlGateway *self) {
  g_clear_handle_id(&self->scan_source, g_source_remove);
  self->scan_client = NULL;
}

static json_t *
begin_scan(PlGateway *self, PlControlClient *client, json_t *request) {
  json_t *seconds_json = json_object_get(request, "seconds");
  json_int_t seconds =
      seconds_json == NULL ? SCAN_SECONDS_DEFAULT : json_integer_value(seconds_json);
  if (self->source->bluez == NULL)
    return pl_control_error("not-allowed",
                            "the daemon plays simulated or recorded sensors; there "
                            "is nothing to scan");
  if (pl_bluez_state(self->source->bluez) != PL_BLUEZ_UP)
    return pl_control_error("busy", "bluetoothd is not there; start it with systemctl start "
                                    "bluetooth");
  if (self->scan_client != NULL)
    return pl_control_error("busy", "somebody else scans just now; try again in a minute");
  if (seconds < 1 || seconds > SCAN_SECONDS_MAX)
    return pl_control_error("bad-value", "seconds: expected a whole number from 1 to 60");
  self->scan_client = client;
  pl_bluez_discover(self->source->bluez, true);
  pl_radio_user_scan(&self->pipeline->engine.radio,
                     pl_gateway_now_us(self) + seconds * G_USEC_PER_SEC);
  pl_gateway_schedule(self);
  self->scan_source = g_timeout_add_seconds((guint)seconds, on_scan_over, self);
  return NULL;
}

json_t *
pl_gateway_control(PlControlClient *client, const char *command, json_t *request, void *data) {
  PlGateway *self = data;
  if (strcmp(command, "status") == 0)
    return pl_control_ok(pl_gateway_status_json(self));
  if (strcmp(command, "watch") == 0) {
    pl_control_follow(client);
    return pl_control_ok(pl_gateway_status_json(self));
  }
  if (strcmp(command, "scan") == 0)
    return begin_scan(self, client, request);
  return pl_control_error("unknown-command", "the commands are status, watch and scan");
}
