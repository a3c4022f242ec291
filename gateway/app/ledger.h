/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/app/topic.h"
#include "gateway/app/wall.h"
#include "gateway/core/engine.h"
#include "gateway/edge/store.h"

/* What the engine says, written down and passed on: gives runs their names, keeps records, laps
 * and summaries in the store, and turns everything into messages for the wire.  The same in the
 * daemon and in replay. */

typedef struct PlLedger PlLedger;

/* All of these outlive the ledger. */
typedef struct {
  const PlConfig *config;
  PlStore *store;
  PlWire *wire;
  const PlWall *wall;
} PlLedgerParts;

PlLedger *pl_ledger_new(const PlLedgerParts *parts);
void pl_ledger_free(PlLedger *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlLedger, pl_ledger_free)

/* To be given to the engine. */
PlOutlet *pl_ledger_outlet(PlLedger *self);

/* To be called once before anything comes out of the engine.  Goes on with runs that the store
 * holds open, if they belong to this boot of the machine and to a configured athlete; `boot_id`
 * NULL: with none.  Runs that can not go on are finished as they are. */
void pl_ledger_attach(PlLedger *self, PlEngine *engine, const char *boot_id, int64_t now_us);

/* Device information of a sensor; NULL and "" are unknown. */
void pl_ledger_inform(PlLedger *self, int sensor, const char *model, const char *firmware);

/* Sends the newest of every retained state again, as after a reconnection. */
void pl_ledger_announce(PlLedger *self);

/* A gateway event that does not come from the engine ("config-reloaded", "clock-step", ...). */
void pl_ledger_event(PlLedger *self, const char *code, int64_t t_us, const char *text);

/* The newest frame of an athlete, NULL before the first; the run, NULL outside one; and the run
 * or what may become one. */
const PlFrame *pl_ledger_frame(const PlLedger *self, int athlete);
const char *pl_ledger_run(const PlLedger *self, int athlete);
const char *pl_ledger_recorded(const PlLedger *self, int athlete);

/* The time of the engine's last advance. */
int64_t pl_ledger_now_us(const PlLedger *self);
