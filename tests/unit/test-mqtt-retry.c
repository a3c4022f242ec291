/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-retry.h"

/* In the middle of what chance does, a step is as long as the table says. */
#define MIDDLE 0.5
#define S      INT64_C(1000000)

static int64_t
delay_s(PlMqttRetry *retry, PlMqttProblem problem) {
  PlMqttEnd end = {.problem = problem};
  return pl_mqtt_retry_delay(retry, &end, 0, MIDDLE) / S;
}

static void
test_steps(void) {
  static const int64_t expected_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
  PlMqttRetry retry;
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  for (unsigned i = 0; i < G_N_ELEMENTS(expected_s); i++)
    g_assert_cmpint(delay_s(&retry, PL_MQTT_UNREACHABLE), ==, expected_s[i]);
}

static void
test_chance(void) {
  static const struct {
    double chance;
    int64_t delay_us;
  } rows[] = {{0, 700000}, {0.25, 850000}, {0.5, 1000000}, {1, 1300000}};
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    PlMqttRetry retry;
    PlMqttEnd end = {.problem = PL_MQTT_LOST};
    pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
    int64_t delay_us = pl_mqtt_retry_delay(&retry, &end, 0, rows[i].chance);
    g_assert_cmpint(ABS(delay_us - rows[i].delay_us), <=, 1);
  }
}

/* A minute of connection starts the table anew, less does not. */
static void
test_steady(void) {
  PlMqttRetry retry;
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  delay_s(&retry, PL_MQTT_UNREACHABLE);
  delay_s(&retry, PL_MQTT_UNREACHABLE);
  PlMqttEnd end = {.problem = PL_MQTT_LOST, .connected_us = 60 * S - 1};
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, 4 * S);
  end.connected_us = 60 * S;
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, S);
}

static void
test_problems(void) {
  static const struct {
    PlMqttProblem problem;
    int64_t first_s, later_s; /* at the first step and at the last */
  } rows[] = {
      {PL_MQTT_HOST_UNKNOWN, 1, 60},       {PL_MQTT_BUSY, 15, 60},
      {PL_MQTT_AUTH_REFUSED, 60, 60},      {PL_MQTT_TLS_FAILED, 15, 60},
      {PL_MQTT_WAITING_FOR_CLOCK, 15, 15}, {PL_MQTT_PROTOCOL_REFUSED, 15, 60},
      {PL_MQTT_MALFORMED, 15, 60},         {PL_MQTT_OVERSIZED, 300, 300},
      {PL_MQTT_SECRET_UNREADABLE, 60, 60},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    PlMqttRetry retry;
    pl_mqtt_retry_init(&retry, PL_MQTT_5);
    g_assert_cmpint(delay_s(&retry, rows[i].problem), ==, rows[i].first_s);
    for (unsigned step = 0; step < 10; step++)
      delay_s(&retry, PL_MQTT_UNREACHABLE);
    g_assert_cmpint(delay_s(&retry, rows[i].problem), ==, rows[i].later_s);
  }
}

static void
test_hostile(void) {
  PlMqttRetry retry;
  PlMqttEnd end = {.problem = PL_MQTT_MALFORMED, .hostile = true};
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, 300 * S);
}

/* -- takeovers ------------------------------------------------------------------------- */

static PlMqttProblem
lose(PlMqttRetry *retry, const PlMqttEnd *how, int64_t now_s) {
  PlMqttEnd end = *how;
  end.problem = PL_MQTT_LOST;
  pl_mqtt_retry_delay(retry, &end, now_s * S, MIDDLE);
  return end.problem;
}

static const PlMqttEnd taken = {.taken_over = true, .connected_us = 20 * S};
static const PlMqttEnd cut = {.cut = true, .connected_us = 2 * S};
static const PlMqttEnd cut_late = {.cut = true, .connected_us = 10 * S};
static const PlMqttEnd failed = {.connected_us = 0};

static void
test_takeovers(void) {
  PlMqttRetry retry;
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  g_assert_cmpint(lose(&retry, &taken, 0), ==, PL_MQTT_LOST);
  g_assert_cmpint(lose(&retry, &taken, 40), ==, PL_MQTT_LOST);
  g_assert_cmpint(lose(&retry, &taken, 60), ==, PL_MQTT_LOST); /* the first is too long ago */
  g_assert_cmpint(lose(&retry, &taken, 99), ==, PL_MQTT_CLIENT_ID_CONFLICT);
  g_assert_cmpint(lose(&retry, &taken, 500), ==, PL_MQTT_LOST);

  PlMqttEnd third = taken;
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  lose(&retry, &taken, 0);
  lose(&retry, &taken, 1);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &third, 2 * S, MIDDLE), ==, 300 * S);
}

