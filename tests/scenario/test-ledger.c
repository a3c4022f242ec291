/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/pipeline.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* Runs that outlive the program: it ends at any moment, and another one goes on with what the
 * store holds.  Messages are looked at as they go to the wire. */

static const int64_t second = 1000000;
static const int64_t wall_start = 1780315200 * INT64_C(1000000); /* noon of 1 June 2026, UTC */

static const char configuration[] = "[athlete r1]\nsex = male\nmax-heart-rate = 185\n"
                                    "resting-heart-rate = 55\n"
                                    "[sensor strap]\naddress = F2:00:00:00:00:01\n"
                                    "athlete = r1\nmount = chest\n"
                                    "[sensor pod]\naddress = F2:00:00:00:00:02\n"
                                    "athlete = r1\nmount = left-foot\n";

enum { STRAP, POD };

typedef struct {
  PlWire wire; /* first */
  PlConfig *config;
  PlStore *store;
  char *directory;
  PlWall wall;
  PlPipeline *pipeline;
  const char *boot_id;
  int64_t t_us; /* boot time */
  double counter_m;
  uint64_t seq;
  GPtrArray *messages[PL_TOPIC_COUNT]; /* of json_t */
} Bed;

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

static guint
count(const Bed *bed, PlTopic topic) {
  return bed->messages[topic]->len;
}

static json_t *
message(const Bed *bed, PlTopic topic, guint number) {
  g_assert_cmpuint(number, <, count(bed, topic));
  return bed->messages[topic]->pdata[number];
}

static const char *
text(json_t *payload, const char *key) {
  return json_string_value(json_object_get(payload, key));
}

static double
number(json_t *payload, const char *key) {
  json_t *value = json_object_get(payload, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* How many events of that code there were. */
static unsigned
events(const Bed *bed, const char *code) {
  unsigned found = 0;
  for (guint i = 0; i < count(bed, PL_TOPIC_GATEWAY_EVENT); i++)
    found += g_strcmp0(text(message(bed, PL_TOPIC_GATEWAY_EVENT, i), "code"), code) == 0;
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

static Bed *
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

static void
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
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bed, bed_free)

/* The program is killed and started again `seconds` later. */
static void
restart(Bed *bed, int seconds) {
  pl_pipeline_free(bed->pipeline);
  bed->t_us += seconds * second;
  begin(bed);
}

/* The power goes, and the machine is up again `seconds` later: boot time begins anew. */
static void
power_cut(Bed *bed, int seconds) {
  pl_pipeline_free(bed->pipeline);
  pl_store_close(bed->store);
  int64_t wall_us = pl_wall_us(&bed->wall, bed->t_us) + seconds * second;
  bed->boot_id = "boot-2";
  bed->t_us = 20 * second;
  bed->wall.offset_us = wall_us - bed->t_us;
  open_store(bed);
  begin(bed);
}

static void
notify(Bed *bed, int sensor, const uint8_t *bytes, size_t length) {
  PlLinkEvent event = {.type = PL_LINK_NOTIFICATION,
                       .t_us = bed->t_us + second / 2,
                       .adapter = PL_NO_ADAPTER,
                       .sensor = sensor,
                       .data = bytes,
                       .length = length};
  event.uuid = sensor == STRAP ? (PlUuid)PL_UUID16(0x2a37) : (PlUuid)PL_UUID16(0x2a53);
  pl_engine_handle(&bed->pipeline->engine, &event);
}

/* A heart rate of 0 and a speed below 0: that sensor is silent. */
static void
run(Bed *bed, int seconds, unsigned bpm, double speed_m_s) {
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
      notify(bed, STRAP, heart, sizeof heart);
    if (speed_m_s >= 0)
      notify(bed, POD, stride, sizeof stride);
    bed->t_us += second;
    pl_engine_advance(&bed->pipeline->engine, bed->t_us);
  }
}

/* -- tests --------------------------------------------------------------------------------- */

typedef void (*Interruption)(Bed *bed, int seconds);

static json_t *
summary(const Bed *bed) {
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_SUMMARY), ==, 1);
  return message(bed, PL_TOPIC_ATHLETE_SUMMARY, 0);
}

