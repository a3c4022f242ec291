/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/text.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

static bool
parse_byte(const char *text, uint8_t *byte) {
  int high = g_ascii_xdigit_value(text[0]);
  int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);
  if (low < 0)
    return false;
  *byte = (uint8_t)(high << 4 | low);
  return true;
}

bool
radio_parse_address(const char *text, uint8_t address[6]) {
  uint8_t parsed[6];
  if (strlen(text) != 17)
    return false;
  for (size_t i = 0; i < 6; i++)
    if (!parse_byte(text + 3 * i, &parsed[i]) || (i < 5 && text[3 * i + 2] != ':'))
      return false;
  memcpy(address, parsed, sizeof parsed);
  return true;
}

bool
radio_parse_number(const char *text, int64_t low, int64_t high, int64_t *number) {
  char *end;
  errno = 0;
  int64_t parsed = g_ascii_strtoll(text, &end, 0);
  if (errno || end == text || *end || parsed < low || parsed > high)
    return false;
  *number = parsed;
  return true;
}

bool
radio_parse_seconds(const char *text, int64_t *us) {
  char *end;
  double seconds = g_ascii_strtod(text, &end);
  if (end == text || *end || !(seconds >= 0 && seconds <= 86400))
    return false;
  *us = (int64_t)(seconds * 1e6 + 0.5);
  return true;
}

bool
radio_parse_hex(const char *text, uint8_t *bytes, size_t size, size_t *length) {
  size_t digits = strlen(text);
  if (digits % 2 || digits / 2 > size)
    return false;
  for (size_t i = 0; i < digits / 2; i++)
    if (!parse_byte(text + 2 * i, &bytes[i]))
      return false;
  *length = digits / 2;
  return true;
}
