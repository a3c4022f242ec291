/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-retry.h"

#define SECOND        INT64_C(1000000)
#define STEADY        (60 * SECOND) /* up for so long: start again at the first step */
#define FALL_BACK     (60 * 60 * SECOND)
#define TAKEOVER_SPAN (60 * SECOND)
#define BRIEF         (10 * SECOND)

/* Brokers that do not know MQTT 5 should say so; some just cut the connection. */
enum { UNANSWERED_MAX = 2 };

enum { HOSTILE_S = 300 };

static const unsigned steps_s[] = {1, 2, 4, 8, 16, 32, 60};

/* `exact`: no earlier and no later, else the longer of this and the step. */
static const struct {
  unsigned least_s;
  bool exact;
} rules[PL_MQTT_PROBLEM_COUNT] = {
    [PL_MQTT_BUSY] = {15, false},
    [PL_MQTT_AUTH_REFUSED] = {60, true},
    [PL_MQTT_TLS_FAILED] = {15, false},
    [PL_MQTT_WAITING_FOR_CLOCK] = {15, true},
    [PL_MQTT_CLIENT_ID_CONFLICT] = {300, true},
    [PL_MQTT_PROTOCOL_REFUSED] = {15, false},
    [PL_MQTT_MALFORMED] = {15, false},
    [PL_MQTT_OVERSIZED] = {300, true},
    [PL_MQTT_SECRET_UNREADABLE] = {60, true},
};

static void
forget_takeovers(PlMqttRetry *retry) {
  for (unsigned i = 0; i < PL_MQTT_TAKEOVERS; i++)
    retry->taken_us[i] = -TAKEOVER_SPAN;
}

void
pl_mqtt_retry_init(PlMqttRetry *retry, PlMqttProtocol wanted) {
  *retry = (PlMqttRetry){.wanted = wanted};
  forget_takeovers(retry);
}

PlMqttProtocol
pl_mqtt_retry_protocol(PlMqttRetry *retry, int64_t now_us) {
  if (retry->wanted != PL_MQTT_AUTO)
    return retry->wanted;
  if (retry->fallen_back && now_us - retry->fallen_back_us >= FALL_BACK)
    retry->fallen_back = false;
  return retry->fallen_back ? PL_MQTT_3_1_1 : PL_MQTT_5;
}

static void
change_protocol(PlMqttRetry *retry, int64_t now_us) {
  retry->fallen_back = !retry->fallen_back;
  retry->fallen_back_us = now_us;
  retry->unanswered = 0;
}

/* Whether the other version should be tried at once. */
static bool
fall_back(PlMqttRetry *retry, const PlMqttEnd *end, int64_t now_us) {
  if (retry->wanted != PL_MQTT_AUTO)
    return false;
  if (end->problem == PL_MQTT_PROTOCOL_REFUSED) {
    change_protocol(retry, now_us);
    return retry->fallen_back;
  }
  retry->unanswered = end->unanswered ? retry->unanswered + 1 : 0;
  if (retry->unanswered >= UNANSWERED_MAX)
    change_protocol(retry, now_us);
  return false;
}

/* Two that take turns under one name would go on for ever.  Mosquitto 2.0 does not say that
 * somebody else came: it hangs up, soon after we came, and is there when we come again. */
static bool
conflict(PlMqttRetry *retry, const PlMqttEnd *end, int64_t now_us) {
  bool suspect = end->cut && end->connected_us > 0 && end->connected_us < BRIEF;
  if (end->connected_us == 0)
    forget_takeovers(retry);
  if (!end->taken_over && !suspect)
    return false;
  for (unsigned i = PL_MQTT_TAKEOVERS - 1; i > 0; i--)
    retry->taken_us[i] = retry->taken_us[i - 1];
  retry->taken_us[0] = now_us;
  return now_us - retry->taken_us[PL_MQTT_TAKEOVERS - 1] < TAKEOVER_SPAN;
}

int64_t
pl_mqtt_retry_delay(PlMqttRetry *retry, PlMqttEnd *end, int64_t now_us, double chance) {
  if (fall_back(retry, end, now_us))
    return 0;
  if (conflict(retry, end, now_us))
    end->problem = PL_MQTT_CLIENT_ID_CONFLICT;
  if (end->connected_us >= STEADY)
    retry->step = 0;

  double factor = 0.7 + 0.6 * chance;
  int64_t delay = (int64_t)(steps_s[retry->step] * factor * SECOND);
  int64_t least = (end->hostile ? HOSTILE_S : rules[end->problem].least_s) * SECOND;
  if (retry->step + 1 < G_N_ELEMENTS(steps_s))
    retry->step++;
  return rules[end->problem].exact || delay < least ? least : delay;
}
