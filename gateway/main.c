/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/exit.h"
#include "gateway/app/gateway.h"
#include "gateway/app/speed.h"
#include "gateway/edge/log.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  char *config, *state_dir, *source, *speed;
  gboolean check, version;
} Arguments;

static bool
fail(const char *text, const char *value) {
  g_printerr("plumblined: %s%s%s%s; see plumblined --help\n", text, value != NULL ? " \"" : "",
             value != NULL ? value : "", value != NULL ? "\"" : "");
  return false;
}

static bool
parse_source(const char *text, PlGatewayOptions *options) {
  if (text == NULL || strcmp(text, "bluetooth") == 0) {
    options->source = PL_SOURCE_BLUETOOTH;
  } else if (strcmp(text, "simulate") == 0) {
    options->source = PL_SOURCE_SIMULATE;
  } else if (g_str_has_prefix(text, "simulate=")) {
    options->source = PL_SOURCE_SIMULATE;
    options->argument = text + strlen("simulate=");
  } else if (g_str_has_prefix(text, "replay=")) {
    options->source = PL_SOURCE_REPLAY;
    options->argument = text + strlen("replay=");
  } else {
    return fail("--source: expected bluetooth, simulate[=SCENARIO] or replay=FILE, got", text);
  }
  return true;
}

static bool
parse(int *argc, char ***argv, Arguments *arguments, PlGatewayOptions *options) {
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config,
       "configuration (default: " PL_CONFIG_FILE ", if it is there)", "FILE"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &arguments->state_dir,
       "where runs are stored (default: as configured)", "DIR"},
      {"source", 0, 0, G_OPTION_ARG_STRING, &arguments->source,
       "bluetooth (default), simulate[=SCENARIO] or replay=FILE", "SOURCE"},
      {"speed", 0, 0, G_OPTION_ARG_STRING, &arguments->speed,
       "of simulate and replay: times real time (default: 1)", "N|max"},
      {"check", 0, 0, G_OPTION_ARG_NONE, &arguments->check,
       "check the configuration, print \"ok\" or every problem", NULL},
      {"version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "print the version", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;

  g_option_context_set_summary(context, "Reads a runner's Bluetooth sensors and publishes form "
                                        "and load over MQTT.");
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, argc, argv, &error))
    return fail(error->message, NULL);
  if (*argc > 1)
    return fail("unexpected argument", (*argv)[1]);
  if (!pl_speed_parse(arguments->speed, 1, &options->speed))
    return fail("--speed: expected max or a number above 0, got", arguments->speed);
  if (!parse_source(arguments->source, options))
    return false;
  if (options->source == PL_SOURCE_BLUETOOTH && options->speed != 1)
    return fail("--speed: real sensors have their own speed", NULL);
  options->config_path = arguments->config;
  options->state_dir = arguments->state_dir;
  if (options->config_path == NULL && g_file_test(PL_CONFIG_FILE, G_FILE_TEST_EXISTS))
    options->config_path = PL_CONFIG_FILE;
  return true;
}

static int
check(const PlGatewayOptions *options) {
  g_autofree char *problems = NULL;
  g_autoptr(PlConfig) config = pl_gateway_config(options, NULL, &problems);
  if (config == NULL) {
    fputs(problems, stderr);
    return PL_EXIT_CONFIG;
  }
  puts("ok");
  return PL_EXIT_OK;
}

int
main(int argc, char **argv) {
  Arguments arguments = {0};
  PlGatewayOptions options = {0};
  int code = PL_EXIT_USAGE;

  pl_log_init();
  signal(SIGPIPE, SIG_IGN);
  if (parse(&argc, &argv, &arguments, &options)) {
    if (arguments.version)
      code = (puts("plumblined " PL_VERSION), PL_EXIT_OK);
    else
      code = arguments.check ? check(&options) : pl_gateway_run(&options);
  }
  g_free(arguments.config);
  g_free(arguments.state_dir);
  g_free(arguments.source);
  g_free(arguments.speed);
  return code;
}
