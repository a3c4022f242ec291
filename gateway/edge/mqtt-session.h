/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/mqtt-private.h"

/* One connection, for the files that make it up:
 *
 *   mqtt-session.c    reach the broker, hand messages over, leave
 *   mqtt-callbacks.c  what libmosquitto tells
 *   mqtt-guard.c      an assertion of libmosquitto
 *   mqtt-end.c        why it is over */

enum {
  PL_MQTT_LIVE_MAX = 64, /* QoS 0 messages that libmosquitto may hold: it has no limit */
  PL_MQTT_ORDERED_MAX = PL_MQTT_WINDOW + 1 + PL_MQTT_SUBSCRIPTIONS, /* one for the farewell */
  PL_MQTT_PENDING_MAX = PL_MQTT_ORDERED_MAX + PL_MQTT_LIVE_MAX,
};

typedef enum {
  PL_MQTT_REACHING, /* the connection of TCP */
  PL_MQTT_OPENING,  /* TLS, and the broker's word */
  PL_MQTT_UP,
  PL_MQTT_OVER,
} PlMqttPhase;

/* Handed over to libmosquitto, and not yet answered or written. */
typedef struct {
  int mid;
  PlMqttOrder *order;
} PlMqttPending;

struct PlMqttSession {
  PlMqttSessionOptions options;
  PlMqttTls *tls;
  struct mosquitto *handle;
  PlMqttPhase phase;
  int64_t deadline_us; /* of this phase; INT64_MAX: none */
  int64_t leave_by_us; /* INT64_MAX: it stays */
  int64_t up_us;       /* since when it is up; 0: it never was */
  bool reached, answered, taken_over, cut, hostile;
  bool heard;           /* a message, since the last look at the flood */
  uint64_t flood_begin; /* in bytes of the connection */
  int qos_max;
  unsigned live;  /* of the pending */
  bool held_back; /* there may be more of QoS 0, but there was no room */
  unsigned pending_count;
  PlMqttPending pending[PL_MQTT_PENDING_MAX];
  PlMqttProblem problem;
  char text[256];
  char log[160]; /* the last error that the library told */
};

/* Ends it; the first reason counts. */
void pl_mqtt_session_over(PlMqttSession *self, PlMqttProblem problem, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* For a MOSQ_ERR code and the errno that goes with it. */
void pl_mqtt_session_over_by_code(PlMqttSession *self, int rc, int saved_errno);

/* For the reason of a CONNACK. */
void pl_mqtt_session_over_by_refusal(PlMqttSession *self, int reason);

/* For the reason of a DISCONNECT. */
void pl_mqtt_session_over_by_disconnect(PlMqttSession *self, int reason);

/* mosquitto_loop_read(), of which a failed assertion is an error and no end of the process. */
int pl_mqtt_guarded_read(struct mosquitto *handle, bool *failed);

void pl_mqtt_session_set_callbacks(PlMqttSession *self);

/* Tells what became of a message. */
void pl_mqtt_session_acknowledge(PlMqttSession *self, const PlMqttOrder *order, int reason);
