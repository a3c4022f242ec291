/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture.h"
#include "gateway/edge/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *directory;
  char *path;
} Fixture;

static void
set_up(Fixture *fixture, const void *suffix) {
  g_autoptr(GError) error = NULL;
  fixture->directory = g_dir_make_tmp("plumbline-capture-XXXXXX", &error);
  g_assert_no_error(error);
  g_autofree char *name = g_strconcat("run.jsonl", suffix, NULL);
  fixture->path = g_build_filename(fixture->directory, name, NULL);
}

static void
tear_down(Fixture *fixture, const void *suffix) {
  g_unlink(fixture->path);
  g_rmdir(fixture->directory);
  g_free(fixture->path);
  g_free(fixture->directory);
}

static void
next(PlCaptureReader *reader, PlCaptureEvent *event, PlCaptureEventType type) {
  g_autoptr(GError) error = NULL;
  bool ok = pl_capture_reader_next(reader, event, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  g_assert_cmpint(event->type, ==, type);
}

static const PlCaptureEvent sample_events[] = {
    {PL_CAPTURE_ADVERTISEMENT, 0, 0, .rssi_dbm = -71},
    {PL_CAPTURE_MANUFACTURER, 1, 0, .company = 0x6b, .data = (const uint8_t *)"\x33\x00",
     .length = 2},
    {PL_CAPTURE_SERVICE_DATA, 1, 1, .uuid = PL_UUID16(0xfcd2), .data = (const uint8_t *)"\x40",
     .length = 1},
    {PL_CAPTURE_CONNECTED, 999999, 0},
    {PL_CAPTURE_NOTIFICATION, 1000001, 0, .uuid = PL_UUID16(0x2a37),
     .data = (const uint8_t *)"\x10\x78\x00\x02", .length = 4},
    {PL_CAPTURE_NOTIFICATION, 1000001, 1, .uuid = PL_UUID16(0x2a53), .data = NULL, .length = 0},
    {PL_CAPTURE_COMMAND, INT64_C(3600123457), -1, .command = "log-pain",
     .arguments = "{\"score\":4}"},
    {PL_CAPTURE_DISCONNECTED, INT64_C(3600123458), 0},
    {PL_CAPTURE_END, PL_CAPTURE_DURATION_MAX_US, -1},
};

static PlCaptureSensor sample_sensors[] = {
    {.id = "strap",
     .address = "02:00:00:00:00:01",
     .name = "Polar \"H10\" \xc3\xa4",
     .mount = "chest",
     .service_count = 2,
     .services = {PL_UUID16(0x180d),
                  {{0xfb, 0x00, 0x5c, 0x80, 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd,
                    0x2d, 0x8d, 0xf0, 0xc8}}}},
    {.id = "pod-2"},
};

static const PlCaptureHeader sample_header = {
    .start_ms = INT64_C(1795413731001),
    .tz = "Europe/Berlin",
    .sensor_count = 2,
    .sensors = sample_sensors,
};

static void
assert_same_header(const PlCaptureHeader *header) {
  g_assert_cmpint(header->start_ms, ==, sample_header.start_ms);
  g_assert_cmpstr(header->tz, ==, sample_header.tz);
  g_assert_cmpuint(header->sensor_count, ==, 2);
  for (size_t i = 0; i < 2; i++) {
    const PlCaptureSensor *sensor = &header->sensors[i], *wanted = &sample_sensors[i];
    g_assert_cmpstr(sensor->id, ==, wanted->id);
    g_assert_cmpstr(sensor->address, ==, wanted->address);
    g_assert_cmpstr(sensor->name, ==, wanted->name);
    g_assert_cmpstr(sensor->mount, ==, wanted->mount);
    g_assert_cmpmem(sensor->services, sensor->service_count * sizeof(PlUuid), wanted->services,
                    wanted->service_count * sizeof(PlUuid));
  }
}

static void
assert_same_event(const PlCaptureEvent *event, const PlCaptureEvent *wanted) {
  g_assert_cmpint(event->type, ==, wanted->type);
  g_assert_cmpint(event->t_us, ==, wanted->t_us);
  g_assert_cmpint(event->sensor, ==, wanted->sensor);
  g_assert_true(pl_uuid_equal(&event->uuid, &wanted->uuid));
  g_assert_cmpuint(event->company, ==, wanted->company);
  g_assert_cmpint(event->rssi_dbm, ==, wanted->rssi_dbm);
  g_assert_cmpmem(event->data, event->length, wanted->data, wanted->length);
  g_assert_cmpstr(event->command, ==, wanted->command);
  g_assert_cmpstr(event->arguments, ==, wanted->arguments);
}

static void
write_samples(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureWriter) writer = pl_capture_writer_open(path, &sample_header, 0, &error);

  g_assert_no_error(error);
  for (size_t i = 0; i < G_N_ELEMENTS(sample_events); i++)
    g_assert_true(pl_capture_writer_write(writer, &sample_events[i], &error));
  g_assert_true(pl_capture_writer_close(writer, &error));
}

