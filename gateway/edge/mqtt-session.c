/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND INT64_C(1000000)

enum {
  REACH_S = 10,
  ANSWER_S = 20,
  LEAST_S = 2, /* in whatever hurry */
  TURN_MS = 1000,
  OPENING_TURN_MS = 250,
  USER_TIMEOUT_MS = 15000,
  SOCKET_BUFFER = 64 * 1024, /* what lies there is late; a stalled broker gets no more */
};

/* Bytes that may come without a message among them.  A length of 256 MB in front of a packet
 * makes libmosquitto 2.0 reserve as much, but only what arrives takes memory.  It reads on
 * while there is anything to read, so this bounds what comes over a network; LimitDATA= of the
 * service bounds what a broker on the same machine can do. */
#define FLOOD_MAX UINT64_C(4194304)

static void
set_deadline(PlMqttSession *self, unsigned seconds) {
  unsigned hurried = MAX(seconds / self->options.config->hurry, LEAST_S);
  self->deadline_us = pl_mqtt_now_us() + hurried * SECOND;
}

/* -- begin ----------------------------------------------------------------------------- */

/* Failures are no harm: these make a good connection better. */
static void
tune(int fd) {
  int on = 1, timeout_ms = USER_TIMEOUT_MS, size = SOCKET_BUFFER;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static bool
prepare(PlMqttSession *self) {
  const PlMqttConfig *config = self->options.config;
  g_autoptr(GError) error = NULL;
  if (pl_mqtt_is_encrypted(config))
    self->tls = pl_mqtt_tls_new(config, &error);
  if (!error)
    self->handle = pl_mqtt_handle_new(config, self->options.protocol, self->tls, self, &error);
  if (error)
    pl_mqtt_session_over(self, PL_MQTT_SECRET_UNREADABLE, "%s", error->message);
  return self->handle != NULL;
}

/* Not an address of the kind that was asked for is no failure to tell of. */
static void
over_by_connect(PlMqttSession *self, int rc, int saved_errno) {
  const PlMqttConfig *config = self->options.config;
  if (rc == MOSQ_ERR_EAI)
    pl_mqtt_session_over(self, PL_MQTT_HOST_UNKNOWN, "%s: %s", config->host,
                         gai_strerror(saved_errno));
  else if (rc != MOSQ_ERR_ERRNO)
    pl_mqtt_session_over_by_code(self, rc, saved_errno);
  else if (saved_errno == EINVAL || saved_errno == EAFNOSUPPORT)
    pl_mqtt_session_over(self, PL_MQTT_UNREACHABLE, "%s", "");
  else
    pl_mqtt_session_over(self, PL_MQTT_UNREACHABLE, "%s: %s", config->host,
                         g_strerror(saved_errno));
}

PlMqttSession *
pl_mqtt_session_new(const PlMqttSessionOptions *options) {
  PlMqttSession *self = g_new0(PlMqttSession, 1);
  self->options = *options;
  self->phase = PL_MQTT_REACHING;
  self->leave_by_us = INT64_MAX;
  if (!prepare(self))
    return self;

  pl_mqtt_session_set_callbacks(self);
  errno = 0;
  int rc = pl_mqtt_handle_connect(self->handle, options->config, options->protocol,
                                  options->local_address);
  int saved_errno = errno;
  /* A negative code says that the connection is on its way. */
  if (rc > 0)
    over_by_connect(self, rc, saved_errno);
  else
    tune(mosquitto_socket(self->handle));
  set_deadline(self, REACH_S);
  return self;
}

void
pl_mqtt_session_free(PlMqttSession *self) {
  if (!self)
    return;
  mosquitto_destroy(self->handle); /* before the context that it uses */
  pl_mqtt_tls_free(self->tls);
  for (unsigned i = 0; i < self->pending_count; i++)
    pl_mqtt_order_free(self->pending[i].order);
  g_free(self);
}

bool
pl_mqtt_session_reached(const PlMqttSession *self) {
  return self->reached;
}

/* -- hand over ------------------------------------------------------------------------- */

static int
send_order(PlMqttSession *self, const PlMqttOrder *order, int *mid) {
  if (order->type == PL_MQTT_SUBSCRIBE)
    return pl_mqtt_handle_subscribe(self->handle, order, mid);
  return pl_mqtt_handle_publish(self->handle, order, self->options.protocol,
                                MIN(order->qos, self->qos_max), mid);
}

static int
reason_of_code(int rc) {
  switch (rc) {
  case MOSQ_ERR_INVAL:
  case MOSQ_ERR_MALFORMED_UTF8:
    return MQTT_RC_TOPIC_NAME_INVALID;
  case MOSQ_ERR_PAYLOAD_SIZE:
  case MOSQ_ERR_OVERSIZE_PACKET:
    return MQTT_RC_PACKET_TOO_LARGE;
  default:
    return MQTT_RC_SUCCESS;
  }
}

/* Takes the order. */
static void
hand_over(PlMqttSession *self, PlMqttOrder *order) {
  g_autoptr(PlMqttOrder) owned = order;
  int mid = 0, rc = send_order(self, order, &mid);
  if (rc == MOSQ_ERR_SUCCESS) {
    self->live += order->type == PL_MQTT_PUBLISH && order->qos == 0;
    self->pending[self->pending_count++] = (PlMqttPending){mid, g_steal_pointer(&owned)};
  } else if (order->type == PL_MQTT_PUBLISH && reason_of_code(rc) != MQTT_RC_SUCCESS) {
    pl_mqtt_session_acknowledge(self, order, reason_of_code(rc));
  } else {
    pl_mqtt_session_over_by_code(self, rc, errno);
  }
}

static void
feed(PlMqttSession *self) {
  PlMqttChannel *channel = self->options.channel;
  PlMqttOrder *order = NULL;
  while (self->phase == PL_MQTT_UP && self->pending_count - self->live < PL_MQTT_ORDERED_MAX &&
         (order = pl_mqtt_channel_next_order(channel, self->options.number, false)))
    hand_over(self, order);
  while (self->phase == PL_MQTT_UP && self->live < PL_MQTT_LIVE_MAX &&
         (order = pl_mqtt_channel_next_order(channel, self->options.number, true)))
    hand_over(self, order);
  self->held_back = self->live == PL_MQTT_LIVE_MAX;
}

/* -- turn ------------------------------------------------------------------------------ */

/* Not at all when there is more to hand over, and room for it again. */
static int
wait_ms(const PlMqttSession *self) {
  if (self->held_back && self->live < PL_MQTT_LIVE_MAX)
    return 0;
  int64_t longest_us = (self->phase == PL_MQTT_UP ? TURN_MS : OPENING_TURN_MS) * 1000;
  int64_t left_us = MIN(self->leave_by_us, self->deadline_us) - pl_mqtt_now_us();
  return (int)(CLAMP(left_us, 0, longest_us) / 1000);
}

/* What happened on the socket.  While the connection is made, being writable says that it is.
 */
static short
wait_for_news(PlMqttSession *self) {
  struct pollfd fds[] = {
      {.fd = mosquitto_socket(self->handle), .events = POLLIN},
      {.fd = pl_mqtt_channel_fd(self->options.channel), .events = POLLIN},
  };
  if (self->phase == PL_MQTT_REACHING)
    fds[0].events = POLLOUT;
  else if (self->phase == PL_MQTT_UP && mosquitto_want_write(self->handle))
    fds[0].events |= POLLOUT;
  int count = poll(fds, G_N_ELEMENTS(fds), wait_ms(self));
  pl_mqtt_channel_beat(self->options.channel);
  return count > 0 ? fds[0].revents : 0;
}

static void
reach(PlMqttSession *self, short revents) {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (!revents)
    return;
  if (getsockopt(mosquitto_socket(self->handle), SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
    failure = errno;
  if (failure) {
    pl_mqtt_session_over(self, PL_MQTT_UNREACHABLE, "%s: %s", self->options.config->host,
                         g_strerror(failure));
    return;
  }
  self->reached = true;
  self->phase = PL_MQTT_OPENING;
  set_deadline(self, ANSWER_S);
}

/* While opening, reading is also what drives the handshake of TLS, whoever has to write. */
static void
serve(PlMqttSession *self, short revents) {
  int rc = MOSQ_ERR_SUCCESS;
  errno = 0;
  if (self->phase == PL_MQTT_OPENING || (revents & (POLLIN | POLLERR | POLLHUP)))
    rc = pl_mqtt_guarded_read(self->handle, &self->hostile);
  if (rc == MOSQ_ERR_SUCCESS)
    feed(self);
  if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(self->handle))
    rc = mosquitto_loop_write(self->handle, 1);
  if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_loop_misc(self->handle);
  if (rc != MOSQ_ERR_SUCCESS)
    pl_mqtt_session_over_by_code(self, rc, errno);
}

static void
watch_deadline(PlMqttSession *self) {
  if (pl_mqtt_now_us() < self->deadline_us)
    return;
  if (self->phase == PL_MQTT_REACHING)
    pl_mqtt_session_over(self, PL_MQTT_UNREACHABLE, "%s does not answer",
                         self->options.config->host);
  else
    pl_mqtt_session_over(self, PL_MQTT_LOST, "%s takes connections and does not answer",
                         self->options.config->host);
}

/* A unix socket tells nothing, but there the broker is one of ours. */
static void
watch_flood(PlMqttSession *self) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  int fd = mosquitto_socket(self->handle);
  if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
    return;
  if (self->heard)
    self->flood_begin = info.tcpi_bytes_received;
  self->heard = false;
  if (info.tcpi_bytes_received - self->flood_begin > FLOOD_MAX)
    pl_mqtt_session_over(self, PL_MQTT_OVERSIZED, "%s sent more than %d MB without a message",
                         self->options.config->host, (int)(FLOOD_MAX >> 20));
}

bool
pl_mqtt_session_turn(PlMqttSession *self) {
  if (self->phase == PL_MQTT_OVER)
    return false;
  short revents = wait_for_news(self);
  if (self->phase == PL_MQTT_REACHING)
    reach(self, revents);
  if (self->phase == PL_MQTT_OPENING || self->phase == PL_MQTT_UP)
    serve(self, revents);
  if (self->phase != PL_MQTT_OVER) {
    watch_deadline(self);
    watch_flood(self);
  }
  return self->phase != PL_MQTT_OVER;
}

/* -- leave ----------------------------------------------------------------------------- */

static bool
is_busy(const PlMqttSession *self) {
  return self->phase == PL_MQTT_UP &&
         (self->pending_count > 0 || mosquitto_want_write(self->handle)) &&
         pl_mqtt_now_us() < self->leave_by_us;
}

/* When the disconnection is written, libmosquitto closes the socket. */
void
pl_mqtt_session_leave(PlMqttSession *self, int64_t deadline_us) {
  if (self->phase != PL_MQTT_UP)
    return;
  self->leave_by_us = deadline_us;
  do
    pl_mqtt_session_turn(self);
  while (is_busy(self));
  if (self->pending_count > 0)
    pl_mqtt_session_over(self, PL_MQTT_LOST, "%s was too slow for a farewell",
                         self->options.config->host);
  if (self->phase != PL_MQTT_UP)
    return;

  int rc = mosquitto_disconnect_v5(self->handle, MQTT_RC_NORMAL_DISCONNECTION, NULL);
  while (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(self->handle) >= 0 &&
         pl_mqtt_now_us() < deadline_us) {
    struct pollfd fd = {.fd = mosquitto_socket(self->handle), .events = POLLOUT};
    poll(&fd, 1, wait_ms(self));
    rc = mosquitto_loop_write(self->handle, 1);
  }
  if (mosquitto_socket(self->handle) >= 0)
    pl_mqtt_session_over(self, PL_MQTT_LOST, "%s did not take our farewell",
                         self->options.config->host);
}
