/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/log.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Priorities of syslog(3). */
static int
priority_of(GLogLevelFlags level) {
  if (level & G_LOG_LEVEL_ERROR)
    return 2;
  if (level & G_LOG_LEVEL_CRITICAL)
    return 3;
  if (level & G_LOG_LEVEL_WARNING)
    return 4;
  if (level & G_LOG_LEVEL_MESSAGE)
    return 5;
  return level & G_LOG_LEVEL_INFO ? 6 : 7;
}

static const char *
field_of(const GLogField *fields, gsize count, const char *key) {
  for (gsize i = 0; i < count; i++)
    if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

/* Texts may quote a sensor or a broker: whatever is not printable is not printed. */
static void
print(int priority, const char *text) {
  g_autofree char *line = g_utf8_make_valid(text, -1);
  for (char *c = line; *c != '\0'; c++)
    if (g_ascii_iscntrl(*c))
      *c = ' ';
  if (isatty(STDERR_FILENO))
    fprintf(stderr, "%s\n", line);
  else
    fprintf(stderr, "<%d>%s\n", priority, line);
}

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize count, void *data) {
  const char *message = field_of(fields, count, "MESSAGE");
  const char *domain = field_of(fields, count, "GLIB_DOMAIN");
  (void)data;
  if (g_log_writer_default_would_drop(level, domain) || message == NULL)
    return G_LOG_WRITER_HANDLED;
  print(priority_of(level), message);
  return G_LOG_WRITER_HANDLED;
}

void
pl_log_init(void) {
  g_log_set_writer_func(write_log, NULL, NULL);
}
