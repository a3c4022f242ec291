/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-private.h"

#include <gio/gio.h>
#include <poll.h>

/* The longest sleep, so that the heartbeat goes on. */
enum { SLEEP_MS = 10000 };

/* libmosquitto tries the first address of a host only when it may not wait for the connection.
 * Telling it to come from an address of one kind makes it take the first of that kind, so a
 * host whose IPv6 leads nowhere is reached all the same. */
static const char *const any_address[] = {"::", "0.0.0.0"};

enum { KINDS = G_N_ELEMENTS(any_address) };

typedef struct {
  PlMqttThread *thread;
  PlMqttRetry retry;
  unsigned session; /* number of the last one */
  unsigned kind;    /* of address that worked last */
  PlMqttProblem told;
  char *told_text; /* of the last failure; NULL: none since it was connected */
} Network;

/* -- what is told ---------------------------------------------------------------------- */

static void
tell(Network *self, PlMqttEventType type, PlMqttProblem problem, const char *text) {
  g_free(self->told_text);
  self->told_text = g_strdup(text);
  self->told = problem;
  PlMqttEvent *event = g_new0(PlMqttEvent, 1);
  event->type = type;
  event->session = self->session;
  event->problem = problem;
  event->text = g_strdup(text);
  pl_mqtt_channel_post(self->thread->channel, event);
}

static void
report(Network *self, const PlMqttEnd *end, const char *text) {
  if (end->connected_us == 0 && end->problem == PL_MQTT_NO_PROBLEM)
    return; /* stopped before anything came of it */
  if (end->connected_us > 0)
    tell(self, PL_MQTT_EVENT_DISCONNECTED, end->problem, text);
  else if (self->told != end->problem || g_strcmp0(self->told_text, text) != 0)
    tell(self, PL_MQTT_EVENT_FAILED, end->problem, text);
}

/* -- one attempt ----------------------------------------------------------------------- */

static bool
is_stopped(const Network *self) {
  int64_t deadline_us = 0;
  return pl_mqtt_channel_stopped(self->thread->channel, &deadline_us);
}

static PlMqttSession *
open_session(Network *self, PlMqttProtocol protocol, const char *local_address) {
  pl_mqtt_channel_beat(self->thread->channel);
  PlMqttSessionOptions options = {
      .config = self->thread->config,
      .channel = self->thread->channel,
      .number = ++self->session,
      .protocol = protocol,
      .local_address = local_address,
  };
  return pl_mqtt_session_new(&options);
}

static void
serve(const Network *self, PlMqttSession *session) {
  PlMqttChannel *channel = self->thread->channel;
  int64_t deadline_us = 0;
  bool stopped = false;
  while (!(stopped = pl_mqtt_channel_stopped(channel, &deadline_us)) &&
         pl_mqtt_session_turn(session))
    ;
  if (stopped)
    pl_mqtt_session_leave(session, deadline_us);
}

/* Which kinds of address there are to try: one that is written out is of one kind. */
static void
choose_kinds(const Network *self, const char *kinds[KINDS]) {
  const PlMqttConfig *config = self->thread->config;
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(config->host);
  kinds[0] = kinds[1] = NULL;
  if (address || pl_mqtt_is_unix(config))
    return;
  kinds[0] = any_address[self->kind];
  kinds[1] = any_address[(self->kind + 1) % KINDS];
}

/* A failure to find any address of a kind has no text, and gives way to the other's. */
static char *
attempt(Network *self, PlMqttEnd *end) {
  PlMqttProtocol protocol = pl_mqtt_retry_protocol(&self->retry, pl_mqtt_now_us());
  const char *kinds[KINDS];
  char *told = NULL;
  choose_kinds(self, kinds);
  for (unsigned i = 0; i == 0 || (i < KINDS && kinds[i]); i++) {
    g_autoptr(PlMqttSession) session = open_session(self, protocol, kinds[i]);
    serve(self, session);
    PlMqttEnd this_end;
    const char *text = NULL;
    pl_mqtt_session_end(session, &this_end, &text);
    bool reached = pl_mqtt_session_reached(session);
    if (reached || *text || !told) {
      *end = this_end;
      g_free(told);
      told = g_strdup(text);
    }
    if (reached && i > 0)
      self->kind = (self->kind + 1) % KINDS;
    if (reached || this_end.problem != PL_MQTT_UNREACHABLE || is_stopped(self))
      break;
  }
  if (end->problem == PL_MQTT_UNREACHABLE && *told == 0) {
    g_free(told);
    told = g_strdup_printf("%s has no address that can be used", self->thread->config->host);
  }
  return told;
}

/* -- for ever -------------------------------------------------------------------------- */

static bool
is_over(const Network *self, const PlMqttEnd *end) {
  return is_stopped(self) || (end->problem == PL_MQTT_WAITING_FOR_CLOCK &&
                              pl_mqtt_channel_clock_synced(self->thread->channel));
}

static void
wait_until(const Network *self, const PlMqttEnd *end, int64_t until_us) {
  int64_t left_us = 0;
  while (!is_over(self, end) && (left_us = until_us - pl_mqtt_now_us()) > 0) {
    struct pollfd fd = {.fd = pl_mqtt_channel_fd(self->thread->channel), .events = POLLIN};
    poll(&fd, 1, (int)MIN(left_us / 1000 + 1, SLEEP_MS));
    pl_mqtt_channel_beat(self->thread->channel);
  }
}

/* Takes the text that it replaces. */
static char *
name_conflict(const Network *self, char *text) {
  const PlMqttConfig *config = self->thread->config;
  g_free(text);
  return g_strdup_printf("%s hangs up again and again: somebody else connects to it as %s",
                         config->host, config->client_id);
}

static void
run(Network *self) {
  while (!is_stopped(self)) {
    PlMqttEnd end = {0};
    g_autofree char *text = attempt(self, &end);
    int64_t now_us = pl_mqtt_now_us();
    int64_t delay_us = pl_mqtt_retry_delay(&self->retry, &end, now_us, g_random_double());
    if (end.problem == PL_MQTT_CLIENT_ID_CONFLICT)
      text = name_conflict(self, text);
    if (delay_us > 0) /* else the other version comes next */
      report(self, &end, text);
    wait_until(self, &end, now_us + delay_us / self->thread->config->hurry);
  }
}

gpointer
pl_mqtt_thread_run(gpointer data) {
  Network self = {.thread = data};
  pl_mqtt_retry_init(&self.retry, self.thread->config->protocol);
  run(&self);
  pl_mqtt_channel_end(self.thread->channel);

  g_free(self.told_text);
  pl_mqtt_channel_unref(self.thread->channel);
  pl_mqtt_config_free(self.thread->config);
  g_free(self.thread);
  return NULL;
}
