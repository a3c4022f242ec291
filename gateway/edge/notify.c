/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/notify.h"

#include <glib.h>

#ifdef PL_HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

void
pl_notify_ready(void) {
  sd_notify(0, "READY=1");
}

void
pl_notify_reloading(void) {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
}

void
pl_notify_stopping(void) {
  sd_notify(0, "STOPPING=1");
}

void
pl_notify_status(const char *text) {
  sd_notifyf(0, "STATUS=%s", text);
}

void
pl_notify_watchdog(void) {
  sd_notify(0, "WATCHDOG=1");
}

int64_t
pl_notify_watchdog_us(void) {
  uint64_t interval_us = 0;
  return sd_watchdog_enabled(0, &interval_us) > 0 ? (int64_t)interval_us : 0;
}

#else

void
pl_notify_ready(void) {
}

void
pl_notify_reloading(void) {
}

void
pl_notify_stopping(void) {
}

void
pl_notify_status(const char *text) {
  (void)text;
}

void
pl_notify_watchdog(void) {
}

int64_t
pl_notify_watchdog_us(void) {
  return 0;
}

#endif
