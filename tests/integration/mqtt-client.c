/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/mqtt-client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, HURRY = 100 };

static void
received_free(gpointer data) {
  Received *self = data;
  g_free(self->topic);
  g_free(self->payload);
  g_free(self->response_topic);
  g_free(self->correlation);
  g_free(self);
}

static void
on_connected(void *data, const PlMqttConnection *connection) {
  Client *self = data;
  self->connection = *connection;
  self->connected++;
}

static void
note(Client *self, PlMqttProblem problem, const char *text) {
  self->problem = problem;
  g_free(self->text);
  self->text = g_strdup(text);
  g_test_message("%s: %s", pl_mqtt_problem_code(problem), text);
}

static void
on_disconnected(void *data, PlMqttProblem problem, const char *text) {
  Client *self = data;
  note(self, problem, text);
  self->disconnected++;
}

static void
on_failed(void *data, PlMqttProblem problem, const char *text) {
  Client *self = data;
  note(self, problem, text);
  self->failed++;
}

static void
on_message(void *data, const PlMqttIncoming *message) {
  Client *self = data;
  Received *received = g_new0(Received, 1);
  g_assert_cmpuint(strlen(message->payload), ==, message->length);
  received->topic = g_strdup(message->topic);
  received->payload = g_strdup(message->payload);
  received->response_topic = g_strdup(message->response_topic);
  received->correlation = message->correlation
                              ? g_strndup(message->correlation, message->correlation_length)
                              : NULL;
  received->retained = message->retained;
  received->oversized = message->oversized;
  g_ptr_array_add(self->messages, received);
}

static void
on_acknowledged(void *data, const PlMqttAck *ack) {
  Client *self = data;
  g_array_append_val(self->acks, *ack);
}

static void
on_subscribed(void *data, const char *filter, bool granted) {
  Client *self = data;
  g_ptr_array_add(self->subscribed, g_strdup_printf("%s %s", filter, granted ? "yes" : "no"));
}

static void
on_writable(void *data) {
  Client *self = data;
  self->writable++;
}

Client *
client_new(int port) {
  Client *self = g_new0(Client, 1);
  self->config = (PlMqttConfig){
      .host = "127.0.0.1",
      .port = port,
      .client_id = "under-test",
      .will_topic = "plumbline/gateway/g1/status",
      .will_payload = "{\"state\":\"offline\"}",
      .clock_synced = true,
      .hurry = HURRY,
  };
  self->acks = g_array_new(FALSE, FALSE, sizeof(PlMqttAck));
  self->messages = g_ptr_array_new_with_free_func(received_free);
  self->subscribed = g_ptr_array_new_with_free_func(g_free);
  return self;
}

void
client_free(Client *self) {
  if (!self)
    return;
  pl_mqtt_free(self->mqtt);
  g_array_unref(self->acks);
  g_ptr_array_unref(self->messages);
  g_ptr_array_unref(self->subscribed);
  g_free(self->text);
  g_free(self);
}

void
client_start(Client *self) {
  static const PlMqttHandler handler = {
      .connected = on_connected,
      .disconnected = on_disconnected,
      .failed = on_failed,
      .message = on_message,
      .acknowledged = on_acknowledged,
      .subscribed = on_subscribed,
      .writable = on_writable,
  };
  g_autoptr(GError) error = NULL;
  self->mqtt = pl_mqtt_new(&self->config, &handler, self, &error);
  g_assert_no_error(error);
  g_assert_nonnull(self->mqtt);
}

/* -- waiting --------------------------------------------------------------------------- */

typedef struct {
  const unsigned *counter;
  unsigned value;
} Count;

static bool
has_counted(void *data) {
  const Count *count = data;
  return *count->counter >= count->value;
}

bool
client_wait(const unsigned *counter, unsigned value) {
  Count count = {counter, value};
  return wait_for(has_counted, &count, PATIENCE_MS);
}

bool
client_wait_acks(const Client *self, unsigned count) {
  return client_wait(&self->acks->len, count);
}

bool
client_wait_messages(const Client *self, unsigned count) {
  return client_wait(&self->messages->len, count);
}

typedef struct {
  const Client *client;
  PlMqttProblem problem;
} Problem;

static bool
has_problem(void *data) {
  const Problem *wanted = data;
  return wanted->client->problem == wanted->problem;
}

bool
client_wait_problem(const Client *self, PlMqttProblem problem) {
  Problem wanted = {self, problem};
  return wait_for(has_problem, &wanted, PATIENCE_MS);
}

PlMqttSend
client_publish(Client *self, const char *topic, int qos, uint64_t tag) {
  PlMqttMessage message = {
      .topic = topic, .payload = "{\"v\":1}", .length = 7, .qos = qos, .tag = tag};
  return pl_mqtt_publish(self->mqtt, &message);
}

/* -- memory ---------------------------------------------------------------------------- */

long
resident_kib(void) {
  g_autofree char *text = NULL;
  long pages = 0;
  g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint(sscanf(text, "%*d %ld", &pages), ==, 1);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

long
resident_peak_kib(void) {
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents("/proc/self/status", &text, NULL, NULL));
  const char *line = strstr(text, "VmHWM:");
  g_assert_nonnull(line);
  return strtol(line + strlen("VmHWM:"), NULL, 10);
}

/* See proc(5). */
void
resident_peak_reset(void) {
  g_autoptr(GError) error = NULL;
  g_file_set_contents_full("/proc/self/clear_refs", "5", 1, G_FILE_SET_CONTENTS_NONE, 0200,
                           &error);
  g_assert_no_error(error);
}

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

bool
memory_counts(void) {
#ifdef SANITIZED
  return false;
#else
  const char *preload = g_getenv("LD_PRELOAD");
  return !preload || !strstr(preload, "vgpreload");
#endif
}
