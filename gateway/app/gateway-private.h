/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/control.h"
#include "gateway/app/gateway.h"
#include "gateway/app/recorder.h"
#include "gateway/app/spool.h"

#include "gateway/edge/timedate.h"

/* Inside the daemon. */

/* How long the store and the broker may take for what is on its way. */
#define PL_GATEWAY_FLUSH_US    (INT64_C(3) * G_USEC_PER_SEC)
#define PL_GATEWAY_FAREWELL_US (INT64_C(2) * G_USEC_PER_SEC)

typedef struct PlGateway {
  PlGatewayOptions options;
  PlWire wire; /* to the spool, and to whoever watches */
  PlConfig *config;
  PlStore *store;
  PlWall wall;
  PlSpool *spool;
  PlMqtt *mqtt;
  PlSource *source;
  PlPipeline *pipeline;
  PlRecorder *recorder;
  int64_t recorded_us; /* second of the engine that the recorder has seen */
  PlControl *control;
  PlTimedate *timedate; /* asked where the file of systemd-timesyncd is missing */
  GMainLoop *loop;
  GSource *timer; /* of the engine and of the source */
  char *boot_id, *client_id, *will_topic;
  guint second_source, signal_sources[3];

  int64_t started_us; /* of the process */
  int64_t base_us;    /* engine time = base + (boot time - base) * speed */
  bool source_over, ready, stopping;
  bool spooling; /* the broker is away, or has not got yet what waited */
  int64_t stop_deadline_us;
  int exit_code;
  unsigned seconds;
  unsigned announce_at;      /* second in which states are told anew after a reload; 0: none */
  int64_t cpu_us, cpu_at_us; /* for the share of the processor */

  /* Latency of live messages: from the end of their second to the hand-over. */
  double latency_ms[256];
  unsigned latency_count, latency_at;

  PlControlClient *scan_client; /* waits for a scan; NULL: nobody */
  guint scan_source;
  GHashTable *problems; /* that have been seen, for the log */
} PlGateway;

/* The time of the engine. */
int64_t pl_gateway_now_us(const PlGateway *self);

/* Sets the timer for the next thing that is due. */
void pl_gateway_schedule(PlGateway *self);

/* Ends the main loop, and the process with this code. */
void pl_gateway_stop(PlGateway *self, int code);

/* For the configuration that holds now. */
PlPipeline *pl_gateway_make_pipeline(PlGateway *self);
void pl_gateway_make_recorder(PlGateway *self);

/* In gateway-reload.c: the handler of SIGHUP; `data` is the gateway. */
gboolean pl_gateway_reload(void *data);

/* In gateway-messages.c */
void pl_gateway_send_info(PlGateway *self);
void pl_gateway_send_status(PlGateway *self);
void pl_gateway_send_health(PlGateway *self);
json_t *pl_gateway_status_json(PlGateway *self);
char *pl_gateway_topic(const PlGateway *self, PlTopic topic);
char *pl_gateway_status_line(PlGateway *self);
void pl_gateway_note_latency(PlGateway *self, double milliseconds);

/* In gateway-problems.c: `hint` is the remedy.  The broker's trouble is told by itself, because
 * the log hears of it where it happens. */
typedef void (*PlProblemFunc)(const char *code, const char *text, const char *hint, void *data);
void pl_gateway_problems(PlGateway *self, PlProblemFunc func, void *data);
void pl_gateway_broker_problem(PlGateway *self, PlProblemFunc func, void *data);

/* Every second: logs what has lasted for 5 s, once, and that it is over. */
void pl_gateway_log_problems(PlGateway *self);

/* In gateway-mqtt.c */
bool pl_gateway_open_mqtt(PlGateway *self, GError **error);

/* In gateway-control.c */
json_t *pl_gateway_control(PlControlClient *client, const char *command, json_t *request,
                           void *data);
void pl_gateway_end_scan(PlGateway *self);
