/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/wall.h"

int64_t
pl_wall_midnight_us(const PlWall *wall, int64_t wall_us, int days) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(wall_us / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, wall->zone);
  g_autoptr(GDateTime) day = g_date_time_add_days(local, -days);
  int year, month, date;
  g_date_time_get_ymd(day, &year, &month, &date);
  g_autoptr(GDateTime) midnight = g_date_time_new(wall->zone, year, month, date, 0, 0, 0);
  return g_date_time_to_unix(midnight) * G_USEC_PER_SEC;
}
