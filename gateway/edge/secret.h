/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Passwords and keys in files.  A file holds a secret when it is a regular file and no symbolic
 * link, belongs to root or to the user of this process, is closed to everybody else, and has 1
 * to PL_SECRET_MAX bytes of text.  Errors are PL_ERROR_DATA, or G_FILE_ERROR when it cannot be
 * read; they name the file and never what is in it. */

enum { PL_SECRET_MAX = 4096 };

/* Whether the file is fit to hold a secret, and can be read. */
bool pl_secret_check(const char *path, GError **error);

/* The text of the file without an end of line after it. */
char *pl_secret_read(const char *path, GError **error);

/* The secret that the service manager left as `name` in $CREDENTIALS_DIRECTORY.  *secret is
 * NULL when there is none, or an empty one.  Being readable by a group is no fault here: it is
 * how the access list that such a file may have shows. */
bool pl_secret_credential(const char *name, char **secret, GError **error);

/* Overwrites and frees.  NULL is fine. */
void pl_secret_free(char *secret);

typedef char PlSecret;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlSecret, pl_secret_free)
