/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/capture-line.h"
#include "gateway/edge/capture.h"
#include "gateway/edge/lines.h"

#include <jansson.h>

/* What the files of the capture reader share. */

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

struct PlCaptureReader {
  PlLineReader *lines;
  PlCaptureHeader header;
  GStringChunk *texts; /* of the header */
  GHashTable *by_id;   /* id -> index in the header + 1 */
  int64_t t_us;        /* of the last event */
  bool ended;          /* nothing more is read */
  char *warning;
  PlCaptureLine plain; /* what the short way read */
  /* What the long way read of the last line.  An advertisement says several things, which are
   * handed out one by one. */
  json_t *root;
  char *arguments;
  GArray *events; /* of PlCaptureEvent */
  guint handed_out;
  size_t used;
  uint8_t bytes[PL_CAPTURE_LINE_MAX / 2 + PL_VALUE_MAX]; /* a line has no more */
};

/* Sets an error that begins with file and line; false, to be returned. */
bool pl_capture_bad(const PlCaptureReader *reader, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The object that a line is, or NULL with the error set. */
json_t *pl_capture_parse_object(const PlCaptureReader *reader, const char *text, size_t length,
                                GError **error);

/* A text of limited length.  *text is NULL when there is no such member, which is no error. */
bool pl_capture_get_text(const PlCaptureReader *reader, const json_t *object, const char *key,
                         const char **text, GError **error);

/* Reads the first line. */
bool pl_capture_read_header(PlCaptureReader *reader, GError **error);
