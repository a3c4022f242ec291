/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/capture-line.h"

#include <string.h>

enum {
  DECIMALS = 6,     /* of seconds: microseconds */
  WHOLE_DIGITS = 8, /* of seconds: enough for PL_CAPTURE_DURATION_MAX_US */
};

/* The value of a digit plus one; 0: no digit. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
    ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool
pl_capture_hex(const char *text, size_t length, uint8_t value[PL_VALUE_MAX],
               size_t *value_length) {
  size_t count = 0;

  for (size_t i = 0; i < length;) {
    if (text[i] == ' ') {
      i++;
      continue;
    }
    uint8_t high = hex_values[(uint8_t)text[i]];
    uint8_t low = i + 1 < length ? hex_values[(uint8_t)text[i + 1]] : 0;
    if (high == 0 || low == 0 || count == PL_VALUE_MAX)
      return false;
    value[count++] = (uint8_t)((high - 1) << 4 | (low - 1));
    i += 2;
  }
  *value_length = count;
  return true;
}

bool
pl_capture_is_id(const char *text, size_t length) {
  if (length < 1 || length >= PL_CAPTURE_ID_SIZE)
    return false;
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
      return false;
  }
  return true;
}

/* A cursor over the line; `failed` stays set. */
typedef struct {
  const char *at, *end;
  bool failed;
} Scan;

static char
peek(const Scan *scan) {
  return scan->failed || scan->at == scan->end ? '\0' : *scan->at;
}

static void
expect(Scan *scan, const char *text) {
  size_t length = strlen(text);
  if (scan->failed || (size_t)(scan->end - scan->at) < length ||
      memcmp(scan->at, text, length) != 0)
    scan->failed = true;
  else
    scan->at += length;
}

static void
skip_spaces(Scan *scan) {
  while (peek(scan) == ' ')
    scan->at++;
}

/* Punctuation or a key, and the spaces allowed after it. */
static void
expect_token(Scan *scan, const char *text) {
  expect(scan, text);
  skip_spaces(scan);
}

static int64_t
digits(Scan *scan, unsigned maximum, unsigned *count) {
  int64_t value = 0;
  for (*count = 0; peek(scan) >= '0' && peek(scan) <= '9'; (*count)++) {
    if (*count == maximum) {
      scan->failed = true;
      return 0;
    }
    value = value * 10 + (*scan->at++ - '0');
  }
  if (*count == 0)
    scan->failed = true;
  return value;
}

static int64_t
scan_time(Scan *scan) {
  unsigned whole, decimals;
  bool zero = peek(scan) == '0';
  int64_t t_us = digits(scan, WHOLE_DIGITS, &whole) * 1000000;

  if (zero && whole > 1)
    scan->failed = true; /* no number in JSON */
  if (peek(scan) != '.')
    return t_us;
  scan->at++;
  int64_t fraction = digits(scan, DECIMALS, &decimals);
  for (; decimals < DECIMALS; decimals++)
    fraction *= 10;
  return t_us + fraction;
}

/* A text in quotation marks; the caller sees to it that it holds nothing to unescape. */
static const char *
scan_text(Scan *scan, size_t *length) {
  expect(scan, "\"");
  if (scan->failed)
    return NULL;
  const char *text = scan->at;
  const char *quote = memchr(text, '"', (size_t)(scan->end - text));
  if (quote == NULL) {
    scan->failed = true;
    return NULL;
  }
  *length = (size_t)(quote - text);
  scan->at = quote + 1;
  return text;
}

static void
scan_sensor(Scan *scan, PlCaptureLine *line) {
  size_t length;
  const char *text = scan_text(scan, &length);
  if (text == NULL || !pl_capture_is_id(text, length)) {
    scan->failed = true;
    return;
  }
  memcpy(line->sensor, text, length);
  line->sensor[length] = '\0';
}

static void
scan_uuid(Scan *scan, PlCaptureLine *line) {
  char uuid[PL_UUID_TEXT_SIZE];
  size_t length;
  const char *text = scan_text(scan, &length);
  if (text == NULL || length >= sizeof uuid) {
    scan->failed = true;
    return;
  }
  memcpy(uuid, text, length);
  uuid[length] = '\0';
  scan->failed = strlen(uuid) != length || !pl_uuid_parse(uuid, &line->uuid);
}

static void
scan_value(Scan *scan, PlCaptureLine *line) {
  size_t length;
  const char *text = scan_text(scan, &length);
  if (text != NULL && !pl_capture_hex(text, length, line->value, &line->length))
    scan->failed = true;
}

bool
pl_capture_line_parse(const char *text, size_t length, PlCaptureLine *line) {
  Scan scan = {.at = text, .end = text + length};

  while (scan.end > scan.at && (scan.end[-1] == ' ' || scan.end[-1] == '\r'))
    scan.end--;
  expect_token(&scan, "{\"t\":");
  line->t_us = scan_time(&scan);
  expect_token(&scan, ",");
  expect_token(&scan, "\"sensor\":");
  scan_sensor(&scan, line);
  expect_token(&scan, ",");
  expect_token(&scan, "\"uuid\":");
  scan_uuid(&scan, line);
  expect_token(&scan, ",");
  expect_token(&scan, "\"value\":");
  scan_value(&scan, line);
  expect(&scan, "}");
  return !scan.failed && scan.at == scan.end && line->t_us <= PL_CAPTURE_DURATION_MAX_US;
}
