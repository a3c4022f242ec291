/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"

#include <stddef.h>

/* The drivers that are linked in, special ones before general ones.  The table is generated
 * from plugins/meson.build and the option -Ddrivers. */
extern const PlDriver *const pl_drivers[];
extern const size_t pl_driver_count;

/* The driver of that id, or NULL. */
const PlDriver *pl_driver_find(const char *id);
