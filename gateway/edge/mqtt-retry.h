/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/mqtt.h"

/* When to try a broker again, and in which version of the protocol.  No clock, no chance: both
 * are given. */

enum { PL_MQTT_TAKEOVERS = 3 };

typedef struct {
  PlMqttProtocol wanted;
  unsigned step;                       /* in the table of waiting times */
  int64_t taken_us[PL_MQTT_TAKEOVERS]; /* the last times somebody took our name, newest first */
  unsigned unanswered;                 /* connections in a row that were cut before an answer */
  bool fallen_back;                    /* to 3.1.1 */
  int64_t fallen_back_us;
} PlMqttRetry;

/* How a connection, or an attempt at one, ended. */
typedef struct {
  PlMqttProblem problem;
  bool taken_over;      /* the broker said that somebody else connected under our name */
  bool cut;             /* the broker hung up without a word */
  bool hostile;         /* it sent what costs memory every time */
  bool unanswered;      /* cut before the broker said anything */
  int64_t connected_us; /* how long it was up; 0: never */
} PlMqttEnd;

void pl_mqtt_retry_init(PlMqttRetry *retry, PlMqttProtocol wanted);

/* The version to speak now: 5 or 3.1.1. */
PlMqttProtocol pl_mqtt_retry_protocol(PlMqttRetry *retry, int64_t now_us);

/* How long to wait after `end`; `chance` is from [0, 1).  Changes the problem to
 * PL_MQTT_CLIENT_ID_CONFLICT when that is what the takeovers add up to. */
int64_t pl_mqtt_retry_delay(PlMqttRetry *retry, PlMqttEnd *end, int64_t now_us, double chance);
