/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-session.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

void
pl_mqtt_session_over(PlMqttSession *self, PlMqttProblem problem, const char *format, ...) {
  if (self->phase == PL_MQTT_OVER)
    return;
  self->phase = PL_MQTT_OVER;
  self->problem = problem;
  va_list args;
  va_start(args, format);
  g_vsnprintf(self->text, sizeof self->text, format, args);
  va_end(args);
}

/* What OpenSSL calls it: the end of a line such as
 * "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed". */
static const char *
tls_reason(const PlMqttSession *self) {
  const char *refusal = self->tls ? pl_mqtt_tls_refusal(self->tls) : NULL;
  const char *colon = strrchr(self->log, ':');
  return refusal ? refusal : colon && colon[1] ? colon + 1 : "no reason told";
}

static void
end_by_tls(PlMqttSession *self) {
  bool clock = pl_mqtt_tls_refused_for_time(self->tls) &&
               !pl_mqtt_channel_clock_synced(self->options.channel);
  pl_mqtt_session_over(self, clock ? PL_MQTT_WAITING_FOR_CLOCK : PL_MQTT_TLS_FAILED,
                       "no encrypted connection to %s: %s", self->options.config->host,
                       tls_reason(self));
}

/* A broker that wants a certificate of us, or another, says so after the handshake.  For what
 * goes wrong in TLS then, libmosquitto sets EPROTO. */
static bool
is_tls_failure(const PlMqttSession *self, int saved_errno) {
  return self->tls && !self->answered && (saved_errno == EPROTO || strstr(self->log, "alert"));
}

void
pl_mqtt_session_over_by_code(PlMqttSession *self, int rc, int saved_errno) {
  const char *host = self->options.config->host;
  switch (rc) {
  case MOSQ_ERR_NOMEM:
    pl_mqtt_session_over(self, PL_MQTT_OVERSIZED,
                         "%s sent a message for which there is no memory", host);
    break;
  case MOSQ_ERR_TLS:
    end_by_tls(self);
    break;
  case MOSQ_ERR_KEEPALIVE:
    pl_mqtt_session_over(self, PL_MQTT_LOST, "%s is silent", host);
    break;
  case MOSQ_ERR_ERRNO:
  case MOSQ_ERR_CONN_LOST:
  case MOSQ_ERR_NO_CONN:
    self->cut = self->phase == PL_MQTT_UP && rc != MOSQ_ERR_ERRNO;
    if (is_tls_failure(self, saved_errno))
      end_by_tls(self);
    else
      pl_mqtt_session_over(self, PL_MQTT_LOST, "connection to %s lost: %s", host,
                           rc == MOSQ_ERR_ERRNO && saved_errno ? g_strerror(saved_errno)
                                                               : "closed by it");
    break;
  default:
    pl_mqtt_session_over(self, PL_MQTT_MALFORMED, "what %s sends is not MQTT: %s", host,
                         mosquitto_strerror(rc));
  }
}

/* Of CONNACK and DISCONNECT, MQTT 5. */
static PlMqttProblem
problem_of_reason(int reason) {
  switch (reason) {
  case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
    return PL_MQTT_PROTOCOL_REFUSED;
  case MQTT_RC_CLIENTID_NOT_VALID:
  case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
  case MQTT_RC_NOT_AUTHORIZED:
  case MQTT_RC_BANNED:
  case MQTT_RC_BAD_AUTHENTICATION_METHOD:
    return PL_MQTT_AUTH_REFUSED;
  case MQTT_RC_SERVER_SHUTTING_DOWN:
  case MQTT_RC_KEEP_ALIVE_TIMEOUT:
  case MQTT_RC_SESSION_TAKEN_OVER:
    return PL_MQTT_LOST;
  default:
    return PL_MQTT_BUSY;
  }
}

/* Of CONNACK, MQTT 3.1.1. */
static PlMqttProblem
problem_of_return_code(int code) {
  switch (code) {
  case CONNACK_REFUSED_PROTOCOL_VERSION:
    return PL_MQTT_PROTOCOL_REFUSED;
  case CONNACK_REFUSED_IDENTIFIER_REJECTED:
  case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
  case CONNACK_REFUSED_NOT_AUTHORIZED:
    return PL_MQTT_AUTH_REFUSED;
  case CONNACK_REFUSED_SERVER_UNAVAILABLE:
    return PL_MQTT_BUSY;
  default:
    return PL_MQTT_MALFORMED;
  }
}

void
pl_mqtt_session_over_by_refusal(PlMqttSession *self, int reason) {
  bool v5 = self->options.protocol == PL_MQTT_5;
  pl_mqtt_session_over(self, v5 ? problem_of_reason(reason) : problem_of_return_code(reason),
                       "%s refused the connection: %s", self->options.config->host,
                       v5 ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason));
}

void
pl_mqtt_session_over_by_disconnect(PlMqttSession *self, int reason) {
  self->taken_over = reason == MQTT_RC_SESSION_TAKEN_OVER;
  pl_mqtt_session_over(self, problem_of_reason(reason), "%s ended the connection: %s",
                       self->options.config->host, mosquitto_reason_string(reason));
}

void
pl_mqtt_session_end(const PlMqttSession *self, PlMqttEnd *end, const char **text) {
  *end = (PlMqttEnd){
      .problem = self->problem,
      .taken_over = self->taken_over,
      .cut = self->cut,
      .hostile = self->hostile,
      .unanswered = self->reached && !self->answered && self->problem == PL_MQTT_LOST,
      .connected_us = self->up_us ? pl_mqtt_now_us() - self->up_us : 0,
  };
  *text = self->text;
}
