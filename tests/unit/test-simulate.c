/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/simulate.h"
#include "gateway/edge/capture.h"

#include <glib/gstdio.h>
#include <string.h>

/* Captures of simulated runs, read back. */

typedef struct {
  unsigned connected, disconnected, heart, pace, frames, battery, control, end;
  int64_t end_us;
} Counts;

static void
count_notification(const PlCaptureEvent *event, Counts *counts) {
  char uuid[PL_UUID_TEXT_SIZE];
  pl_uuid_format(&event->uuid, uuid);
  counts->heart += strcmp(uuid, "2a37") == 0 ? 1 : 0;
  counts->pace += strcmp(uuid, "2a53") == 0 ? 1 : 0;
  counts->battery += strcmp(uuid, "2a19") == 0 ? 1 : 0;
  counts->control += g_str_has_prefix(uuid, "fb005c81-") ? 1 : 0;
  counts->frames += g_str_has_prefix(uuid, "fb005c82-") ? 1 : 0;
}

static void
count(const char *path, Counts *counts) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureReader) reader = pl_capture_reader_open(path, &error);
  PlCaptureEvent event;

  *counts = (Counts){0};
  g_assert_no_error(error);
  g_assert_cmpint(pl_capture_reader_header(reader)->start_ms, ==, INT64_C(1795413731000));
  g_assert_cmpstr(pl_capture_reader_header(reader)->tz, ==, "Europe/Berlin");
  do {
    pl_capture_reader_next(reader, &event, &error);
    g_assert_no_error(error);
    counts->connected += event.type == PL_CAPTURE_CONNECTED ? 1 : 0;
    counts->disconnected += event.type == PL_CAPTURE_DISCONNECTED ? 1 : 0;
    counts->end += event.type == PL_CAPTURE_END ? 1 : 0;
    if (event.type == PL_CAPTURE_END)
      counts->end_us = event.t_us;
    if (event.type == PL_CAPTURE_NOTIFICATION)
      count_notification(&event, counts);
  } while (event.type != PL_CAPTURE_EOF);
  g_assert_null(pl_capture_reader_warning(reader));
}

static char *
simulate(const char *directory, const char *name, const PlSimulateOptions *options) {
  g_autoptr(GError) error = NULL;
  char *path = g_build_filename(directory, name, NULL);
  bool ok = pl_simulate_capture(options, path, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  return path;
}

static PlSimulateOptions
options_of(const char *scenario, double minutes, uint64_t seed) {
  return (PlSimulateOptions){
      .scenario = pl_simulator_find(scenario),
      .minutes = minutes,
      .seed = seed,
      .start_ms = INT64_C(1795413731000),
      .tz = "Europe/Berlin",
  };
}

static void
assert_about(unsigned value, double expected) {
  g_assert_cmpfloat(value, >=, expected * 0.98 - 4);
  g_assert_cmpfloat(value, <=, expected * 1.02 + 4);
}

static void
test_healthy(const void *directory) {
  PlSimulateOptions options = options_of("healthy", 20, 1);
  g_autofree char *path = simulate(directory, "healthy.jsonl", &options);
  Counts counts;

  count(path, &counts);
  g_assert_cmpuint(counts.connected, ==, 2);
  g_assert_cmpuint(counts.disconnected, ==, 2);
  g_assert_cmpuint(counts.control, ==, 1);
  assert_about(counts.heart, 1200);
  assert_about(counts.pace, 1200);
  assert_about(counts.frames, 1200 / 0.36);
  g_assert_cmpuint(counts.battery, ==, 4);
  g_assert_cmpuint(counts.end, ==, 1);
  g_assert_cmpint(counts.end_us, ==, INT64_C(1200000000));
  g_unlink(path);
}

/* The strap is found again, and its stream restarted: refused, stopped, started. */
static void
test_dropout(const void *directory) {
  PlSimulateOptions options = options_of("dropout", 20, 1);
  g_autofree char *path = simulate(directory, "dropout.jsonl", &options);
  Counts counts;

  count(path, &counts);
  g_assert_cmpuint(counts.connected, ==, 3);
  g_assert_cmpuint(counts.control, ==, 4);
  assert_about(counts.heart, 1080);
  assert_about(counts.frames, 1080 / 0.36);
  assert_about(counts.pace, 1200);
  g_unlink(path);
}

static void
test_squad(const void *directory) {
  PlSimulateOptions options = options_of("squad", 5, 1);
  g_autofree char *path = simulate(directory, "squad.jsonl.gz", &options);
  Counts counts;

  count(path, &counts);
  g_assert_cmpuint(counts.connected, ==, 12);
  assert_about(counts.heart, 6 * 300);
  assert_about(counts.frames, 6 * 300 / 0.36);
  g_unlink(path);
}

static void
test_same_bytes(const void *directory) {
  PlSimulateOptions options = options_of("easy", 5, 1);
  PlSimulateOptions other = options_of("easy", 5, 2);
  g_autofree char *path = simulate(directory, "1", &options);
  g_autofree char *again = simulate(directory, "2", &options);
  g_autofree char *different = simulate(directory, "3", &other);
  g_autofree char *text = NULL, *text_again = NULL, *text_different = NULL;

  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_assert_true(g_file_get_contents(again, &text_again, NULL, NULL));
  g_assert_true(g_file_get_contents(different, &text_different, NULL, NULL));
  g_assert_cmpstr(text, ==, text_again);
  g_assert_cmpstr(text, !=, text_different);
  g_unlink(path);
  g_unlink(again);
  g_unlink(different);
}

static void
test_no_file(const void *directory) {
  PlSimulateOptions options = options_of("easy", 1, 1);
  g_autoptr(GError) error = NULL;

  g_assert_false(pl_simulate_capture(&options, directory, &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
  g_clear_error(&error);
  g_assert_false(pl_simulate_capture(&options, "/dev/full", &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
}

int
main(int argc, char *argv[]) {
  g_autofree char *directory = g_dir_make_tmp("plumbline-simulate-XXXXXX", NULL);

  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/simulate/healthy", directory, test_healthy);
  g_test_add_data_func("/simulate/dropout", directory, test_dropout);
  g_test_add_data_func("/simulate/squad", directory, test_squad);
  g_test_add_data_func("/simulate/same-bytes", directory, test_same_bytes);
  g_test_add_data_func("/simulate/no-file", directory, test_no_file);
  int status = g_test_run();
  g_rmdir(directory);
  return status;
}
