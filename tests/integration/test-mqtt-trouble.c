/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/mqtt-client.h"

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The connection to a real broker that is killed, held still and misconfigured, and to one
 * whose name takes long to find. */

static Broker *
start_broker(const char *lines) {
  Broker *broker = broker_new();
  broker_start(broker, lines, NULL);
  return broker;
}

/* -- the broker ------------------------------------------------------------------------ */

static void
test_broker_comes_later(void) {
  g_autoptr(Broker) broker = broker_new();
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait_problem(client, PL_MQTT_UNREACHABLE));
  g_assert_nonnull(strstr(client->text, "Connection refused"));
  g_assert_cmpint(client_publish(client, "a/b", 0, 0), ==, PL_MQTT_NOT_CONNECTED);
  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.dropped, ==, 1);
  g_assert_cmpint(status.problem, ==, PL_MQTT_UNREACHABLE);
  broker_start(broker, NULL, NULL);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_cmpuint(client->failed, ==, 1); /* the same failure is told once */
}

static void
test_broker_killed(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  for (unsigned i = 1; i <= 5; i++) {
    g_assert_true(client_wait(&client->connected, i));
    g_assert_cmpint(client_publish(client, "a/b", 1, i), ==, PL_MQTT_SENT);
    g_assert_true(client_wait_acks(client, i));
    broker_end(broker, i % 2 ? SIGKILL : SIGTERM);
    g_assert_true(client_wait(&client->disconnected, i));
    g_assert_true(client_wait(&client->failed, i));
    broker_restart(broker);
  }
  g_assert_true(client_wait(&client->connected, 6));
  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.reconnects, ==, 5);
}

/* 40 MB for a broker that stands still: at once, in little memory, and the newest survives.  A
 * few publications may be slow for no fault of theirs, when other programs want the processor.
 */
static void
test_broker_stalled(void) {
  enum { COUNT = 20000, SIZE = 2048, SLOW_US = 5000 };
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher = watcher_new(broker, "a/last", "-F", "%t", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client->config.hurry = 1;
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  broker_pause(broker);

  g_autofree char *payload = g_strnfill(SIZE, ' ');
  PlMqttMessage message = {.topic = "a/live", .payload = payload, .length = SIZE};
  long before = resident_kib();
  unsigned slow = 0;
  for (unsigned i = 0; i < COUNT; i++) {
    if (i == COUNT - 1)
      message.topic = "a/last";
    int64_t begin = g_get_monotonic_time();
    g_assert_cmpint(pl_mqtt_publish(client->mqtt, &message), ==, PL_MQTT_SENT);
    slow += g_get_monotonic_time() - begin > SLOW_US;
  }
  g_test_message("%u slow publications, %ld KiB more", slow, resident_kib() - before);
  g_assert_cmpuint(slow, <, COUNT / 1000);
  if (memory_counts())
    g_assert_cmpint(resident_kib() - before, <, 8 * 1024);
  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.dropped, >, COUNT * 3 / 4);

  broker_resume(broker);
  g_assert_true(watcher_wait(watcher, "a/last", 1));
  g_assert_cmpuint(watcher_count(watcher, "a/last"), ==, 1);
  g_assert_cmpuint(client->disconnected, ==, 0);
}

static bool
is_past(void *data) {
  const int64_t *until = data;
  return g_get_monotonic_time() > *until;
}

