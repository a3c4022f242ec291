/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include "gateway/core/decimal.h"

#include <math.h>
#include <string.h>

/* The types without a meaning of their own: words, truth values, numbers and texts.  Those that
 * know about Bluetooth, MQTT and people are in config-values.c. */

/* Enums are written through an int. */
_Static_assert(sizeof(PlRole) == sizeof(int) && sizeof(PlTruth) == sizeof(int) &&
                   sizeof(PlZoneScheme) == sizeof(int) && sizeof(PlNotify) == sizeof(int),
               "an enum has the size of an int");

bool
pl_config_is_id(const char *text) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
  size_t length = strlen(text);
  return length > 0 && length < PL_ID_SIZE && strspn(text, allowed) == length;
}

const char *
pl_reader_keep(PlReader *reader, const char *text) {
  return g_string_chunk_insert_const(reader->config->tree->strings, text);
}

/* "a, b or c". */
static char *
expected_words(const PlOption *option) {
  const PlWord *words = option->words;
  GString *text = g_string_new(NULL);
  for (const PlWord *word = words; word->word != NULL; word++) {
    if (word != words)
      g_string_append(text, word[1].word != NULL ? ", " : " or ");
    g_string_append(text, word->word);
  }
  return g_string_free(text, FALSE);
}

static const PlWord *
find_word(const PlWord *words, const char *text) {
  for (const PlWord *word = words; word->word != NULL; word++)
    if (strcmp(word->word, text) == 0)
      return word;
  return NULL;
}

static bool
parse_word(PlReader *reader, const PlOption *option, const char *text, void *target) {
  const PlWord *word = find_word(option->words, text);
  if (word != NULL)
    memcpy(target, &word->value, sizeof word->value);
  return word != NULL;
}

const PlType pl_type_word = {parse_word, expected_words, NULL};

/* A word that stays one. */
static bool
parse_choice(PlReader *reader, const PlOption *option, const char *text, void *target) {
  const PlWord *word = find_word(option->words, text);
  if (word != NULL)
    *(const char **)target = word->word;
  return word != NULL;
}

const PlType pl_type_choice = {parse_choice, expected_words, NULL};

static const PlWord truths[] = {
    {"true", true}, {"false", false}, {"1", true}, {"0", false}, {NULL, 0},
};

static char *
expected_bool(const PlOption *option) {
  return g_strdup("true or false");
}

static bool
parse_bool(PlReader *reader, const PlOption *option, const char *text, void *target) {
  const PlWord *word = find_word(truths, text);
  if (word != NULL)
    *(bool *)target = word->value;
  return word != NULL;
}

const PlType pl_type_bool = {parse_bool, expected_bool, NULL};

static bool
parse_truth(PlReader *reader, const PlOption *option, const char *text, void *target) {
  const PlWord *word = find_word(truths, text);
  if (word != NULL)
    *(PlTruth *)target = word->value ? PL_TRUTH_YES : PL_TRUTH_NO;
  return word != NULL;
}

const PlType pl_type_truth = {parse_truth, expected_bool, NULL};

static char *
expected_range(const PlOption *option, const char *noun) {
  char minimum[PL_DECIMAL_TEXT_SIZE], maximum[PL_DECIMAL_TEXT_SIZE];
  pl_decimal_format(option->minimum, 3, minimum);
  pl_decimal_format(option->maximum, 3, maximum);
  return g_strdup_printf("%s%s%s from %s to %s", option->zero != NULL ? option->zero : "",
                         option->zero != NULL ? " or " : "", noun, minimum, maximum);
}

static char *
expected_whole(const PlOption *option) {
  return expected_range(option, "a whole number");
}

static bool
is_zero_word(const PlOption *option, const char *text) {
  return option->zero != NULL && strcmp(option->zero, text) == 0;
}

static bool
parse_whole(PlReader *reader, const PlOption *option, const char *text, void *target) {
  if (is_zero_word(option, text)) {
    *(int *)target = 0;
    return true;
  }
  gint64 value;
  if (!g_ascii_string_to_signed(text, 10, (gint64)option->minimum, (gint64)option->maximum,
                                &value, NULL))
    return false;
  *(int *)target = (int)value;
  return true;
}

const PlType pl_type_whole = {parse_whole, expected_whole, NULL};

static char *
expected_number(const PlOption *option) {
  return expected_range(option, "a number");
}

static bool
read_number(const char *text, double *value) {
  char *end;
  /* Neither hexadecimal digits nor infinity nor NaN. */
  if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
    return false;
  *value = g_ascii_strtod(text, &end);
  return *end == '\0';
}

static bool
parse_number(PlReader *reader, const PlOption *option, const char *text, void *target) {
  double value;
  if (is_zero_word(option, text))
    value = 0;
  else if (!read_number(text, &value) || value < option->minimum || value > option->maximum)
    return false;
  *(double *)target = value;
  return true;
}

static void
unset_number(void *target) {
  *(double *)target = NAN;
}

const PlType pl_type_number = {parse_number, expected_number, unset_number};

static char *
expected_text(const PlOption *option) {
  return g_strdup_printf("a text of at most %d characters", (int)option->maximum);
}

bool
pl_has_control(const char *text) {
  for (const char *p = text; *p != '\0'; p += g_utf8_skip[(unsigned char)*p])
    if (g_unichar_iscntrl(g_utf8_get_char(p)))
      return true;
  return false;
}

static bool
parse_text(PlReader *reader, const PlOption *option, const char *text, void *target) {
  double length = (double)g_utf8_strlen(text, -1);
  if (length < 1 || length > option->maximum || pl_has_control(text))
    return false;
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_text = {parse_text, expected_text, NULL};

static char *
expected_id(const PlOption *option) {
  return g_strdup("an id of 1 to 32 of a-z, 0-9 and -");
}

static bool
parse_id(PlReader *reader, const PlOption *option, const char *text, void *target) {
  if (!pl_config_is_id(text))
    return false;
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_id = {parse_id, expected_id, NULL};

static char *
expected_path(const PlOption *option) {
  return g_strdup("a path that starts with /");
}

bool
pl_is_absolute_path(const char *text) {
  return text[0] == '/' && text[1] != '\0' && !pl_has_control(text);
}

static bool
parse_path(PlReader *reader, const PlOption *option, const char *text, void *target) {
  if (!pl_is_absolute_path(text))
    return false;
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_path = {parse_path, expected_path, NULL};