static void
read_samples(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureReader) reader = pl_capture_reader_open(path, &error);
  PlCaptureEvent event;

  g_assert_no_error(error);
  assert_same_header(pl_capture_reader_header(reader));
  for (size_t i = 0; i < G_N_ELEMENTS(sample_events); i++) {
    g_assert_true(pl_capture_reader_next(reader, &event, &error));
    assert_same_event(&event, &sample_events[i]);
  }
  next(reader, &event, PL_CAPTURE_EOF);
  g_assert_null(pl_capture_reader_warning(reader));
}

static void
test_round_trip(Fixture *fixture, const void *suffix) {
  GStatBuf status;
  bool compressed = strcmp(suffix, ".gz") == 0;
  g_autofree char *content = NULL;

  g_assert_true(g_file_set_contents(fixture->path, "old and longer than nothing", -1, NULL));
  g_assert_cmpint(g_chmod(fixture->path, 0644), ==, 0);
  write_samples(fixture->path);
  g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
  g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
  g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
  g_assert_cmpint(content[0] == '\x1f', ==, compressed);
  read_samples(fixture->path);
}

/* `-` reads standard input. */
static void
test_standard_input(Fixture *fixture, const void *suffix) {
  write_samples(fixture->path);
  int saved = dup(STDIN_FILENO);
  int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(dup2(fd, STDIN_FILENO), ==, STDIN_FILENO);
  close(fd);
  read_samples("-");
  dup2(saved, STDIN_FILENO);
  close(saved);
}

/* Compressed and cut anywhere: what can be read is, with a warning. */
static void
test_cut_gzip(Fixture *fixture, const void *suffix) {
  g_autofree char *content = NULL;
  gsize length;
  size_t most = 0;

  write_samples(fixture->path);
  g_assert_true(g_file_get_contents(fixture->path, &content, &length, NULL));
  for (gsize cut = length - 1; cut > 200; cut--) {
    g_autoptr(GError) error = NULL;
    PlCaptureEvent event = {.type = PL_CAPTURE_END};
    size_t events = 0;
    g_assert_true(g_file_set_contents(fixture->path, content, (gssize)cut, NULL));
    g_autoptr(PlCaptureReader) reader = pl_capture_reader_open(fixture->path, &error);
    if (reader == NULL)
      continue; /* not even the header */
    for (; event.type != PL_CAPTURE_EOF; events++)
      g_assert_true(pl_capture_reader_next(reader, &event, &error));
    g_assert_nonnull(pl_capture_reader_warning(reader));
    most = MAX(most, events);
  }
  g_assert_cmpuint(most, ==, G_N_ELEMENTS(sample_events) + 1);
}

static size_t
count_events(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureReader) reader = pl_capture_reader_open(path, &error);
  PlCaptureEvent event = {.type = PL_CAPTURE_END};
  size_t count = 0;

  g_assert_no_error(error);
  for (;; count++) {
    g_assert_true(pl_capture_reader_next(reader, &event, &error));
    if (event.type == PL_CAPTURE_EOF)
      return count;
  }
}

/* Others can read what is older than 5 s while the writer is still at it. */
static void
test_flush(Fixture *fixture, const void *suffix) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureWriter) writer =
      pl_capture_writer_open(fixture->path, &sample_header, 0, &error);
  PlCaptureEvent event = {PL_CAPTURE_CONNECTED, 0, 0};

  g_assert_cmpuint(count_events(fixture->path), ==, 0);
  for (event.t_us = 1000000; event.t_us <= 7000000; event.t_us += 1000000)
    g_assert_true(pl_capture_writer_write(writer, &event, &error));
  g_assert_cmpuint(count_events(fixture->path), ==, 5);
  g_assert_true(pl_capture_writer_flush(writer, &error));
  g_assert_cmpuint(count_events(fixture->path), ==, 7);
}

