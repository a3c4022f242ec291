/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A 128-bit UUID in the order of its text form.  16-bit UUIDs stand for
 * 0000XXXX-0000-1000-8000-00805f9b34fb.  All sixteen bytes are compared: vendors use bases
 * that differ in a single digit. */
typedef struct {
  uint8_t byte[16];
} PlUuid;

enum { PL_UUID_TEXT_SIZE = 37 };

/* clang-format off */
#define PL_UUID16(x)                                                                          \
  {{0, 0, (uint8_t)((x) >> 8), (uint8_t)(x), 0, 0, 0x10, 0, 0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb}}
/* clang-format on */

bool pl_uuid_equal(const PlUuid *a, const PlUuid *b);

/* Reads "2a37" or "fb005c82-02e7-f387-1cad-8acd2d8df0c8", either case.  False, and nothing
 * written, for anything else. */
bool pl_uuid_parse(const char *text, PlUuid *uuid);

/* Writes the shortest form, "2a37" where the Bluetooth base allows it, lower case. */
void pl_uuid_format(const PlUuid *uuid, char text[PL_UUID_TEXT_SIZE]);

/* Writes the 36-digit form always, as BlueZ does. */
void pl_uuid_format_full(const PlUuid *uuid, char text[PL_UUID_TEXT_SIZE]);
