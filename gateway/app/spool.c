/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/spool.h"

#include <string.h>

enum {
  RETRY_MS = 30000,    /* after the broker could not take a message */
  LOOK_AGAIN_MS = 100, /* for what is on its way into the store */
  LOAD_MAX = 20,
};

static const int64_t late_us = 10 * G_USEC_PER_SEC;

typedef struct {
  char *topic, *payload;
  unsigned expiry_s;
} State;

struct PlSpool {
  PlWire wire;
  char *prefix;
  PlStore *store;
  PlMqtt *mqtt;
  bool open, released;
  unsigned window, inflight; /* of spooled messages */
  int64_t opened_wall_us, now_wall_us;
  bool backlog;    /* the store holds what was not sent on this connection */
  uint64_t cursor; /* the last that was */
  uint64_t last_added;
  GQueue states; /* of State: those that found no room */
  guint retry_source, look_source;
};

static PlSpool *
spool_of(PlWire *wire) {
  return (PlSpool *)((char *)wire - G_STRUCT_OFFSET(PlSpool, wire));
}

static void
state_free(State *state) {
  g_free(state->topic);
  g_free(state->payload);
  g_free(state);
}

static char *
full_topic(const PlSpool *self, PlTopic topic, const char *name) {
  g_autofree char *rest = pl_topic_name(topic, name);
  return g_strconcat(self->prefix, "/", rest, NULL);
}

static bool
publish_state(PlSpool *self, const char *topic, const char *payload, unsigned expiry_s) {
  PlMqttMessage message = {
      .topic = topic,
      .payload = payload,
      .length = strlen(payload),
      .qos = 1,
      .retain = true,
      .expiry_s = expiry_s,
  };
  return pl_mqtt_publish(self->mqtt, &message) != PL_MQTT_WINDOW_FULL;
}

static gint
same_topic(gconstpointer state, gconstpointer topic) {
  return strcmp(((const State *)state)->topic, topic);
}

void
pl_spool_state(PlSpool *self, const char *topic, const char *payload, unsigned expiry_s) {
  if (!self->open)
    return;
  GList *link = g_queue_find_custom(&self->states, topic, same_topic);
  if (link != NULL) {
    State *state = link->data;
    g_free(state->payload);
    state->payload = g_strdup(payload);
    return;
  }
  if (g_queue_is_empty(&self->states) && publish_state(self, topic, payload, expiry_s))
    return;
  State *state = g_new0(State, 1);
  *state = (State){g_strdup(topic), g_strdup(payload), expiry_s};
  g_queue_push_tail(&self->states, state);
}

static bool
flush_states(PlSpool *self) {
  while (!g_queue_is_empty(&self->states)) {
    State *state = g_queue_peek_head(&self->states);
    if (!publish_state(self, state->topic, state->payload, state->expiry_s))
      return false;
    state_free(g_queue_pop_head(&self->states));
  }
  return true;
}

/* The payload is an object: the mark is its last member. */
static char *
mark_late(const char *payload, size_t length) {
  return g_strdup_printf("%.*s,\"late\":true}", (int)length - 1, payload);
}

static PlMqttSend
publish_spooled(PlSpool *self, PlTopic topic, const char *name, const char *full, uint64_t seq,
                const char *payload) {
  g_autofree char *made = full == NULL ? full_topic(self, topic, name) : NULL;
  PlMqttSend sent = pl_mqtt_publish(self->mqtt, &(PlMqttMessage){
                                                    .topic = full == NULL ? made : full,
                                                    .payload = payload,
                                                    .length = strlen(payload),
                                                    .qos = 1,
                                                    .retain = pl_topics[topic].retain,
                                                    .expiry_s = pl_topics[topic].expiry_s,
                                                    .tag = seq,
                                                });
  if (sent == PL_MQTT_SENT) {
    self->inflight++;
    self->cursor = seq;
  }
  return sent;
}

/* Which of the topics a stored one is: by its last word, which is unique among spooled ones. */
static PlTopic
topic_of(const char *full) {
  for (int t = 0; t < PL_TOPIC_COUNT; t++)
    if (pl_topics[t].spooled && g_str_has_suffix(full, strrchr(pl_topics[t].format, '/')))
      return (PlTopic)t;
  return PL_TOPIC_GATEWAY_EVENT;
}

typedef struct {
  PlSpool *spool;
  unsigned loaded;
  bool full;
} Drain;

static bool
drain_one(const PlOutboxMessage *message, void *data) {
  Drain *drain = data;
  PlSpool *self = drain->spool;
  bool late = message->created_us < self->opened_wall_us ||
              self->now_wall_us - message->created_us > late_us;
  g_autofree char *text = late ? mark_late(message->payload, message->length)
                               : g_strndup(message->payload, message->length);
  drain->loaded++;
  if (self->inflight >= MAX(self->window / 2, 1) ||
      publish_spooled(self, topic_of(message->topic), NULL, message->topic, message->seq,
                      text) != PL_MQTT_SENT) {
    drain->full = true;
    return false;
  }
  return true;
}

static gboolean on_look_again(void *data);

/* Sends what the store holds as far as there is room.  It is done when the last message that
 * was handed to the store has been seen, or the store has nothing left to write. */
static void
drain(PlSpool *self) {
  if (!self->open || !self->released || !self->backlog || !flush_states(self))
    return;
  Drain state = {.spool = self};
  do {
    state.loaded = 0;
    if (!pl_store_outbox_load(self->store, self->cursor, LOAD_MAX, drain_one, &state, NULL))
      break;
  } while (state.loaded > 0 && !state.full);
  if (state.full)
    return;
  PlStoreHealth health;
  pl_store_health(self->store, &health);
  if (self->cursor < self->last_added && health.queued > 0) {
    if (self->look_source == 0)
      self->look_source = g_timeout_add(LOOK_AGAIN_MS, on_look_again, self);
    return;
  }
  self->backlog = false;
}

