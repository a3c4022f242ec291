/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/mqtt.h"
#include "tests/integration/broker.h"

/* A connection under test, and everything that it told. */

typedef struct {
  char *topic, *payload, *response_topic, *correlation;
  bool retained, oversized;
} Received;

typedef struct {
  PlMqttConfig config;
  PlMqtt *mqtt;
  unsigned connected, disconnected, failed, writable;
  PlMqttConnection connection;
  PlMqttProblem problem; /* of the last disconnection or failure */
  char *text;
  GArray *acks;          /* PlMqttAck */
  GPtrArray *messages;   /* Received */
  GPtrArray *subscribed; /* "filter yes" or "filter no" */
} Client;

/* For 127.0.0.1 and this port, a hundred times as impatient as in life.  Change the
 * configuration, then start it. */
Client *client_new(int port);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

void client_start(Client *client);

/* Waits until a counter of the client has got to this; false after ten seconds. */
bool client_wait(const unsigned *counter, unsigned value);
bool client_wait_acks(const Client *client, unsigned count);
bool client_wait_messages(const Client *client, unsigned count);

/* Waits until the last failure is this one. */
bool client_wait_problem(const Client *client, PlMqttProblem problem);

/* A small message, as most are. */
PlMqttSend client_publish(Client *client, const char *topic, int qos, uint64_t tag);

/* Memory of this process that is really there, in KiB. */
long resident_kib(void);

/* The most it ever was, since the test last asked to begin anew. */
long resident_peak_kib(void);
void resident_peak_reset(void);

/* Whether memory says anything: it does not under a sanitizer or valgrind. */
bool memory_counts(void);
