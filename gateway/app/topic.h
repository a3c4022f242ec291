/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The topics: what they are called and how they are sent. */
typedef enum {
  PL_TOPIC_GATEWAY_STATUS,
  PL_TOPIC_GATEWAY_INFO,
  PL_TOPIC_GATEWAY_HEALTH,
  PL_TOPIC_GATEWAY_EVENT,
  PL_TOPIC_SENSOR_STATE,
  PL_TOPIC_ATHLETE_STATE,
  PL_TOPIC_ATHLETE_LIVE,
  PL_TOPIC_ATHLETE_HA,
  PL_TOPIC_ATHLETE_WARNING,
  PL_TOPIC_ATHLETE_WARNINGS,
  PL_TOPIC_ATHLETE_LAP,
  PL_TOPIC_ATHLETE_SUMMARY,
  PL_TOPIC_SQUAD_BOARD,
  PL_TOPIC_COUNT
} PlTopic;

typedef struct {
  const char *format; /* below the prefix; %s is the gateway, the sensor or the athlete */
  unsigned qos;
  bool retain;
  unsigned expiry_s; /* 0: none */
  bool spooled;      /* kept on disk until the broker has it */
  bool replayed;     /* printed by `plumbline replay` */
} PlTopicDef;

extern const PlTopicDef pl_topics[PL_TOPIC_COUNT];

/* One message on its way out.  Pointers are valid during the call only. */
typedef struct {
  PlTopic topic;
  const char *name; /* the gateway, the sensor or the athlete */
  const char *payload;
  uint64_t seq;
  int64_t wall_us;
  const char *run; /* NULL: of no run */
} PlOutMessage;

/* Where messages go: to the broker and the outbox, or to standard output. */
typedef struct PlWire PlWire;
struct PlWire {
  uint64_t (*next_seq)(PlWire *wire);
  void (*send)(PlWire *wire, const PlOutMessage *message);
};

/* The topic below the prefix.  Free it. */
char *pl_topic_name(PlTopic topic, const char *name);
