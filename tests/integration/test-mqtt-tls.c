/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-broker.h"
#include "tests/integration/mqtt-client.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Encrypted connections: whom they trust, and that nothing is said to anybody else. */

#define SECRET "correct-horse"

typedef struct {
  Broker *broker;
  Client *client;
  char *ca, *other_ca, *cert, *key;
} Fixture;

/* -- certificates ---------------------------------------------------------------------- */

static void openssl(const Fixture *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void
openssl(const Fixture *self, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *options = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *line = g_strconcat("openssl ", options, NULL);
  g_autofree char *output = NULL;
  g_auto(GStrv) argv = NULL;
  g_autoptr(GError) error = NULL;
  int status = 0;
  g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
  g_spawn_sync(self->broker->directory, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
               &output, &status, &error);
  g_assert_no_error(error);
  if (status != 0)
    g_error("%s: %s", line, output);
}

static void
make_authority(const Fixture *self, const char *name) {
  openssl(self,
          "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=%s "
          "-keyout %s.key -out %s.crt",
          name, name, name);
}

/* Dates as YYMMDDHHMMSSZ. */
static void
make_certificate(const Fixture *self, const char *name, const char *subject, const char *from,
                 const char *to) {
  static const char config[] = "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index\n"
                               "rand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                               "unique_subject=no\n[p]\ncommonName=supplied\n"
                               "[e]\nsubjectAltName=%s\n";
  g_autofree char *text = g_strdup_printf(config, subject);
  broker_write(self->broker, "ca.conf", text);
  broker_write(self->broker, "index", "");
  openssl(self,
          "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s "
          "-keyout %s.key -out %s.csr",
          name, name, name);
  openssl(self,
          "ca -batch -notext -config ca.conf -extensions e -cert ca.crt -keyfile ca.key "
          "-startdate %s -enddate %s -in %s.csr -out %s.crt",
          from, to, name, name);
}

static void
make_server(const Fixture *self, const char *subject, const char *from, const char *to) {
  make_certificate(self, "server", subject, from, to);
}

static void
make_good_server(const Fixture *self) {
  make_server(self, "IP:127.0.0.1,DNS:localhost", "200101000000Z", "491231235959Z");
}

static void
set_up(Fixture *self, const void *data) {
  self->broker = broker_new();
  self->client = client_new(self->broker->port);
  self->ca = broker_path(self->broker, "ca.crt");
  self->other_ca = broker_path(self->broker, "other.crt");
  self->cert = broker_path(self->broker, "client.crt");
  self->key = broker_path(self->broker, "client.key");
  make_authority(self, "ca");
  self->client->config.tls = true;
  self->client->config.ca_file = self->ca;
}

static void
tear_down(Fixture *self, const void *data) {
  client_free(self->client);
  broker_free(self->broker);
  g_free(self->ca);
  g_free(self->other_ca);
  g_free(self->cert);
  g_free(self->key);
}

#define SERVER "cafile @DIR@/ca.crt\ncertfile @DIR@/server.crt\nkeyfile @DIR@/server.key\n"

/* -- certificates of the broker -------------------------------------------------------- */

static void
test_authority(Fixture *self, const void *host) {
  make_good_server(self);
  broker_start(self->broker, NULL, SERVER);
  self->client->config.host = host;
  client_start(self->client);
  g_assert_true(client_wait(&self->client->connected, 1));
  g_assert_cmpint(client_publish(self->client, "a/b", 1, 1), ==, PL_MQTT_SENT);
  g_assert_true(client_wait_acks(self->client, 1));
  g_assert_true(pl_mqtt_stop(self->client->mqtt, 2 * G_USEC_PER_SEC));
  g_assert_true(broker_wait_log(self->broker, "Received DISCONNECT from under-test"));
}

static void
expect_refusal(Fixture *self, PlMqttProblem problem, const char *reason) {
  broker_start(self->broker, NULL, SERVER);
  client_start(self->client);
  g_assert_true(client_wait_problem(self->client, problem));
  g_assert_cmpuint(self->client->connected, ==, 0);
  if (!strstr(self->client->text, reason))
    g_error("no \"%s\" in \"%s\"", reason, self->client->text);
}

static void
test_other_authority(Fixture *self, const void *data) {
  make_authority(self, "other");
  make_good_server(self);
  self->client->config.ca_file = self->other_ca;
  expect_refusal(self, PL_MQTT_TLS_FAILED, "self-signed certificate");
}

static void
test_system_authorities(Fixture *self, const void *data) {
  make_good_server(self);
  self->client->config.ca_file = NULL;
  expect_refusal(self, PL_MQTT_TLS_FAILED, "certificate");
}

static void
test_other_address(Fixture *self, const void *data) {
  make_server(self, "IP:127.0.0.2,DNS:localhost", "200101000000Z", "491231235959Z");
  expect_refusal(self, PL_MQTT_TLS_FAILED, "IP address mismatch");
}

static void
test_other_name(Fixture *self, const void *data) {
  make_server(self, "IP:127.0.0.1,DNS:broker.example", "200101000000Z", "491231235959Z");
  self->client->config.host = "localhost";
  expect_refusal(self, PL_MQTT_TLS_FAILED, "hostname mismatch");
}

static void
test_expired(Fixture *self, const void *data) {
  make_server(self, "IP:127.0.0.1", "200101000000Z", "201231235959Z");
  expect_refusal(self, PL_MQTT_TLS_FAILED, "certificate has expired");
}

/* Our clock is behind; when it is set, the broker is tried at once. */
static void
test_waiting_for_clock(Fixture *self, const void *data) {
  make_server(self, "IP:127.0.0.1", "480101000000Z", "491231235959Z");
  self->client->config.clock_synced = false;
  self->client->config.hurry = 1;
  expect_refusal(self, PL_MQTT_WAITING_FOR_CLOCK, "certificate is not yet valid");

  broker_end(self->broker, SIGKILL);
  make_good_server(self);
  broker_restart(self->broker);
  int64_t begin = g_get_monotonic_time();
  pl_mqtt_set_clock_synced(self->client->mqtt, true);
  g_assert_true(client_wait(&self->client->connected, 1));
  g_assert_cmpint(g_get_monotonic_time() - begin, <, 5 * G_USEC_PER_SEC);
}

/* -- our certificate ------------------------------------------------------------------- */

static void
test_client_certificate(Fixture *self, const void *data) {
  make_good_server(self);
  make_certificate(self, "client", "DNS:client", "200101000000Z", "491231235959Z");
  g_assert_cmpint(chmod(self->key, 0600), ==, 0);
  broker_start(self->broker, "allow_anonymous false",
               SERVER "require_certificate true\nuse_identity_as_username true");
  self->client->config.client_cert = self->cert;
  self->client->config.client_key = self->key;
  client_start(self->client);
  g_assert_true(client_wait(&self->client->connected, 1));
  g_assert_true(broker_wait_log(self->broker, "as under-test (p5, c1, k5, u'client')"));
}

static void
test_no_client_certificate(Fixture *self, const void *data) {
  make_good_server(self);
  broker_start(self->broker, NULL, SERVER "require_certificate true");
  client_start(self->client);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_TLS_FAILED));
}