static gboolean
on_look_again(void *data) {
  PlSpool *self = data;
  self->look_source = 0;
  drain(self);
  return G_SOURCE_REMOVE;
}

static PlOutboxClass
class_of(PlTopic topic) {
  switch ((int)topic) {
  case PL_TOPIC_ATHLETE_SUMMARY:
    return PL_OUTBOX_SUMMARY;
  case PL_TOPIC_ATHLETE_WARNING:
    return PL_OUTBOX_WARNING;
  case PL_TOPIC_ATHLETE_LAP:
    return PL_OUTBOX_LAP;
  default:
    return PL_OUTBOX_EVENT;
  }
}

static void
send_spooled(PlSpool *self, const PlOutMessage *message) {
  g_autofree char *topic = full_topic(self, message->topic, message->name);
  pl_store_outbox_add(self->store, &(PlOutboxMessage){
                                       .seq = message->seq,
                                       .outbox_class = class_of(message->topic),
                                       .created_us = message->wall_us,
                                       .topic = topic,
                                       .payload = message->payload,
                                       .length = strlen(message->payload),
                                       .qos = 1,
                                       .retain = pl_topics[message->topic].retain,
                                       .run = message->run,
                                   });
  self->last_added = message->seq;
  if (!self->open || !self->released || self->backlog || !g_queue_is_empty(&self->states) ||
      publish_spooled(self, message->topic, NULL, topic, message->seq, message->payload) !=
          PL_MQTT_SENT)
    self->backlog = true;
}

static void
send_live(PlSpool *self, const PlOutMessage *message) {
  g_autofree char *topic = full_topic(self, message->topic, message->name);
  pl_mqtt_publish(self->mqtt, &(PlMqttMessage){
                                  .topic = topic,
                                  .payload = message->payload,
                                  .length = strlen(message->payload),
                                  .expiry_s = pl_topics[message->topic].expiry_s,
                              });
}

static void
wire_send(PlWire *wire, const PlOutMessage *message) {
  PlSpool *self = spool_of(wire);
  const PlTopicDef *def = &pl_topics[message->topic];

  self->now_wall_us = MAX(self->now_wall_us, message->wall_us);
  if (def->spooled && message->seq != 0) {
    send_spooled(self, message);
  } else if (def->retain) {
    g_autofree char *topic = full_topic(self, message->topic, message->name);
    pl_spool_state(self, topic, message->payload, def->expiry_s);
  } else if (self->open) {
    send_live(self, message);
  }
}

static uint64_t
wire_next_seq(PlWire *wire) {
  return pl_store_next_seq(spool_of(wire)->store);
}

PlSpool *
pl_spool_new(const char *prefix, PlStore *store) {
  PlSpool *self = g_new0(PlSpool, 1);
  self->wire = (PlWire){.next_seq = wire_next_seq, .send = wire_send};
  self->prefix = g_strdup(prefix);
  self->store = store;
  g_queue_init(&self->states);
  return self;
}

void
pl_spool_free(PlSpool *self) {
  if (self == NULL)
    return;
  g_clear_handle_id(&self->retry_source, g_source_remove);
  g_clear_handle_id(&self->look_source, g_source_remove);
  g_queue_clear_full(&self->states, (GDestroyNotify)state_free);
  g_free(self->prefix);
  g_free(self);
}

void
pl_spool_set_prefix(PlSpool *self, const char *prefix) {
  g_free(self->prefix);
  self->prefix = g_strdup(prefix);
}

void
pl_spool_attach(PlSpool *self, PlMqtt *mqtt) {
  self->mqtt = mqtt;
}

PlWire *
pl_spool_wire(PlSpool *self) {
  return &self->wire;
}

void
pl_spool_opened(PlSpool *self, unsigned window, int64_t wall_us) {
  self->open = true;
  self->released = false;
  self->window = window;
  self->inflight = 0;
  self->cursor = 0;
  self->backlog = true;
  self->opened_wall_us = self->now_wall_us = wall_us;
}

void
pl_spool_release(PlSpool *self) {
  self->released = true;
  drain(self);
}

void
pl_spool_closed(PlSpool *self) {
  self->open = self->released = false;
  self->inflight = 0;
  g_queue_clear_full(&self->states, (GDestroyNotify)state_free);
}

static gboolean
on_retry(void *data) {
  PlSpool *self = data;
  self->retry_source = 0;
  self->cursor = 0;
  self->backlog = true;
  drain(self);
  return G_SOURCE_REMOVE;
}

void
pl_spool_acknowledged(PlSpool *self, const PlMqttAck *ack) {
  if (self->inflight > 0)
    self->inflight--;
  switch (ack->outcome) {
  case PL_MQTT_DELIVERED:
    pl_store_outbox_remove(self->store, ack->tag);
    break;
  case PL_MQTT_REFUSED:
    g_warning("the broker refuses message %" G_GUINT64_FORMAT " (reason %d); it is kept aside",
              ack->tag, ack->reason);
    pl_store_outbox_refuse(self->store, ack->tag);
    break;
  case PL_MQTT_RETRY:
    if (self->retry_source == 0)
      self->retry_source = g_timeout_add(RETRY_MS, on_retry, self);
    break;
  }
  drain(self);
}

void
pl_spool_writable(PlSpool *self) {
  if (self->open && flush_states(self))
    drain(self);
}

bool
pl_spool_drained(const PlSpool *self) {
  return self->open && self->released && !self->backlog;
}
