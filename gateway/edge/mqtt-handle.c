/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-private.h"

#include "gateway/edge/error.h"
#include "gateway/edge/secret.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

/* Only an honest broker keeps to it; the session watches over the others. */
enum { PACKET_MAX = 65536, KEEP_ALIVE_MIN_S = 5 };

typedef mosquitto_property *Properties;
static void
free_properties(Properties properties) {
  mosquitto_property_free_all(&properties);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(Properties, free_properties, NULL)

/* -- options --------------------------------------------------------------------------- */

static int
describe_payload(Properties *list) {
  int rc = mosquitto_property_add_byte(list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
  return rc ? rc
            : mosquitto_property_add_string(list, MQTT_PROP_CONTENT_TYPE, "application/json");
}

static int
set_will(struct mosquitto *handle, const PlMqttConfig *config, bool v5) {
  if (!config->will_topic)
    return MOSQ_ERR_SUCCESS;

  g_auto(Properties) list = NULL;
  int rc = v5 ? mosquitto_property_add_int32(&list, MQTT_PROP_WILL_DELAY_INTERVAL,
                                             PL_MQTT_WILL_DELAY_S)
              : MOSQ_ERR_SUCCESS;
  if (!rc && v5)
    rc = describe_payload(&list);
  if (!rc)
    rc = mosquitto_will_set_v5(handle, config->will_topic, (int)strlen(config->will_payload),
                               config->will_payload, 1, true, list);
  if (!rc)
    list = NULL; /* the handle has it */
  return rc;
}

static int
set_tls(struct mosquitto *handle, PlMqttTls *tls) {
  if (!tls)
    return MOSQ_ERR_SUCCESS;
  int rc = mosquitto_int_option(handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  return rc ? rc : mosquitto_void_option(handle, MOSQ_OPT_SSL_CTX, pl_mqtt_tls_context(tls));
}

static int
set_options(struct mosquitto *handle, bool v5) {
  int rc = mosquitto_threaded_set(handle, true);
  if (!rc)
    rc = mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION,
                              v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  if (!rc)
    rc = mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, PL_MQTT_WINDOW);
  if (!rc)
    rc = mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, PL_MQTT_WINDOW);
  return rc ? rc : mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
}

struct mosquitto *
pl_mqtt_handle_new(const PlMqttConfig *config, PlMqttProtocol protocol, PlMqttTls *tls,
                   void *data, GError **error) {
  g_autoptr(PlSecret) password = NULL;
  if (!pl_mqtt_read_password(config, &password, error))
    return NULL;

  bool v5 = protocol == PL_MQTT_5;
  struct mosquitto *handle = mosquitto_new(config->client_id, true, data);
  int rc = handle ? set_options(handle, v5) : MOSQ_ERR_NOMEM;
  if (!rc && config->username)
    rc = mosquitto_username_pw_set(handle, config->username, password);
  if (!rc)
    rc = set_will(handle, config, v5);
  if (!rc)
    rc = set_tls(handle, tls);
  if (rc) {
    g_set_error(error, PL_ERROR, PL_ERROR_DATA, "libmosquitto: %s", mosquitto_strerror(rc));
    mosquitto_destroy(handle);
    return NULL;
  }
  return handle;
}

/* -- connect --------------------------------------------------------------------------- */

/* libmosquitto has no call that connects without waiting and takes properties.  But it keeps
 * the properties of a call that fails, and this one does: there is no unix socket without a
 * path. */
static int
keep_connect_properties(struct mosquitto *handle, int keep_alive_s) {
  g_auto(Properties) list = NULL;
  int rc = mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                        PL_MQTT_SESSION_EXPIRY_S);
  if (!rc)
    rc = mosquitto_property_add_int32(&list, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MAX);
  if (rc)
    return rc;
  mosquitto_connect_bind_v5(handle, "", 0, keep_alive_s, NULL, list);
  return MOSQ_ERR_SUCCESS;
}

int
pl_mqtt_handle_connect(struct mosquitto *handle, const PlMqttConfig *config,
                       PlMqttProtocol protocol, const char *local_address) {
  int keep_alive_s = MAX(KEEP_ALIVE_MIN_S, PL_MQTT_KEEP_ALIVE_S / (int)config->hurry);
  int port = pl_mqtt_is_unix(config) ? 0 : config->port;
  int rc =
      protocol == PL_MQTT_5 ? keep_connect_properties(handle, keep_alive_s) : MOSQ_ERR_SUCCESS;
  return rc ? rc
            : mosquitto_connect_bind_async(handle, config->host, port, keep_alive_s,
                                           local_address);
}

/* -- messages -------------------------------------------------------------------------- */

static int
add_properties(Properties *list, const PlMqttOrder *order) {
  int rc = order->length > 0 ? describe_payload(list) : MOSQ_ERR_SUCCESS;
  if (!rc && order->schema)
    rc = mosquitto_property_add_string_pair(list, MQTT_PROP_USER_PROPERTY, "schema",
                                            order->schema);
  if (!rc && order->expiry_s > 0)
    rc = mosquitto_property_add_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, order->expiry_s);
  if (!rc && order->correlation)
    rc = mosquitto_property_add_binary(list, MQTT_PROP_CORRELATION_DATA, order->correlation,
                                       (uint16_t)order->correlation_length);
  return rc;
}

int
pl_mqtt_handle_publish(struct mosquitto *handle, const PlMqttOrder *order,
                       PlMqttProtocol protocol, int qos, int *mid) {
  g_auto(Properties) list = NULL;
  int rc = protocol == PL_MQTT_5 ? add_properties(&list, order) : MOSQ_ERR_SUCCESS;
  return rc ? rc
            : mosquitto_publish_v5(handle, mid, order->topic, (int)order->length,
                                   order->payload, qos, order->retain, list);
}

/* Versions before 5 know no options, and libmosquitto leaves them out. */
int
pl_mqtt_handle_subscribe(struct mosquitto *handle, const PlMqttOrder *order, int *mid) {
  return mosquitto_subscribe_v5(handle, mid, order->topic, order->qos,
                                MQTT_SUB_OPT_RETAIN_AS_PUBLISHED, NULL);
}
