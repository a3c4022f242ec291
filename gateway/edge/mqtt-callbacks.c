/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-session.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

enum { CORRELATION_MAX = 512 };

static PlMqttEvent *
event_new(const PlMqttSession *self, PlMqttEventType type) {
  PlMqttEvent *event = g_new0(PlMqttEvent, 1);
  event->type = type;
  event->session = self->options.number;
  return event;
}

static void
on_log(struct mosquitto *handle, void *data, int level, const char *line) {
  PlMqttSession *self = data;
  if (level == MOSQ_LOG_ERR)
    g_strlcpy(self->log, line, sizeof self->log);
}

static void
become_up(PlMqttSession *self, const mosquitto_property *properties) {
  uint16_t receive_maximum = UINT16_MAX;
  uint8_t qos_max = 1;
  mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &receive_maximum, false);
  mosquitto_property_read_byte(properties, MQTT_PROP_MAXIMUM_QOS, &qos_max, false);
  if (receive_maximum == 0) {
    pl_mqtt_session_over(self, PL_MQTT_MALFORMED, "%s takes no messages at all",
                         self->options.config->host);
    return;
  }
  self->qos_max = qos_max;
  self->phase = PL_MQTT_UP;
  self->deadline_us = INT64_MAX;
  self->up_us = pl_mqtt_now_us();
  PlMqttEvent *event = event_new(self, PL_MQTT_EVENT_CONNECTED);
  event->connection = (PlMqttConnection){
      .protocol = self->options.protocol,
      .receive_maximum = receive_maximum,
      .window = MIN(receive_maximum, PL_MQTT_WINDOW),
  };
  pl_mqtt_channel_post(self->options.channel, event);
}

static void
on_connect(struct mosquitto *handle, void *data, int reason, int flags,
           const mosquitto_property *properties) {
  PlMqttSession *self = data;
  self->answered = self->heard = true;
  if (self->phase != PL_MQTT_OPENING)
    pl_mqtt_session_over(self, PL_MQTT_MALFORMED, "%s accepted a connection twice",
                         self->options.config->host);
  else if (reason == 0)
    become_up(self, properties);
  else
    pl_mqtt_session_over_by_refusal(self, reason);
}

/* Also called with a MOSQ_ERR code, which the call that failed returns as well. */
static void
on_disconnect(struct mosquitto *handle, void *data, int reason,
              const mosquitto_property *properties) {
  if (reason >= MQTT_RC_UNSPECIFIED)
    pl_mqtt_session_over_by_disconnect(data, reason);
}

static PlMqttOutcome
outcome_of_reason(int reason) {
  if (reason < MQTT_RC_UNSPECIFIED)
    return PL_MQTT_DELIVERED;
  switch (reason) {
  case MQTT_RC_NOT_AUTHORIZED:
  case MQTT_RC_TOPIC_NAME_INVALID:
  case MQTT_RC_PACKET_TOO_LARGE:
  case MQTT_RC_PAYLOAD_FORMAT_INVALID:
    return PL_MQTT_REFUSED;
  default:
    return PL_MQTT_RETRY;
  }
}

void
pl_mqtt_session_acknowledge(PlMqttSession *self, const PlMqttOrder *order, int reason) {
  if (order->qos == 0 && order->tag == 0)
    return;
  PlMqttEvent *event = event_new(self, PL_MQTT_EVENT_ACK);
  event->qos = order->qos;
  event->ack = (PlMqttAck){
      .tag = order->tag,
      .outcome = outcome_of_reason(reason),
      .reason = reason,
      .t_us = pl_mqtt_now_us(),
  };
  pl_mqtt_channel_post(self->options.channel, event);
}

/* NULL: not ours, or answered before. */
static PlMqttOrder *
take_pending(PlMqttSession *self, int mid, PlMqttOrderType type) {
  for (unsigned i = 0; i < self->pending_count; i++) {
    PlMqttOrder *order = self->pending[i].order;
    if (self->pending[i].mid != mid || order->type != type)
      continue;
    self->pending[i] = self->pending[--self->pending_count];
    self->live -= type == PL_MQTT_PUBLISH && order->qos == 0;
    return order;
  }
  return NULL;
}

static void
on_publish(struct mosquitto *handle, void *data, int mid, int reason,
           const mosquitto_property *properties) {
  PlMqttSession *self = data;
  g_autoptr(PlMqttOrder) order = take_pending(self, mid, PL_MQTT_PUBLISH);
  if (!order)
    return;
  self->heard |= order->qos > 0;
  pl_mqtt_session_acknowledge(self, order, reason);
}

static void
on_subscribe(struct mosquitto *handle, void *data, int mid, int count, const int *granted,
             const mosquitto_property *properties) {
  PlMqttSession *self = data;
  g_autoptr(PlMqttOrder) order = take_pending(self, mid, PL_MQTT_SUBSCRIBE);
  if (!order)
    return;
  self->heard = true;
  PlMqttEvent *event = event_new(self, PL_MQTT_EVENT_SUBSCRIBED);
  event->text = g_steal_pointer(&order->topic);
  event->granted = count > 0 && granted[0] < MQTT_RC_UNSPECIFIED;
  pl_mqtt_channel_post(self->options.channel, event);
}

/* Takes the response topic and what goes with it, when they are usable. */
static void
take_response(PlMqttEvent *event, const mosquitto_property *properties) {
  char *topic = NULL;
  void *correlation = NULL;
  uint16_t length = 0;
  mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &topic, false);
  mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &length,
                                 false);
  if (topic && strlen(topic) <= PL_MQTT_TOPIC_MAX && length <= CORRELATION_MAX &&
      mosquitto_pub_topic_check(topic) == MOSQ_ERR_SUCCESS) {
    event->response_topic = g_strdup(topic);
    event->correlation = correlation ? g_memdup2(correlation, length) : NULL;
    event->correlation_length = length;
  }
  free(topic);
  free(correlation);
}

static void
on_message(struct mosquitto *handle, void *data, const struct mosquitto_message *message,
           const mosquitto_property *properties) {
  PlMqttSession *self = data;
  self->heard = true;
  size_t length = (size_t)message->payloadlen;
  PlMqttEvent *event = event_new(self, PL_MQTT_EVENT_MESSAGE);
  event->text = g_strdup(message->topic);
  event->retained = message->retain;
  event->oversized = length > PL_MQTT_INCOMING_MAX;
  event->length = event->oversized ? 0 : length;
  event->payload = g_malloc0(event->length + 1);
  if (event->length > 0)
    memcpy(event->payload, message->payload, event->length);
  take_response(event, properties);
  pl_mqtt_channel_post(self->options.channel, event);
}

void
pl_mqtt_session_set_callbacks(PlMqttSession *self) {
  mosquitto_log_callback_set(self->handle, on_log);
  mosquitto_connect_v5_callback_set(self->handle, on_connect);
  mosquitto_disconnect_v5_callback_set(self->handle, on_disconnect);
  mosquitto_publish_v5_callback_set(self->handle, on_publish);
  mosquitto_subscribe_v5_callback_set(self->handle, on_subscribe);
  mosquitto_message_v5_callback_set(self->handle, on_message);
}
