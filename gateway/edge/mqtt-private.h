/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/mqtt-retry.h"
#include "gateway/edge/mqtt.h"

/* The parts of the connection to a broker.
 *
 *   mqtt.c          main thread: the public calls, handlers
 *   mqtt-channel.c  between the two threads: orders one way, events the other, both bounded
 *   mqtt-thread.c   network thread: connect, serve, wait, for ever
 *   mqtt-session.c  network thread: one connection (with mqtt-callbacks.c, mqtt-end.c)
 *   mqtt-handle.c   the libmosquitto handle of a session with all its options
 *   mqtt-tls.c      encryption
 *   mqtt-config.c   the configuration: copy, check
 *   mqtt-retry.c    when to try again
 *
 * libmosquitto is only ever called in the network thread. */

/* -- configuration --------------------------------------------------------------------- */

PlMqttConfig *pl_mqtt_config_copy(const PlMqttConfig *config);
void pl_mqtt_config_free(PlMqttConfig *config);

bool pl_mqtt_is_unix(const PlMqttConfig *config);

/* *password is NULL when none is configured. */
bool pl_mqtt_read_password(const PlMqttConfig *config, char **password, GError **error);

/* Boot time: it goes on while the machine sleeps, and no one sets it. */
int64_t pl_mqtt_now_us(void);

/* -- channel --------------------------------------------------------------------------- */

typedef enum { PL_MQTT_PUBLISH, PL_MQTT_SUBSCRIBE } PlMqttOrderType;

/* What the main thread wants done. */
typedef struct {
  PlMqttOrderType type;
  unsigned session; /* the connection it is meant for */
  int qos;
  bool retain;
  unsigned expiry_s;
  int64_t queued_us;
  uint64_t tag;
  char *topic;
  void *payload;
  size_t length;
  char *schema;
  void *correlation;
  size_t correlation_length;
} PlMqttOrder;

void pl_mqtt_order_free(PlMqttOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqttOrder, pl_mqtt_order_free)

typedef enum {
  PL_MQTT_EVENT_CONNECTED,
  PL_MQTT_EVENT_DISCONNECTED,
  PL_MQTT_EVENT_FAILED,
  PL_MQTT_EVENT_MESSAGE,
  PL_MQTT_EVENT_ACK,
  PL_MQTT_EVENT_SUBSCRIBED,
} PlMqttEventType;

/* What the network thread has to tell. */
typedef struct {
  PlMqttEventType type;
  unsigned session;
  PlMqttConnection connection;
  PlMqttProblem problem;
  char *text; /* of the problem; topic of a message; filter of a subscription */
  PlMqttAck ack;
  int qos; /* of what is acknowledged */
  bool granted;
  /* of a message */
  char *payload;
  size_t length;
  bool oversized, retained;
  char *response_topic;
  void *correlation;
  size_t correlation_length;
} PlMqttEvent;

void pl_mqtt_event_free(PlMqttEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqttEvent, pl_mqtt_event_free)

typedef struct PlMqttChannel PlMqttChannel;

/* NULL when the system gives no eventfd. */
PlMqttChannel *pl_mqtt_channel_new(GError **error);
PlMqttChannel *pl_mqtt_channel_ref(PlMqttChannel *channel);
void pl_mqtt_channel_unref(PlMqttChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqttChannel, pl_mqtt_channel_unref)

/* Main thread.  The source is made ready when there are events; NULL: never again. */
void pl_mqtt_channel_set_source(PlMqttChannel *channel, GSource *source);
void pl_mqtt_channel_order(PlMqttChannel *channel, PlMqttOrder *order); /* takes it */
PlMqttEvent *pl_mqtt_channel_next_event(PlMqttChannel *channel);        /* NULL: none */
void pl_mqtt_channel_set_clock_synced(PlMqttChannel *channel, bool synced);
void pl_mqtt_channel_stop(PlMqttChannel *channel, int64_t deadline_us);
bool pl_mqtt_channel_wait_ended(PlMqttChannel *channel, int64_t deadline_us);
int64_t pl_mqtt_channel_heartbeat_us(PlMqttChannel *channel);
void pl_mqtt_channel_counts(PlMqttChannel *channel, uint64_t *dropped, uint64_t *ignored);
void pl_mqtt_channel_count_dropped(PlMqttChannel *channel);

