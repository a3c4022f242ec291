/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* A key file line by line.  GKeyFile stops at the first mistake, tells no line and takes what
 * stands twice; this takes no file that GKeyFile refuses and reads the same from it, except
 * that blanks at the end of a value do not belong to it. */

typedef enum {
  PL_SCAN_GROUP,     /* `name` */
  PL_SCAN_KEY,       /* `name`, `value` */
  PL_SCAN_BAD_GROUP, /* `problem`; what follows belongs to a group of unknown name */
  PL_SCAN_BAD,       /* `problem` */
  PL_SCAN_END,
} PlScanKind;

typedef struct {
  const char *bytes;
  size_t length, at;
  unsigned line;  /* of what was returned last, from 1 */
  unsigned taken; /* lines so far */
  GString *text;
  const char *name;    /* valid until the next call, as are the others */
  const char *value;   /* as written: escapes are still in it */
  const char *problem; /* for people */
} PlScanner;

/* `bytes` have to outlive it. */
void pl_scan_init(PlScanner *scan, const char *bytes, size_t length);
void pl_scan_clear(PlScanner *scan);

/* Skips comments and empty lines. */
PlScanKind pl_scan_next(PlScanner *scan);

/* The value without its escapes (\s \n \t \r \\).  NULL, and *problem set, when one is unknown.
 * The caller frees it. */
char *pl_scan_unescape(const char *value, const char **problem);

/* The inverse, with `\s` for a blank at either end. */
char *pl_scan_escape(const char *text);
