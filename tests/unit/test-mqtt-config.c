/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *directory, *secret, *open, *text;
  PlMqttConfig config;
} Fixture;

static char *
write_file(const Fixture *self, const char *name, const char *text, mode_t mode) {
  char *path = g_build_filename(self->directory, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_assert_cmpint(chmod(path, mode), ==, 0);
  return path;
}

static void
set_up(Fixture *self, const void *data) {
  self->directory = g_dir_make_tmp("mqtt-XXXXXX", NULL);
  self->secret = write_file(self, "secret", "00aa\n", 0600);
  self->open = write_file(self, "open", "00aa\n", 0644);
  self->text = write_file(self, "text", "no hexadecimal digits\n", 0600);
  self->config = (PlMqttConfig){.host = "localhost", .port = 1883, .client_id = "id"};
}

static void
tear_down(Fixture *self, const void *data) {
  char *const files[] = {self->secret, self->open, self->text};
  for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
    g_unlink(files[i]);
    g_free(files[i]);
  }
  g_rmdir(self->directory);
  g_free(self->directory);
}

static void
assert_good(const Fixture *self) {
  g_autoptr(GError) error = NULL;
  g_assert_true(pl_mqtt_config_check(&self->config, &error));
  g_assert_no_error(error);
}

static void
assert_bad(const Fixture *self, const char *text) {
  g_autoptr(GError) error = NULL;
  g_assert_false(pl_mqtt_config_check(&self->config, &error));
  if (!strstr(error->message, text))
    g_error("no \"%s\" in \"%s\"", text, error->message);
}

static void
test_local(Fixture *self, const void *data) {
  static const struct {
    const char *host;
    bool local;
  } rows[] = {
      {"localhost", true},
      {"LocalHost", true},
      {"127.0.0.1", true},
      {"127.1.2.3", true},
      {"::1", true},
      {"/run/mosquitto.socket", true},
      {"192.168.1.5", false},
      {"broker.example", false},
      {"localhost.example", false},
      {"127.0.0.1.x", false},
      {"fe80::1", false},
      {"0.0.0.0", false},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
    self->config.host = rows[i].host;
    g_assert_cmpint(pl_mqtt_is_local(&self->config), ==, rows[i].local);
    if (rows[i].local)
      assert_good(self);
    else
      assert_bad(self, "allow-plaintext");
    self->config.allow_plaintext = true;
    assert_good(self);
    self->config.allow_plaintext = false;
  }
}

static void
test_server(Fixture *self, const void *data) {
  self->config.port = 0;
  assert_bad(self, "port");
  self->config.port = 65536;
  assert_bad(self, "port");
  self->config.port = 65535;
  assert_good(self);
  self->config.host = "";
  assert_bad(self, "host");
  self->config.host = NULL;
  assert_bad(self, "host");
  g_autofree char *path = g_strnfill(108, '/');
  self->config.host = path;
  assert_bad(self, "too long");
  path[107] = 0;
  self->config.port = 0;
  assert_good(self);
  self->config.tls = true;
  assert_bad(self, "unix socket");
}

static void
test_password(Fixture *self, const void *data) {
  self->config.password_file = self->secret;
  assert_bad(self, "password-file needs username");
  self->config.username = "runner";
  assert_good(self);
  self->config.password_file = self->open;
  assert_bad(self, "chmod 600");
  self->config.password_file = "/nonexistent/password";
  assert_bad(self, "/nonexistent/password");
  self->config.password_file = NULL;
  assert_good(self);
}

static void
test_psk(Fixture *self, const void *data) {
  self->config.psk_identity = "gateway";
  assert_bad(self, "psk-file");
  self->config.psk_file = self->secret;
  assert_good(self);
  g_assert_true(pl_mqtt_is_encrypted(&self->config));
  self->config.host = "broker.example";
  assert_good(self);
  self->config.psk_file = self->text;
  assert_bad(self, "hexadecimal");
  self->config.psk_file = self->open;
  assert_bad(self, "chmod 600");
  self->config.psk_file = self->secret;
  self->config.ca_file = self->text;
  assert_bad(self, "certificates");
}

static void
test_certificates(Fixture *self, const void *data) {
  self->config.tls = true;
  assert_good(self);
  self->config.ca_file = self->text;
  assert_bad(self, "no certificate authority in");
  self->config.ca_file = "/nonexistent/ca";
  assert_bad(self, "/nonexistent/ca");
  self->config.ca_file = NULL;
  self->config.client_cert = self->text;
  assert_bad(self, "client-key");
  self->config.client_key = self->open;
  assert_bad(self, "chmod 600");
  self->config.client_key = self->secret;
  assert_bad(self, "no certificate in");
  self->config.tls = false;
  assert_bad(self, "client-cert needs tls");
}

/* Every problem has a word for machines and, but for none, a remedy for people. */
static void
test_problem_words(void) {
  g_autoptr(GHashTable) words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < PL_MQTT_PROBLEM_COUNT; i++) {
    const char *code = pl_mqtt_problem_code((PlMqttProblem)i);
    g_assert_cmpuint(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen(code));
    g_assert_true(g_hash_table_add(words, g_strdup(code)));
    g_assert_cmpint(i == PL_MQTT_NO_PROBLEM, ==, !*pl_mqtt_problem_hint((PlMqttProblem)i));
  }
}

static void
add(const char *name, void (*test)(Fixture *, const void *)) {
  g_autofree char *path = g_strconcat("/edge/mqtt-config/", name, NULL);
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add("local", test_local);
  add("server", test_server);
  add("password", test_password);
  add("psk", test_psk);
  add("certificates", test_certificates);
  g_test_add_func("/edge/mqtt-config/problem-words", test_problem_words);
  return g_test_run();
}
