/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct RadioJournal {
  FILE *file; /* NULL: nothing is written */
};

RadioJournal *
radio_journal_new(const char *path) {
  FILE *file = path ? fopen(path, "ae") : NULL;
  if (path && !file)
    return NULL;
  RadioJournal *journal = g_new0(RadioJournal, 1);
  journal->file = file;
  return journal;
}

void
radio_journal_free(RadioJournal *journal) {
  if (!journal)
    return;
  if (journal->file)
    fclose(journal->file);
  g_free(journal);
}

void
radio_journal_write(RadioJournal *journal, const char *sensor, const char *event,
                    const char *format, ...) {
  if (!journal->file)
    return;
  int64_t now = radio_now();
  fprintf(journal->file, "{\"t\":%" PRId64 ".%06" PRId64 ",\"event\":\"%s\"", now / 1000000,
          now % 1000000, event);
  if (sensor)
    fprintf(journal->file, ",\"sensor\":\"%s\"", sensor);
  if (format) {
    va_list arguments;
    va_start(arguments, format);
    fputc(',', journal->file);
    vfprintf(journal->file, format, arguments);
    va_end(arguments);
  }
  fputs("}\n", journal->file);
  fflush(journal->file);
}

const char *
radio_hex(const uint8_t *bytes, size_t length, char text[RADIO_HEX_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  length = MIN(length, (RADIO_HEX_SIZE - 1) / 2);
  for (size_t i = 0; i < length; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  text[2 * length] = '\0';
  return text;
}

int64_t
radio_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
