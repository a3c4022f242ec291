/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/topic.h"

#include <glib.h>

/* clang-format off */
const PlTopicDef pl_topics[PL_TOPIC_COUNT] = {
  /*                              format                 qos retain expiry spooled replayed */
  [PL_TOPIC_GATEWAY_STATUS]    = {"gateway/%s/status",    1, true,     0, false, false},
  [PL_TOPIC_GATEWAY_INFO]      = {"gateway/%s/info",      1, true,     0, false, false},
  [PL_TOPIC_GATEWAY_HEALTH]    = {"gateway/%s/health",    1, true,   120, false, false},
  [PL_TOPIC_GATEWAY_EVENT]     = {"gateway/%s/event",     1, false, 3600, true,  true},
  [PL_TOPIC_SENSOR_STATE]      = {"sensor/%s/state",      1, true,     0, false, true},
  [PL_TOPIC_ATHLETE_STATE]     = {"athlete/%s/state",     1, true,     0, false, true},
  [PL_TOPIC_ATHLETE_LIVE]      = {"athlete/%s/live",      0, false,   10, false, true},
  [PL_TOPIC_ATHLETE_HA]        = {"athlete/%s/ha",        0, false,   30, false, true},
  [PL_TOPIC_ATHLETE_WARNING]   = {"athlete/%s/warning",   1, false,  300, true,  true},
  [PL_TOPIC_ATHLETE_WARNINGS]  = {"athlete/%s/warnings",  1, true,     0, false, true},
  [PL_TOPIC_ATHLETE_LAP]       = {"athlete/%s/lap",       1, false,    0, true,  true},
  [PL_TOPIC_ATHLETE_SUMMARY]   = {"athlete/%s/summary",   1, true,     0, true,  true},
  [PL_TOPIC_SQUAD_BOARD]       = {"squad/board",          0, false,   10, false, true},
};
/* clang-format on */

char *
pl_topic_name(PlTopic topic, const char *name) {
  const char *format = pl_topics[topic].format;
  const char *hole = strstr(format, "%s");
  if (hole == NULL)
    return g_strdup(format);
  return g_strdup_printf("%.*s%s%s", (int)(hole - format), format, name, hole + 2);
}
