/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt.h"

#include "gateway/edge/mqtt-private.h"

#include <mosquitto.h>
#include <signal.h>
#include <string.h>

/* The thread may be busy with the name of a host and hear nothing; it is then left to itself.
 */
#define STOP_GRACE_US INT64_C(200000)

struct PlMqtt {
  PlMqttConfig *config;
  PlMqttHandler handler;
  void *data;
  PlMqttChannel *channel;
  GThread *thread;
  GSource *source;
  bool stopped;
  bool connected;
  bool refused; /* a message, because the window was full */
  unsigned session;
  unsigned connections;
  unsigned window, inflight, subscribing;
  PlMqttProtocol protocol;
  PlMqttProblem problem;
  char *text;
};

/* -- events ---------------------------------------------------------------------------- */

static void
set_problem(PlMqtt *self, PlMqttProblem problem, const char *text) {
  g_free(self->text);
  self->text = g_strdup(text);
  self->problem = problem;
}

static void
on_connected(PlMqtt *self, const PlMqttEvent *event) {
  self->connected = true;
  self->refused = false;
  self->session = event->session;
  self->window = event->connection.window;
  self->protocol = event->connection.protocol;
  self->inflight = self->subscribing = 0;
  self->connections++;
  set_problem(self, PL_MQTT_NO_PROBLEM, NULL);
  if (self->handler.connected)
    self->handler.connected(self->data, &event->connection);
}

static void
on_disconnected(PlMqtt *self, const PlMqttEvent *event) {
  self->connected = self->refused = false;
  self->inflight = self->subscribing = 0;
  set_problem(self, event->problem, event->text);
  if (self->handler.disconnected)
    self->handler.disconnected(self->data, event->problem, event->text);
}

static void
on_failed(PlMqtt *self, const PlMqttEvent *event) {
  set_problem(self, event->problem, event->text);
  if (self->handler.failed)
    self->handler.failed(self->data, event->problem, event->text);
}

static void
on_message(PlMqtt *self, const PlMqttEvent *event) {
  PlMqttIncoming message = {
      .topic = event->text,
      .payload = event->payload,
      .length = event->length,
      .oversized = event->oversized,
      .retained = event->retained,
      .response_topic = event->response_topic,
      .correlation = event->correlation,
      .correlation_length = event->correlation_length,
  };
  if (self->handler.message)
    self->handler.message(self->data, &message);
}

static void
on_ack(PlMqtt *self, const PlMqttEvent *event) {
  if (event->qos > 0)
    self->inflight--;
  if (event->ack.tag != 0 && self->handler.acknowledged)
    self->handler.acknowledged(self->data, &event->ack);
  if (!self->refused || self->inflight >= self->window)
    return;
  self->refused = false;
  if (self->handler.writable)
    self->handler.writable(self->data);
}

static void
on_subscribed(PlMqtt *self, const PlMqttEvent *event) {
  self->subscribing--;
  if (self->handler.subscribed)
    self->handler.subscribed(self->data, event->text, event->granted);
}

static void
handle(PlMqtt *self, const PlMqttEvent *event) {
  switch (event->type) {
  case PL_MQTT_EVENT_CONNECTED:
    on_connected(self, event);
    break;
  case PL_MQTT_EVENT_DISCONNECTED:
    on_disconnected(self, event);
    break;
  case PL_MQTT_EVENT_FAILED:
    on_failed(self, event);
    break;
  case PL_MQTT_EVENT_MESSAGE:
    on_message(self, event);
    break;
  case PL_MQTT_EVENT_ACK:
    on_ack(self, event);
    break;
  case PL_MQTT_EVENT_SUBSCRIBED:
    on_subscribed(self, event);
    break;
  }
}

static void
handle_all(PlMqtt *self) {
  PlMqttEvent *event = NULL;
  while ((event = pl_mqtt_channel_next_event(self->channel))) {
    handle(self, event);
    pl_mqtt_event_free(event);
  }
}

/* -- begin and end --------------------------------------------------------------------- */

static gboolean
on_ready(GSource *source, GSourceFunc function, gpointer data) {
  g_source_set_ready_time(source, -1);
  return function(data);
}

static gboolean
on_events(gpointer data) {
  handle_all(data);
  return G_SOURCE_CONTINUE;
}

static void
attach_source(PlMqtt *self) {
  static GSourceFuncs functions = {.dispatch = on_ready};
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default();
  self->source = g_source_new(&functions, sizeof(GSource));
  g_source_set_static_name(self->source, "mqtt");
  g_source_set_callback(self->source, on_events, self, NULL);
  g_source_attach(self->source, context);
  pl_mqtt_channel_set_source(self->channel, self->source);
}

/* Once in the life of the process, and never undone: a thread may still be at it. */
static void
start_library(void) {
  static gsize started = 0;
  if (!g_once_init_enter(&started))
    return;
  mosquitto_lib_init();
  g_once_init_leave(&started, 1);
}

/* Signals are for the main thread. */
static GThread *
start_thread(PlMqtt *self, GError **error) {
  PlMqttThread *thread = g_new0(PlMqttThread, 1);
  thread->config = pl_mqtt_config_copy(self->config);
  thread->channel = pl_mqtt_channel_ref(self->channel);

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  GThread *started = g_thread_try_new("plumbline-mqtt", pl_mqtt_thread_run, thread, error);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!started) {
    pl_mqtt_channel_unref(thread->channel);
    pl_mqtt_config_free(thread->config);
    g_free(thread);
  }
  return started;
}

