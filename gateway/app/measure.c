/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/measure.h"

#include <math.h>

static const double mile_m = 1609.344;
static const double slowest_m_s = 0.5;

char *
pl_measure_distance(double metres, PlUnits units) {
  bool imperial = units == PL_UNITS_IMPERIAL;
  return g_strdup_printf("%.2f %s", metres / (imperial ? mile_m : 1000),
                         imperial ? "mi" : "km");
}

char *
pl_measure_time(double seconds) {
  long whole = lround(fmax(seconds, 0));
  if (whole >= 3600)
    return g_strdup_printf("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return g_strdup_printf("%ld:%02ld", whole / 60, whole % 60);
}

char *
pl_measure_pace(double speed_m_s, PlUnits units) {
  if (!(speed_m_s >= slowest_m_s))
    return g_strdup("-");
  bool imperial = units == PL_UNITS_IMPERIAL;
  g_autofree char *time = pl_measure_time((imperial ? mile_m : 1000) / speed_m_s);
  return g_strdup_printf("%s %s", time, imperial ? "/mi" : "/km");
}
