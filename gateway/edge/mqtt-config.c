/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-private.h"

#include "gateway/edge/error.h"
#include "gateway/edge/secret.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct {
  const char *code, *hint;
} problems[PL_MQTT_PROBLEM_COUNT] = {
    [PL_MQTT_NO_PROBLEM] = {"none", ""},
    [PL_MQTT_HOST_UNKNOWN] = {"host-unknown", "Check host in [mqtt], and the name server."},
    [PL_MQTT_UNREACHABLE] = {"unreachable",
                             "Check host and port in [mqtt], and that the broker runs."},
    [PL_MQTT_LOST] = {"connection-lost", "Check the network to the broker, and its log."},
    [PL_MQTT_BUSY] = {"broker-busy", "Check the log and the limits of the broker."},
    [PL_MQTT_AUTH_REFUSED] = {"auth-refused",
                              "Check username and password-file in [mqtt], and the broker's "
                              "list of users."},
    [PL_MQTT_TLS_FAILED] = {"tls-failed",
                            "Check port and tls in [mqtt], and the broker's certificate."},
    [PL_MQTT_WAITING_FOR_CLOCK] = {"waiting-for-clock",
                                   "Wait for the time to be set, or check the time server."},
    [PL_MQTT_CLIENT_ID_CONFLICT] =
        {"client-id-conflict", "Stop the other gateway that runs on a copy of this system, "
                               "or give it a machine id of its own."},
    [PL_MQTT_PROTOCOL_REFUSED] = {"protocol-refused", "Set protocol = auto in [mqtt]."},
    [PL_MQTT_MALFORMED] = {"malformed-answer",
                           "Check that an MQTT broker listens on host and port in [mqtt]."},
    [PL_MQTT_OVERSIZED] = {"message-oversized",
                           "Find out who publishes large messages, and limit their size in the "
                           "broker."},
    [PL_MQTT_SECRET_UNREADABLE] = {"secret-unreadable",
                                   "Check the files named in [mqtt] and their permissions."},
};

const char *
pl_mqtt_problem_code(PlMqttProblem problem) {
  return problems[problem].code;
}

const char *
pl_mqtt_problem_hint(PlMqttProblem problem) {
  return problems[problem].hint;
}

int64_t
pl_mqtt_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool
pl_mqtt_is_unix(const PlMqttConfig *config) {
  return config->host[0] == '/';
}

bool
pl_mqtt_is_local(const PlMqttConfig *config) {
  if (pl_mqtt_is_unix(config) || g_ascii_strcasecmp(config->host, "localhost") == 0)
    return true;
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(config->host);
  return address && g_inet_address_get_is_loopback(address);
}

bool
pl_mqtt_is_encrypted(const PlMqttConfig *config) {
  return config->tls || config->psk_identity;
}

static bool
refuse(GError **error, const char *text) {
  g_set_error(error, PL_ERROR, PL_ERROR_DATA, "[mqtt] %s", text);
  return false;
}

static bool
check_server(const PlMqttConfig *config, GError **error) {
  if (!config->host || !*config->host)
    return refuse(error, "host is empty: give the name or address of the broker");
  if (pl_mqtt_is_unix(config)) {
    if (strlen(config->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
      return refuse(error, "host is too long for the path of a unix socket");
    if (pl_mqtt_is_encrypted(config))
      return refuse(error, "tls is of no use on a unix socket: set tls = no");
    return true;
  }
  if (config->port < 1 || config->port > 65535)
    return refuse(error, "port has to be from 1 to 65535");
  if (!pl_mqtt_is_encrypted(config) && !pl_mqtt_is_local(config) && !config->allow_plaintext)
    return refuse(error,
                  "the broker is not on this machine and tls is off, so everybody on the "
                  "way could read heart rates: set tls, or allow-plaintext = true");
  return true;
}

static bool
check_names(const PlMqttConfig *config, GError **error) {
  if (!config->client_id || !*config->client_id)
    return refuse(error, "there is no client id");
  if (config->password_file && !config->username)
    return refuse(error, "password-file needs username");
  if (!config->client_cert != !config->client_key)
    return refuse(error, "client-cert and client-key go together");
  if (!config->psk_identity != !config->psk_file)
    return refuse(error, "psk-identity and psk-file go together");
  if (config->psk_identity && (config->ca_file || config->client_cert))
    return refuse(error,
                  "psk-identity goes without certificates: leave out client-cert and the "
                  "file in tls");
  if (config->client_cert && !config->tls)
    return refuse(error, "client-cert needs tls");
  return true;
}

static bool
check_readable(const char *path, GError **error) {
  if (!path || access(path, R_OK) == 0)
    return true;
  pl_error_set_file(error, errno, "cannot read", path);
  return false;
}

static bool
check_secrets(const PlMqttConfig *config, GError **error) {
  g_autoptr(PlSecret) password = NULL;
  return pl_mqtt_read_password(config, &password, error) &&
         (!config->client_key || pl_secret_check(config->client_key, error)) &&
         (!config->psk_file || pl_secret_check(config->psk_file, error)) &&
         check_readable(config->ca_file, error) && check_readable(config->client_cert, error);
}

static bool
check_tls(const PlMqttConfig *config, GError **error) {
  if (!pl_mqtt_is_encrypted(config))
    return true;
  g_autoptr(PlMqttTls) tls = pl_mqtt_tls_new(config, error);
  return tls != NULL;
}

bool
pl_mqtt_config_check(const PlMqttConfig *config, GError **error) {
  return check_server(config, error) && check_names(config, error) &&
         check_secrets(config, error) && check_tls(config, error);
}

bool
pl_mqtt_read_password(const PlMqttConfig *config, char **password, GError **error) {
  *password = NULL;
  if (!config->username)
    return true;
  if (!config->password_file)
    return pl_secret_credential("mqtt-password", password, error);
  *password = pl_secret_read(config->password_file, error);
  return *password != NULL;
}

/* -- copy ------------------------------------------------------------------------------ */

/* Every text of the configuration, so that none is forgotten. */
static const size_t texts[] = {
    offsetof(PlMqttConfig, host),         offsetof(PlMqttConfig, ca_file),
    offsetof(PlMqttConfig, username),     offsetof(PlMqttConfig, password_file),
    offsetof(PlMqttConfig, client_cert),  offsetof(PlMqttConfig, client_key),
    offsetof(PlMqttConfig, psk_identity), offsetof(PlMqttConfig, psk_file),
    offsetof(PlMqttConfig, client_id),    offsetof(PlMqttConfig, will_topic),
    offsetof(PlMqttConfig, will_payload),
};

static char **
text_of(PlMqttConfig *config, unsigned index) {
  return (char **)G_STRUCT_MEMBER_P(config, texts[index]);
}

PlMqttConfig *
pl_mqtt_config_copy(const PlMqttConfig *config) {
  PlMqttConfig *copy = g_memdup2(config, sizeof *config);
  for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
    *text_of(copy, i) = g_strdup(*text_of(copy, i));
  if (copy->hurry == 0)
    copy->hurry = 1;
  return copy;
}

void
pl_mqtt_config_free(PlMqttConfig *config) {
  for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(*text_of(config, i));
  g_free(config);
}
