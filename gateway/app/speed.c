/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/speed.h"

#include <glib.h>
#include <math.h>
#include <string.h>

bool
pl_speed_parse(const char *text, double fallback, double *speed) {
  char *end;
  *speed = fallback;
  if (text == NULL)
    return true;
  if (strcmp(text, "max") == 0) {
    *speed = 0;
    return true;
  }
  double value = g_ascii_strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(value) || value <= 0)
    return false;
  *speed = value;
  return true;
}
