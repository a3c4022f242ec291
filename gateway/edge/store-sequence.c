/* SPDX-License-Identifier: Apache-2.0 */

/* The message number.  A file of its own holds the first number that may not be handed out yet;
 * it is written, synced and renamed into place before any number below it leaves.  The file is
 * independent of the database, so numbers rise through a lost log, a damaged database and a
 * power cut, at the price of a gap of some thousands after each crash. */

#include "gateway/edge/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

enum { BLOCK = 10000 };

/* Reads the number; false when there is no file or no number in it. */
static bool
read_file(const char *path, uint64_t *value) {
  g_autofree char *text = NULL;
  guint64 number;

  if (!g_file_get_contents(path, &text, NULL, NULL) ||
      !g_ascii_string_to_unsigned(g_strchomp(text), 10, 1, UINT64_C(1) << 53, &number, NULL))
    return false;
  *value = number;
  return true;
}

static bool
write_file(const char *path, uint64_t value) {
  g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", value);
  return g_file_set_contents_full(
      path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, NULL);
}

void
pl_sequence_open(PlSequence *sequence, const char *directory, bool fresh) {
  g_mutex_init(&sequence->mutex);
  g_mutex_init(&sequence->file);
  sequence->next = 1;
  sequence->reserved = UINT64_MAX;
  if (directory == NULL)
    return;
  sequence->path = g_build_filename(directory, "sequence", NULL);
  /* Lost or damaged: milliseconds since 1970 are above anything that was ever handed out, as
   * long as there were fewer than a thousand messages a second. */
  if (!read_file(sequence->path, &sequence->next) && !fresh)
    sequence->next = (uint64_t)g_get_real_time() / 1000;
  sequence->reserved = sequence->next;
}

void
pl_sequence_reserve(PlSequence *sequence) {
  g_mutex_lock(&sequence->file);
  g_mutex_lock(&sequence->mutex);
  bool enough = sequence->reserved - sequence->next > BLOCK / 2;
  uint64_t reserved = sequence->next + BLOCK;
  g_mutex_unlock(&sequence->mutex);
  if (!enough) {
    /* Without a file there is no promise to keep, but the messages still have to differ. */
    write_file(sequence->path, reserved);
    g_mutex_lock(&sequence->mutex);
    sequence->reserved = reserved;
    g_mutex_unlock(&sequence->mutex);
  }
  g_mutex_unlock(&sequence->file);
}

uint64_t
pl_sequence_next(PlSequence *sequence) {
  g_mutex_lock(&sequence->mutex);
  while (sequence->next >= sequence->reserved) {
    g_mutex_unlock(&sequence->mutex);
    pl_sequence_reserve(sequence);
    g_mutex_lock(&sequence->mutex);
  }
  uint64_t next = sequence->next++;
  g_mutex_unlock(&sequence->mutex);
  return next;
}

void
pl_sequence_close(PlSequence *sequence) {
  if (sequence->path != NULL && sequence->reserved > sequence->next)
    write_file(sequence->path, sequence->next);
  g_free(sequence->path);
  g_mutex_clear(&sequence->mutex);
  g_mutex_clear(&sequence->file);
}
