/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/error.h"

G_DEFINE_QUARK(pl - error - quark, pl_error)

void
pl_error_set_file(GError **error, int saved_errno, const char *what, const char *path) {
  g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno), "%s %s: %s", what,
              path, g_strerror(saved_errno));
}
