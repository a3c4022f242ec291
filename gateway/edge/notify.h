/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Words to the service manager; without one nothing happens. */

void pl_notify_ready(void);
void pl_notify_reloading(void); /* until pl_notify_ready() */
void pl_notify_stopping(void);
void pl_notify_status(const char *text);
void pl_notify_watchdog(void);

/* How often the watchdog wants to hear from us, microseconds; 0: not at all. */
int64_t pl_notify_watchdog_us(void);
