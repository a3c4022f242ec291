/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* Reads "max" (0) or a number above 0, with a point and without anything after it.  NULL gives
 * `fallback`. */
bool pl_speed_parse(const char *text, double fallback, double *speed);
