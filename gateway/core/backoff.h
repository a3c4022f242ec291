/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* How long to wait before the next attempt to reach a sensor, by the cause of the last failure.
 * The numbers and their reasons are in the table at the top of radio.c. */

typedef enum {
  PL_BACKOFF_DROPPED,        /* the link ended after it had streamed for a while */
  PL_BACKOFF_TRANSIENT,      /* the attempt was aborted: what a radio does now and then */
  PL_BACKOFF_FAILED,         /* no answer, no service, or a link that did not last */
  PL_BACKOFF_PAUSE,          /* nothing to hold against the sensor, but not at once */
  PL_BACKOFF_IN_PROGRESS,    /* BlueZ is still at an older attempt */
  PL_BACKOFF_AUTHENTICATION, /* the sensor wants pairing */
} PlBackoffCause;

typedef struct {
  unsigned failures;   /* attempts that came to nothing */
  unsigned transients; /* aborted ones in a row */
  unsigned steps;      /* taken of the table of growing delays */
  unsigned refusals;   /* for want of pairing */
} PlBackoff;

#define PL_BACKOFF_FOREVER INT64_MAX

/* Counts the failure and gives the delay in us, within 20 % of the table's; 0: at the next
 * advertisement; PL_BACKOFF_FOREVER: not until somebody pairs the sensor.  `random` is the
 * state of the generator, never 0. */
int64_t pl_backoff_delay(PlBackoff *backoff, PlBackoffCause cause, uint32_t *random);

/* All that was wanted has been subscribed to: rows of failures end here, growing delays do not.
 */
void pl_backoff_connected(PlBackoff *backoff);

/* The next number of Marsaglia's xorshift generator with shifts 13, 17, 5. */
uint32_t pl_random_next(uint32_t *random);
