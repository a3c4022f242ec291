/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/measure.h"
#include "gateway/cli/cli.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum { DEFAULT_LIMIT = 20 };

/* "2026-11-23 07:02" in the local zone. */
static char *
local_time(int64_t wall_us) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(wall_us / G_USEC_PER_SEC);
  return g_date_time_format(time, "%Y-%m-%d %H:%M");
}

static double
member(json_t *object, const char *key) {
  json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

static char *
whole(double value) {
  return isnan(value) ? g_strdup("-") : g_strdup_printf("%.0f", value);
}

static void
print_row(const PlStoredRun *run, PlUnits units) {
  json_t *summary = run->summary == NULL ? NULL : json_loads(run->summary, 0, NULL);
  double moving_s = member(summary, "moving_s");
  g_autofree char *start = local_time(run->start.wall_us);
  g_autofree char *heart = whole(member(json_object_get(summary, "heart_rate_bpm"), "mean"));
  g_autofree char *distance =
      isnan(run->distance_m) ? g_strdup("-") : pl_measure_distance(run->distance_m, units);
  g_autofree char *time = isnan(moving_s) ? g_strdup("running") : pl_measure_time(moving_s);
  g_autofree char *pace = pl_measure_pace(run->distance_m / moving_s, units);

  printf("%-36s  %-16s  %-8s  %10s  %8s  %9s  %5s\n", run->id, start, run->athlete, distance,
         time, pace, heart);
  json_decref(summary);
}

static void
print_table(const GPtrArray *runs, PlUnits units) {
  if (runs->len == 0) {
    puts("No runs yet.");
    return;
  }
  printf("%-36s  %-16s  %-8s  %10s  %8s  %9s  %5s\n", "RUN", "START", "ATHLETE", "DISTANCE",
         "TIME", "PACE", "HEART");
  for (guint i = 0; i < runs->len; i++)
    print_row(runs->pdata[i], units);
}

/* The summaries as they were published, newest first. */
static void
print_json(const GPtrArray *runs) {
  for (guint i = 0; i < runs->len; i++) {
    const PlStoredRun *run = runs->pdata[i];
    if (run->summary != NULL)
      puts(run->summary);
  }
}

static PlUnits
units_of(const PlCliOptions *options) {
  g_autoptr(PlConfig) config = options->json ? NULL : pl_cli_config(options);
  return config == NULL ? PL_UNITS_METRIC : config->gateway.units;
}

static int
list(const PlCliOptions *options, const char *athlete, int limit) {
  g_autoptr(GError) error = NULL;
  int code = PL_EXIT_FAILED;
  g_autoptr(PlStore) store = pl_cli_store(options, &code);
  if (store == NULL)
    return code;
  g_autoptr(GPtrArray) runs = pl_store_runs(store, athlete, (unsigned)limit, 0, &error);
  if (runs == NULL) {
    pl_cli_error("%s", error->message);
    return PL_EXIT_FAILED;
  }
  if (options->json)
    print_json(runs);
  else
    print_table(runs, units_of(options));
  return PL_EXIT_OK;
}

int
pl_command_runs(int argc, char **argv) {
  PlCliOptions options = {0};
  g_autofree char *athlete = NULL;
  int limit = DEFAULT_LIMIT;
  const GOptionEntry entries[] = {
      {"athlete", 0, 0, G_OPTION_ARG_STRING, &athlete, "only of this athlete", "ID"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many (default: 20)", "N"},
      G_OPTION_ENTRY_NULL,
  };
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(&argc, &argv, "",
                    "Lists stored runs, newest first; with --json their summaries, one a line.",
                    entries, &options))
    return code;
  if (argc != 1)
    pl_cli_error("runs takes no argument; see plumbline runs --help");
  else if (limit < 1)
    pl_cli_error("--limit: expected a number of at least 1");
  else
    code = list(&options, athlete, limit);
  pl_cli_clear(&options);
  return code;
}

static void
print_summary(const PlStoredRun *run) {
  json_t *summary = run->summary == NULL ? NULL : json_loads(run->summary, 0, NULL);
  const char *markdown = json_string_value(json_object_get(summary, "markdown"));
  g_autofree char *start = local_time(run->start.wall_us);
  size_t index;
  json_t *entry;

  printf("Run %s of %s, %s\n\n%s\n", run->id, run->athlete, start,
         markdown != NULL ? markdown : "It is still going on.");
  json_array_foreach(json_object_get(summary, "laps"), index, entry) {
    g_autofree char *time = pl_measure_time(member(entry, "elapsed_s"));
    g_autofree char *heart = whole(member(entry, "heart_rate_bpm"));
    g_autofree char *cadence = whole(member(entry, "cadence_spm"));
    printf("lap %2.0f  %8.1f m  %8s  heart %s  cadence %s\n", member(entry, "number"),
           member(entry, "distance_m"), time, heart, cadence);
  }
  json_array_foreach(json_object_get(summary, "warnings"), index, entry)
    printf("warning %s: %.0f time(s), %.0f s\n",
           json_string_value(json_object_get(entry, "code")), member(entry, "count"),
           member(entry, "seconds"));
  json_array_foreach(json_object_get(summary, "advice"), index, entry)
    printf("\n%s (evidence: %s)\n", json_string_value(json_object_get(entry, "text")),
           json_string_value(json_object_get(entry, "evidence")));
  json_decref(summary);
}

static int
show(const PlCliOptions *options, const char *id) {
  g_autoptr(GError) error = NULL;
  int code = PL_EXIT_FAILED;
  g_autoptr(PlStore) store = pl_cli_store(options, &code);
  if (store == NULL)
    return code;
  g_autoptr(PlStoredRun) run = pl_store_run(store, id, &error);
  if (run == NULL) {
    pl_cli_error("%s; plumbline runs lists what there is", error->message);
    return PL_EXIT_FAILED;
  }
  if (!options->json)
    print_summary(run);
  else if (run->summary != NULL)
    puts(run->summary);
  return PL_EXIT_OK;
}

int
pl_command_show(int argc, char **argv) {
  PlCliOptions options = {0};
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(&argc, &argv, "RUN|last", "Shows the summary of a run.", NULL, &options))
    return code;
  if (argc != 2)
    pl_cli_error("show takes one run, or last; see plumbline show --help");
  else
    code = show(&options, argv[1]);
  pl_cli_clear(&options);
  return code;
}