/* Network thread. */

/* Readable when there may be orders, or something else to look at. */
int pl_mqtt_channel_fd(const PlMqttChannel *channel);

/* Says that the thread is alive, and forgets what made the descriptor readable. */
void pl_mqtt_channel_beat(PlMqttChannel *channel);

/* The next order for this session, of QoS 0 only when `live`; those for others and those that
 * are too old are dropped.  NULL: none. */
PlMqttOrder *pl_mqtt_channel_next_order(PlMqttChannel *channel, unsigned session, bool live);
void pl_mqtt_channel_post(PlMqttChannel *channel, PlMqttEvent *event); /* takes it */
bool pl_mqtt_channel_stopped(PlMqttChannel *channel, int64_t *deadline_us);
bool pl_mqtt_channel_clock_synced(PlMqttChannel *channel);
void pl_mqtt_channel_end(PlMqttChannel *channel);

/* -- TLS ------------------------------------------------------------------------------- */

typedef struct PlMqttTls PlMqttTls;

PlMqttTls *pl_mqtt_tls_new(const PlMqttConfig *config, GError **error);
void *pl_mqtt_tls_context(PlMqttTls *tls); /* an SSL_CTX */

/* Why the broker's certificate was refused; NULL: it was not. */
const char *pl_mqtt_tls_refusal(const PlMqttTls *tls);

/* Whether that was because of a time that is not yet, or not any more. */
bool pl_mqtt_tls_refused_for_time(const PlMqttTls *tls);

void pl_mqtt_tls_free(PlMqttTls *tls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqttTls, pl_mqtt_tls_free)

/* -- handle ---------------------------------------------------------------------------- */

struct mosquitto;

/* With every option of the configuration; `tls` (NULL: none) has to outlive it.  Reads the
 * password.  Callbacks get `data`. */
struct mosquitto *pl_mqtt_handle_new(const PlMqttConfig *config, PlMqttProtocol protocol,
                                     PlMqttTls *tls, void *data, GError **error);

/* The rest return a MOSQ_ERR code. */

/* Begins to connect from this kind of address; NULL: any. */
int pl_mqtt_handle_connect(struct mosquitto *handle, const PlMqttConfig *config,
                           PlMqttProtocol protocol, const char *local_address);
int pl_mqtt_handle_publish(struct mosquitto *handle, const PlMqttOrder *order,
                           PlMqttProtocol protocol, int qos, int *mid);
int pl_mqtt_handle_subscribe(struct mosquitto *handle, const PlMqttOrder *order, int *mid);

/* -- session --------------------------------------------------------------------------- */

typedef struct PlMqttSession PlMqttSession;

typedef struct {
  const PlMqttConfig *config;
  PlMqttChannel *channel;
  unsigned number;
  PlMqttProtocol protocol; /* 5 or 3.1.1 */
  const char
      *local_address; /* "::" or "0.0.0.0": the kind of address to use; NULL: a unix socket */
} PlMqttSessionOptions;

/* Begins to connect.  May take long over the name of the host. */
PlMqttSession *pl_mqtt_session_new(const PlMqttSessionOptions *options);

/* Does what there is to do, or waits a little for it.  False: it is over. */
bool pl_mqtt_session_turn(PlMqttSession *session);

/* Sends what is left and says farewell, by `deadline_us`.  A connection for which that is not
 * enough counts as lost. */
void pl_mqtt_session_leave(PlMqttSession *session, int64_t deadline_us);

/* How it ended; the text lives as long as the session. */
void pl_mqtt_session_end(const PlMqttSession *session, PlMqttEnd *end, const char **text);

/* Whether there was anybody at that address. */
bool pl_mqtt_session_reached(const PlMqttSession *session);

void pl_mqtt_session_free(PlMqttSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqttSession, pl_mqtt_session_free)

/* -- thread ---------------------------------------------------------------------------- */

/* Both belong to the thread from now on; the channel is a reference of its own. */
typedef struct {
  PlMqttConfig *config;
  PlMqttChannel *channel;
} PlMqttThread;

/* The function of the network thread; `data` is a PlMqttThread, which it frees. */
gpointer pl_mqtt_thread_run(gpointer data);
