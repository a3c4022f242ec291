/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/topic.h"

#include <glib.h>

/* As others subscribe to them; what must not be lost is spooled, states are kept. */
static const struct {
  PlTopic topic;
  const char *name;
  unsigned qos;
  bool retain;
  unsigned expiry_s;
  bool spooled;
} published[] = {
    {PL_TOPIC_GATEWAY_STATUS, "gateway/x/status", 1, true, 0, false},
    {PL_TOPIC_GATEWAY_INFO, "gateway/x/info", 1, true, 0, false},
    {PL_TOPIC_GATEWAY_HEALTH, "gateway/x/health", 1, true, 120, false},
    {PL_TOPIC_GATEWAY_EVENT, "gateway/x/event", 1, false, 3600, true},
    {PL_TOPIC_SENSOR_STATE, "sensor/x/state", 1, true, 0, false},
    {PL_TOPIC_ATHLETE_STATE, "athlete/x/state", 1, true, 0, false},
    {PL_TOPIC_ATHLETE_LIVE, "athlete/x/live", 0, false, 10, false},
    {PL_TOPIC_ATHLETE_HA, "athlete/x/ha", 0, false, 30, false},
    {PL_TOPIC_ATHLETE_WARNING, "athlete/x/warning", 1, false, 300, true},
    {PL_TOPIC_ATHLETE_WARNINGS, "athlete/x/warnings", 1, true, 0, false},
    {PL_TOPIC_ATHLETE_LAP, "athlete/x/lap", 1, false, 0, true},
    {PL_TOPIC_ATHLETE_SUMMARY, "athlete/x/summary", 1, true, 0, true},
    {PL_TOPIC_SQUAD_BOARD, "squad/board", 0, false, 10, false},
};

static void
test_table(void) {
  g_assert_cmpint(PL_TOPIC_COUNT, ==, G_N_ELEMENTS(published));
  for (unsigned i = 0; i < G_N_ELEMENTS(published); i++) {
    const PlTopicDef *def = &pl_topics[published[i].topic];
    g_autofree char *name = pl_topic_name(published[i].topic, "x");
    g_assert_cmpstr(name, ==, published[i].name);
    g_assert_cmpuint(def->qos, ==, published[i].qos);
    g_assert_cmpint(def->retain, ==, published[i].retain);
    g_assert_cmpuint(def->expiry_s, ==, published[i].expiry_s);
    g_assert_cmpint(def->spooled, ==, published[i].spooled);
  }
}

/* `plumbline replay` prints all but what is about the daemon itself. */
static void
test_replayed(void) {
  for (int t = 0; t < PL_TOPIC_COUNT; t++) {
    bool of_daemon = t == PL_TOPIC_GATEWAY_STATUS || t == PL_TOPIC_GATEWAY_INFO ||
                     t == PL_TOPIC_GATEWAY_HEALTH;
    g_assert_cmpint(pl_topics[t].replayed, ==, !of_daemon);
  }
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/topic/table", test_table);
  g_test_add_func("/topic/replayed", test_replayed);
  return g_test_run();
}
