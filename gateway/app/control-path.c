/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/control-path.h"

#include <glib.h>

static const char service_socket[] = "/run/plumbline/control";

char *
pl_control_path(const char *state_directory) {
  const char *runtime = g_getenv("RUNTIME_DIRECTORY");
  if (runtime != NULL && *runtime == '/')
    return g_build_filename(runtime, "control", NULL);
  return g_build_filename(state_directory, "control", NULL);
}

char *
pl_control_find(const char *state_directory) {
  g_autofree char *own = g_build_filename(state_directory, "control", NULL);
  if (g_file_test(own, G_FILE_TEST_EXISTS))
    return g_steal_pointer(&own);
  return g_strdup(service_socket);
}
