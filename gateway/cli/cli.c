/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/cli.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

const PlCommand pl_commands[] = {
    {"status", "", "what runs now", pl_command_status},
    {"watch", "", "live values, second by second", pl_command_watch},
    {"scan", "[--seconds 10]", "Bluetooth sensors within reach", pl_command_scan},
    {"runs", "[--athlete ID] [--limit 20]", "runs that are stored", pl_command_runs},
    {"show", "RUN|last", "the summary of a run", pl_command_show},
    {"replay", "FILE [--speed max|N]", "play a capture, print its messages", pl_command_replay},
    {"simulate", "SCENARIO [--minutes N] -o CAPTURE", "make a capture of a simulated run",
     pl_command_simulate},
    {"config", "check|show", "check the configuration, or show what holds", pl_command_config},
};
const size_t pl_command_count = G_N_ELEMENTS(pl_commands);

void
pl_cli_error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  fprintf(stderr, "plumbline: %s\n", text);
}

bool
pl_cli_parse(int *argc, char ***argv, const char *synopsis, const char *description,
             const GOptionEntry *entries, PlCliOptions *options) {
  GOptionEntry common[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_path, "configuration file",
       "FILE"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_dir,
       "where runs are stored (default: as configured)", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(synopsis);

  g_option_context_set_description(context, description);
  if (entries != NULL)
    g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_main_entries(context, common, NULL);
  if (g_option_context_parse(context, argc, argv, &error))
    return true;
  pl_cli_error("%s; see plumbline %s --help", error->message, g_get_prgname());
  return false;
}

void
pl_cli_clear(PlCliOptions *options) {
  g_free(options->config_path);
  g_free(options->state_dir);
}

static PlConfig *
load_config(const PlCliOptions *options, bool without_broker) {
  PlConfigSurroundings surroundings;
  g_autoptr(PlProblems) problems = pl_problems_new();
  PlConfig *config;

  pl_config_surroundings(&surroundings);
  surroundings.without_broker = without_broker;
  if (options->config_path != NULL || g_file_test(PL_CONFIG_FILE, G_FILE_TEST_EXISTS))
    config =
        pl_config_load(options->config_path != NULL ? options->config_path : PL_CONFIG_FILE,
                       &surroundings, problems);
  else
    config = pl_config_parse(NULL, 0, &surroundings, problems);
  if (config == NULL) {
    g_autofree char *text = pl_problems_text(problems);
    fputs(text, stderr);
  }
  return config;
}

PlConfig *
pl_cli_config(const PlCliOptions *options) {
  return load_config(options, true);
}

PlConfig *
pl_cli_config_checked(const PlCliOptions *options) {
  return load_config(options, false);
}

static int
exit_code_of(const GError *error) {
  if (g_error_matches(error, PL_STORE_ERROR, PL_STORE_ERROR_NEWER))
    return PL_EXIT_CONFIG;
  if (g_error_matches(error, PL_STORE_ERROR, PL_STORE_ERROR_NOT_FOUND))
    return PL_EXIT_UNAVAILABLE;
  return PL_EXIT_FAILED;
}

/* The service keeps its store where no user's would be by default. */
static const char *
directory_of(const PlConfig *config) {
  static const char service[] = "/var/lib/plumbline";
  g_autofree char *own = g_build_filename(config->storage.directory, "plumbline.db", NULL);
  if (g_file_test(own, G_FILE_TEST_EXISTS) || !g_file_test(service, G_FILE_TEST_IS_DIR))
    return config->storage.directory;
  return service;
}

PlStore *
pl_cli_store(const PlCliOptions *options, int *exit_code) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlConfig) config = NULL;
  const char *directory = options->state_dir;

  if (directory == NULL) {
    config = pl_cli_config(options);
    if (config == NULL) {
      *exit_code = PL_EXIT_CONFIG;
      return NULL;
    }
    directory = directory_of(config);
  }
  if (g_access(directory, R_OK | X_OK) != 0 && errno == EACCES) {
    pl_cli_error("%s: permission denied; run it as root or as the user plumbline", directory);
    *exit_code = PL_EXIT_PERMISSION;
    return NULL;
  }
  PlStore *store = pl_store_open(
      &(PlStoreOptions){.mode = PL_STORE_READ_ONLY, .directory = directory}, &error);
  if (store == NULL) {
    pl_cli_error("%s", error->message);
    *exit_code = exit_code_of(error);
  }
  return store;
}

bool
pl_cli_is_terminal(void) {
  return isatty(STDOUT_FILENO);
}

bool
pl_cli_has_colour(void) {
  const char *no_colour = g_getenv("NO_COLOR");
  return pl_cli_is_terminal() && (no_colour == NULL || *no_colour == '\0') &&
         g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}
