/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer of JSON text into the caller's buffer.  It allocates nothing, knows no locale and
 * gives the same bytes on every machine.  What does not fit sets `overflow`, which stays set:
 * write everything, test once.
 *
 * Values go into an array, or stand alone; members go into an object.  What is not known is
 * left out: a number that is NaN or infinite, a text that is NULL.  Opening and closing in
 * pairs is the caller's duty.
 *
 * Numbers are rounded to a count of decimals, half to even on the exact binary value, as
 * printf and Python do; zeros at the end are dropped, and minus zero is zero. */

enum { PL_JSON_DECIMALS_MAX = 9 };

typedef struct {
  char *text; /* the caller's; always NUL-terminated */
  size_t size;
  size_t length; /* without the NUL */
  bool comma;    /* the next value or member needs one before it */
  bool overflow;
} PlJson;

/* `size` is at least 1.  The buffer has to outlive the writer. */
void pl_json_init(PlJson *json, char *buffer, size_t size);

/* The text so far, or NULL when it did not fit. */
const char *pl_json_text(const PlJson *json);

void pl_json_object(PlJson *json);
void pl_json_object_end(PlJson *json);
void pl_json_array(PlJson *json);
void pl_json_array_end(PlJson *json);

/* `decimals` above PL_JSON_DECIMALS_MAX count as that. */
void pl_json_number(PlJson *json, double value, unsigned decimals);
void pl_json_integer(PlJson *json, int64_t value);
void pl_json_unsigned(PlJson *json, uint64_t value);
void pl_json_bool(PlJson *json, bool value);
void pl_json_null(PlJson *json);
/* UTF-8; every sequence that is none becomes U+FFFD. */
void pl_json_string(PlJson *json, const char *text);
void pl_json_string_length(PlJson *json, const char *text, size_t length);
/* Text that is JSON already. */
void pl_json_raw(PlJson *json, const char *text, size_t length);
/* Bytes as a string of lower-case hexadecimal digits. */
void pl_json_hex(PlJson *json, const uint8_t *data, size_t length);
/* ISO 8601, UTC, milliseconds; left out outside the years 1970 to 9999. */
void pl_json_time(PlJson *json, int64_t unix_ms);

void pl_json_member_object(PlJson *json, const char *key);
void pl_json_member_array(PlJson *json, const char *key);
void pl_json_member_number(PlJson *json, const char *key, double value, unsigned decimals);
void pl_json_member_integer(PlJson *json, const char *key, int64_t value);
void pl_json_member_unsigned(PlJson *json, const char *key, uint64_t value);
void pl_json_member_bool(PlJson *json, const char *key, bool value);
void pl_json_member_string(PlJson *json, const char *key, const char *text);
void pl_json_member_raw(PlJson *json, const char *key, const char *text, size_t length);
void pl_json_member_hex(PlJson *json, const char *key, const uint8_t *data, size_t length);
void pl_json_member_time(PlJson *json, const char *key, int64_t unix_ms);
