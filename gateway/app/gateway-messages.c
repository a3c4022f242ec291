/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway-private.h"
#include "gateway/app/payload.h"

#include "gateway/edge/clock.h"

#include "plugins/drivers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 512 * 1024 };

char *
pl_gateway_topic(const PlGateway *self, PlTopic topic) {
  g_autofree char *rest = pl_topic_name(topic, self->config->gateway.name);
  return g_strconcat(self->config->mqtt.prefix, "/", rest, NULL);
}

static PlStamp
stamp(PlGateway *self) {
  return (PlStamp){
      .gateway = self->config->gateway.name,
      .seq = pl_store_next_seq(self->store),
      .wall_ms = pl_wall_ms(&self->wall, pl_gateway_now_us(self)),
      .synced = self->wall.synced,
  };
}

static void
send(PlGateway *self, PlTopic topic, const PlJson *json) {
  g_autofree char *name = pl_gateway_topic(self, topic);
  const char *text = pl_json_text(json);
  if (text != NULL)
    pl_spool_state(self->spool, name, text, pl_topics[topic].expiry_s);
}

void
pl_gateway_send_status(PlGateway *self) {
  g_autofree char *name = pl_gateway_topic(self, PL_TOPIC_GATEWAY_STATUS);
  pl_spool_state(self->spool, name, "{\"state\":\"online\"}", 0);
}

static const char *
why_no_commands(const PlConfig *config) {
  if (pl_config_takes_commands(config))
    return NULL;
  return config->mqtt.commands == PL_COMMANDS_NO
             ? "switched off in the configuration"
             : "the broker is not local and the connection is not encrypted";
}

void
pl_gateway_send_info(PlGateway *self) {
  const PlConfig *config = self->config;
  g_autofree char *text = g_malloc(MESSAGE_SIZE);
  PlStamp head = stamp(self);
  PlJson json;

  pl_json_init(&json, text, MESSAGE_SIZE);
  pl_json_object(&json);
  pl_payload_stamp(&json, &head);
  pl_json_member_string(&json, "version", PL_VERSION);
  pl_json_member_array(&json, "drivers");
  for (size_t i = 0; i < pl_driver_count; i++)
    pl_json_string(&json, pl_drivers[i]->id);
  pl_json_array_end(&json);
  pl_json_member_array(&json, "athletes");
  for (size_t i = 0; i < config->athlete_count; i++)
    pl_json_string(&json, config->athletes[i].id);
  pl_json_array_end(&json);
  pl_json_member_array(&json, "sensors");
  for (size_t i = 0; i < config->sensor_count; i++)
    pl_json_string(&json, config->sensors[i].id);
  pl_json_array_end(&json);
  /* None is carried out over MQTT in this version; the reason is told all the same. */
  const char *why = why_no_commands(config);
  pl_json_member_bool(&json, "commands", false);
  pl_json_member_string(&json, "commands_reason",
                        why != NULL ? why : "not part of this version");
  pl_json_object_end(&json);
  send(self, PL_TOPIC_GATEWAY_INFO, &json);
}

/* -- health ---------------------------------------------------------------------------- */

static int64_t
read_number(const char *path, const char *key) {
  g_autofree char *text = NULL;
  const char *at;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return -1;
  at = *key == '\0' ? text : strstr(text, key);
  return at == NULL ? -1 : g_ascii_strtoll(at + strlen(key), NULL, 10);
}

static unsigned
count_entries(const char *folder) {
  unsigned count = 0;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  while (dir != NULL && g_dir_read_name(dir) != NULL)
    count++;
  return count;
}

static void
member_process(PlGateway *self, PlJson *json) {
  struct rusage usage;
  int64_t now_us = pl_clock_boot_us();
  getrusage(RUSAGE_SELF, &usage);
  int64_t cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
                   usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  pl_json_member_number(json, "uptime_s", (double)(now_us - self->started_us) * 1e-6, 0);
  if (now_us > self->cpu_at_us && self->cpu_at_us > 0)
    pl_json_member_number(
        json, "cpu_pct",
        100.0 * (double)(cpu_us - self->cpu_us) / (double)(now_us - self->cpu_at_us), 1);
  self->cpu_us = cpu_us;
  self->cpu_at_us = now_us;
  pl_json_member_integer(json, "rss_kib", read_number("/proc/self/status", "VmRSS:"));
  pl_json_member_unsigned(json, "fds", count_entries("/proc/self/fd"));
  pl_json_member_integer(json, "threads", read_number("/proc/self/status", "Threads:"));
}

