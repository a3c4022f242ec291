/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-private.h"

#include "gateway/edge/error.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A second of live data of thousands of runners fits; when more piles up, the oldest goes. */
enum {
  LIVE_MAX = 16384,
  LIVE_BYTES_MAX = 4 * 1024 * 1024,
  INCOMING_MAX = 64,
};

struct PlMqttChannel {
  gatomicrefcount refs;
  int fd;

  GMutex lock; /* guards everything below */
  GCond ended_changed;
  GSource *source;
  GQueue ordered; /* PlMqttOrder: QoS 1 and subscriptions */
  GQueue live;    /* PlMqttOrder: QoS 0 */
  size_t live_bytes;
  GQueue events;     /* PlMqttEvent */
  unsigned incoming; /* messages among them */
  uint64_t dropped, ignored;
  int64_t heartbeat_us;
  bool clock_synced;
  bool stopped, ended;
  int64_t deadline_us;
};

void
pl_mqtt_order_free(PlMqttOrder *order) {
  if (!order)
    return;
  g_free(order->topic);
  g_free(order->payload);
  g_free(order->schema);
  g_free(order->correlation);
  g_free(order);
}

void
pl_mqtt_event_free(PlMqttEvent *event) {
  if (!event)
    return;
  g_free(event->text);
  g_free(event->payload);
  g_free(event->response_topic);
  g_free(event->correlation);
  g_free(event);
}

PlMqttChannel *
pl_mqtt_channel_new(GError **error) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    pl_error_set_file(error, errno, "cannot create", "an eventfd");
    return NULL;
  }
  PlMqttChannel *self = g_new0(PlMqttChannel, 1);
  g_atomic_ref_count_init(&self->refs);
  self->fd = fd;
  g_mutex_init(&self->lock);
  g_cond_init(&self->ended_changed);
  g_queue_init(&self->ordered);
  g_queue_init(&self->live);
  g_queue_init(&self->events);
  self->heartbeat_us = pl_mqtt_now_us();
  return self;
}

PlMqttChannel *
pl_mqtt_channel_ref(PlMqttChannel *self) {
  g_atomic_ref_count_inc(&self->refs);
  return self;
}

void
pl_mqtt_channel_unref(PlMqttChannel *self) {
  if (!g_atomic_ref_count_dec(&self->refs))
    return;
  g_queue_clear_full(&self->ordered, (GDestroyNotify)pl_mqtt_order_free);
  g_queue_clear_full(&self->live, (GDestroyNotify)pl_mqtt_order_free);
  g_queue_clear_full(&self->events, (GDestroyNotify)pl_mqtt_event_free);
  g_clear_pointer(&self->source, g_source_unref);
  g_cond_clear(&self->ended_changed);
  g_mutex_clear(&self->lock);
  close(self->fd);
  g_free(self);
}

/* The counter of an eventfd cannot be full here, and an interrupted write did not happen. */
static void
wake(PlMqttChannel *self) {
  uint64_t one = 1;
  while (write(self->fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

/* -- main thread ----------------------------------------------------------------------- */

void
pl_mqtt_channel_set_source(PlMqttChannel *self, GSource *source) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  g_clear_pointer(&self->source, g_source_unref);
  if (source)
    self->source = g_source_ref(source);
}

static PlMqttOrder *
pop_live(PlMqttChannel *self) {
  PlMqttOrder *order = g_queue_pop_head(&self->live);
  if (order)
    self->live_bytes -= order->length;
  return order;
}

void
pl_mqtt_channel_order(PlMqttChannel *self, PlMqttOrder *order) {
  order->queued_us = pl_mqtt_now_us();
  g_mutex_lock(&self->lock);
  if (order->type == PL_MQTT_PUBLISH && order->qos == 0) {
    g_queue_push_tail(&self->live, order);
    self->live_bytes += order->length;
    while (self->live.length > LIVE_MAX || self->live_bytes > LIVE_BYTES_MAX) {
      pl_mqtt_order_free(pop_live(self));
      self->dropped++;
    }
  } else {
    g_queue_push_tail(&self->ordered, order);
  }
  g_mutex_unlock(&self->lock);
  wake(self);
}

PlMqttEvent *
pl_mqtt_channel_next_event(PlMqttChannel *self) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  PlMqttEvent *event = g_queue_pop_head(&self->events);
  if (event && event->type == PL_MQTT_EVENT_MESSAGE)
    self->incoming--;
  return event;
}

void
pl_mqtt_channel_set_clock_synced(PlMqttChannel *self, bool synced) {
  g_mutex_lock(&self->lock);
  self->clock_synced = synced;
  g_mutex_unlock(&self->lock);
  wake(self);
}

void
pl_mqtt_channel_stop(PlMqttChannel *self, int64_t deadline_us) {
  g_mutex_lock(&self->lock);
  self->stopped = true;
  self->deadline_us = deadline_us;
  g_mutex_unlock(&self->lock);
  wake(self);
}

bool
pl_mqtt_channel_wait_ended(PlMqttChannel *self, int64_t deadline_us) {
  int64_t until = g_get_monotonic_time() + deadline_us - pl_mqtt_now_us();
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  while (!self->ended && g_cond_wait_until(&self->ended_changed, &self->lock, until))
    ;
  return self->ended;
}

int64_t
pl_mqtt_channel_heartbeat_us(PlMqttChannel *self) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  return self->heartbeat_us;
}

void
pl_mqtt_channel_counts(PlMqttChannel *self, uint64_t *dropped, uint64_t *ignored) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  *dropped = self->dropped;
  *ignored = self->ignored;
}

void
pl_mqtt_channel_count_dropped(PlMqttChannel *self) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  self->dropped++;
}

/* -- network thread -------------------------------------------------------------------- */

int
pl_mqtt_channel_fd(const PlMqttChannel *self) {
  return self->fd;
}

void
pl_mqtt_channel_beat(PlMqttChannel *self) {
  uint64_t count;
  while (read(self->fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  self->heartbeat_us = pl_mqtt_now_us();
}

static bool
is_too_old(const PlMqttOrder *order, int64_t now_us) {
  return order->expiry_s > 0 &&
         now_us - order->queued_us > (int64_t)order->expiry_s * G_USEC_PER_SEC;
}

PlMqttOrder *
pl_mqtt_channel_next_order(PlMqttChannel *self, unsigned session, bool live) {
  int64_t now_us = pl_mqtt_now_us();
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  for (;;) {
    PlMqttOrder *order = live ? pop_live(self) : g_queue_pop_head(&self->ordered);
    if (!order || (order->session == session && !(live && is_too_old(order, now_us))))
      return order;
    pl_mqtt_order_free(order);
    self->dropped += live;
  }
}

void
pl_mqtt_channel_post(PlMqttChannel *self, PlMqttEvent *event) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  if (event->type == PL_MQTT_EVENT_MESSAGE && self->incoming >= INCOMING_MAX) {
    self->ignored++;
    pl_mqtt_event_free(event);
    return;
  }
  self->incoming += event->type == PL_MQTT_EVENT_MESSAGE;
  g_queue_push_tail(&self->events, event);
  if (self->source)
    g_source_set_ready_time(self->source, 0);
}

bool
pl_mqtt_channel_stopped(PlMqttChannel *self, int64_t *deadline_us) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  *deadline_us = self->deadline_us;
  return self->stopped;
}

bool
pl_mqtt_channel_clock_synced(PlMqttChannel *self) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  return self->clock_synced;
}

void
pl_mqtt_channel_end(PlMqttChannel *self) {
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);
  self->ended = true;
  g_cond_broadcast(&self->ended_changed);
}
