/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/pipeline.h"
#include "gateway/edge/capture.h"

#include <stdio.h>

/* Playing a capture through the whole program, with no clock but the capture's. */

/* The sensors of a capture that `config` does not know by name, as lines of a configuration
 * that may follow it; the first athlete wears them, `r1` when there is none.  `config` may be
 * NULL.  Free it. */
char *pl_replay_configuration(const PlCaptureHeader *header, const PlConfig *config);

/* The time zone of a capture: its own, else UTC.  A name that nobody knows is UTC too. */
GTimeZone *pl_replay_zone(const PlCaptureHeader *header);

typedef struct PlReplay PlReplay;

/* `config` knows all sensors of the capture.  The reader is used, not owned. */
PlReplay *pl_replay_new(PlCaptureReader *reader, const PlConfig *config, PlPipeline *pipeline,
                        int64_t start_us);
void pl_replay_free(PlReplay *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlReplay, pl_replay_free)

typedef enum { PL_REPLAY_MORE, PL_REPLAY_END, PL_REPLAY_ERROR } PlReplayResult;

/* Feeds everything up to `until_us`.  At the end runs are ended: at once after an `end` in the
 * capture, else as when the sensors fall silent for good. */
PlReplayResult pl_replay_run(PlReplay *self, int64_t until_us, GError **error);

/* The time of the next event; INT64_MAX at the end. */
int64_t pl_replay_due(const PlReplay *self);

/* A link that leads nowhere: a capture can not be asked for anything. */
PlLink *pl_replay_link(void);

/* A wire that prints each message as one line of JSON. */
typedef struct {
  PlWire wire;
  FILE *out;
  const char *prefix;
  uint64_t seq;
  char *topics[PL_TOPIC_COUNT]; /* the last one of each, with its name */
  char *names[PL_TOPIC_COUNT];
} PlPrinter;

void pl_printer_init(PlPrinter *printer, FILE *out, const char *prefix);
void pl_printer_clear(PlPrinter *printer);
