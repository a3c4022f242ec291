/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The clocks of this machine, read nowhere else. */

/* CLOCK_BOOTTIME, microseconds: goes on in suspend, is never stepped. */
int64_t pl_clock_boot_us(void);

/* Wall time since 1970 minus boot time, microseconds. */
int64_t pl_clock_wall_offset_us(void);

/* Whether somebody keeps the wall clock right. */
bool pl_clock_synced(void);

/* The id of this boot of the machine: PLUMBLINE_BOOT_ID, which the unit sets because its
 * sandbox hides the file, else the kernel's.  NULL when neither is there.  Free it. */
char *pl_clock_boot_id(void);
