/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/recorder.h"
#include "gateway/edge/capture.h"
#include "tests/fakes/ledger-bed.h"

#include <glib/gstdio.h>
#include <string.h>

/* Captures of runs, while they are run. */

typedef struct {
  Bed *bed;
  PlRecorder *recorder;
  char *folder;
} Fixture;

static void
on_event(const PlLinkEvent *event, void *data) {
  pl_recorder_event(((Fixture *)data)->recorder, event);
}

static void
on_second(void *data) {
  pl_recorder_second(((Fixture *)data)->recorder);
}

static void
set_up(Fixture *f, gconstpointer data) {
  f->bed = bed_new();
  f->folder = g_build_filename(f->bed->directory, "captures", NULL);
  f->recorder = pl_recorder_new(f->bed->config, f->bed->directory, f->bed->pipeline->ledger,
                                &f->bed->wall);
  f->bed->heard = on_event;
  f->bed->second = on_second;
  f->bed->data = f;
}

static GPtrArray *
captures(const Fixture *f) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    g_ptr_array_add(names, g_strdup(name));
  return names;
}

static void
tear_down(Fixture *f, gconstpointer data) {
  pl_recorder_free(f->recorder);
  g_autoptr(GPtrArray) names = captures(f);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename(f->folder, names->pdata[i], NULL);
    g_remove(path);
  }
  g_rmdir(f->folder);
  bed_free(f->bed);
  g_free(f->folder);
}

static PlCaptureReader *
open_capture(const Fixture *f, const char *name) {
  g_autofree char *path = g_build_filename(f->folder, name, NULL);
  g_autoptr(GError) error = NULL;
  PlCaptureReader *reader = pl_capture_reader_open(path, &error);
  g_assert_no_error(error);
  return reader;
}

static void
battery(Fixture *f, double percent) {
  bed_event(f->bed, &(PlLinkEvent){.type = PL_LINK_BATTERY,
                                   .t_us = f->bed->t_us,
                                   .adapter = PL_NO_ADAPTER,
                                   .sensor = BED_STRAP,
                                   .battery_pct = percent});
}

/* Everything that the sensors of a run have sent, under its name. */
static void
test_run(Fixture *f, gconstpointer data) {
  bed_run(f->bed, 20, 90, 0); /* of no run */
  bed_run(f->bed, 100, 150, 3);
  battery(f, 87);
  bed_run(f->bed, 100, 150, 3);
  g_assert_true(bed_command(f->bed, "run-stop"));
  bed_run(f->bed, 5, 90, 0);
  g_autoptr(GPtrArray) names = captures(f);
  g_assert_cmpuint(names->len, ==, 1);
  g_assert_cmpstr(names->pdata[0], ==, "20260601T120020Z-r1.capture.gz");

  g_autoptr(PlCaptureReader) reader = open_capture(f, names->pdata[0]);
  g_assert_cmpuint(pl_capture_reader_header(reader)->sensor_count, ==, 2);
  g_assert_cmpstr(pl_capture_reader_header(reader)->sensors[BED_POD].mount, ==, "left-foot");
  const PlUuid heart = PL_UUID16(0x2a37), pod = PL_UUID16(0x2a53), level = PL_UUID16(0x2a19);
  unsigned hearts = 0, strides = 0, levels = 0;
  PlCaptureEvent event = {.type = PL_CAPTURE_NOTIFICATION};
  while (pl_capture_reader_next(reader, &event, NULL) && event.type != PL_CAPTURE_EOF) {
    g_assert_cmpint(event.type, ==, PL_CAPTURE_NOTIFICATION);
    hearts += pl_uuid_equal(&event.uuid, &heart) && event.sensor == BED_STRAP;
    strides += pl_uuid_equal(&event.uuid, &pod) && event.sensor == BED_POD;
    if (!pl_uuid_equal(&event.uuid, &level))
      continue;
    levels++;
    g_assert_cmpuint(event.length, ==, 1);
    g_assert_cmpuint(event.data[0], ==, 87);
    g_assert_cmpint(event.sensor, ==, BED_STRAP);
  }
  g_assert_cmpint(event.type, ==, PL_CAPTURE_EOF);
  /* From ten seconds before the run to the second of the stop. */
  g_assert_cmpuint(hearts, >=, 200 + 9);
  g_assert_cmpuint(hearts, <=, 200 + 11);
  g_assert_cmpuint(strides, ==, hearts);
  g_assert_cmpuint(levels, ==, 1);
}

/* What did not become a run leaves nothing. */
static void
test_candidate(Fixture *f, gconstpointer data) {
  bed_run(f->bed, 20, 90, 1.4);
  g_autoptr(GPtrArray) during = captures(f);
  g_assert_cmpuint(during->len, ==, 1);
  bed_run(f->bed, 30, 90, 0);
  g_autoptr(GPtrArray) after = captures(f);
  g_assert_cmpuint(after->len, ==, 0);
}

static void
test_two_runs(Fixture *f, gconstpointer data) {
  for (int i = 0; i < 2; i++) {
    bed_run(f->bed, 60, 150, 3);
    bed_run(f->bed, 310, 90, 0);
  }
  g_autoptr(GPtrArray) names = captures(f);
  g_assert_cmpuint(names->len, ==, 2);
}

static void
test_retain(Fixture *f, gconstpointer data) {
  bed_run(f->bed, 60, 150, 3);
  bed_run(f->bed, 310, 90, 0);
  g_autofree char *other = g_build_filename(f->folder, "notes.txt", NULL);
  g_assert_true(g_file_set_contents(other, "mine", -1, NULL));
  int64_t now_us = g_get_real_time(), day_us = 86400 * INT64_C(1000000);
  pl_recorder_retain(f->bed->directory, 14, now_us + 13 * day_us);
  g_autoptr(GPtrArray) before = captures(f);
  g_assert_cmpuint(before->len, ==, 2);
  pl_recorder_retain(f->bed->directory, 0, now_us + 99 * day_us); /* for ever */
  g_autoptr(GPtrArray) kept = captures(f);
  g_assert_cmpuint(kept->len, ==, 2);
  pl_recorder_retain(f->bed->directory, 14, now_us + 15 * day_us);
  g_autoptr(GPtrArray) after = captures(f);
  g_assert_cmpuint(after->len, ==, 1);
  g_assert_cmpstr(after->pdata[0], ==, "notes.txt");
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer)) {
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add("/recorder/run", test_run);
  add("/recorder/candidate", test_candidate);
  add("/recorder/two-runs", test_two_runs);
  add("/recorder/retain", test_retain);
  return g_test_run();
}
