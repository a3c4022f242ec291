/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/driver.h"

/* What every driver has to keep, whatever it is fed: the sink ends the program at the first
 * sample, write or timer that a driver must not ask for.  Used by the rule test and by the
 * fuzzers. */

typedef struct {
  PlSink sink;
  const PlDriver *driver;
  const PlDriverEvent *event; /* the one that is being handled */
  unsigned samples;           /* given for it */
  uint64_t digest;            /* of everything given since the beginning */
} StrictSink;

void strict_sink_init(StrictSink *strict, const PlDriver *driver);

/* Hands an event to the driver.  Its data are copied to a heap block of their exact size, so
 * that ASan and valgrind see a read past the end, and the copy is freed, so that they see a
 * pointer that was kept. */
PlStatus strict_sink_send(StrictSink *strict, void *state, const PlDriverEvent *event);
