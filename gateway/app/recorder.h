/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/ledger.h"

/* Captures of runs, while they are run: what the sensors of the athlete send, in
 * captures/<run>.capture.gz below the state directory, from ten seconds before its start.  A
 * candidate that did not become a run leaves nothing. */

typedef struct PlRecorder PlRecorder;

PlRecorder *pl_recorder_new(const PlConfig *config, const char *directory, PlLedger *ledger,
                            const PlWall *wall);
void pl_recorder_free(PlRecorder *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlRecorder, pl_recorder_free)

/* Before the event goes to the engine. */
void pl_recorder_event(PlRecorder *self, const PlLinkEvent *event);

/* Every second of the engine: begins and ends captures, and writes out. */
void pl_recorder_second(PlRecorder *self);

/* Deletes captures that are older than `days`. */
void pl_recorder_retain(const char *directory, unsigned days, int64_t now_wall_us);