static void
member_machine(PlJson *json) {
  double load[1];
  int64_t millidegrees = read_number("/sys/class/thermal/thermal_zone0/temp", "");
  if (getloadavg(load, 1) == 1)
    pl_json_member_number(json, "load1", load[0], 1);
  if (millidegrees > 0)
    pl_json_member_number(json, "temperature_c", (double)millidegrees / 1000, 1);
}

static void
member_ble(PlGateway *self, PlJson *json) {
  pl_json_member_object(json, "ble");
  pl_json_member_array(json, "adapters");
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    const PlAdapterState *state = pl_radio_adapter(&self->pipeline->engine.radio, i);
    PlBluezAdapterFacts facts = {0};
    if (!state->present)
      continue;
    if (self->source->bluez != NULL)
      pl_bluez_adapter_facts(self->source->bluez, i, &facts);
    pl_json_object(json);
    pl_json_member_string(json, "name",
                          facts.name[0] != '\0' ? facts.name : self->source->name);
    pl_json_member_bool(json, "powered", state->powered);
    pl_json_member_bool(json, "scanning", state->scanning);
    pl_json_member_unsigned(json, "links", state->links);
    pl_json_member_unsigned(json, "max_links", state->max_links);
    pl_json_member_unsigned(json, "resets", state->resets);
    pl_json_object_end(json);
  }
  pl_json_array_end(json);
  pl_json_object_end(json);
}

static void
member_mqtt(PlGateway *self, PlJson *json) {
  PlMqttStatus mqtt;
  PlStoreHealth store;
  pl_mqtt_status(self->mqtt, &mqtt);
  pl_store_health(self->store, &store);
  pl_json_member_object(json, "mqtt");
  pl_json_member_bool(json, "connected", mqtt.connected);
  pl_json_member_unsigned(json, "reconnects", mqtt.reconnects);
  pl_json_member_unsigned(json, "inflight", mqtt.inflight);
  pl_json_member_unsigned(json, "dropped", mqtt.dropped);
  pl_json_object_end(json);
  pl_json_member_object(json, "spool");
  pl_json_member_unsigned(json, "messages", store.outbox_messages);
  pl_json_member_unsigned(json, "bytes", store.outbox_bytes);
  if (store.outbox_oldest_us > 0)
    pl_json_member_time(json, "oldest", store.outbox_oldest_us / 1000);
  pl_json_object_end(json);
}

static int
compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void
pl_gateway_note_latency(PlGateway *self, double milliseconds) {
  self->latency_ms[self->latency_at] = milliseconds;
  self->latency_at = (self->latency_at + 1) % G_N_ELEMENTS(self->latency_ms);
  self->latency_count = MIN(self->latency_count + 1, G_N_ELEMENTS(self->latency_ms));
}

static void
member_latency(PlGateway *self, PlJson *json) {
  double sorted[G_N_ELEMENTS(self->latency_ms)];
  unsigned count = self->latency_count;
  if (count == 0)
    return;
  memcpy(sorted, self->latency_ms, count * sizeof sorted[0]);
  qsort(sorted, count, sizeof sorted[0], compare_doubles);
  pl_json_member_object(json, "latency_ms");
  pl_json_member_number(json, "p50", sorted[count / 2], 1);
  pl_json_member_number(json, "p99", sorted[(count - 1) * 99 / 100], 1);
  pl_json_member_number(json, "max", sorted[count - 1], 1);
  pl_json_object_end(json);
}

static void
member_sensors(PlGateway *self, PlJson *json) {
  int64_t now_us = pl_gateway_now_us(self);
  pl_json_member_object(json, "sensors");
  for (size_t i = 0; i < self->config->sensor_count; i++) {
    const PlSensorState *state = pl_radio_sensor(&self->pipeline->engine.radio, (int)i);
    pl_json_member_object(json, self->config->sensors[i].id);
    pl_json_member_string(json, "link", pl_link_state_name(state->link));
    pl_json_member_unsigned(json, "received", state->received);
    pl_json_member_unsigned(json, "lost", state->lost);
    pl_json_member_number(json, "rate_hz", state->rate_hz, 1);
    if (state->last_data_us != PL_NO_TIME)
      pl_json_member_number(json, "age_s", (double)(now_us - state->last_data_us) * 1e-6, 0);
    pl_json_object_end(json);
  }
  pl_json_object_end(json);
}

static void
member_problem(const char *code, const char *text, const char *hint, void *data) {
  PlJson *json = data;
  pl_json_object(json);
  pl_json_member_string(json, "code", code);
  pl_json_member_string(json, "text", text);
  pl_json_member_string(json, "hint", hint);
  pl_json_object_end(json);
}

