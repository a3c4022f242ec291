/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a configuration, as `file:line: message`.  Problems come back sorted by
 * file, in the order in which the files were read, and by line. */

enum {
  PL_PROBLEMS_MAX = 10000, /* kept; the others are only counted */
};

typedef struct PlProblems PlProblems;

PlProblems *pl_problems_new(void);
/* NULL is fine. */
void pl_problems_free(PlProblems *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlProblems, pl_problems_free)

/* Adds one.  What concerns a whole file stands at its line 1. */
void pl_problems_add(PlProblems *self, const char *file, unsigned line, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Gives `file` its place in the order before it has any problem. */
void pl_problems_announce(PlProblems *self, const char *file);

size_t pl_problems_count(const PlProblems *self);

/* All of them, one a line; empty without any.  The caller frees it. */
char *pl_problems_text(PlProblems *self);

/* The first and the number of the others, for a status line; NULL without any. */
char *pl_problems_summary(PlProblems *self);

/* `text` in double quotes, cut after 64 characters, with control characters as \xNN, so that a
 * terminal shows it and does nothing else.  The caller frees it. */
char *pl_problems_quote(const char *text);