/* What nobody wants any more when the broker goes on is not sent to it. */
static void
test_broker_stalled_too_long(void) {
  enum { COUNT = 4000, OLD = 10, SIZE = 2048 };
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher = watcher_new(broker, "b/#", "-F", "%t", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  broker_pause(broker);
  g_autofree char *payload = g_strnfill(SIZE, ' ');
  PlMqttMessage message = {.topic = "a/filling", .payload = payload, .length = SIZE};
  for (unsigned i = 0; i < COUNT; i++)
    pl_mqtt_publish(client->mqtt, &message);
  message.topic = "b/old";
  message.expiry_s = 1;
  for (unsigned i = 0; i < OLD; i++)
    pl_mqtt_publish(client->mqtt, &message);
  int64_t until = g_get_monotonic_time() + 3 * G_USEC_PER_SEC / 2;
  g_assert_true(wait_for(is_past, &until, 10000));
  client_publish(client, "b/new", 0, 0);
  broker_resume(broker);
  g_assert_true(watcher_wait(watcher, "b/new", 1));
  g_assert_cmpuint(watcher_count(watcher, "b/old"), ==, 0);
}

static void
test_broker_silent(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  broker_pause(broker);
  /* With the shortest keep-alive there is, 5 s, it takes up to 10 s and the second. */
  g_assert_true(client_wait(&client->disconnected, 1) || client_wait(&client->disconnected, 1));
  g_assert_cmpint(client->problem, ==, PL_MQTT_LOST);
  broker_resume(broker);
  g_assert_true(client_wait(&client->connected, 2));
}

static void
test_stop_before_stalled_broker(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  broker_pause(broker);
  int64_t begin = g_get_monotonic_time();
  g_assert_false(pl_mqtt_stop(client->mqtt, G_USEC_PER_SEC / 2));
  g_assert_cmpint(g_get_monotonic_time() - begin, <, G_USEC_PER_SEC);
  broker_resume(broker);
}

static void
test_wrong_password(void) {
  g_autoptr(Broker) broker = broker_new();
  g_autofree char *users = broker_path(broker, "users");
  g_autofree char *secret = broker_path(broker, "password");
  g_autofree char *command =
      g_strdup_printf("touch %s && mosquitto_passwd -b %s runner right", users, users);
  g_assert_cmpint(system(command), ==, 0);
  broker_write(broker, "password", "wrong\n");
  broker_start(broker, "allow_anonymous false\npassword_file @DIR@/users", NULL);

  g_autoptr(Client) client = client_new(broker->port);
  client->config.username = "runner";
  client->config.password_file = secret;
  client_start(client);
  g_assert_true(client_wait_problem(client, PL_MQTT_AUTH_REFUSED));
  int64_t refused = g_get_monotonic_time(), beat = pl_mqtt_heartbeat_us(client->mqtt);
  broker_write(broker, "password", "right\n");
  g_assert_true(client_wait(&client->connected, 1));
  /* 60 s, a hundred times as fast */
  g_assert_cmpint(g_get_monotonic_time() - refused, >, 500000);
  g_assert_cmpint(pl_mqtt_heartbeat_us(client->mqtt), >, beat);
}

static void
test_denied_topic(void) {
  g_autoptr(Broker) broker = broker_new();
  broker_write(broker, "acl", "topic readwrite allowed/#\n");
  broker_start(broker, "allow_anonymous true\nacl_file @DIR@/acl", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  client_publish(client, "denied/x", 1, 1);
  client_publish(client, "allowed/x", 1, 2);
  client_publish(client, "bad/#", 1, 3);
  g_assert_true(client_wait_acks(client, 3));
  PlMqttOutcome outcomes[4] = {0};
  for (unsigned i = 0; i < 3; i++) {
    const PlMqttAck *ack = &g_array_index(client->acks, PlMqttAck, i);
    outcomes[ack->tag] = ack->outcome;
  }
  g_assert_cmpint(outcomes[1], ==, PL_MQTT_REFUSED);
  g_assert_cmpint(outcomes[2], ==, PL_MQTT_DELIVERED);
  g_assert_cmpint(outcomes[3], ==, PL_MQTT_REFUSED);
  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.inflight, ==, 0);
}

/* Somebody else keeps coming under our name. */
static void
test_takeover(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  for (unsigned i = 1; i <= 3; i++) {
    g_assert_true(client_wait(&client->connected, i));
    broker_publish(broker, "-i", "under-test", "-t", "a", "-m", "x", NULL);
    g_assert_true(client_wait(&client->disconnected, i));
    g_assert_cmpint(client->problem, ==, i < 3 ? PL_MQTT_LOST : PL_MQTT_CLIENT_ID_CONFLICT);
  }
  int64_t begin = g_get_monotonic_time();
  g_assert_true(client_wait(&client->connected, 4));
  g_assert_cmpint(g_get_monotonic_time() - begin, >, 2500000); /* 300 s, in a hurry */
}

/* -- a name server that takes its time ------------------------------------------------- */

static int dns_delay_s, dns_asked;

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  int delay_s = g_atomic_int_get(&dns_delay_s);
  g_atomic_int_inc(&dns_asked);
  if (delay_s > 0)
    g_usleep((gulong)delay_s * G_USEC_PER_SEC);
  return real(node, service, hints, result);
}

