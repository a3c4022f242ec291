/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/pipeline.h"

#include <jansson.h>

/* The program from notifications to messages and the store, without a broker: one athlete, r1,
 * with a strap and a pod, at noon of 1 June 2026.  It may end at any moment, and begin again
 * with what the store holds. */

enum { BED_STRAP, BED_POD };

typedef struct {
  PlWire wire; /* first */
  PlConfig *config;
  PlStore *store;
  char *directory;
  PlWall wall;
  PlPipeline *pipeline;
  const char *boot_id;
  int64_t t_us; /* boot time */
  double counter_m;
  uint64_t seq;
  GPtrArray *messages[PL_TOPIC_COUNT];                 /* of json_t */
  void (*heard)(const PlLinkEvent *event, void *data); /* before the engine; NULL: nobody */
  void (*second)(void *data);
  void *data;
} Bed;

Bed *bed_new(void);
void bed_free(Bed *bed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bed, bed_free)

/* The program is killed and started again `seconds` later; by another configuration when that
 * is not NULL. */
void bed_restart(Bed *bed, int seconds, const char *configuration);
/* The power goes, and the machine is up again `seconds` later: boot time begins anew. */
void bed_power_cut(Bed *bed, int seconds);

/* A heart rate of 0 and a speed below 0: that sensor is silent. */
void bed_run(Bed *bed, int seconds, unsigned bpm, double speed_m_s);
void bed_event(Bed *bed, const PlLinkEvent *event);
bool bed_command(Bed *bed, const char *command);

guint bed_count(const Bed *bed, PlTopic topic);
json_t *bed_message(const Bed *bed, PlTopic topic, guint number);
/* How many gateway events of that code there were. */
unsigned bed_events(const Bed *bed, const char *code);

const char *bed_text(json_t *payload, const char *key);
double bed_number(json_t *payload, const char *key); /* NaN: there is none */
