/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection to one broker that is kept up for ever.
 *
 * The network has a thread of its own; every handler is called in the main context that was the
 * thread's default when the connection was made, and no call here waits for the network but
 * pl_mqtt_stop().  What passes between the two is bounded: a broker that stalls costs memory
 * once, and messages after that.
 *
 * Messages of QoS 1 are not kept: those that were not acknowledged when the connection ended
 * are gone, and have to be published again by whoever keeps them. */

typedef struct PlMqtt PlMqtt;

typedef enum {
  PL_MQTT_AUTO, /* 5, and 3.1.1 when the broker refuses it */
  PL_MQTT_5,
  PL_MQTT_3_1_1,
} PlMqttProtocol;

enum {
  PL_MQTT_WINDOW = 20,         /* QoS 1 messages on their way, at most */
  PL_MQTT_PAYLOAD_MAX = 32768, /* bytes that may be published */
  PL_MQTT_INCOMING_MAX = 4096, /* bytes of a payload that are handed over */
  PL_MQTT_TOPIC_MAX = 200,     /* bytes */
  PL_MQTT_SUBSCRIPTIONS = 16,  /* on their way, at most */
  PL_MQTT_SESSION_EXPIRY_S = 10,
  PL_MQTT_WILL_DELAY_S = 5,
  PL_MQTT_KEEP_ALIVE_S = 15,
};

typedef struct {
  const char *host; /* name, address, or path of a unix socket */
  int port;         /* not used for a unix socket */
  PlMqttProtocol protocol;
  bool tls;
  const char *ca_file; /* NULL: the system's authorities */
  const char *username;
  const char *password_file; /* NULL: the credential `mqtt-password`, if there is one */
  const char *client_cert;   /* both or none of these */
  const char *client_key;
  const char *psk_identity; /* both or none of these; with them the connection is TLS */
  const char *psk_file;     /* hexadecimal digits */
  const char *client_id;
  const char *will_topic; /* retained, QoS 1; NULL: no will */
  const char *will_payload;
  bool allow_plaintext; /* to a broker that is not local */
  bool clock_synced;    /* as pl_mqtt_set_clock_synced() */
  unsigned hurry;       /* for tests: waiting times are divided by this; 0 is 1 */
} PlMqttConfig;

/* Whether nobody but this machine is on the other side: a unix socket, localhost, a loopback
 * address. */
bool pl_mqtt_is_local(const PlMqttConfig *config);

bool pl_mqtt_is_encrypted(const PlMqttConfig *config);

/* Whether a connection can be tried: every file is there and fit for its purpose, and nothing
 * goes unencrypted to a broker elsewhere without leave.  Errors are for people: PL_ERROR_DATA
 * or G_FILE_ERROR. */
bool pl_mqtt_config_check(const PlMqttConfig *config, GError **error);

/* What is wrong with the connection. */
typedef enum {
  PL_MQTT_NO_PROBLEM,
  PL_MQTT_HOST_UNKNOWN,       /* the name has no address */
  PL_MQTT_UNREACHABLE,        /* nobody answers there */
  PL_MQTT_LOST,               /* the connection was cut, or is silent */
  PL_MQTT_BUSY,               /* the broker does not want us now */
  PL_MQTT_AUTH_REFUSED,       /* user name, password or certificate */
  PL_MQTT_TLS_FAILED,         /* no encrypted connection, or not to whom it should be */
  PL_MQTT_WAITING_FOR_CLOCK,  /* the same, because our clock is wrong */
  PL_MQTT_CLIENT_ID_CONFLICT, /* somebody else connects under our name */
  PL_MQTT_PROTOCOL_REFUSED,   /* the broker does not speak this version */
  PL_MQTT_MALFORMED,          /* what came is not MQTT */
  PL_MQTT_OVERSIZED,          /* a message came that is far too large */
  PL_MQTT_SECRET_UNREADABLE,  /* the file of a password or key */
  PL_MQTT_PROBLEM_COUNT
} PlMqttProblem;

/* A word for health reports, such as `auth-refused`, and a remedy. */
const char *pl_mqtt_problem_code(PlMqttProblem problem);
const char *pl_mqtt_problem_hint(PlMqttProblem problem);

typedef struct {
  PlMqttProtocol protocol;  /* 5 or 3.1.1; the latter does not tell of refused messages */
  unsigned receive_maximum; /* QoS 1 messages that the broker takes at a time */
  unsigned window;          /* those that may be on their way: at most PL_MQTT_WINDOW */
} PlMqttConnection;

