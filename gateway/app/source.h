/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/pipeline.h"
#include "gateway/edge/bluez.h"
#include "gateway/edge/capture.h"

#include <glib.h>

/* Where link events come from: BlueZ, the simulator or a capture. */

typedef enum { PL_SOURCE_BLUETOOTH, PL_SOURCE_SIMULATE, PL_SOURCE_REPLAY } PlSourceKind;

typedef struct PlSource PlSource;

/* Hands an event to the engine. */
typedef void (*PlSourceFeed)(const PlLinkEvent *event, void *data);

struct PlSource {
  const char *name; /* "bluetooth", "simulate", "replay", for people */
  PlLink *link;
  /* Feeds all that is due; NULL for a source that feeds by itself.  False when it is over. */
  bool (*run)(PlSource *source, int64_t now_us, GError **error);
  /* When it wants to be run; INT64_MAX: never. */
  int64_t (*due)(const PlSource *source);
  /* The pipeline was made, or made anew with another configuration. */
  void (*attach)(PlSource *source, const PlConfig *config, PlPipeline *pipeline);
  void (*free)(PlSource *source);
  PlBluez *bluez; /* NULL: none */
};

/* Text of a configuration for what the source brings along, to stand behind the files; NULL for
 * nothing.  Free it. */
char *pl_source_simulate_configuration(const char *scenario, const PlConfig *base,
                                       GError **error);

PlSource *pl_source_bluez_new(const PlConfig *config, PlSourceFeed feed, void (*closed)(void *),
                              void (*informed)(int sensor, void *), void *data);

/* `scenario` may be NULL: healthy.  It repeats for ever when `repeat`. */
PlSource *pl_source_simulate_new(const char *scenario, bool repeat, int64_t start_us,
                                 PlSourceFeed feed, void *data);

/* Takes the reader. */
PlSource *pl_source_replay_new(PlCaptureReader *reader, int64_t start_us);
