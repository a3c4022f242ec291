/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/ledger-bed.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const int64_t second = 1000000;
static const int64_t wall_start = 1780315200 * INT64_C(1000000); /* noon of 1 June 2026, UTC */

static const char configuration[] = "[athlete r1]\nsex = male\nmax-heart-rate = 185\n"
                                    "resting-heart-rate = 55\n"
                                    "[sensor strap]\naddress = F2:00:00:00:00:01\n"
                                    "athlete = r1\nmount = chest\n"
                                    "[sensor pod]\naddress = F2:00:00:00:00:02\n"
                                    "athlete = r1\nmount = left-foot\n";

/* -- the wire ------------------------------------------------------------------------------ */

static uint64_t
next_seq(PlWire *wire) {
  return ++((Bed *)wire)->seq;
}

static void
take(PlWire *wire, const PlOutMessage *message) {
  Bed *bed = (Bed *)wire;
  json_t *payload = json_loads(message->payload, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull(payload);
  g_ptr_array_add(bed->messages[message->topic], payload);
}

static void
drop_json(gpointer payload) {
  json_decref(payload);
}

guint
bed_count(const Bed *bed, PlTopic topic) {
  return bed->messages[topic]->len;
}

json_t *
bed_message(const Bed *bed, PlTopic topic, guint number) {
  g_assert_cmpuint(number, <, bed_count(bed, topic));
  return bed->messages[topic]->pdata[number];
}

const char *
bed_text(json_t *payload, const char *key) {
  return json_string_value(json_object_get(payload, key));
}

double
bed_number(json_t *payload, const char *key) {
  json_t *value = json_object_get(payload, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

unsigned
bed_events(const Bed *bed, const char *code) {
  unsigned found = 0;
  for (guint i = 0; i < bed_count(bed, PL_TOPIC_GATEWAY_EVENT); i++)
    found +=
        g_strcmp0(bed_text(bed_message(bed, PL_TOPIC_GATEWAY_EVENT, i), "code"), code) == 0;
  return found;
}

/* -- the program --------------------------------------------------------------------------- */

static void
open_store(Bed *bed) {
  g_autoptr(GError) error = NULL;
  bed->store = pl_store_open(&(PlStoreOptions){.mode = PL_STORE_SYNCHRONOUS,
                                               .directory = bed->directory,
                                               .boot_id = bed->boot_id},
                             &error);
  g_assert_no_error(error);
  pl_store_clock(bed->store, PL_CLOCK_START,
                 &(PlStoreTime){.boot_us = bed->t_us,
                                .wall_us = pl_wall_us(&bed->wall, bed->t_us),
                                .synced = true});
}

static void
begin(Bed *bed) {
  PlPipelineParts parts = {.config = bed->config,
                           .store = bed->store,
                           .wire = &bed->wire,
                           .wall = &bed->wall,
                           .boot_id = bed->boot_id,
                           .passive = true};
  bed->pipeline = pl_pipeline_new(&parts, bed->t_us);
}

static PlConfig *
read_config(const char *bytes) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  PlConfigSource source = {.name = "bed.conf", .bytes = bytes, .length = strlen(bytes)};
  PlConfigSurroundings surroundings;
  pl_config_surroundings(&surroundings);
  PlConfig *config = pl_config_parse(&source, 1, &surroundings, problems);
  g_assert_nonnull(config);
  return config;
}

Bed *
bed_new(void) {
  Bed *bed = g_new0(Bed, 1);

  bed->wire = (PlWire){.next_seq = next_seq, .send = take};
  bed->config = read_config(configuration);
  bed->directory = g_dir_make_tmp("ledger-XXXXXX", NULL);
  bed->boot_id = "boot-1";
  bed->t_us = 1000 * second;
  bed->wall = (PlWall){.offset_us = wall_start - bed->t_us, .synced = true};
  bed->wall.zone = g_time_zone_new_utc();
  for (int t = 0; t < PL_TOPIC_COUNT; t++)
    bed->messages[t] = g_ptr_array_new_with_free_func(drop_json);
  open_store(bed);
  begin(bed);
  return bed;
}

static void
remove_directory(const char *directory) {
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_remove(path);
  }
  g_rmdir(directory);
}

void
bed_free(Bed *bed) {
  pl_pipeline_free(bed->pipeline);
  pl_store_close(bed->store);
  pl_config_free(bed->config);
  g_time_zone_unref(bed->wall.zone);
  remove_directory(bed->directory);
  g_free(bed->directory);
  for (int t = 0; t < PL_TOPIC_COUNT; t++)
    g_ptr_array_unref(bed->messages[t]);
  g_free(bed);
}

void
bed_restart(Bed *bed, int seconds, const char *other_configuration) {
  pl_pipeline_free(bed->pipeline);
  bed->t_us += seconds * second;
  if (other_configuration != NULL) {
    pl_config_free(bed->config);
    bed->config = read_config(other_configuration);
  }
  begin(bed);
}

void
bed_power_cut(Bed *bed, int seconds) {
  pl_pipeline_free(bed->pipeline);
  pl_store_close(bed->store);
  int64_t wall_us = pl_wall_us(&bed->wall, bed->t_us) + seconds * second;
  bed->boot_id = "boot-2";
  bed->t_us = 20 * second;
  bed->wall.offset_us = wall_us - bed->t_us;
  open_store(bed);
  begin(bed);
}

void
bed_event(Bed *bed, const PlLinkEvent *event) {
  if (bed->heard != NULL)
    bed->heard(event, bed->data);
  pl_engine_handle(&bed->pipeline->engine, event);
}

bool
bed_command(Bed *bed, const char *command) {
  return pl_pipeline_command(bed->pipeline, command, 0, bed->t_us);
}

static void
notify(Bed *bed, int sensor, const uint8_t *bytes, size_t length) {
  PlLinkEvent event = {.type = PL_LINK_NOTIFICATION,
                       .t_us = bed->t_us + second / 2,
                       .adapter = PL_NO_ADAPTER,
                       .sensor = sensor,
                       .data = bytes,
                       .length = length};
  event.uuid = sensor == BED_STRAP ? (PlUuid)PL_UUID16(0x2a37) : (PlUuid)PL_UUID16(0x2a53);
  bed_event(bed, &event);
}

void
bed_run(Bed *bed, int seconds, unsigned bpm, double speed_m_s) {
  for (int s = 0; s < seconds; s++) {
    unsigned speed = (unsigned)lround(fmax(speed_m_s, 0) * 256);
    bed->counter_m += fmax(speed_m_s, 0);
    uint32_t counter = (uint32_t)lround(bed->counter_m * 10);
    const uint8_t heart[] = {0x06, (uint8_t)bpm};
    const uint8_t stride[] = {
        (uint8_t)(speed_m_s >= 2 ? 6 : 2),  (uint8_t)speed,          (uint8_t)(speed >> 8),
        (uint8_t)(speed_m_s > 0 ? 170 : 0), (uint8_t)counter,        (uint8_t)(counter >> 8),
        (uint8_t)(counter >> 16),           (uint8_t)(counter >> 24)};
    if (bpm > 0)
      notify(bed, BED_STRAP, heart, sizeof heart);
    if (speed_m_s >= 0)
      notify(bed, BED_POD, stride, sizeof stride);
    bed->t_us += second;
    pl_engine_advance(&bed->pipeline->engine, bed->t_us);
    if (bed->second != NULL)
      bed->second(bed->data);
  }
}