typedef struct {
  const char *topic;
  const char *payload; /* ends with a NUL that is not counted */
  size_t length;
  bool oversized;             /* had more than PL_MQTT_INCOMING_MAX bytes; they are not given */
  bool retained;              /* published with the retain flag */
  const char *response_topic; /* MQTT 5; NULL: none */
  const void *correlation;
  size_t correlation_length;
} PlMqttIncoming;

typedef enum {
  PL_MQTT_DELIVERED, /* QoS 1: the broker has it; QoS 0: it was handed to the network */
  PL_MQTT_REFUSED,   /* and will be again: not authorized, topic or payload not valid */
  PL_MQTT_RETRY,     /* refused now; try again after half a minute */
} PlMqttOutcome;

typedef struct {
  uint64_t tag;
  PlMqttOutcome outcome;
  int reason;   /* of the MQTT specification */
  int64_t t_us; /* when, in boot time */
} PlMqttAck;

/* Any of these may be NULL.  They may publish and subscribe, but neither stop nor free. */
typedef struct {
  /* All subscriptions are gone and have to be made again. */
  void (*connected)(void *data, const PlMqttConnection *connection);
  void (*disconnected)(void *data, PlMqttProblem problem, const char *text);
  /* An attempt to connect failed, in another way than the one before. */
  void (*failed)(void *data, PlMqttProblem problem, const char *text);
  void (*message)(void *data, const PlMqttIncoming *message);
  /* Only for messages with a tag.  One of QoS 0 may be dropped and never be acknowledged. */
  void (*acknowledged)(void *data, const PlMqttAck *ack);
  void (*subscribed)(void *data, const char *filter, bool granted);
  /* Publishing was refused because of a full window; now there is room. */
  void (*writable)(void *data);
} PlMqttHandler;

/* Copies the configuration and the handler.  NULL for what pl_mqtt_config_check() refuses. */
PlMqtt *pl_mqtt_new(const PlMqttConfig *config, const PlMqttHandler *handler, void *data,
                    GError **error);

typedef struct {
  const char *topic;
  const void *payload; /* an object of JSON; nothing removes a retained message */
  size_t length;
  int qos; /* 0 or 1 */
  bool retain;
  unsigned expiry_s;       /* 0: never */
  const char *schema;      /* user property; NULL: none */
  const void *correlation; /* of the request that this replies to */
  size_t correlation_length;
  uint64_t tag; /* comes back in the acknowledgement; 0: none is wanted */
} PlMqttMessage;

typedef enum {
  PL_MQTT_SENT,
  PL_MQTT_NOT_CONNECTED, /* QoS 0 is dropped and counted */
  PL_MQTT_WINDOW_FULL,   /* QoS 1: keep it until `writable` is called */
} PlMqttSend;

/* Never waits.  When QoS 0 messages pile up before a slow broker, the oldest are dropped. */
PlMqttSend pl_mqtt_publish(PlMqtt *self, const PlMqttMessage *message);

/* False when there is no connection, or too many are on their way.  With MQTT 5 retained
 * messages are marked as such however they come. */
bool pl_mqtt_subscribe(PlMqtt *self, const char *filter, int qos);

typedef struct {
  bool connected;
  PlMqttProtocol protocol; /* of the last connection */
  unsigned reconnects;     /* connections after the first */
  unsigned inflight;       /* QoS 1 messages on their way */
  uint64_t dropped;        /* QoS 0 messages that never left */
  uint64_t ignored;        /* incoming messages for which there was no room */
  PlMqttProblem problem;
  const char *text; /* of the problem, valid until the main context runs */
} PlMqttStatus;

void pl_mqtt_status(const PlMqtt *self, PlMqttStatus *status);

/* When the clock becomes right, a broker whose certificate seemed not valid is tried at once.
 */
void pl_mqtt_set_clock_synced(PlMqtt *self, bool synced);

/* The boot time at which the thread was last seen alive.  It may take a minute over the name of
 * a host; more than 90 s are a fault. */
int64_t pl_mqtt_heartbeat_us(const PlMqtt *self);

/* Says farewell: sends what is left, the will's message and a disconnection, and waits for all
 * of it up to `budget_us`; handlers are called for what comes in meanwhile.  Nothing is sent
 * afterwards.  False when the budget was not enough. */
bool pl_mqtt_stop(PlMqtt *self, int64_t budget_us);

/* Without a stop before, the broker sends the will.  NULL is fine. */
void pl_mqtt_free(PlMqtt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlMqtt, pl_mqtt_free)