PlMqtt *
pl_mqtt_new(const PlMqttConfig *config, const PlMqttHandler *handler, void *data,
            GError **error) {
  if (!pl_mqtt_config_check(config, error))
    return NULL;
  g_autoptr(PlMqttChannel) channel = pl_mqtt_channel_new(error);
  if (!channel)
    return NULL;

  start_library();
  g_autoptr(PlMqtt) self = g_new0(PlMqtt, 1);
  self->config = pl_mqtt_config_copy(config);
  self->handler = *handler;
  self->data = data;
  self->channel = g_steal_pointer(&channel);
  pl_mqtt_channel_set_clock_synced(self->channel, config->clock_synced);
  attach_source(self);
  self->thread = start_thread(self, error);
  return self->thread ? g_steal_pointer(&self) : NULL;
}

static void
say_offline(PlMqtt *self) {
  const PlMqttConfig *config = self->config;
  if (!self->connected || !config->will_topic)
    return;
  PlMqttOrder *order = g_new0(PlMqttOrder, 1);
  order->type = PL_MQTT_PUBLISH;
  order->session = self->session;
  order->qos = 1;
  order->retain = true;
  order->topic = g_strdup(config->will_topic);
  order->length = strlen(config->will_payload);
  order->payload = g_memdup2(config->will_payload, order->length);
  self->inflight++;
  pl_mqtt_channel_order(self->channel, order);
}

bool
pl_mqtt_stop(PlMqtt *self, int64_t budget_us) {
  int64_t deadline_us = pl_mqtt_now_us() + budget_us;
  bool connected = self->connected;
  if (!self->stopped)
    say_offline(self);
  self->stopped = true;
  pl_mqtt_channel_stop(self->channel, deadline_us);
  bool ended = pl_mqtt_channel_wait_ended(self->channel, deadline_us + STOP_GRACE_US);
  handle_all(self);
  return ended && (!connected || self->problem == PL_MQTT_NO_PROBLEM);
}

void
pl_mqtt_free(PlMqtt *self) {
  if (!self)
    return;
  pl_mqtt_channel_set_source(self->channel, NULL);
  if (self->source)
    g_source_destroy(self->source);
  g_clear_pointer(&self->source, g_source_unref);
  if (self->thread) {
    pl_mqtt_channel_stop(self->channel, 0);
    if (pl_mqtt_channel_wait_ended(self->channel, pl_mqtt_now_us() + STOP_GRACE_US))
      g_thread_join(self->thread);
    else
      g_thread_unref(self->thread);
  }
  pl_mqtt_channel_unref(self->channel);
  pl_mqtt_config_free(self->config);
  g_free(self->text);
  g_free(self);
}

/* -- messages -------------------------------------------------------------------------- */

static PlMqttOrder *
order_new(const PlMqtt *self, const PlMqttMessage *message) {
  PlMqttOrder *order = g_new0(PlMqttOrder, 1);
  *order = (PlMqttOrder){
      .type = PL_MQTT_PUBLISH,
      .session = self->session,
      .qos = message->qos,
      .retain = message->retain,
      .expiry_s = message->expiry_s,
      .tag = message->tag,
      .topic = g_strdup(message->topic),
      .payload = g_memdup2(message->payload, message->length),
      .length = message->length,
      .schema = g_strdup(message->schema),
      .correlation = g_memdup2(message->correlation, message->correlation_length),
      .correlation_length = message->correlation_length,
  };
  return order;
}

PlMqttSend
pl_mqtt_publish(PlMqtt *self, const PlMqttMessage *message) {
  g_return_val_if_fail(message->length <= PL_MQTT_PAYLOAD_MAX, PL_MQTT_NOT_CONNECTED);

  if (!self->connected || self->stopped) {
    if (message->qos == 0)
      pl_mqtt_channel_count_dropped(self->channel);
    return PL_MQTT_NOT_CONNECTED;
  }
  if (message->qos > 0 && self->inflight >= self->window) {
    self->refused = true;
    return PL_MQTT_WINDOW_FULL;
  }
  self->inflight += message->qos > 0;
  pl_mqtt_channel_order(self->channel, order_new(self, message));
  return PL_MQTT_SENT;
}

bool
pl_mqtt_subscribe(PlMqtt *self, const char *filter, int qos) {
  if (!self->connected || self->stopped || self->subscribing >= PL_MQTT_SUBSCRIPTIONS)
    return false;
  PlMqttOrder *order = g_new0(PlMqttOrder, 1);
  order->type = PL_MQTT_SUBSCRIBE;
  order->session = self->session;
  order->qos = qos;
  order->topic = g_strdup(filter);
  self->subscribing++;
  pl_mqtt_channel_order(self->channel, order);
  return true;
}

/* -- state ----------------------------------------------------------------------------- */

void
pl_mqtt_status(const PlMqtt *self, PlMqttStatus *status) {
  *status = (PlMqttStatus){
      .connected = self->connected,
      .protocol = self->protocol,
      .reconnects = self->connections > 0 ? self->connections - 1 : 0,
      .inflight = self->inflight,
      .problem = self->problem,
      .text = self->text,
  };
  pl_mqtt_channel_counts(self->channel, &status->dropped, &status->ignored);
}

void
pl_mqtt_set_clock_synced(PlMqtt *self, bool synced) {
  pl_mqtt_channel_set_clock_synced(self->channel, synced);
}

int64_t
pl_mqtt_heartbeat_us(const PlMqtt *self) {
  return pl_mqtt_channel_heartbeat_us(self->channel);
}
