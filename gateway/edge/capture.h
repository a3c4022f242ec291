/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"
#include "gateway/core/uuid.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Captures: what the sensors of a run sent, as lines of JSON, gzip or plain.  The format is
 * described in plumbline-capture(5).  A capture holds Bluetooth addresses, so it is written for
 * the eyes of its owner only.
 *
 * Reading is total: every file gives events or an error that says where and what.  Names of
 * members that are not known are passed over; types and values have to be right.  A last line
 * that is cut short, as by a power cut, is a warning. */

enum {
  PL_CAPTURE_VERSION = 1,
  PL_CAPTURE_LINE_MAX = 64 * 1024,
  PL_CAPTURE_HEADER_MAX = 4 * 1024 * 1024,
  PL_CAPTURE_SENSORS_MAX = 4096,
  PL_CAPTURE_SERVICES_MAX = 32,
  PL_CAPTURE_TEXT_MAX = 255, /* bytes of a name or an address */
  PL_CAPTURE_ID_SIZE = 33,
};

/* The longest capture: a hundred days. */
#define PL_CAPTURE_DURATION_MAX_US (INT64_C(8640000) * 1000000)

typedef struct {
  const char *id;      /* [a-z0-9-]{1,32} */
  const char *address; /* NULL: not said, as are the next two */
  const char *name;
  const char *mount;
  size_t service_count;
  PlUuid services[PL_CAPTURE_SERVICES_MAX];
} PlCaptureSensor;

typedef struct {
  int64_t start_ms; /* Unix time */
  const char *tz;   /* NULL: not said */
  size_t sensor_count;
  PlCaptureSensor *sensors;
} PlCaptureHeader;

typedef enum {
  PL_CAPTURE_NOTIFICATION,  /* sensor, uuid, data */
  PL_CAPTURE_CONNECTED,     /* sensor */
  PL_CAPTURE_DISCONNECTED,  /* sensor */
  PL_CAPTURE_ADVERTISEMENT, /* sensor, rssi_dbm (0: unknown) */
  PL_CAPTURE_MANUFACTURER,  /* sensor, company, data: part of an advertisement */
  PL_CAPTURE_SERVICE_DATA,  /* sensor, uuid, data: part of an advertisement */
  PL_CAPTURE_COMMAND,       /* command, arguments */
  PL_CAPTURE_END,           /* the recording ended here on purpose */
  PL_CAPTURE_EOF,           /* there is nothing more in the file */
} PlCaptureEventType;

typedef struct {
  PlCaptureEventType type;
  int64_t t_us; /* since the start; never falls */
  int sensor;   /* index in the header, -1: none */
  PlUuid uuid;
  uint16_t company;
  int rssi_dbm;
  const uint8_t *data; /* valid until the next event, as are the texts */
  size_t length;       /* at most PL_VALUE_MAX */
  const char *command;
  const char *arguments; /* the text of a JSON object */
} PlCaptureEvent;

typedef struct PlCaptureReader PlCaptureReader;

/* Opens a capture and reads its header; `path` may be `-` for standard input.  Errors:
 * G_FILE_ERROR, and PL_ERROR_DATA with a message that begins `file:line:`. */
PlCaptureReader *pl_capture_reader_open(const char *path, GError **error);

/* The same for plain text in memory, which has to outlive the reader. */
PlCaptureReader *pl_capture_reader_open_memory(const char *name, const char *data,
                                               size_t length, GError **error);

const PlCaptureHeader *pl_capture_reader_header(const PlCaptureReader *reader);

/* The next event; after the last, PL_CAPTURE_EOF for ever. */
bool pl_capture_reader_next(PlCaptureReader *reader, PlCaptureEvent *event, GError **error);

/* After PL_CAPTURE_EOF: what was wrong and passed over, or NULL. */
const char *pl_capture_reader_warning(const PlCaptureReader *reader);

void pl_capture_reader_free(PlCaptureReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlCaptureReader, pl_capture_reader_free)

typedef struct PlCaptureWriter PlCaptureWriter;

/* Creates a capture of mode 0600, compressed when `path` ends in `.gz`; `-` is standard output.
 * `size_max` bounds the text before compression; 0: no bound.  The header is copied as far as
 * it is needed. */
PlCaptureWriter *pl_capture_writer_open(const char *path, const PlCaptureHeader *header,
                                        uint64_t size_max, GError **error);

/* Adds one event as one whole line.  Everything is handed to the system at the latest when
 * 5 s of the capture's time have passed since it was last.  PL_ERROR_FULL: the line would go
 * beyond the bound and was not written; PL_CAPTURE_END always fits.  PL_ERROR_DATA: the event
 * could not be read back (time before the last, no such sensor, value too long). */
bool pl_capture_writer_write(PlCaptureWriter *writer, const PlCaptureEvent *event,
                             GError **error);

/* To be called when nothing has come for a while. */
bool pl_capture_writer_flush(PlCaptureWriter *writer, GError **error);

/* Writes what is left and closes the file; afterwards only free is allowed. */
bool pl_capture_writer_close(PlCaptureWriter *writer, GError **error);

void pl_capture_writer_free(PlCaptureWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlCaptureWriter, pl_capture_writer_free)
