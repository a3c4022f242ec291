/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* What the radio did, as JSON lines: `t` (CLOCK_BOOTTIME, seconds), `event`, `sensor` where one
 * is concerned, and more by event.  The texts put in are ids, UUIDs, hex and numbers, none of
 * which needs escaping. */
typedef struct RadioJournal RadioJournal;

enum { RADIO_HEX_SIZE = 2 * 600 + 1 };

/* A journal that is written nowhere when path is NULL; NULL with errno when it cannot open. */
RadioJournal *radio_journal_new(const char *path);
void radio_journal_free(RadioJournal *journal);

/* One line.  `sensor` may be NULL; `format` gives further members, such as "\"handle\":%u", or
 * is NULL. */
void radio_journal_write(RadioJournal *journal, const char *sensor, const char *event,
                         const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Lower-case hex of at most 600 bytes. */
const char *radio_hex(const uint8_t *bytes, size_t length, char text[RADIO_HEX_SIZE]);

/* CLOCK_BOOTTIME, microseconds. */
int64_t radio_now(void);
