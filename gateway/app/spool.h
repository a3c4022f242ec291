/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/topic.h"
#include "gateway/edge/mqtt.h"
#include "gateway/edge/store.h"

/* The wire to the broker.  What must not be lost (events, warnings, laps, summaries) is put in
 * the outbox of the store first and taken out when the broker has it; what waited there comes
 * in its order, with its own time and marked `late`.  Of states only the newest counts.  Live
 * values are sent or dropped. */

typedef struct PlSpool PlSpool;

/* `store` outlives it.  Give pl_spool_attach() a connection before the first
 * message can leave. */
PlSpool *pl_spool_new(const char *prefix, PlStore *store);
void pl_spool_free(PlSpool *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlSpool, pl_spool_free)

/* Of topics from now on; what waits keeps its own. */
void pl_spool_set_prefix(PlSpool *self, const char *prefix);

void pl_spool_attach(PlSpool *self, PlMqtt *mqtt);
PlWire *pl_spool_wire(PlSpool *self);

/* To be called from the handlers of the connection.  Between opened and release only states go
 * out, so that whoever listens knows them before anything old arrives. */
void pl_spool_opened(PlSpool *self, unsigned window, int64_t wall_us);
void pl_spool_release(PlSpool *self);
void pl_spool_closed(PlSpool *self);
void pl_spool_acknowledged(PlSpool *self, const PlMqttAck *ack);
void pl_spool_writable(PlSpool *self);

/* A retained state under its full topic, newest wins. */
void pl_spool_state(PlSpool *self, const char *topic, const char *payload, unsigned expiry_s);

/* Whether the broker is there and everything that waited has been handed to it. */
bool pl_spool_drained(const PlSpool *self);
