/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/text.h"
#include "gateway/cli/cli.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static void
usage(FILE *out) {
  fputs("Usage: plumbline COMMAND [OPTIONS]\n\nCommands:\n", out);
  for (size_t i = 0; i < pl_command_count; i++)
    fprintf(out, "  %-9s %s\n", pl_commands[i].name, pl_commands[i].summary);
  fprintf(out,
          "\nEvery command takes -c FILE, --state-dir DIR and --json; plumbline COMMAND --help "
          "says more.\n\n%s\n",
          pl_text_intended_use(PL_LANGUAGE_EN));
}

static const PlCommand *
find(const char *name) {
  for (size_t i = 0; i < pl_command_count; i++)
    if (strcmp(pl_commands[i].name, name) == 0)
      return &pl_commands[i];
  return NULL;
}

int
main(int argc, char **argv) {
  /* Numbers keep their point: output is for programs too. */
  setlocale(LC_CTYPE, "");
  if (argc < 2) {
    usage(stderr);
    return PL_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
      strcmp(argv[1], "help") == 0) {
    usage(stdout);
    return PL_EXIT_OK;
  }
  if (strcmp(argv[1], "--version") == 0) {
    puts("plumbline " PL_VERSION);
    return PL_EXIT_OK;
  }
  const PlCommand *command = find(argv[1]);
  if (command == NULL) {
    pl_cli_error("there is no command \"%s\"; plumbline --help lists them", argv[1]);
    return PL_EXIT_USAGE;
  }
  g_autofree char *name = g_strconcat("plumbline ", command->name, NULL);
  g_set_prgname(name);
  return command->run(argc - 1, argv + 1);
}
