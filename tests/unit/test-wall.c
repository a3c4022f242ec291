/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/wall.h"

#include "gateway/core/civil.h"

static int64_t
moment(const char *text) {
  int64_t ms = 0;
  g_assert_true(pl_civil_parse(text, &ms));
  return ms * 1000;
}

static void
assert_midnight(const char *zone, const char *now, int days, const char *expected) {
  PlWall wall = {.zone = g_time_zone_new_identifier(zone)};
  g_assert_nonnull(wall.zone);
  int64_t got_us = pl_wall_midnight_us(&wall, moment(now), days);
  g_assert_cmpint(got_us, ==, moment(expected));
  g_time_zone_unref(wall.zone);
}

static void
test_offset(void) {
  PlWall wall = {.offset_us = 1780315200123456};
  g_assert_cmpint(pl_wall_us(&wall, 1000), ==, 1780315200124456);
  g_assert_cmpint(pl_wall_ms(&wall, 1000), ==, 1780315200124);
}

static void
test_midnight(void) {
  assert_midnight("UTC", "2026-06-01T12:00:00.000Z", 0, "2026-06-01T00:00:00.000Z");
  assert_midnight("UTC", "2026-06-01T00:00:00.000Z", 0, "2026-06-01T00:00:00.000Z");
  assert_midnight("UTC", "2026-06-01T23:59:59.999Z", 0, "2026-06-01T00:00:00.000Z");
  assert_midnight("UTC", "2026-06-01T12:00:00.000Z", 1, "2026-05-31T00:00:00.000Z");
  assert_midnight("UTC", "2026-03-01T12:00:00.000Z", 30, "2026-01-30T00:00:00.000Z");
  assert_midnight("UTC", "2024-03-01T12:00:00.000Z", 1, "2024-02-29T00:00:00.000Z");
}

static void
test_zones(void) {
  assert_midnight("Europe/Berlin", "2026-06-01T21:59:00.000Z", 0, "2026-05-31T22:00:00.000Z");
  assert_midnight("Europe/Berlin", "2026-06-01T22:00:00.000Z", 0, "2026-06-01T22:00:00.000Z");
  assert_midnight("Pacific/Auckland", "2026-06-01T12:00:00.000Z", 0,
                  "2026-06-01T12:00:00.000Z");
  assert_midnight("America/Los_Angeles", "2026-06-01T06:59:00.000Z", 0,
                  "2026-05-31T07:00:00.000Z");
  assert_midnight("Asia/Kolkata", "2026-06-01T18:30:00.000Z", 0, "2026-06-01T18:30:00.000Z");
}

/* Days of 23 and 25 hours, and one whose midnight does not exist. */
static void
test_summer_time(void) {
  assert_midnight("Europe/Berlin", "2026-03-29T20:00:00.000Z", 0, "2026-03-28T23:00:00.000Z");
  assert_midnight("Europe/Berlin", "2026-03-30T20:00:00.000Z", 1, "2026-03-28T23:00:00.000Z");
  assert_midnight("Europe/Berlin", "2026-10-25T22:30:00.000Z", 0, "2026-10-24T22:00:00.000Z");
  assert_midnight("Europe/Berlin", "2026-11-01T12:00:00.000Z", 30, "2026-10-01T22:00:00.000Z");
  assert_midnight("Africa/Cairo", "2024-04-26T12:00:00.000Z", 0, "2024-04-25T22:00:00.000Z");
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/wall/offset", test_offset);
  g_test_add_func("/wall/midnight", test_midnight);
  g_test_add_func("/wall/zones", test_zones);
  g_test_add_func("/wall/summer-time", test_summer_time);
  return g_test_run();
}
