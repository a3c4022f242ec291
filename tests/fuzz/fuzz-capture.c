/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture-line.h"
#include "gateway/edge/capture.h"

#include <glib.h>
#include <string.h>

/* Any bytes as a capture: events or an error, and no time that falls.  What the short way
 * through a line takes has to be what the long way reads. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char header[] =
    "{\"plumbline_capture\":1,\"start\":\"2026-11-23T06:02:11Z\",\"sensors\":{\"a\":{}}}\n ";

static void
read_all(const char *text, size_t length) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlCaptureReader) reader =
      pl_capture_reader_open_memory("fuzz", text, length, &error);
  PlCaptureEvent event = {.type = PL_CAPTURE_END};
  int64_t t_us = 0;

  while (error == NULL && event.type != PL_CAPTURE_EOF &&
         pl_capture_reader_next(reader, &event, &error)) {
    if (event.t_us < t_us || event.length > PL_VALUE_MAX)
      g_error("an event that must not be");
    t_us = event.t_us;
  }
}

static void
compare_ways(const char *line, size_t length) {
  PlCaptureLine plain;
  PlCaptureEvent event;
  g_autoptr(GError) error = NULL;

  if (memchr(line, '\n', length) != NULL || length >= PL_CAPTURE_LINE_MAX ||
      !pl_capture_line_parse(line, length, &plain) || strcmp(plain.sensor, "a") != 0)
    return;
  g_autoptr(GString) text = g_string_new(header);
  g_string_append_len(text, line, (gssize)length);
  g_string_append_c(text, '\n');
  g_autoptr(PlCaptureReader) reader =
      pl_capture_reader_open_memory("fuzz", text->str, text->len, NULL);
  if (!pl_capture_reader_next(reader, &event, &error) ||
      event.type != PL_CAPTURE_NOTIFICATION || event.t_us != plain.t_us ||
      !pl_uuid_equal(&event.uuid, &plain.uuid) || event.length != plain.length ||
      memcmp(event.data, plain.value, plain.length) != 0)
    g_error("the two ways differ");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;

  read_all(text, size);
  g_autofree char *with_header = g_malloc(sizeof header - 1 + size);
  memcpy(with_header, header, sizeof header - 1);
  if (size > 0)
    memcpy(with_header + sizeof header - 1, text, size);
  read_all(with_header, sizeof header - 1 + size);
  compare_ways(text, size);
  return 0;
}
