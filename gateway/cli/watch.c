/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/measure.h"
#include "gateway/cli/client.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Everything seen so far: by athlete, the newest `live`. */
typedef struct {
  GTree *athletes;  /* of json_t */
  GPtrArray *notes; /* of char: the newest last */
  PlUnits units;
  bool full_screen;
} View;

enum { NOTES_SHOWN = 8 };

static const char home[] = "\033[H", clear_line[] = "\033[K", clear_below[] = "\033[J";
static const char enter_screen[] = "\033[?1049h\033[?25l",
                  leave_screen[] = "\033[?25h\033[?1049l";
static const char bold[] = "\033[1m", plain[] = "\033[0m";

static double
number(json_t *object, const char *key) {
  json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

static void
print_number(double value, int width, int decimals) {
  if (isnan(value))
    printf("%*s", width, "-");
  else
    printf("%*.*f", width, decimals, value);
}

static void
print_warnings(json_t *live) {
  size_t index;
  json_t *code;
  json_array_foreach(json_object_get(live, "warnings"), index, code)
    printf(" %s", json_string_value(code));
}

static void
print_row(const char *athlete, json_t *live, PlUnits units) {
  const char *phase = json_string_value(json_object_get(live, "phase"));
  double moving_s = number(live, "moving_s"), distance_m = number(live, "distance_m");
  g_autofree char *time = isnan(moving_s) ? g_strdup("-") : pl_measure_time(moving_s);
  g_autofree char *distance =
      isnan(distance_m) ? g_strdup("-") : pl_measure_distance(distance_m, units);
  g_autofree char *pace = pl_measure_pace(1000 / number(live, "pace_s_per_km"), units);

  printf("%-12s %-9s %8s %10s %10s ", athlete, phase != NULL ? phase : "-", time, distance,
         pace);
  print_number(number(live, "heart_rate_bpm"), 6, 0);
  print_number(number(live, "heart_zone"), 5, 0);
  print_number(number(live, "cadence_spm"), 8, 0);
  print_warnings(live);
}

static void
print_head(void) {
  printf("%-12s %-9s %8s %10s %10s %6s%5s%8s %s", "ATHLETE", "PHASE", "TIME", "DISTANCE",
         "PACE", "HEART", "ZONE", "CADENCE", "WARNINGS");
}

static gboolean
print_each(void *key, void *value, void *data) {
  const View *view = data;
  print_row(key, value, view->units);
  printf("%s\n", clear_line);
  return FALSE;
}

static void
draw(View *view) {
  fputs(home, stdout);
  if (pl_cli_has_colour())
    fputs(bold, stdout);
  print_head();
  if (pl_cli_has_colour())
    fputs(plain, stdout);
  printf("%s\n", clear_line);
  g_tree_foreach(view->athletes, print_each, view);
  printf("%s\n", clear_line);
  guint first = view->notes->len > NOTES_SHOWN ? view->notes->len - NOTES_SHOWN : 0;
  for (guint i = first; i < view->notes->len; i++)
    printf("%s%s\n", (char *)view->notes->pdata[i], clear_line);
  printf("%s\nCtrl-C ends.%s%s", clear_line, clear_line, clear_below);
  fflush(stdout);
}

static void
note(View *view, const char *who, const char *what) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
  g_autofree char *text = g_strdup_printf("%s: %s", who, what);
  if (view->full_screen)
    g_ptr_array_add(view->notes, g_strdup_printf("%s  %s", time, text));
  else
    printf("%s  %s\n", time, text);
}

static void
take_live(View *view, const char *athlete, json_t *live) {
  g_tree_replace(view->athletes, g_strdup(athlete), json_incref(live));
  if (view->full_screen) {
    draw(view);
    return;
  }
  print_row(athlete, live, view->units);
  putchar('\n');
  fflush(stdout);
}

/* The topic below the prefix: "athlete/r1/live" of whatever stands before it. */
static void
take_message(View *view, const char *topic, json_t *payload) {
  const char *athlete = json_string_value(json_object_get(payload, "athlete"));
  const char *code = json_string_value(json_object_get(payload, "code"));
  const char *title = json_string_value(json_object_get(payload, "title"));

  if (g_str_has_suffix(topic, "/live") && athlete != NULL)
    take_live(view, athlete, payload);
  else if (g_str_has_suffix(topic, "/warning") && title != NULL)
    note(view, athlete, title);
  else if (g_str_has_suffix(topic, "/summary") && title != NULL)
    note(view, athlete, title);
  else if (g_str_has_suffix(topic, "/event") && code != NULL) {
    const char *sensor = json_string_value(json_object_get(payload, "sensor"));
    note(view, sensor != NULL ? sensor : athlete != NULL ? athlete : "gateway", code);
  }
}

static void
follow(View *view, PlClient *client, bool raw) {
  char *line;
  while ((line = pl_client_line(client)) != NULL) {
    json_t *message = raw ? NULL : json_loads(line, 0, NULL);
    const char *topic = json_string_value(json_object_get(message, "topic"));
    if (raw) {
      puts(line);
      fflush(stdout);
    } else if (topic != NULL) {
      take_message(view, topic, json_object_get(message, "payload"));
    }
    json_decref(message);
    g_free(line);
  }
}

static void
on_signal(int signal_number) {
  (void)signal_number;
  if (write(STDOUT_FILENO, leave_screen, sizeof leave_screen - 1) < 0)
    _exit(PL_EXIT_FAILED);
  _exit(PL_EXIT_OK);
}

static int
compare(const void *a, const void *b, void *data) {
  (void)data;
  return strcmp(a, b);
}

static int
watch(const PlCliOptions *options) {
  PlClient client;
  int code = PL_EXIT_FAILED;
  g_autoptr(PlConfig) config = options->config_path != NULL ? pl_cli_config(options) : NULL;
  if (options->config_path != NULL && config == NULL)
    return PL_EXIT_CONFIG;
  if (!pl_client_open(&client, options, &code))
    return code;
  View view = {
      .athletes = g_tree_new_full(compare, NULL, g_free, (GDestroyNotify)json_decref),
      .notes = g_ptr_array_new_with_free_func(g_free),
      .units = config == NULL ? PL_UNITS_METRIC : config->gateway.units,
      .full_screen = !options->json && pl_cli_is_terminal(),
  };
  if (view.full_screen) {
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    fputs(enter_screen, stdout);
    draw(&view);
  } else if (!options->json) {
    print_head();
    putchar('\n');
  }
  json_t *data = pl_client_ask(&client, json_pack("{s:s}", "command", "watch"));
  if (data != NULL)
    follow(&view, &client, options->json);
  if (view.full_screen)
    fputs(leave_screen, stdout);
  if (data != NULL)
    pl_cli_error("the daemon has ended");
  json_decref(data);
  g_tree_unref(view.athletes);
  g_ptr_array_unref(view.notes);
  pl_client_close(&client);
  return PL_EXIT_UNAVAILABLE;
}

int
pl_command_watch(int argc, char **argv) {
  PlCliOptions options = {0};
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(
          &argc, &argv, "",
          "Shows live values: a table on a terminal, else a line a second; with --json "
          "every message.",
          NULL, &options))
    return code;
  if (argc != 1)
    pl_cli_error("watch takes no argument; see plumbline watch --help");
  else
    code = watch(&options);
  pl_cli_clear(&options);
  return code;
}