/* Ten minutes, a break of the program, ten minutes: one run. */
static void
check_two_halves(Interruption interrupt, int gap_s) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 600, 150, 3);
  bed->counter_m += 3 * gap_s; /* whoever runs goes on */
  interrupt(bed, gap_s);
  run(bed, 600, 150, 3);
  run(bed, 301, 90, 0);
  json_t *of = summary(bed);
  g_assert_cmpstr(text(of, "run"), ==, "20260601T120000Z-r1");
  g_assert_cmpstr(text(of, "start"), ==, "2026-06-01T12:00:00.000Z");
  g_assert_cmpfloat(number(of, "elapsed_s"), ==, 1200 + gap_s);
  g_assert_cmpfloat(number(of, "moving_s"), ==, 1200);
  g_assert_cmpfloat_with_epsilon(number(of, "distance_m"), 3600 + 3 * gap_s, 3.1);
  g_assert_cmpuint(events(bed, "run-started"), ==, 1);
  g_assert_cmpuint(events(bed, "run-finished"), ==, 1);
  json_t *laps = json_object_get(of, "laps");
  g_assert_cmpuint(json_array_size(laps), ==, count(bed, PL_TOPIC_ATHLETE_LAP));
  double metres = 0, elapsed_s = 0;
  for (size_t i = 0; i < json_array_size(laps); i++) {
    g_assert_cmpfloat(number(json_array_get(laps, i), "number"), ==, (double)i + 1);
    metres += number(json_array_get(laps, i), "distance_m");
    elapsed_s += number(json_array_get(laps, i), "elapsed_s");
  }
  g_assert_cmpfloat_with_epsilon(metres, number(of, "distance_m"), 0.3);
  g_assert_cmpfloat_with_epsilon(elapsed_s, number(of, "elapsed_s"), 2);
}

static void
test_restart(void) {
  check_two_halves(restart, 0);
  check_two_halves(restart, 7);
  check_two_halves(restart, 240);
}

static void
test_power_cut(void) {
  check_two_halves(power_cut, 45);
  check_two_halves(power_cut, 240);
}

/* Down for longer than a run may rest: it has ended where it was last heard. */
static void
check_ended(Interruption interrupt) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 600, 150, 3);
  interrupt(bed, 3600);
  json_t *of = summary(bed);
  g_assert_cmpfloat(number(of, "elapsed_s"), ==, 600);
  g_assert_cmpfloat_with_epsilon(number(of, "distance_m"), 1800, 3.1);
  g_assert_cmpstr(text(of, "end"), ==, "2026-06-01T12:10:00.000Z");
  g_assert_cmpuint(events(bed, "run-finished"), ==, 1);
  run(bed, 60, 150, 3); /* and the next one begins as ever */
  g_assert_cmpuint(events(bed, "run-started"), ==, 2);
}

static void
test_ended_meanwhile(void) {
  check_ended(restart);
  check_ended(power_cut);
}

/* What had only begun goes on, or is forgotten. */
static void
test_candidate(void) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 60, 90, 1.4);
  restart(bed, 0);
  run(bed, 60, 150, 3);
  g_assert_cmpuint(events(bed, "run-started"), ==, 1);
  g_assert_cmpstr(pl_ledger_run(bed->pipeline->ledger, 0), ==, "20260601T120000Z-r1");

  g_autoptr(Bed) other = bed_new();
  run(other, 60, 90, 1.4);
  restart(other, 3600);
  g_autoptr(GPtrArray) open = pl_store_open_runs(other->store, NULL);
  g_assert_cmpuint(open->len, ==, 0);
  g_assert_cmpuint(count(other, PL_TOPIC_ATHLETE_SUMMARY), ==, 0);
}

