/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/client.h"

#include <stdio.h>

enum { DEFAULT_SECONDS = 10, SECONDS_MAX = 60 };

static const char *
text_of(json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL && *text != '\0' ? text : "-";
}

static void
print_table(json_t *found) {
  size_t index;
  json_t *entry;
  if (json_array_size(found) == 0) {
    puts("Nothing was heard.  Put the sensor on, or move it: most are silent until then.");
    return;
  }
  printf("%-17s  %-7s  %6s  %-12s  %-20s  %s\n", "ADDRESS", "TYPE", "SIGNAL", "SENSOR", "KIND",
         "NAME");
  json_array_foreach(found, index, entry)
    printf("%-17s  %-7s  %6.0f  %-12s  %-20s  %s\n", text_of(entry, "address"),
           text_of(entry, "address_type"),
           json_number_value(json_object_get(entry, "rssi_dbm")), text_of(entry, "sensor"),
           text_of(entry, "kind"), text_of(entry, "name"));
}

static int
scan(const PlCliOptions *options, int seconds) {
  PlClient client;
  int code = PL_EXIT_FAILED;
  if (!pl_client_open(&client, options, &code))
    return code;
  if (!options->json)
    fprintf(stderr, "Listening for %d s ...\n", seconds);
  json_t *data =
      pl_client_ask(&client, json_pack("{s:s, s:i}", "command", "scan", "seconds", seconds));
  code = data == NULL ? PL_EXIT_FAILED : PL_EXIT_OK;
  if (data != NULL && options->json)
    json_dumpf(data, stdout, JSON_COMPACT), putchar('\n');
  else if (data != NULL)
    print_table(json_object_get(data, "found"));
  json_decref(data);
  pl_client_close(&client);
  return code;
}

int
pl_command_scan(int argc, char **argv) {
  PlCliOptions options = {0};
  int seconds = DEFAULT_SECONDS;
  const GOptionEntry entries[] = {
      {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "how long to listen (default: 10)", "N"},
      G_OPTION_ENTRY_NULL,
  };
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(&argc, &argv, "", "Lists the Bluetooth sensors within reach.", entries,
                    &options))
    return code;
  if (argc != 1)
    pl_cli_error("scan takes no argument; see plumbline scan --help");
  else if (seconds < 1 || seconds > SECONDS_MAX)
    pl_cli_error("--seconds: expected a whole number from 1 to %d", SECONDS_MAX);
  else
    code = scan(&options, seconds);
  pl_cli_clear(&options);
  return code;
}
