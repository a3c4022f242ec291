/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/uuid.h"

#include <stddef.h>

static const PlUuid bluetooth_base = PL_UUID16(0);
static const char hex_digits[] = "0123456789abcdef";

bool
pl_uuid_equal(const PlUuid *a, const PlUuid *b) {
  for (size_t i = 0; i < sizeof a->byte; i++)
    if (a->byte[i] != b->byte[i])
      return false;
  return true;
}

static int
hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* Two digits at `text`, or -1. */
static int
hex_byte(const char *text) {
  int high = hex_value(text[0]);
  int low = high < 0 ? -1 : hex_value(text[1]);
  return low < 0 ? -1 : high * 16 + low;
}

static bool
parse_short(const char *text, PlUuid *uuid) {
  int high = hex_byte(text);
  int low = high < 0 ? -1 : hex_byte(text + 2);
  if (low < 0 || text[4] != '\0')
    return false;
  *uuid = bluetooth_base;
  uuid->byte[2] = (uint8_t)high;
  uuid->byte[3] = (uint8_t)low;
  return true;
}

bool
pl_uuid_parse(const char *text, PlUuid *uuid) {
  PlUuid parsed;
  size_t at = 0;

  if (parse_short(text, uuid))
    return true;
  for (size_t i = 0; i < sizeof parsed.byte; i++) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
      return false;
    int value = hex_byte(text + at);
    if (value < 0)
      return false;
    parsed.byte[i] = (uint8_t)value;
    at += 2;
  }
  if (text[at] != '\0')
    return false;
  *uuid = parsed;
  return true;
}

void
pl_uuid_format_full(const PlUuid *uuid, char text[PL_UUID_TEXT_SIZE]) {
  char *out = text;
  for (size_t i = 0; i < sizeof uuid->byte; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *out++ = '-';
    *out++ = hex_digits[uuid->byte[i] >> 4];
    *out++ = hex_digits[uuid->byte[i] & 15];
  }
  *out = '\0';
}

void
pl_uuid_format(const PlUuid *uuid, char text[PL_UUID_TEXT_SIZE]) {
  PlUuid based = *uuid;
  based.byte[2] = based.byte[3] = 0;
  if (!pl_uuid_equal(&based, &bluetooth_base)) {
    pl_uuid_format_full(uuid, text);
    return;
  }
  for (size_t i = 0; i < 2; i++) {
    text[2 * i] = hex_digits[uuid->byte[2 + i] >> 4];
    text[2 * i + 1] = hex_digits[uuid->byte[2 + i] & 15];
  }
  text[4] = '\0';
}