/* A broker that does not tell of takeovers. */
static void
test_suspected_takeovers(void) {
  PlMqttRetry retry;
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  lose(&retry, &cut, 0);
  lose(&retry, &cut, 3);
  g_assert_cmpint(lose(&retry, &cut, 9), ==, PL_MQTT_CLIENT_ID_CONFLICT);

  /* The broker itself was away in between. */
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  lose(&retry, &cut, 0);
  lose(&retry, &cut, 3);
  lose(&retry, &failed, 5);
  g_assert_cmpint(lose(&retry, &cut, 9), ==, PL_MQTT_LOST);

  /* Ten seconds are no takeover. */
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  lose(&retry, &cut_late, 0);
  lose(&retry, &cut_late, 12);
  g_assert_cmpint(lose(&retry, &cut_late, 24), ==, PL_MQTT_LOST);
}

/* -- versions -------------------------------------------------------------------------- */

static void
test_fall_back(void) {
  PlMqttRetry retry;
  PlMqttEnd end = {.problem = PL_MQTT_PROTOCOL_REFUSED};
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_5);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, 0);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_3_1_1);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 3600 * S - 1), ==, PL_MQTT_3_1_1);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 3600 * S), ==, PL_MQTT_5);
}

/* A broker that speaks neither is not asked without a pause. */
static void
test_neither(void) {
  PlMqttRetry retry;
  PlMqttEnd end = {.problem = PL_MQTT_PROTOCOL_REFUSED};
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, 0);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), ==, 15 * S);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_5);
}

static void
test_unanswered(void) {
  PlMqttRetry retry;
  PlMqttEnd unanswered = {.problem = PL_MQTT_LOST, .unanswered = true};
  PlMqttEnd unreachable = {.problem = PL_MQTT_UNREACHABLE};
  pl_mqtt_retry_init(&retry, PL_MQTT_AUTO);
  pl_mqtt_retry_delay(&retry, &unanswered, 0, MIDDLE);
  pl_mqtt_retry_delay(&retry, &unreachable, 0, MIDDLE);
  pl_mqtt_retry_delay(&retry, &unanswered, 0, MIDDLE);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_5);
  g_assert_cmpint(pl_mqtt_retry_delay(&retry, &unanswered, 0, MIDDLE), >, 0);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_3_1_1);
  pl_mqtt_retry_delay(&retry, &unanswered, 0, MIDDLE);
  pl_mqtt_retry_delay(&retry, &unanswered, 0, MIDDLE);
  g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, PL_MQTT_5);
}

static void
test_fixed_protocol(void) {
  static const PlMqttProtocol wanted[] = {PL_MQTT_5, PL_MQTT_3_1_1};
  for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
    PlMqttRetry retry;
    PlMqttEnd end = {.problem = PL_MQTT_PROTOCOL_REFUSED, .unanswered = true};
    pl_mqtt_retry_init(&retry, wanted[i]);
    for (unsigned j = 0; j < 3; j++) {
      g_assert_cmpint(pl_mqtt_retry_delay(&retry, &end, 0, MIDDLE), >=, 15 * S);
      g_assert_cmpint(pl_mqtt_retry_protocol(&retry, 0), ==, wanted[i]);
    }
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/edge/mqtt-retry/steps", test_steps);
  g_test_add_func("/edge/mqtt-retry/chance", test_chance);
  g_test_add_func("/edge/mqtt-retry/steady", test_steady);
  g_test_add_func("/edge/mqtt-retry/problems", test_problems);
  g_test_add_func("/edge/mqtt-retry/hostile", test_hostile);
  g_test_add_func("/edge/mqtt-retry/takeovers", test_takeovers);
  g_test_add_func("/edge/mqtt-retry/suspected-takeovers", test_suspected_takeovers);
  g_test_add_func("/edge/mqtt-retry/fall-back", test_fall_back);
  g_test_add_func("/edge/mqtt-retry/neither", test_neither);
  g_test_add_func("/edge/mqtt-retry/unanswered", test_unanswered);
  g_test_add_func("/edge/mqtt-retry/fixed-protocol", test_fixed_protocol);
  return g_test_run();
}