/* A run without a pod moves because its runner said so, after a restart as before. */
static void
test_by_hand(void) {
  g_autoptr(Bed) bed = bed_new();
  g_assert_true(pl_pipeline_command(bed->pipeline, "run-start", 0, bed->t_us));
  run(bed, 300, 150, -1);
  restart(bed, 0);
  run(bed, 300, 150, -1);
  g_assert_true(pl_pipeline_command(bed->pipeline, "run-stop", 0, bed->t_us));
  g_assert_cmpfloat(number(summary(bed), "moving_s"), ==, 600);
}

/* Who has paused by command has still paused, whatever the feet do. */
static void
test_paused_by_hand(void) {
  static const int before_s[] = {0, 30}; /* it had paused by itself, too */
  for (unsigned i = 0; i < G_N_ELEMENTS(before_s); i++) {
    g_autoptr(Bed) bed = bed_new();
    run(bed, 300, 150, 3);
    run(bed, before_s[i], 100, 0);
    g_assert_true(pl_pipeline_command(bed->pipeline, "run-pause", 0, bed->t_us));
    run(bed, 5, 100, 3);
    restart(bed, 0);
    pl_ledger_announce(bed->pipeline->ledger);
    guint states = count(bed, PL_TOPIC_ATHLETE_STATE);
    g_assert_cmpstr(text(message(bed, PL_TOPIC_ATHLETE_STATE, states - 1), "phase"), ==,
                    "paused");
    run(bed, 60, 100, 3);
    g_assert_true(pl_pipeline_command(bed->pipeline, "run-resume", 0, bed->t_us));
    restart(bed, 0);
    run(bed, 100, 150, 3);
    g_assert_true(pl_pipeline_command(bed->pipeline, "run-stop", 0, bed->t_us));
    g_assert_cmpfloat(number(summary(bed), "moving_s"), ==, 400);
    g_assert_cmpfloat_with_epsilon(number(summary(bed), "distance_m"), 1200, 3.1);
  }
}

/* A warning that is on stays on under its number, and is counted once. */
static void
test_warning(void) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 150, 180, 3);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1);
  g_autofree char *id = g_strdup(text(message(bed, PL_TOPIC_ATHLETE_WARNING, 0), "id"));
  restart(bed, 0);
  pl_ledger_announce(bed->pipeline->ledger);
  guint lists = count(bed, PL_TOPIC_ATHLETE_WARNINGS);
  json_t *active =
      json_object_get(message(bed, PL_TOPIC_ATHLETE_WARNINGS, lists - 1), "active");
  g_assert_cmpuint(json_array_size(active), ==, 1);
  run(bed, 30, 180, 3);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1);
  run(bed, 100, 160, 3);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 2);
  json_t *cleared = message(bed, PL_TOPIC_ATHLETE_WARNING, 1);
  g_assert_cmpstr(text(cleared, "state"), ==, "cleared");
  g_assert_cmpstr(text(cleared, "id"), ==, id);
  run(bed, 100, 180, 3); /* within its cooldown, with a number of its own */
  g_assert_cmpstr(text(message(bed, PL_TOPIC_ATHLETE_WARNING, 2), "state"), ==, "suppressed");
  g_assert_cmpstr(text(message(bed, PL_TOPIC_ATHLETE_WARNING, 2), "id"), !=, id);
  g_assert_true(pl_pipeline_command(bed->pipeline, "run-stop", 0, bed->t_us));
  json_t *totals = json_object_get(summary(bed), "warnings");
  g_assert_cmpuint(json_array_size(totals), ==, 1);
  json_t *total = json_array_get(totals, 0);
  g_assert_cmpfloat(number(total, "count"), ==, 1);
  /* A median after 21 s, held for 60; one below after 15 s at 160, for 30. */
  g_assert_cmpfloat(number(total, "first_s"), ==, 80);
  g_assert_cmpfloat(number(total, "seconds"), ==, 224 - 80);
}