/* A name has addresses of two kinds; this broker listens on one. */
static void
test_host_name(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client->config.host = "localhost";
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
}

static bool
is_asked(void *data) {
  return g_atomic_int_get(&dns_asked) > 0;
}

static unsigned
count_threads(void) {
  g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
  unsigned count = 0;
  while (g_dir_read_name(tasks))
    count++;
  return count;
}

static bool
is_gone(void *data) {
  const unsigned *before = data;
  return count_threads() == *before;
}

/* The main thread leaves the other alone with it, and that one ends by itself later. */
static void
test_slow_name_server(void) {
  g_autoptr(Client) client = client_new(1883);
  unsigned before = count_threads();
  client->config.host = "localhost";
  g_atomic_int_set(&dns_delay_s, 2);
  g_atomic_int_set(&dns_asked, 0);
  int64_t begin = g_get_monotonic_time();
  client_start(client);
  g_assert_true(wait_for(is_asked, NULL, 10000));
  g_assert_cmpint(client_publish(client, "a", 0, 0), ==, PL_MQTT_NOT_CONNECTED);
  g_assert_false(pl_mqtt_stop(client->mqtt, G_USEC_PER_SEC / 10));
  g_clear_pointer(&client->mqtt, pl_mqtt_free);
  g_assert_cmpint(g_get_monotonic_time() - begin, <, 3 * G_USEC_PER_SEC / 2);
  g_assert_false(is_gone(&before));
  g_assert_true(wait_for(is_gone, &before, 10000));
  g_atomic_int_set(&dns_delay_s, 0);
}

static void
test_unknown_host(void) {
  g_autoptr(Client) client = client_new(1883);
  client->config.host = "no-such-host.invalid";
  client->config.allow_plaintext = true;
  client_start(client);
  g_assert_true(client_wait_problem(client, PL_MQTT_HOST_UNKNOWN));
}

int
main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  g_test_init(&argc, &argv, NULL);
  if (!broker_available()) {
    g_print("1..0 # SKIP mosquitto and mosquitto-clients are not installed\n");
    return 0;
  }
  g_test_add_func("/edge/mqtt-trouble/host-name", test_host_name);
  g_test_add_func("/edge/mqtt-trouble/stop-before-stalled-broker",
                  test_stop_before_stalled_broker);
  g_test_add_func("/edge/mqtt-trouble/broker-comes-later", test_broker_comes_later);
  g_test_add_func("/edge/mqtt-trouble/broker-killed", test_broker_killed);
  g_test_add_func("/edge/mqtt-trouble/broker-stalled", test_broker_stalled);
  g_test_add_func("/edge/mqtt-trouble/broker-stalled-too-long", test_broker_stalled_too_long);
  g_test_add_func("/edge/mqtt-trouble/broker-silent", test_broker_silent);
  g_test_add_func("/edge/mqtt-trouble/wrong-password", test_wrong_password);
  g_test_add_func("/edge/mqtt-trouble/denied-topic", test_denied_topic);
  g_test_add_func("/edge/mqtt-trouble/takeover", test_takeover);
  g_test_add_func("/edge/mqtt-trouble/slow-name-server", test_slow_name_server);
  g_test_add_func("/edge/mqtt-trouble/unknown-host", test_unknown_host);
  return g_test_run();
}
