/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include <string.h>

/* Drivers that the manual names.  Which of them are built in is up to the build. */
static const char *const known[] = {
    "heart-rate",
    "running-speed-cadence",
    "cycling-power",
    "treadmill",
    "polar-pmd",
    "polar-advertisement",
    "xoss-advertisement",
    "movesense",
    "witmotion",
    "thingy52",
    "movella-dot",
    "adafruit",
    "bthome",
    "stryd",
    "form-tracker",
    "plumbline-diy",
    "simulator",
};

static char *
expected_drivers(const PlOption *option) {
  return g_strdup("auto or names of drivers with ; between them");
}

static const PlDriver *
find_driver(const PlConfigSurroundings *surroundings, const char *id) {
  for (size_t i = 0; i < surroundings->driver_count; i++)
    if (strcmp(surroundings->drivers[i]->id, id) == 0)
      return surroundings->drivers[i];
  return NULL;
}

static bool
is_known(const char *id) {
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (strcmp(known[i], id) == 0)
      return true;
  return false;
}

static void
explain(PlReader *reader, const char *id) {
  const PlConfigSurroundings *surroundings = reader->surroundings;
  g_autofree char *quoted = pl_problems_quote(id);
  PlNearest nearest;

  pl_nearest_init(&nearest, id);
  for (size_t i = 0; i < surroundings->driver_count; i++)
    pl_nearest_try(&nearest, surroundings->drivers[i]->id);
  if (is_known(id))
    g_string_printf(reader->why, "the driver %s is not built into this program", quoted);
  else if (nearest.best != NULL)
    g_string_printf(reader->why, "there is no driver %s; did you mean %s?", quoted,
                    nearest.best);
  else
    g_string_printf(reader->why, "there is no driver %s", quoted);
  g_string_append(reader->why, " (built in:");
  for (size_t i = 0; i < surroundings->driver_count; i++)
    g_string_append_printf(reader->why, " %s", surroundings->drivers[i]->id);
  g_string_append_c(reader->why, ')');
}

static bool
add_driver(PlReader *reader, PlConfigSensor *sensor, const char *id) {
  const PlDriver *driver = find_driver(reader->surroundings, id);
  if (driver == NULL) {
    explain(reader, id);
    return false;
  }
  for (size_t i = 0; i < sensor->driver_count; i++)
    if (sensor->drivers[i] == driver) {
      g_string_printf(reader->why, "%s stands in the list twice", id);
      return false;
    }
  if (sensor->driver_count == PL_SESSION_DRIVERS) {
    g_string_printf(reader->why, "expected at most %d drivers for one sensor",
                    PL_SESSION_DRIVERS);
    return false;
  }
  sensor->drivers[sensor->driver_count++] = driver;
  return true;
}

static bool
parse_drivers(PlReader *reader, const PlOption *option, const char *text, void *target) {
  PlConfigSensor *sensor = target;
  if (strcmp(text, "auto") == 0)
    return true;

  g_auto(GStrv) items = pl_split_list(text);
  for (char **item = items; *item != NULL; item++)
    if (!add_driver(reader, sensor, *item))
      return false;
  return items[0] != NULL;
}

const PlType pl_type_drivers = {parse_drivers, expected_drivers, NULL};