static void
health_members(PlGateway *self, PlJson *json) {
  struct statvfs disk;
  member_process(self, json);
  if (statvfs(self->config->storage.directory, &disk) == 0)
    pl_json_member_unsigned(json, "disk_free_mib",
                            (uint64_t)disk.f_bavail * disk.f_frsize / (1024 * 1024));
  member_machine(json);
  member_ble(self, json);
  member_mqtt(self, json);
  member_latency(self, json);
  member_sensors(self, json);
  pl_json_member_array(json, "problems");
  pl_gateway_problems(self, member_problem, json);
  pl_gateway_broker_problem(self, member_problem, json);
  pl_json_array_end(json);
}

void
pl_gateway_send_health(PlGateway *self) {
  g_autofree char *text = g_malloc(MESSAGE_SIZE);
  PlStamp head = stamp(self);
  PlJson json;
  pl_json_init(&json, text, MESSAGE_SIZE);
  pl_json_object(&json);
  pl_payload_stamp(&json, &head);
  health_members(self, &json);
  pl_json_object_end(&json);
  send(self, PL_TOPIC_GATEWAY_HEALTH, &json);
}

/* -- for the command line -------------------------------------------------------------- */

static json_t *
athletes_json(PlGateway *self) {
  json_t *list = json_array();
  for (size_t a = 0; a < self->config->athlete_count; a++) {
    const PlAthlete *athlete = &self->pipeline->memory.athletes[a];
    const char *run = pl_ledger_run(self->pipeline->ledger, (int)a);
    json_t *entry = json_pack("{s:s, s:s}", "athlete", self->config->athletes[a].id, "phase",
                              pl_phase_name(athlete->phase));
    if (run != NULL)
      json_object_set_new(entry, "run", json_string(run));
    json_array_append_new(list, entry);
  }
  return list;
}

static json_t *
sensors_json(PlGateway *self) {
  json_t *list = json_array();
  for (size_t i = 0; i < self->config->sensor_count; i++) {
    const PlSensorState *state = pl_radio_sensor(&self->pipeline->engine.radio, (int)i);
    json_t *entry = json_pack("{s:s, s:s}", "sensor", self->config->sensors[i].id, "link",
                              pl_link_state_name(state->link));
    if (state->link == PL_LINK_STATE_STREAMING && !isnan(state->rate_hz))
      json_object_set_new(entry, "rate_hz", json_real(round(state->rate_hz * 10) / 10));
    if (!isnan(state->battery_pct))
      json_object_set_new(entry, "battery_pct", json_real(state->battery_pct));
    json_array_append_new(list, entry);
  }
  return list;
}

json_t *
pl_gateway_status_json(PlGateway *self) {
  g_autofree char *text = g_malloc(MESSAGE_SIZE);
  PlMqttStatus mqtt;
  PlJson json;
  pl_json_init(&json, text, MESSAGE_SIZE);
  pl_json_object(&json);
  health_members(self, &json);
  pl_json_object_end(&json);
  json_t *status = json_loads(text, 0, NULL);
  pl_mqtt_status(self->mqtt, &mqtt);
  json_object_set_new(status, "gateway", json_string(self->config->gateway.name));
  json_object_set_new(status, "version", json_string(PL_VERSION));
  json_object_set_new(status, "source", json_string(self->source->name));
  json_object_set_new(status, "clock", json_string(self->wall.synced ? "synced" : "unsynced"));
  json_object_set_new(status, "broker",
                      json_string(mqtt.connected ? "connected" : "not connected"));
  json_object_set_new(status, "athletes", athletes_json(self));
  json_object_set(status, "sensors_health", json_object_get(status, "sensors"));
  json_object_set_new(status, "sensors", sensors_json(self));
  return status;
}

/* "1 run, 2/3 sensors, mqtt up, outbox 0, clock synced" */
char *
pl_gateway_status_line(PlGateway *self) {
  unsigned runs = 0, streaming = 0;
  PlMqttStatus mqtt;
  PlStoreHealth store;
  pl_mqtt_status(self->mqtt, &mqtt);
  pl_store_health(self->store, &store);
  for (size_t a = 0; a < self->config->athlete_count; a++)
    runs += pl_ledger_run(self->pipeline->ledger, (int)a) != NULL;
  for (size_t i = 0; i < self->config->sensor_count; i++)
    streaming +=
        pl_radio_sensor(&self->pipeline->engine.radio, (int)i)->link == PL_LINK_STATE_STREAMING;
  return g_strdup_printf("%u run%s, %u/%zu sensors, mqtt %s, outbox %" G_GUINT64_FORMAT
                         ", clock %s",
                         runs, runs == 1 ? "" : "s", streaming, self->config->sensor_count,
                         mqtt.connected ? "up" : "down", store.outbox_messages,
                         self->wall.synced ? "synced" : "unsynced");
}
