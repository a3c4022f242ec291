/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway.h"

#include "gateway/app/config-scan.h"
#include "gateway/app/replay.h"

#include <string.h>

/* What the source brings along beyond `base`; NULL for nothing, or with an error. */
static char *
extra_text(const PlGatewayOptions *options, PlCaptureReader *reader, const PlConfig *base,
           GError **error) {
  if (options->source == PL_SOURCE_SIMULATE)
    return pl_source_simulate_configuration(options->argument, base, error);
  if (reader != NULL)
    return pl_replay_configuration(pl_capture_reader_header(reader), base);
  return NULL;
}

/* --state-dir comes last and so wins. */
static char *
with_state_dir(char *text, const char *state_dir) {
  g_autofree char *before = text;
  if (state_dir == NULL)
    return g_steal_pointer(&before);
  g_autofree char *absolute = g_canonicalize_filename(state_dir, NULL);
  g_autofree char *value = pl_scan_escape(absolute);
  return g_strdup_printf("%s[storage]\ndirectory = %s\n", before != NULL ? before : "", value);
}

PlConfig *
pl_gateway_config(const PlGatewayOptions *options, PlCaptureReader *reader, char **problems) {
  PlConfigSurroundings surroundings;
  g_autoptr(PlProblems) found = pl_problems_new();
  g_autoptr(GError) error = NULL;
  const char *path = options->config_path;

  pl_config_surroundings(&surroundings);
  surroundings.without_radio = options->source != PL_SOURCE_BLUETOOTH;
  g_autoptr(PlConfig) base = pl_config_load_with(path, NULL, &surroundings, found);
  if (base == NULL) {
    *problems = pl_problems_text(found);
    return NULL;
  }
  char *extra = extra_text(options, reader, base, &error);
  if (error != NULL) {
    *problems = g_strconcat(error->message, "\n", NULL);
    return NULL;
  }
  g_autofree char *text = with_state_dir(extra, options->state_dir);
  if (text == NULL)
    return g_steal_pointer(&base);
  PlConfigSource source = {.name = "command-line", .bytes = text, .length = strlen(text)};
  PlConfig *config = pl_config_load_with(path, &source, &surroundings, found);
  if (config == NULL)
    *problems = pl_problems_text(found);
  return config;
}
