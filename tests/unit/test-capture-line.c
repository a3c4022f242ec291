/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture-line.h"
#include "gateway/edge/capture.h"

#include <glib.h>
#include <string.h>

#define HEADER                                                                                 \
  "{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11.000Z\","                           \
  "\"sensors\":{\"strap\":{},\"pod\":{}}}\n"

/* Reads one line the long way: a space before it is nothing to JSON, but not plain. */
static bool
read_long_way(const char *line, size_t length, PlCaptureLine *result) {
  g_autoptr(GString) text = g_string_new(HEADER " ");
  g_autoptr(GError) error = NULL;
  PlCaptureEvent event;

  g_string_append_len(text, line, (gssize)length);
  g_string_append_c(text, '\n');
  g_autoptr(PlCaptureReader) reader =
      pl_capture_reader_open_memory("x", text->str, text->len, NULL);
  if (!pl_capture_reader_next(reader, &event, &error) || event.type != PL_CAPTURE_NOTIFICATION)
    return false;
  memset(result, 0, sizeof *result);
  result->t_us = event.t_us;
  g_strlcpy(result->sensor, event.sensor == 0 ? "strap" : "pod", sizeof result->sensor);
  result->uuid = event.uuid;
  result->length = event.length;
  memcpy(result->value, event.data, event.length);
  return true;
}

static const char *const plain_lines[] = {
    "{\"t\":12.3456,\"sensor\":\"strap\",\"uuid\":\"2a37\",\"value\":\"10 78 00 02\"}",
    "{\"t\": 0.000001, \"sensor\": \"pod\", \"uuid\": \"2a53\", \"value\": \"07AAbbcc\"}",
    ("{\"t\":8640000,\"sensor\":\"pod\",\"uuid\":\"fb005c82-02e7-f387-1cad-8acd2d8df0c8\","
     "\"value\":\"\"}"),
    "{\"t\":123456.999999,\"sensor\":\"pod\",\"uuid\":\"2A53\",\"value\":\" 0a  0b \"}\r",
};

/* A few random changes, of bytes that matter to the parsers. */
static size_t
mutate(GRand *rand, const char *line, char *out) {
  static const char bytes[] = "{}\":, .0123456789abfA-+eE\\/u\t\r\n\x01\x80\xc3\xa4x";
  size_t length = strlen(line);

  memcpy(out, line, length + 1);
  for (int changes = g_rand_int_range(rand, 0, 4); changes > 0; changes--) {
    size_t at = (size_t)g_rand_int_range(rand, 0, (gint32)length);
    char byte = bytes[g_rand_int_range(rand, 0, sizeof bytes)];
    switch (g_rand_int_range(rand, 0, 3)) {
    case 0:
      out[at] = byte;
      break;
    case 1:
      memmove(out + at + 1, out + at, length - at);
      out[at] = byte;
      length++;
      break;
    default:
      memmove(out + at, out + at + 1, length - at - 1);
      length--;
      break;
    }
  }
  return length;
}

/* Whatever the short way takes, the long way takes, and reads the same. */
static void
test_two_ways(void) {
  GRand *rand = g_rand_new_with_seed(7);
  size_t taken = 0;

  for (size_t i = 0; i < G_N_ELEMENTS(plain_lines); i++) {
    PlCaptureLine plain;
    g_assert_true(pl_capture_line_parse(plain_lines[i], strlen(plain_lines[i]), &plain));
  }
  for (int i = 0; i < 60000; i++) {
    char text[256];
    PlCaptureLine plain = {0}, other;
    size_t length = mutate(rand, plain_lines[i % (int)G_N_ELEMENTS(plain_lines)], text);
    if (!pl_capture_line_parse(text, length, &plain))
      continue;
    if (strcmp(plain.sensor, "strap") != 0 && strcmp(plain.sensor, "pod") != 0)
      continue;
    taken++;
    if (!read_long_way(text, length, &other))
      g_error("only the short way takes: %.*s", (int)length, text);
    g_assert_cmpint(plain.t_us, ==, other.t_us);
    g_assert_cmpstr(plain.sensor, ==, other.sensor);
    g_assert_true(pl_uuid_equal(&plain.uuid, &other.uuid));
    g_assert_cmpmem(plain.value, plain.length, other.value, other.length);
  }
  g_rand_free(rand);
  g_assert_cmpuint(taken, >, 15000);
}

/* Times as the short way reads them, against the nearest double that the long way has. */
static void
test_times(void) {
  GRand *rand = g_rand_new_with_seed(3);

  for (int i = 0; i < 20000; i++) {
    g_autofree char *text =
        g_strdup_printf("{\"t\":%d.%06d,\"sensor\":\"pod\",\"uuid\":\"2a53\",\"value\":\"\"}",
                        g_rand_int_range(rand, 0, 8640000), g_rand_int_range(rand, 0, 1000000));
    PlCaptureLine plain, other;
    g_assert_true(pl_capture_line_parse(text, strlen(text), &plain));
    g_assert_true(read_long_way(text, strlen(text), &other));
    g_assert_cmpint(plain.t_us, ==, other.t_us);
  }
  g_rand_free(rand);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/capture-line/two-ways", test_two_ways);
  g_test_add_func("/capture-line/times", test_times);
  return g_test_run();
}
