/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/source.h"

#include "gateway/app/replay.h"

typedef struct {
  PlSource source;
  PlCaptureReader *reader;
  PlReplay *replay;
  int64_t start_us;
} Playing;

static bool
run(PlSource *source, int64_t now_us, GError **error) {
  Playing *self = (Playing *)source;
  return pl_replay_run(self->replay, now_us, error) == PL_REPLAY_MORE;
}

static int64_t
due(const PlSource *source) {
  const Playing *self = (const Playing *)source;
  return self->replay == NULL ? INT64_MAX : pl_replay_due(self->replay);
}

static void
attach(PlSource *source, const PlConfig *config, PlPipeline *pipeline) {
  Playing *self = (Playing *)source;
  pl_replay_free(self->replay);
  self->replay = pl_replay_new(self->reader, config, pipeline, self->start_us);
}

static void
source_free(PlSource *source) {
  Playing *self = (Playing *)source;
  pl_replay_free(self->replay);
  pl_capture_reader_free(self->reader);
  g_free(self);
}

PlSource *
pl_source_replay_new(PlCaptureReader *reader, int64_t start_us) {
  Playing *self = g_new0(Playing, 1);
  self->source = (PlSource){
      .name = "replay",
      .link = pl_replay_link(),
      .run = run,
      .due = due,
      .attach = attach,
      .free = source_free,
  };
  self->reader = reader;
  self->start_us = start_us;
  return &self->source;
}
