/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/exit.h"
#include "gateway/edge/store.h"

#include <glib.h>
#include <stdbool.h>

/* What the subcommands share. */

typedef struct {
  char *config_path; /* NULL: not given */
  char *state_dir;   /* NULL: not given */
  gboolean json;
} PlCliOptions;

typedef struct {
  const char *name;
  const char *synopsis; /* what stands behind the name */
  const char *summary;  /* one line */
  int (*run)(int argc, char **argv);
} PlCommand;

extern const PlCommand pl_commands[];
extern const size_t pl_command_count;

int pl_command_config(int argc, char **argv);
int pl_command_replay(int argc, char **argv);
int pl_command_runs(int argc, char **argv);
int pl_command_scan(int argc, char **argv);
int pl_command_show(int argc, char **argv);
int pl_command_simulate(int argc, char **argv);
int pl_command_status(int argc, char **argv);
int pl_command_watch(int argc, char **argv);

/* Parses the options of a command together with those that all have.  `entries` may be NULL.
 * False after a message on standard error: the caller exits with 64.  --help exits by itself.
 */
bool pl_cli_parse(int *argc, char ***argv, const char *synopsis, const char *description,
                  const GOptionEntry *entries, PlCliOptions *options);
void pl_cli_clear(PlCliOptions *options);

/* "plumbline: ..." on standard error. */
void pl_cli_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The configuration of the options; that at its usual place when none is named, and the
 * defaults when there is none either.  NULL after all problems were printed: exit 78. */
PlConfig *pl_cli_config(const PlCliOptions *options);

/* The same, and the secrets that it names are looked at, which not everybody may read. */
PlConfig *pl_cli_config_checked(const PlCliOptions *options);

/* The store that the options or the configuration name, for reading.  NULL after a message. */
PlStore *pl_cli_store(const PlCliOptions *options, int *exit_code);

/* Standard output is a terminal, and colour is wanted there (NO_COLOR). */
bool pl_cli_is_terminal(void);
bool pl_cli_has_colour(void);