/* What the runner has run before is known after a restart, and before the run was. */
static void
test_history(void) {
  g_autoptr(Bed) bed = bed_new();
  PlStoreTime start = {.wall_us = wall_start - 20 * INT64_C(86400) * second, .synced = true};
  PlStoreFinish finish = {.end = start, .distance_m = 1000, .summary = "{}"};
  pl_store_run_begin(bed->store, "old", "r1", &start);
  pl_store_run_confirm(bed->store, "old");
  pl_store_run_finish(bed->store, "old", &finish);
  run(bed, 250, 150, 3);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 1); /* soon past it */
  restart(bed, 0);
  run(bed, 150, 150, 3);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_WARNING), ==, 3);
  g_assert_true(pl_pipeline_command(bed->pipeline, "run-stop", 0, bed->t_us));
  json_t *load = json_object_get(summary(bed), "load");
  g_assert_cmpstr(text(load, "spike_state"), ==, "small");
  g_assert_cmpfloat(number(load, "longest_30d_m"), ==, 1000);
}

/* The program ends in the second in which the pod is out of reach. */
static void
test_pod_out_of_reach(void) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 300, 150, 3);
  bed->counter_m += 60 * 3;
  run(bed, 60, 150, -1);
  restart(bed, 0);
  run(bed, 300, 150, 3);
  run(bed, 301, 90, 0);
  g_assert_cmpfloat_with_epsilon(number(summary(bed), "distance_m"), 1980, 3.1);
}

/* A run of somebody who is not configured any more is left alone. */
static void
test_runner_is_gone(void) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 300, 150, 3);
  pl_pipeline_free(bed->pipeline);
  pl_config_free(bed->config);
  bed->config = read_config("[athlete r9]\n");
  begin(bed);
  g_autoptr(GPtrArray) open = pl_store_open_runs(bed->store, NULL);
  g_assert_cmpuint(open->len, ==, 1);
  g_assert_null(pl_ledger_run(bed->pipeline->ledger, 0));
}

/* To whoever connects: all states, and the last summary as it was. */
static void
test_announce(void) {
  g_autoptr(Bed) bed = bed_new();
  run(bed, 300, 150, 3);
  run(bed, 400, 90, 0);
  g_autofree char *first = json_dumps(summary(bed), JSON_SORT_KEYS);
  run(bed, 60, 150, 3);
  guint athletes = count(bed, PL_TOPIC_ATHLETE_STATE),
        sensors = count(bed, PL_TOPIC_SENSOR_STATE);
  pl_ledger_announce(bed->pipeline->ledger);
  g_assert_cmpuint(count(bed, PL_TOPIC_ATHLETE_STATE), ==, athletes + 1);
  g_assert_cmpuint(count(bed, PL_TOPIC_SENSOR_STATE), ==, sensors + 2);
  g_assert_cmpstr(text(message(bed, PL_TOPIC_ATHLETE_STATE, athletes), "phase"), ==, "warmup");
  g_autofree char *again =
      json_dumps(message(bed, PL_TOPIC_ATHLETE_SUMMARY, 1), JSON_SORT_KEYS);
  g_assert_cmpstr(again, ==, first);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ledger/restart", test_restart);
  g_test_add_func("/ledger/power-cut", test_power_cut);
  g_test_add_func("/ledger/ended-meanwhile", test_ended_meanwhile);
  g_test_add_func("/ledger/candidate", test_candidate);
  g_test_add_func("/ledger/by-hand", test_by_hand);
  g_test_add_func("/ledger/paused-by-hand", test_paused_by_hand);
  g_test_add_func("/ledger/warning", test_warning);
  g_test_add_func("/ledger/history", test_history);
  g_test_add_func("/ledger/pod-out-of-reach", test_pod_out_of_reach);
  g_test_add_func("/ledger/runner-is-gone", test_runner_is_gone);
  g_test_add_func("/ledger/announce", test_announce);
  return g_test_run();
}
