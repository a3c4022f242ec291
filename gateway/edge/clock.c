/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/clock.h"

#include <glib.h>
#include <time.h>

static const char synced_file[] = "/run/systemd/timesync/synchronized";
static const char boot_id_file[] = "/proc/sys/kernel/random/boot_id";

static int64_t
read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

int64_t
pl_clock_boot_us(void) {
  return read_clock(CLOCK_BOOTTIME);
}

int64_t
pl_clock_wall_offset_us(void) {
  return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
}

bool
pl_clock_synced(void) {
  return g_file_test(synced_file, G_FILE_TEST_EXISTS);
}

char *
pl_clock_boot_id(void) {
  const char *given = g_getenv("PLUMBLINE_BOOT_ID");
  char *text = NULL;
  if (given != NULL && *given != '\0')
    return g_strdup(given);
  if (!g_file_get_contents(boot_id_file, &text, NULL, NULL))
    return NULL;
  return g_strstrip(text);
}
