/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"
#include "gateway/edge/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The short way through the line that makes up nearly all of a capture, and the parts that it
 * shares with the long way. */

/* What one notification says. */
typedef struct {
  int64_t t_us;
  char sensor[PL_CAPTURE_ID_SIZE];
  PlUuid uuid;
  size_t length;
  uint8_t value[PL_VALUE_MAX];
} PlCaptureLine;

/* Reads `{"t":1.5,"sensor":"strap","uuid":"2a37","value":"10 78"}`: these members in this
 * order, spaces after colons and commas allowed, at most six decimals, nothing escaped.  Every
 * line that is taken means the same to a JSON parser.  False for all others, also good ones. */
bool pl_capture_line_parse(const char *text, size_t length, PlCaptureLine *line);

/* Reads hexadecimal digits in pairs, spaces between pairs allowed. */
bool pl_capture_hex(const char *text, size_t length, uint8_t value[PL_VALUE_MAX],
                    size_t *value_length);

/* Whether the text is an id: [a-z0-9-]{1,32}. */
bool pl_capture_is_id(const char *text, size_t length);
