/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/cli.h"

#include <stdio.h>
#include <string.h>

int
pl_command_config(int argc, char **argv) {
  PlCliOptions options = {0};
  int code = PL_EXIT_USAGE;

  if (!pl_cli_parse(&argc, &argv, "check|show",
                    "check prints \"ok\", or every problem with its file and line.\n"
                    "show prints every key as it holds, and where it is from.",
                    NULL, &options))
    return code;
  bool show = argc == 2 && strcmp(argv[1], "show") == 0;
  if (!show && (argc != 2 || strcmp(argv[1], "check") != 0)) {
    pl_cli_error("config takes check or show; see plumbline config --help");
    pl_cli_clear(&options);
    return code;
  }
  g_autoptr(PlConfig) config = show ? pl_cli_config(&options) : pl_cli_config_checked(&options);
  code = config == NULL ? PL_EXIT_CONFIG : PL_EXIT_OK;
  if (config != NULL && show) {
    g_autofree char *text = pl_config_show(config);
    fputs(text, stdout);
  } else if (config != NULL) {
    puts("ok");
  }
  pl_cli_clear(&options);
  return code;
}
