/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture.h"
#include "gateway/edge/error.h"

#include <glib.h>
#include <string.h>

#define HEADER                                                                                 \
  "{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11.000Z\",\"tz\":\"Europe/Berlin\","  \
  "\"sensors\":{\"strap\":{\"address\":\"02:00:00:00:00:01\",\"name\":\"Polar H10 1\","        \
  "\"mount\":\"chest\",\"services\":[\"180d\"]},\"pod\":{}}}\n"

static PlCaptureReader *
read_text(const char *text) {
  g_autoptr(GError) error = NULL;
  PlCaptureReader *reader =
      pl_capture_reader_open_memory("run.jsonl", text, strlen(text), &error);
  g_assert_no_error(error);
  return reader;
}

static void
next(PlCaptureReader *reader, PlCaptureEvent *event, PlCaptureEventType type) {
  g_autoptr(GError) error = NULL;
  bool ok = pl_capture_reader_next(reader, event, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  g_assert_cmpint(event->type, ==, type);
}

static void
assert_uuid(const PlUuid *uuid, const char *expected) {
  char text[PL_UUID_TEXT_SIZE];
  pl_uuid_format(uuid, text);
  g_assert_cmpstr(text, ==, expected);
}

/* The lines that plumbline-capture(5) shows. */
static void
test_format(void) {
  g_autoptr(PlCaptureReader) reader = read_text(
      HEADER
      "{\"t\":12.3456,\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"10 78 00 02\"}\n"
      "{\"t\":12.5,\"sensor\":\"strap\",\"event\":\"connected\"}\r\n"
      "\n"
      "{\"t\":13,\"sensor\":\"strap\",\"advertisement\":{\"manufacturer\":{\"107\":\"33 00 "
      "00 38\"}}}\n"
      "{\"t\":13,\"command\":\"log-pain\",\"arguments\":{\"score\":4,\"site\":\"back\"}}\n"
      "{\"t\":14,\"command\":\"lap\"}\n"
      "{\"t\":14,\"sensor\":\"pod\",\"event\":\"disconnected\",\"later\":[1]}\n"
      "{\"t\":15,\"event\":\"end\"}\n");
  const PlCaptureHeader *header = pl_capture_reader_header(reader);
  PlCaptureEvent event;

  g_assert_cmpint(header->start_ms, ==, INT64_C(1795413731000));
  g_assert_cmpstr(header->tz, ==, "Europe/Berlin");
  g_assert_cmpuint(header->sensor_count, ==, 2);
  g_assert_cmpstr(header->sensors[0].id, ==, "strap");
  g_assert_cmpstr(header->sensors[0].address, ==, "02:00:00:00:00:01");
  g_assert_cmpstr(header->sensors[0].name, ==, "Polar H10 1");
  g_assert_cmpstr(header->sensors[0].mount, ==, "chest");
  g_assert_cmpuint(header->sensors[0].service_count, ==, 1);
  assert_uuid(&header->sensors[0].services[0], "180d");
  g_assert_null(header->sensors[1].address);

  next(reader, &event, PL_CAPTURE_NOTIFICATION);
  g_assert_cmpint(event.t_us, ==, 12345600);
  g_assert_cmpint(event.sensor, ==, 0);
  assert_uuid(&event.uuid, "2a37");
  g_assert_cmpmem(event.data, event.length, "\x10\x78\x00\x02", 4);
  next(reader, &event, PL_CAPTURE_CONNECTED);
  g_assert_cmpint(event.t_us, ==, 12500000);
  next(reader, &event, PL_CAPTURE_MANUFACTURER);
  g_assert_cmpuint(event.company, ==, 107);
  g_assert_cmpmem(event.data, event.length, "\x33\x00\x00\x38", 4);
  next(reader, &event, PL_CAPTURE_COMMAND);
  g_assert_cmpint(event.sensor, ==, -1);
  g_assert_cmpstr(event.command, ==, "log-pain");
  g_assert_cmpstr(event.arguments, ==, "{\"score\":4,\"site\":\"back\"}");
  next(reader, &event, PL_CAPTURE_COMMAND);
  g_assert_cmpstr(event.arguments, ==, "{}");
  next(reader, &event, PL_CAPTURE_DISCONNECTED);
  g_assert_cmpint(event.sensor, ==, 1);
  next(reader, &event, PL_CAPTURE_END);
  next(reader, &event, PL_CAPTURE_EOF);
  next(reader, &event, PL_CAPTURE_EOF);
  g_assert_cmpint(event.t_us, ==, 15000000);
  g_assert_null(pl_capture_reader_warning(reader));
}

/* One line with everything that an advertisement may say. */
static void
test_advertisement(void) {
  g_autoptr(PlCaptureReader) reader = read_text(
      HEADER
      "{\"t\":0,\"sensor\":\"pod\",\"advertisement\":{\"rssi\":-60,"
      "\"manufacturer\":{\"107\":\"33\",\"65535\":\"\"},\"service\":{\"fcd2\":\"4000\"}}}\n"
      "{\"t\":1,\"sensor\":\"pod\",\"advertisement\":{}}\n");
  PlCaptureEvent event;

  next(reader, &event, PL_CAPTURE_ADVERTISEMENT);
  g_assert_cmpint(event.rssi_dbm, ==, -60);
  g_assert_cmpint(event.sensor, ==, 1);
  next(reader, &event, PL_CAPTURE_MANUFACTURER);
  g_assert_cmpuint(event.company, ==, 107);
  g_assert_cmpmem(event.data, event.length, "\x33", 1);
  next(reader, &event, PL_CAPTURE_MANUFACTURER);
  g_assert_cmpuint(event.company, ==, 65535);
  g_assert_cmpuint(event.length, ==, 0);
  next(reader, &event, PL_CAPTURE_SERVICE_DATA);
  assert_uuid(&event.uuid, "fcd2");
  g_assert_cmpmem(event.data, event.length, "\x40\x00", 2);
  next(reader, &event, PL_CAPTURE_ADVERTISEMENT);
  g_assert_cmpint(event.rssi_dbm, ==, 0);
  next(reader, &event, PL_CAPTURE_EOF);
}

#define LINE(members) HEADER "{\"t\":1," members "}\n"
#define SENSORS(sensors)                                                                       \
  "{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11Z\",\"sensors\":" sensors "}\n"

static const struct {
  const char *text;
  const char *message; /* what it begins with, after the name of the file */
} bad_captures[] = {
    {"", ":1: empty"},
    {"\n", ":1: not JSON"},
    {"hello\n", ":1: not JSON"},
    {"[1]\n", ":1: expected an object"},
    {"{}\n", ":1: not a capture"},
    {"{\"plumbline_capture\":\"1\"}\n", ":1: not a capture"},
    {"{\"plumbline_capture\":2}\n", ":1: a capture of version 2, expected version 1"},
    {"{\"plumbline_capture\":1}\n", ":1: \"start\""},
    {"{\"plumbline_capture\":1,\"start\":17}\n", ":1: \"start\": expected a text"},
    {"{\"plumbline_capture\":1,\"start\":\"9999-12-31T00:00:00Z\"}\n", ":1: \"start\""},
    {"{\"plumbline_capture\":1,\"start\":\"yesterday\"}\n", ":1: \"start\""},
    {"{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11Z\"}\n", ":1: \"sensors\""},
    {"{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11Z\",\"tz\":1,\"sensors\":{}}\n",
     ":1: \"tz\": expected a text"},
    {SENSORS("[]"), ":1: \"sensors\""},
    {SENSORS("{\"a b\":{}}"), ":1: \"sensors\": \"a b\" is no id"},
    {SENSORS("{\"\":{}}"), ":1: \"sensors\": \"\" is no id"},
    {SENSORS("{\"a/+\":{}}"), ":1: \"sensors\": \"a/+\" is no id"},
    {SENSORS("{\"a\":{},\"a\":{}}"), ":1: not JSON: duplicate"},
    {SENSORS("{\"a\":1}"), ":1: \"sensors\": \"a\": expected an object"},
    {SENSORS("{\"a\":{\"name\":1}}"), ":1: \"name\": expected a text"},
    {SENSORS("{\"a\":{\"services\":\"180d\"}}"), ":1: \"services\""},
    {SENSORS("{\"a\":{\"services\":[\"180\"]}}"), ":1: \"services\": expected UUIDs"},
    {HEADER "nonsense\n", ":2: not JSON"},
    {HEADER "[]\n", ":2: expected an object"},
    {HEADER "{\"t\":1}\n", ":2: expected one of value, event"},
    {LINE("\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"0\""),
     ":2: expected at most 514"},
    {LINE("\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"0g\""),
     ":2: expected at most 514"},
    {LINE("\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"1 0\""),
     ":2: expected at most 514"},
    {LINE("\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":16"), ":2: expected at most 514"},
    {LINE("\"sensor\":\"strap\",\"uuid\":\"2a3\",\"value\":\"00\""), ":2: \"2a3\" is no UUID"},
    {LINE("\"sensor\":\"strap\",\"value\":\"00\""), ":2: \"\" is no UUID"},
    {LINE("\"sensor\":\"hat\",\"uuid\":\"2a37\",\"value\":\"00\""),
     ":2: \"sensor\": \"hat\" is not in the header"},
    {LINE("\"sensor\":1,\"uuid\":\"2a37\",\"value\":\"00\""),
     ":2: \"sensor\": expected a text"},
    {LINE("\"uuid\":\"2a37\",\"value\":\"00\""), ":2: \"sensor\" is missing"},
    {LINE("\"event\":\"connected\""), ":2: \"sensor\" is missing"},
    {LINE("\"sensor\":\"strap\",\"event\":\"paused\""), ":2: \"event\": \"paused\""},
    {LINE("\"sensor\":\"strap\",\"event\":1"), ":2: \"event\": expected a text"},
    {LINE("\"sensor\":\"strap\",\"event\":\"connected\",\"value\":\"00\""), ":2: both"},
    {LINE("\"advertisement\":{}"), ":2: \"sensor\" is missing"},
    {LINE("\"sensor\":\"strap\",\"advertisement\":1"), ":2: \"advertisement\""},
    {LINE("\"sensor\":\"strap\",\"advertisement\":{\"rssi\":\"-60\"}"), ":2: \"rssi\""},
    {LINE("\"sensor\":\"strap\",\"advertisement\":{\"manufacturer\":{\"65536\":\"00\"}}"),
     ":2: \"65536\" is no company"},
    {LINE("\"sensor\":\"strap\",\"advertisement\":{\"manufacturer\":{\"-1\":\"00\"}}"),
     ":2: \"-1\" is no company"},
    {LINE("\"sensor\":\"strap\",\"advertisement\":{\"manufacturer\":[]}"), ":2: \"adv"},
    {LINE("\"sensor\":\"strap\",\"advertisement\":{\"service\":{\"x\":\"00\"}}"),
     ":2: \"x\" is no UUID"},
    {LINE("\"command\":\"Log Pain\""), ":2: \"command\""},
    {LINE("\"command\":7"), ":2: \"command\": expected a text"},
    {LINE("\"command\":\"lap\",\"arguments\":[]"), ":2: \"arguments\""},
    {HEADER "{\"t\":-1,\"event\":\"end\"}\n", ":2: \"t\": expected seconds"},
    {HEADER "{\"t\":\"1\",\"event\":\"end\"}\n", ":2: \"t\": expected seconds"},
    {HEADER "{\"event\":\"end\"}\n", ":2: \"t\": expected seconds"},
    {HEADER "{\"t\":1e9,\"event\":\"end\"}\n", ":2: \"t\": expected seconds"},
    {HEADER "{\"t\":1e999,\"event\":\"end\"}\n", ":2: not JSON"},
    {HEADER "{\"t\":0,\"command\":\"lap\"}\n\n{\"t\":2,\"command\":\"lap\"}\n{\"t\":1.5,"
            "\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"00\"}\n",
     ":5: \"t\" is 1.500000, expected no less than the 2.000000 before it"},
};

static void
test_bad(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(bad_captures); i++) {
    const char *text = bad_captures[i].text;
    g_autoptr(GError) error = NULL;
    PlCaptureEvent event = {.type = PL_CAPTURE_END};
    g_autofree char *expected = g_strconcat("run.jsonl", bad_captures[i].message, NULL);

    g_autoptr(PlCaptureReader) reader =
        pl_capture_reader_open_memory("run.jsonl", text, strlen(text), &error);
    while (error == NULL && event.type != PL_CAPTURE_EOF)
      pl_capture_reader_next(reader, &event, &error);
    g_assert_error(error, PL_ERROR, PL_ERROR_DATA);
    if (!g_str_has_prefix(error->message, expected))
      g_error("case %zu: \"%s\" instead of \"%s\"", i, error->message, expected);
  }
}

/* A value of 514 bytes is the longest; a line of 64 KiB is. */
static void
test_limits(void) {
  g_autoptr(GString) text = g_string_new(HEADER "{\"t\":1,\"sensor\":\"pod\",\"uuid\":\"2a37\","
                                                "\"value\":\"");
  for (int i = 0; i < 514; i++)
    g_string_append(text, "ab");
  gsize good = text->len;
  g_string_append(text, "\"}\n");
  g_autoptr(PlCaptureReader) reader = read_text(text->str);
  PlCaptureEvent event;
  next(reader, &event, PL_CAPTURE_NOTIFICATION);
  g_assert_cmpuint(event.length, ==, 514);
  next(reader, &event, PL_CAPTURE_EOF);

  g_string_insert(text, (gssize)good, "ab");
  g_autoptr(PlCaptureReader) longer = read_text(text->str);
  g_autoptr(GError) error = NULL;
  g_assert_false(pl_capture_reader_next(longer, &event, &error));
  g_assert_error(error, PL_ERROR, PL_ERROR_DATA);

  for (size_t extra = 0; extra <= 1; extra++) {
    g_autoptr(GError) too_long = NULL;
    const char line[] = "{\"t\":1,\"event\":\"end\"}";
    g_string_assign(text, HEADER);
    g_string_append(text, line);
    for (size_t i = sizeof line - 1; i < PL_CAPTURE_LINE_MAX + extra; i++)
      g_string_append_c(text, ' ');
    g_string_append_c(text, '\n');
    g_autoptr(PlCaptureReader) at_limit = read_text(text->str);
    g_assert_cmpint(pl_capture_reader_next(at_limit, &event, &too_long), ==, extra == 0);
    if (extra > 0)
      g_assert_cmpstr(too_long->message, ==, "run.jsonl:2: longer than 65536 bytes");
  }
}

/* However little of the last line made it to the disk. */
static void
test_cut_line(void) {
  static const char whole[] =
      HEADER "{\"t\":1,\"sensor\":\"pod\",\"event\":\"connected\"}\n"
             "{\"t\":2,\"sensor\":\"pod\",\"uuid\":\"2a53\",\"value\":\"00 00 00 00\"}\n";
  static const size_t header = sizeof HEADER - 1;
  static const size_t first =
      sizeof HEADER "{\"t\":1,\"sensor\":\"pod\",\"event\":\"connected\"}";

  for (size_t length = header; length < sizeof whole; length++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PlCaptureReader) reader =
        pl_capture_reader_open_memory("run.jsonl", whole, length, &error);
    PlCaptureEvent event = {.type = PL_CAPTURE_END};
    size_t events = 0;
    g_assert_no_error(error);
    for (;; events++) {
      g_assert_true(pl_capture_reader_next(reader, &event, &error));
      if (event.type == PL_CAPTURE_EOF)
        break;
    }
    /* A line is there once its closing brace is. */
    bool on_boundary = length == header || length == first - 1 || length == first ||
                       length >= sizeof whole - 2;
    size_t expected = length < first - 1 ? 0 : length < sizeof whole - 2 ? 1 : 2;
    g_assert_cmpuint(events, ==, expected);
    g_assert_cmpint(pl_capture_reader_warning(reader) == NULL, ==, on_boundary);
  }
}

/* A header that is cut is of no use. */
static void
test_cut_header(void) {
  g_autoptr(GError) error = NULL;
  g_assert_null(pl_capture_reader_open_memory("x", HEADER, sizeof HEADER - 20, &error));
  g_assert_error(error, PL_ERROR, PL_ERROR_DATA);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/capture/format", test_format);
  g_test_add_func("/capture/advertisement", test_advertisement);
  g_test_add_func("/capture/bad", test_bad);
  g_test_add_func("/capture/limits", test_limits);
  g_test_add_func("/capture/cut-line", test_cut_line);
  g_test_add_func("/capture/cut-header", test_cut_header);
  return g_test_run();
}
