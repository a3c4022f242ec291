/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A disk that fails or loses its power, put between SQLite and the real file system: registered
 * as the default, so that the code under test does not know of it.  Calls of any thread. */

void disk_vfs_install(void);
void disk_vfs_remove(void); /* and forgets what was noted */

/* From now on this share of all writes and syncs fails with `rc`; 0: none. */
void disk_vfs_fail(double share, int rc);

/* The next `count` writes and syncs go well, all later ones fail with `rc`. */
void disk_vfs_fail_after(unsigned count, int rc);

/* From now on every change is noted.  What the files in `directory` hold now is safe. */
void disk_vfs_note(const char *directory);

/* How many changes were noted. */
unsigned disk_vfs_position(void);

/* Writes into `directory` what the disk may hold when the power goes before change `position`:
 * what was synced, and of the changes after that any, whole or torn at a sector. */
void disk_vfs_cut(unsigned position, const char *directory, GRand *rand);