/* -- shared keys ----------------------------------------------------------------------- */

static void
use_psk(Fixture *self, const char *key, char **path) {
  broker_write(self->broker, "key", key);
  *path = broker_path(self->broker, "key");
  self->client->config.tls = false;
  self->client->config.ca_file = NULL;
  self->client->config.psk_identity = "gateway";
  self->client->config.psk_file = *path;
}

static void
test_psk(Fixture *self, const void *data) {
  g_autofree char *path = NULL;
  use_psk(self, "0011223344556677\n", &path);
  broker_write(self->broker, "keys", "gateway:0011223344556677\n");
  broker_start(self->broker, "allow_anonymous false\npsk_file @DIR@/keys",
               "psk_hint x\nuse_identity_as_username true");
  client_start(self->client);
  g_assert_true(client_wait(&self->client->connected, 1));
  g_assert_true(broker_wait_log(self->broker, "as under-test (p5, c1, k5, u'gateway')"));
}

static void
test_wrong_psk(Fixture *self, const void *data) {
  g_autofree char *path = NULL;
  use_psk(self, "8011223344556677\n", &path);
  broker_write(self->broker, "keys", "gateway:0011223344556677\n");
  broker_start(self->broker, "allow_anonymous false\npsk_file @DIR@/keys",
               "psk_hint x\nuse_identity_as_username true");
  client_start(self->client);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_TLS_FAILED));
}

