/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway-private.h"

/* What is wrong just now, each with one remedy: for health reports, and once for the log. */

enum { LOG_AFTER_S = 5 }; /* what passes by itself is not worth a line */

typedef struct {
  PlProblemFunc func;
  void *data;
} Report;

static void
say(const Report *report, const char *code, const char *text, const char *hint) {
  report->func(code, text, hint, report->data);
}

static void
problems_of_bluetooth(PlGateway *self, const Report *report) {
  bool any = false, powered = false;
  if (self->source->bluez == NULL)
    return;
  switch (pl_bluez_state(self->source->bluez)) {
  case PL_BLUEZ_NO_BUS:
    say(report, "no-dbus", "There is no system bus.", "Start it: systemctl start dbus.");
    return;
  case PL_BLUEZ_NO_SERVICE:
  case PL_BLUEZ_NO_ANSWER:
    say(report, "no-bluetoothd", "bluetoothd does not run.",
        "Start it: systemctl start bluetooth.");
    return;
  case PL_BLUEZ_UP:
    break;
  }
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    PlBluezAdapterFacts facts;
    if (!pl_bluez_adapter_facts(self->source->bluez, i, &facts) || !facts.present)
      continue;
    any = true;
    powered |= facts.powered;
    if (facts.blocked)
      say(report, "rfkill", "A Bluetooth adapter is blocked by rfkill.",
          "Run rfkill unblock bluetooth.");
  }
  if (!any)
    say(report, "no-adapter", "There is no Bluetooth adapter.",
        "Plug one in; the gateway finds it by itself.");
  else if (!powered)
    say(report, "adapter-off", "The Bluetooth adapter is off.",
        "Switch it on: bluetoothctl power on.");
}

static void
problems_of_sensors(PlGateway *self, const Report *report) {
  for (size_t i = 0; i < self->config->sensor_count; i++) {
    const PlSensorState *state = pl_radio_sensor(&self->pipeline->engine.radio, (int)i);
    const char *id = self->config->sensors[i].id;
    g_autofree char *text = NULL;
    if (state->problem == PL_SENSOR_NEEDS_PAIRING) {
      text = g_strdup_printf("Sensor %s wants to be paired.", id);
      say(report, "needs-pairing", text, "Pair it once with bluetoothctl.");
    } else if (state->problem == PL_SENSOR_INCOMPLETE) {
      text = g_strdup_printf("Sensor %s lacks what its driver needs.", id);
      say(report, "gatt-incomplete", text, "Check the driver in the configuration.");
    } else if (state->problem == PL_SENSOR_FLOODS) {
      text = g_strdup_printf("Sensor %s sends far too much.", id);
      say(report, "flood", text, "It is let in again after ten minutes.");
    }
  }
}

static void
problems_of_store(PlGateway *self, const Report *report) {
  PlStoreHealth store;
  pl_store_health(self->store, &store);
  if (store.problem != PL_STORE_OK)
    say(report, pl_store_problem_name(store.problem), "The store can not be written.",
        "What is measured is kept in memory; check the card and its space.");
  if (store.disk >= PL_DISK_WARN)
    say(report, "disk-low", "The disk is nearly full.", "Free some space.");
  if (store.replaced > 0)
    say(report, "db-corrupt", "The database was damaged and has been moved aside.",
        "It is kept in the state directory; sqlite3 .recover may read it.");
  if (!self->wall.synced)
    say(report, "clock-unsynced", "The clock of this machine is not set yet.",
        "Connect it to the internet once; runs are dated again then.");
}

void
pl_gateway_broker_problem(PlGateway *self, PlProblemFunc func, void *data) {
  PlMqttStatus mqtt;
  pl_mqtt_status(self->mqtt, &mqtt);
  if (!mqtt.connected && mqtt.problem != PL_MQTT_NO_PROBLEM)
    func(pl_mqtt_problem_code(mqtt.problem), mqtt.text, pl_mqtt_problem_hint(mqtt.problem),
         data);
}

void
pl_gateway_problems(PlGateway *self, PlProblemFunc func, void *data) {
  Report report = {func, data};
  problems_of_bluetooth(self, &report);
  problems_of_sensors(self, &report);
  problems_of_store(self, &report);
}

/* -- the log --------------------------------------------------------------------------- */

/* A problem that lasts. */
typedef struct {
  char *text;
  unsigned seconds;
  bool present;
} Lasting;

static void
lasting_free(void *data) {
  Lasting *lasting = data;
  g_free(lasting->text);
  g_free(lasting);
}

static void
note_problem(const char *code, const char *text, const char *hint, void *data) {
  GHashTable *problems = data;
  Lasting *lasting = g_hash_table_lookup(problems, text);
  (void)code;
  if (lasting == NULL) {
    lasting = g_new0(Lasting, 1);
    lasting->text = g_strdup(text);
    g_hash_table_insert(problems, lasting->text, lasting);
  }
  lasting->present = true;
  if (++lasting->seconds == LOG_AFTER_S)
    g_warning("%s %s", text, hint);
}

static gboolean
is_over(void *key, void *value, void *data) {
  Lasting *lasting = value;
  (void)key;
  (void)data;
  bool over = !lasting->present;
  if (over && lasting->seconds >= LOG_AFTER_S)
    g_message("No longer so: %s", lasting->text);
  lasting->present = false;
  return over;
}

void
pl_gateway_log_problems(PlGateway *self) {
  if (self->problems == NULL)
    self->problems = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lasting_free);
  pl_gateway_problems(self, note_problem, self->problems);
  g_hash_table_foreach_remove(self->problems, is_over, NULL);
}
