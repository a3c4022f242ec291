/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/simulate.h"
#include "gateway/cli/cli.h"

#include <math.h>
#include <stdio.h>

static void
list_scenarios(GString *text) {
  size_t count;
  const PlScenario *scenarios = pl_simulator_scenarios(&count);
  g_string_append(text, "Scenarios:\n");
  for (size_t i = 0; i < count; i++)
    g_string_append_printf(text, "  %-10s %s\n", scenarios[i].name, scenarios[i].description);
}

static int
simulate(const PlSimulateOptions *options, const char *path) {
  g_autoptr(GError) error = NULL;
  if (pl_simulate_capture(options, path, &error))
    return PL_EXIT_OK;
  pl_cli_error("%s", error->message);
  return PL_EXIT_FAILED;
}

int
pl_command_simulate(int argc, char **argv) {
  PlCliOptions options = {0};
  double minutes = 0;
  gint64 seed = 1;
  g_autofree char *output = NULL;
  g_autoptr(GString) text = g_string_new("Writes what the sensors of a simulated runner send, "
                                         "for plumbline replay.\n\n");
  const GOptionEntry entries[] = {
      {"minutes", 0, 0, G_OPTION_ARG_DOUBLE, &minutes, "how long (default: the scenario's own)",
       "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "another number, another run (default: 1)",
       "N"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "the capture to write, compressed if it ends in .gz; - for standard output", "CAPTURE"},
      G_OPTION_ENTRY_NULL,
  };
  int code = PL_EXIT_USAGE;

  list_scenarios(text);
  if (!pl_cli_parse(&argc, &argv, "SCENARIO", text->str, entries, &options))
    return code;
  const PlScenario *scenario = argc == 2 ? pl_simulator_find(argv[1]) : NULL;
  if (argc == 2 && scenario == NULL)
    pl_cli_error("there is no scenario \"%s\"; plumbline simulate --help lists them", argv[1]);
  else if (argc != 2 || output == NULL)
    pl_cli_error("simulate takes a scenario and -o CAPTURE; see plumbline simulate --help");
  else if (!isfinite(minutes) || minutes < 0 || minutes > 24 * 60)
    pl_cli_error("--minutes: expected a number from 0 to 1440");
  else
    code = simulate(
        &(PlSimulateOptions){
            .scenario = scenario,
            .minutes = minutes,
            .seed = (uint64_t)seed,
            .start_ms = g_get_real_time() / 1000,
        },
        output);
  pl_cli_clear(&options);
  return code;
}
