/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/ledger.h"
#include "gateway/app/topic.h"
#include "gateway/app/wall.h"
#include "gateway/core/engine.h"
#include "gateway/edge/store.h"

/* The way of the data, put together from a configuration: engine, ledger, store and wire.  The
 * daemon feeds it from BlueZ or the simulator, replay from a capture. */

typedef struct {
  PlEngine engine;
  PlLedger *ledger;
  PlEngineMemory memory;
  PlSessionConfig *sessions;
  PlEngineSensor *sensors;
  PlAthleteSettings *athletes;
} PlPipeline;

/* What it does not own; all of it outlives the pipeline. */
typedef struct {
  const PlConfig *config;
  PlStore *store;
  PlWire *wire;
  const PlWall *wall;
  PlLink *link;
  const char *boot_id; /* NULL: no run of before goes on */
  bool passive;        /* a capture is played */
  uint32_t seed;
} PlPipelineParts;

PlPipeline *pl_pipeline_new(const PlPipelineParts *parts, int64_t now_us);
void pl_pipeline_free(PlPipeline *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlPipeline, pl_pipeline_free)

/* Ends all runs, each at its last movement. */
void pl_pipeline_finish(PlPipeline *self, int64_t t_us);

/* Whether any run is going on, or something that may become one. */
bool pl_pipeline_busy(const PlPipeline *self);

/* A command that concerns runs: "run-start", "run-stop", "run-pause", "run-resume", "lap".
 * False when it is none of these, or makes no sense now. */
bool pl_pipeline_command(PlPipeline *self, const char *command, int athlete, int64_t t_us);
