/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/client.h"

#include <math.h>
#include <stdio.h>

static const char *
text_of(json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "-";
}

static void
print_athletes(json_t *data) {
  size_t index;
  json_t *athlete;
  json_array_foreach(json_object_get(data, "athletes"), index, athlete) {
    json_t *run = json_object_get(athlete, "run");
    printf("  %-12s %-10s %s\n", text_of(athlete, "athlete"), text_of(athlete, "phase"),
           run != NULL ? json_string_value(run) : "");
  }
}

static void
print_sensors(json_t *data) {
  size_t index;
  json_t *sensor;
  json_array_foreach(json_object_get(data, "sensors"), index, sensor) {
    printf("  %-12s %-10s", text_of(sensor, "sensor"), text_of(sensor, "link"));
    json_t *rate = json_object_get(sensor, "rate_hz");
    json_t *battery = json_object_get(sensor, "battery_pct");
    if (rate != NULL)
      printf("  %.1f/s", json_number_value(rate));
    if (battery != NULL)
      printf("  battery %.0f %%", json_number_value(battery));
    putchar('\n');
  }
}

static void
print_problems(json_t *data) {
  size_t index;
  json_t *problem;
  json_array_foreach(json_object_get(data, "problems"), index, problem)
    printf("problem: %s (%s)\n  %s\n", text_of(problem, "text"), text_of(problem, "code"),
           text_of(problem, "hint"));
}

static void
print_status(json_t *data) {
  printf("Gateway %s, version %s, up %.0f s, clock %s\n", text_of(data, "gateway"),
         text_of(data, "version"), json_number_value(json_object_get(data, "uptime_s")),
         text_of(data, "clock"));
  printf("Source: %s.  Broker: %s.\n\nAthletes:\n", text_of(data, "source"),
         text_of(data, "broker"));
  print_athletes(data);
  puts("Sensors:");
  print_sensors(data);
  print_problems(data);
}

int
pl_command_status(int argc, char **argv) {
  PlCliOptions options = {0};
  PlClient client = {0};
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(&argc, &argv, "", "Shows what runs now.", NULL, &options))
    return code;
  if (argc != 1) {
    pl_cli_error("status takes no argument; see plumbline status --help");
  } else if (pl_client_open(&client, &options, &code)) {
    json_t *data = pl_client_ask(&client, json_pack("{s:s}", "command", "status"));
    code = data == NULL ? PL_EXIT_FAILED : PL_EXIT_OK;
    if (data != NULL && options.json)
      json_dumpf(data, stdout, JSON_COMPACT), putchar('\n');
    else if (data != NULL)
      print_status(data);
    json_decref(data);
  }
  pl_client_close(&client);
  pl_cli_clear(&options);
  return code;
}
