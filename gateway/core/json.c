/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/json.h"

#include "gateway/core/civil.h"
#include "gateway/core/decimal.h"

#include <math.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

void
pl_json_init(PlJson *json, char *buffer, size_t size) {
  *json = (PlJson){.text = buffer, .size = size};
  buffer[0] = '\0';
}

const char *
pl_json_text(const PlJson *json) {
  return json->overflow ? NULL : json->text;
}

static void
put(PlJson *json, const char *text, size_t length) {
  if (json->overflow || length >= json->size - json->length) {
    json->overflow = true;
    return;
  }
  memcpy(json->text + json->length, text, length);
  json->length += length;
  json->text[json->length] = '\0';
}

static void
put_char(PlJson *json, char c) {
  put(json, &c, 1);
}

/* Every value begins here. */
static void
begin_value(PlJson *json) {
  if (json->comma)
    put_char(json, ',');
  json->comma = true;
}

static void
open_group(PlJson *json, char bracket) {
  begin_value(json);
  put_char(json, bracket);
  json->comma = false;
}

static void
close_group(PlJson *json, char bracket) {
  put_char(json, bracket);
  json->comma = true;
}

void
pl_json_object(PlJson *json) {
  open_group(json, '{');
}

void
pl_json_object_end(PlJson *json) {
  close_group(json, '}');
}

void
pl_json_array(PlJson *json) {
  open_group(json, '[');
}

void
pl_json_array_end(PlJson *json) {
  close_group(json, ']');
}

void
pl_json_number(PlJson *json, double value, unsigned decimals) {
  char text[PL_DECIMAL_TEXT_SIZE];

  if (!isfinite(value))
    return;
  if (decimals > PL_JSON_DECIMALS_MAX)
    decimals = PL_JSON_DECIMALS_MAX;
  size_t length = pl_decimal_format(value, decimals, text);
  begin_value(json);
  put(json, text, length);
}

void
pl_json_unsigned(PlJson *json, uint64_t value) {
  char text[PL_DECIMAL_UNSIGNED_SIZE];
  size_t length = pl_decimal_format_unsigned(value, text);
  begin_value(json);
  put(json, text, length);
}

void
pl_json_integer(PlJson *json, int64_t value) {
  char text[PL_DECIMAL_UNSIGNED_SIZE];
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  size_t length = pl_decimal_format_unsigned(magnitude, text);
  begin_value(json);
  if (value < 0)
    put_char(json, '-');
  put(json, text, length);
}

void
pl_json_bool(PlJson *json, bool value) {
  pl_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void
pl_json_null(PlJson *json) {
  pl_json_raw(json, "null", 4);
}

void
pl_json_raw(PlJson *json, const char *text, size_t length) {
  begin_value(json);
  put(json, text, length);
}

void
pl_json_hex(PlJson *json, const uint8_t *data, size_t length) {
  begin_value(json);
  put_char(json, '"');
  for (size_t i = 0; i < length && !json->overflow; i++) {
    const char pair[2] = {hex_digits[data[i] >> 4], hex_digits[data[i] & 15]};
    put(json, pair, 2);
  }
  put_char(json, '"');
}

void
pl_json_time(PlJson *json, int64_t unix_ms) {
  char text[PL_CIVIL_TEXT_SIZE];
  if (pl_civil_format(unix_ms, text))
    pl_json_string(json, text);
}

/* Continuation bytes after `lead`, and the range of the first of them, which is what keeps out
 * overlong forms, surrogates and everything above U+10FFFF (The Unicode Standard, table 3-7).
 * 0 for a byte that can not lead. */
static size_t
utf8_rest(uint8_t lead, uint8_t *low, uint8_t *high) {
  *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf)
    return 1;
  if (lead >= 0xe0 && lead <= 0xef)
    return 2;
  return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/* One character that is not ASCII at `text`; what is no character is replaced as far as it
 * could have been the beginning of one.  The number of bytes consumed. */
static size_t
put_character(PlJson *json, const char *text, size_t left) {
  uint8_t low, high;
  size_t rest = utf8_rest((uint8_t)text[0], &low, &high);
  size_t length = 1;

  while (length <= rest && length < left) {
    uint8_t byte = (uint8_t)text[length];
    if (byte < low || byte > high)
      break;
    low = 0x80;
    high = 0xbf;
    length++;
  }
  if (rest > 0 && length == rest + 1)
    put(json, text, length);
  else
    put(json, replacement, sizeof replacement - 1);
  return length;
}

/* A character that JSON does not take as it is. */
static void
put_escape(PlJson *json, char c) {
  static const char codes[] = "\"\"\\\\\bb\ff\nn\rr\tt";

  for (size_t i = 0; codes[i] != '\0'; i += 2)
    if (codes[i] == c) {
      const char text[2] = {'\\', codes[i + 1]};
      put(json, text, 2);
      return;
    }
  const char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
  put(json, text, 6);
}

static bool
is_plain(char c) {
  return (uint8_t)c >= 0x20 && (uint8_t)c < 0x80 && c != '"' && c != '\\';
}

static void
put_quoted(PlJson *json, const char *text, size_t length) {
  put_char(json, '"');
  for (size_t i = 0; i < length && !json->overflow;) {
    size_t start = i;
    while (i < length && is_plain(text[i]))
      i++;
    put(json, text + start, i - start);
    if (i == length)
      break;
    if ((uint8_t)text[i] >= 0x80)
      i += put_character(json, text + i, length - i);
    else
      put_escape(json, text[i++]);
  }
  put_char(json, '"');
}

void
pl_json_string_length(PlJson *json, const char *text, size_t length) {
  begin_value(json);
  put_quoted(json, text, length);
}

void
pl_json_string(PlJson *json, const char *text) {
  if (text != NULL)
    pl_json_string_length(json, text, strlen(text));
}

/* A key; the value that follows needs no comma. */
static void
put_key(PlJson *json, const char *key) {
  begin_value(json);
  put_quoted(json, key, strlen(key));
  put_char(json, ':');
  json->comma = false;
}

void
pl_json_member_object(PlJson *json, const char *key) {
  put_key(json, key);
  pl_json_object(json);
}

void
pl_json_member_array(PlJson *json, const char *key) {
  put_key(json, key);
  pl_json_array(json);
}

void
pl_json_member_number(PlJson *json, const char *key, double value, unsigned decimals) {
  if (!isfinite(value))
    return;
  put_key(json, key);
  pl_json_number(json, value, decimals);
}

void
pl_json_member_integer(PlJson *json, const char *key, int64_t value) {
  put_key(json, key);
  pl_json_integer(json, value);
}

void
pl_json_member_unsigned(PlJson *json, const char *key, uint64_t value) {
  put_key(json, key);
  pl_json_unsigned(json, value);
}

void
pl_json_member_bool(PlJson *json, const char *key, bool value) {
  put_key(json, key);
  pl_json_bool(json, value);
}

void
pl_json_member_string(PlJson *json, const char *key, const char *text) {
  if (text == NULL)
    return;
  put_key(json, key);
  pl_json_string(json, text);
}

void
pl_json_member_raw(PlJson *json, const char *key, const char *text, size_t length) {
  put_key(json, key);
  pl_json_raw(json, text, length);
}

void
pl_json_member_hex(PlJson *json, const char *key, const uint8_t *data, size_t length) {
  put_key(json, key);
  pl_json_hex(json, data, length);
}

void
pl_json_member_time(PlJson *json, const char *key, int64_t unix_ms) {
  if (unix_ms < 0 || unix_ms > PL_CIVIL_MS_MAX)
    return;
  put_key(json, key);
  pl_json_time(json, unix_ms);
}