static void
test_size_limit(Fixture *fixture, const void *suffix) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureWriter) writer =
      pl_capture_writer_open(fixture->path, &sample_header, 1000, &error);
  PlCaptureEvent event = {PL_CAPTURE_CONNECTED, 1000000, 0};
  size_t written = 0;
  GStatBuf status;

  while (pl_capture_writer_write(writer, &event, &error))
    written++;
  g_assert_error(error, PL_ERROR, PL_ERROR_FULL);
  g_clear_error(&error);
  g_assert_cmpuint(written, >, 5);
  event.type = PL_CAPTURE_END;
  g_assert_true(pl_capture_writer_write(writer, &event, &error));
  g_assert_true(pl_capture_writer_close(writer, &error));
  g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
  g_assert_cmpint(status.st_size, <=, 1000 + 30);
  g_assert_cmpuint(count_events(fixture->path), ==, written + 1);
}

/* What could not be read back is not written. */
static void
test_bad_events(Fixture *fixture, const void *suffix) {
  static const PlCaptureEvent bad[] = {
      {PL_CAPTURE_CONNECTED, 999, 0},
      {PL_CAPTURE_CONNECTED, PL_CAPTURE_DURATION_MAX_US + 1, 0},
      {PL_CAPTURE_CONNECTED, 1000, -1},
      {PL_CAPTURE_CONNECTED, 1000, 2},
      {PL_CAPTURE_NOTIFICATION, 1000, 0, .data = (const uint8_t *)"", .length = 515},
      {PL_CAPTURE_EOF, 1000, -1},
  };
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureWriter) writer =
      pl_capture_writer_open(fixture->path, &sample_header, 0, &error);
  PlCaptureEvent first = {PL_CAPTURE_CONNECTED, 1000, 0};

  g_assert_true(pl_capture_writer_write(writer, &first, &error));
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_assert_false(pl_capture_writer_write(writer, &bad[i], &error));
    g_assert_error(error, PL_ERROR, PL_ERROR_DATA);
    g_clear_error(&error);
  }
  g_assert_true(pl_capture_writer_close(writer, &error));
  g_assert_cmpuint(count_events(fixture->path), ==, 1);
}

static void
test_files(Fixture *fixture, const void *suffix) {
  g_autoptr(GError) error = NULL;

  g_assert_null(pl_capture_reader_open(fixture->path, &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_clear_error(&error);
  g_assert_null(pl_capture_reader_open(fixture->directory, &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
  g_clear_error(&error);
  g_assert_null(pl_capture_writer_open(fixture->directory, &sample_header, 0, &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
  g_clear_error(&error);
  g_autoptr(PlCaptureWriter) full =
      pl_capture_writer_open("/dev/full", &sample_header, 0, &error);
  g_assert_null(full);
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
}

/* The most sensors there may be, and one more. */
static void
test_many_sensors(Fixture *fixture, const void *suffix) {
  g_autofree PlCaptureSensor *sensors = g_new0(PlCaptureSensor, PL_CAPTURE_SENSORS_MAX + 1);
  g_autoptr(GStringChunk) texts = g_string_chunk_new(4096);
  g_autoptr(GError) error = NULL;
  PlCaptureHeader header = {.start_ms = 0, .sensors = sensors};

  for (int i = 0; i <= PL_CAPTURE_SENSORS_MAX; i++) {
    g_autofree char *id = g_strdup_printf("sensor-%d", i);
    sensors[i].id = g_string_chunk_insert(texts, id);
    sensors[i].name = "a name of usual length";
  }
  for (size_t extra = 0; extra <= 1; extra++) {
    header.sensor_count = PL_CAPTURE_SENSORS_MAX + extra;
    g_autoptr(PlCaptureWriter) writer =
        pl_capture_writer_open(fixture->path, &header, 0, &error);
    g_assert_true(pl_capture_writer_close(writer, &error));
    g_autoptr(PlCaptureReader) reader = pl_capture_reader_open(fixture->path, &error);
    g_assert_cmpint(reader != NULL, ==, extra == 0);
    if (reader != NULL)
      g_assert_cmpstr(pl_capture_reader_header(reader)->sensors[4095].id, ==, "sensor-4095");
  }
}

#define ADD(name, suffix, function)                                                            \
  g_test_add(name, Fixture, suffix, set_up, function, tear_down)

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  ADD("/capture-writer/round-trip/plain", "", test_round_trip);
  ADD("/capture-writer/round-trip/gzip", ".gz", test_round_trip);
  ADD("/capture-writer/standard-input", ".gz", test_standard_input);
  ADD("/capture-writer/cut-gzip", ".gz", test_cut_gzip);
  ADD("/capture-writer/flush/plain", "", test_flush);
  ADD("/capture-writer/flush/gzip", ".gz", test_flush);
  ADD("/capture-writer/size-limit", "", test_size_limit);
  ADD("/capture-writer/bad-events", "", test_bad_events);
  ADD("/capture-writer/files", "", test_files);
  ADD("/capture-writer/many-sensors", "", test_many_sensors);
  return g_test_run();
}
