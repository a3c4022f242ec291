/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Errors of the edges that no library has a code for.  Failures of files are G_FILE_ERROR. */

#define PL_ERROR (pl_error_quark())

typedef enum {
  PL_ERROR_DATA, /* what was read is not what it should be */
  PL_ERROR_FULL, /* a limit is reached; what was written so far is whole */
} PlError;

GQuark pl_error_quark(void);

/* Sets a G_FILE_ERROR from `saved_errno`: "<what> <path>: <reason>". */
void pl_error_set_file(GError **error, int saved_errno, const char *what, const char *path);
