/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include <string.h>

enum { WORD_MAX = 48 };

void
pl_nearest_init(PlNearest *nearest, const char *text) {
  /* One letter wrong in a short word, three in a long one. */
  unsigned allowed = 1 + (unsigned)MIN(strlen(text) / 4, 2);
  *nearest = (PlNearest){.text = text, .distance = allowed + 1};
}

/* People write max_heart_rate and Max-Heart-Rate for max-heart-rate. */
static char
folded(char c) {
  return (char)(c == '_' || c == ' ' ? '-' : g_ascii_tolower(c));
}

static unsigned
smallest(unsigned a, unsigned b, unsigned c) {
  return MIN(MIN(a, b), c);
}

/* Letters to change, add or leave out (Levenshtein), where two that changed places count as one
 * (optimal string alignment). */
static unsigned
edit_distance(const char *a, const char *b) {
  size_t length_a = strlen(a), length_b = strlen(b);
  unsigned cost[WORD_MAX + 1][WORD_MAX + 1];

  if (length_a > WORD_MAX || length_b > WORD_MAX)
    return WORD_MAX;
  for (size_t i = 0; i <= length_a; i++)
    cost[i][0] = (unsigned)i;
  for (size_t j = 0; j <= length_b; j++)
    cost[0][j] = (unsigned)j;
  for (size_t i = 1; i <= length_a; i++) {
    for (size_t j = 1; j <= length_b; j++) {
      char x = folded(a[i - 1]), y = folded(b[j - 1]);
      cost[i][j] =
          smallest(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (x != y));
      if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
        cost[i][j] = MIN(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[length_a][length_b];
}

/* "password" for password-file, "born-year" for born. */
static bool
is_first_part(const char *shorter, const char *longer) {
  size_t length = strlen(shorter);
  return length > 2 && g_ascii_strncasecmp(shorter, longer, length) == 0 &&
         folded(longer[length]) == '-';
}

void
pl_nearest_try(PlNearest *nearest, const char *candidate) {
  unsigned distance = edit_distance(nearest->text, candidate);
  if (is_first_part(nearest->text, candidate) || is_first_part(candidate, nearest->text))
    distance = MIN(distance, 1);
  if (distance < nearest->distance) {
    nearest->distance = distance;
    nearest->best = candidate;
  }
}
