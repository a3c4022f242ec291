/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-problems.h"

#include <limits.h>
#include <string.h>

enum { QUOTE_MAX = 64 };

typedef struct {
  unsigned rank; /* of the file */
  unsigned line;
  unsigned sequence; /* keeps the order of discovery within a line */
  char *text;
} Problem;

struct PlProblems {
  GPtrArray *files; /* names by rank */
  GArray *problems;
  size_t left_out;
  bool sorted;
};

static void
clear_problem(void *data) {
  g_free(((Problem *)data)->text);
}

PlProblems *
pl_problems_new(void) {
  PlProblems *self = g_new0(PlProblems, 1);
  self->files = g_ptr_array_new_with_free_func(g_free);
  self->problems = g_array_new(FALSE, FALSE, sizeof(Problem));
  g_array_set_clear_func(self->problems, clear_problem);
  return self;
}

void
pl_problems_free(PlProblems *self) {
  if (self == NULL)
    return;
  g_ptr_array_unref(self->files);
  g_array_unref(self->problems);
  g_free(self);
}

static unsigned
rank_of(PlProblems *self, const char *file) {
  unsigned rank;
  if (!g_ptr_array_find_with_equal_func(self->files, file, g_str_equal, &rank)) {
    rank = self->files->len;
    g_ptr_array_add(self->files, g_strdup(file));
  }
  return rank;
}

void
pl_problems_announce(PlProblems *self, const char *file) {
  rank_of(self, file);
}

/* `text` with control characters as \xNN: whatever a message repeats of a file, a terminal
 * shows it and does nothing else. */
static void
append_printable(GString *printable, const char *text, unsigned limit) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  unsigned count = 0;

  for (const char *p = valid; *p != '\0'; p += g_utf8_skip[(unsigned char)*p]) {
    if (count++ == limit) {
      g_string_append(printable, "...");
      break;
    }
    gunichar c = g_utf8_get_char(p);
    if (g_unichar_iscntrl(c))
      g_string_append_printf(printable, "\\x%02x", (unsigned)c);
    else
      g_string_append_unichar(printable, c);
  }
}

void
pl_problems_add(PlProblems *self, const char *file, unsigned line, const char *format, ...) {
  if (self->problems->len >= PL_PROBLEMS_MAX) {
    self->left_out++;
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "%s:%u: ", file, line);
  append_printable(text, message, UINT_MAX);

  Problem problem = {
      .rank = rank_of(self, file),
      .line = line,
      .sequence = self->problems->len,
      .text = g_string_free(g_steal_pointer(&text), FALSE),
  };
  g_array_append_val(self->problems, problem);
  self->sorted = false;
}

size_t
pl_problems_count(const PlProblems *self) {
  return self->problems->len + self->left_out;
}

static int
compare_unsigned(unsigned a, unsigned b) {
  return (a > b) - (a < b);
}

static int
compare_problems(const void *left, const void *right) {
  const Problem *a = left, *b = right;
  int order = compare_unsigned(a->rank, b->rank);
  if (order == 0)
    order = compare_unsigned(a->line, b->line);
  return order != 0 ? order : compare_unsigned(a->sequence, b->sequence);
}

static void
sort_once(PlProblems *self) {
  if (!self->sorted)
    g_array_sort(self->problems, compare_problems);
  self->sorted = true;
}

char *
pl_problems_text(PlProblems *self) {
  GString *text = g_string_new(NULL);
  sort_once(self);
  for (unsigned i = 0; i < self->problems->len; i++)
    g_string_append_printf(text, "%s\n", g_array_index(self->problems, Problem, i).text);
  if (self->left_out > 0)
    g_string_append_printf(text, "and %zu problems more\n", self->left_out);
  return g_string_free(text, FALSE);
}

char *
pl_problems_summary(PlProblems *self) {
  if (self->problems->len == 0)
    return NULL;
  sort_once(self);
  const char *first = g_array_index(self->problems, Problem, 0).text;
  size_t more = pl_problems_count(self) - 1;
  return more == 0 ? g_strdup(first) : g_strdup_printf("%s (and %zu more)", first, more);
}

char *
pl_problems_quote(const char *text) {
  GString *quoted = g_string_new("\"");
  append_printable(quoted, text, QUOTE_MAX);
  g_string_append_c(quoted, '"');
  return g_string_free(quoted, FALSE);
}
