/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether the wall clock is kept right, by what systemd-timedated says over D-Bus: it knows of
 * chrony and of every other daemon, where the file of systemd-timesyncd knows of that one
 * alone. Nothing here waits; everything happens in the default main context. */

typedef struct PlTimedate PlTimedate;

/* `address` of the bus; NULL: the system bus. */
PlTimedate *pl_timedate_new(const char *address);
void pl_timedate_free(PlTimedate *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlTimedate, pl_timedate_free)

/* The last answer; false until there is one.  To be called every now and then: it asks anew
 * when that was long ago, every 15 s until the clock is right, then every ten minutes. */
bool pl_timedate_synced(PlTimedate *self);