/* Somebody without the key, who shows a certificate instead. */
static void
test_psk_needs_key(Fixture *self, const void *data) {
  g_autofree char *path = NULL;
  use_psk(self, "0011223344556677\n", &path);
  make_good_server(self);
  broker_start(self->broker, NULL, SERVER);
  client_start(self->client);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_TLS_FAILED));
  g_assert_cmpuint(self->client->connected, ==, 0);
}

/* -- nobody we know -------------------------------------------------------------------- */

static void
test_plain_broker(Fixture *self, const void *data) {
  broker_start(self->broker, NULL, NULL);
  client_start(self->client);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_TLS_FAILED));
  g_assert_cmpuint(self->client->connected, ==, 0);
}

/* What is sent before the other side has shown who it is. */
static void
test_password_is_kept(Fixture *self, const void *data) {
  g_autoptr(FakeBroker) fake = fake_broker_new();
  g_autofree char *path = broker_path(self->broker, "password");
  uint8_t bytes[4096];
  broker_write(self->broker, "password", SECRET);
  self->client->config.port = fake->port;
  self->client->config.username = "runner";
  self->client->config.password_file = path;
  client_start(self->client);
  fake_broker_accept(fake);
  fake_broker_send(fake, "20 03 00 00 00 00 00 00");
  size_t length = 0;
  for (ssize_t n = 1; n > 0 && length < sizeof bytes; length += (size_t)MAX(n, 0))
    n = read(fake->fd, bytes + length, sizeof bytes - length);
  g_assert_cmpuint(length, >, 0);
  g_assert_cmpuint(bytes[0], ==, 0x16); /* a handshake */
  g_assert_null(memmem(bytes, length, SECRET, strlen(SECRET)));
  g_assert_null(memmem(bytes, length, "runner", strlen("runner")));
  g_assert_true(client_wait_problem(self->client, PL_MQTT_TLS_FAILED));
}

static void
add(const char *name, void (*test)(Fixture *, const void *), const void *data) {
  g_autofree char *path = g_strconcat("/edge/mqtt-tls/", name, NULL);
  g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  g_test_init(&argc, &argv, NULL);
  g_autofree char *program = g_find_program_in_path("openssl");
  if (!broker_available() || !program) {
    g_print("1..0 # SKIP mosquitto, mosquitto-clients or openssl are not installed\n");
    return 0;
  }
  add("authority", test_authority, "127.0.0.1");
  add("authority-by-name", test_authority, "localhost");
  add("other-authority", test_other_authority, NULL);
  add("system-authorities", test_system_authorities, NULL);
  add("other-address", test_other_address, NULL);
  add("other-name", test_other_name, NULL);
  add("expired", test_expired, NULL);
  add("waiting-for-clock", test_waiting_for_clock, NULL);
  add("client-certificate", test_client_certificate, NULL);
  add("no-client-certificate", test_no_client_certificate, NULL);
  add("psk", test_psk, NULL);
  add("wrong-psk", test_wrong_psk, NULL);
  add("psk-needs-key", test_psk_needs_key, NULL);
  add("plain-broker", test_plain_broker, NULL);
  add("password-is-kept", test_password_is_kept, NULL);
  return g_test_run();
}
