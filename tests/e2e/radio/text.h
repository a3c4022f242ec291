/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts of commands and files.  All return false, and write nothing, for anything malformed. */

/* "AA:BB:CC:DD:EE:FF", either case. */
bool radio_parse_address(const char *text, uint8_t address[6]);

/* A whole number, decimal or 0x..., inside [low, high]. */
bool radio_parse_number(const char *text, int64_t low, int64_t high, int64_t *number);

/* A decimal number of seconds inside [0, 86400], as microseconds. */
bool radio_parse_seconds(const char *text, int64_t *us);

/* An even number of hex digits, at most 2 * size of them. */
bool radio_parse_hex(const char *text, uint8_t *bytes, size_t size, size_t *length);
