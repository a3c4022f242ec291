/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Files of text lines, gzip or plain.  All calls block. */

typedef struct PlLineReader PlLineReader;

/* `path` may be `-` for standard input.  Whether the file is compressed is seen from its
 * content. */
PlLineReader *pl_line_reader_open(const char *path, GError **error);

/* Lines of plain text in memory, which has to outlive the reader. */
PlLineReader *pl_line_reader_open_memory(const char *name, const char *data, size_t length);

/* The next line, without its end; valid until the next call.  At the end of the file *line is
 * NULL.  A line of more than `limit` bytes is an error (PL_ERROR_DATA). */
bool pl_line_reader_next(PlLineReader *reader, size_t limit, const char **line, size_t *length,
                         GError **error);

/* The number of the last line, from 1. */
unsigned pl_line_reader_number(const PlLineReader *reader);

/* As given to open, for messages. */
const char *pl_line_reader_name(const PlLineReader *reader);

/* Whether the last line had no end of line. */
bool pl_line_reader_cut(const PlLineReader *reader);

/* Whether the file is compressed and was seen to stop before its end. */
bool pl_line_reader_truncated(const PlLineReader *reader);

void pl_line_reader_free(PlLineReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlLineReader, pl_line_reader_free)

typedef struct PlLineWriter PlLineWriter;

/* Creates or empties a file of mode 0600, compressed when its name ends in `.gz`; `-` is
 * standard output. */
PlLineWriter *pl_line_writer_open(const char *path, GError **error);

/* Adds a line; `text` has no end of line. */
bool pl_line_writer_write(PlLineWriter *writer, const char *text, size_t length,
                          GError **error);

/* Hands everything written so far to the system. */
bool pl_line_writer_flush(PlLineWriter *writer, GError **error);

/* Writes what is left and closes the file; afterwards only free is allowed. */
bool pl_line_writer_close(PlLineWriter *writer, GError **error);

/* Closes, when that was not done, without telling of errors.  NULL is fine. */
void pl_line_writer_free(PlLineWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlLineWriter, pl_line_writer_free)
