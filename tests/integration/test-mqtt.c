/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/mqtt-client.h"

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The connection to a real broker, which is killed, held still and misconfigured. */

static Broker *
start_broker(const char *lines) {
  Broker *broker = broker_new();
  broker_start(broker, lines, NULL);
  return broker;
}

/* -- in good times --------------------------------------------------------------------- */

static void
test_connect(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_cmpint(client->connection.protocol, ==, PL_MQTT_5);
  g_assert_cmpuint(client->connection.receive_maximum, ==, 20); /* mosquitto's default */
  g_assert_cmpuint(client->connection.window, ==, 20);

  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_true(status.connected);
  g_assert_cmpint(status.problem, ==, PL_MQTT_NO_PROBLEM);
  g_assert_cmpuint(status.reconnects, ==, 0);
  g_assert_true(broker_wait_log(broker, "as under-test (p5, c1, k5)"));
  g_assert_true(broker_wait_log(broker, "Will message specified (19 bytes) (r1, q1)."));
}

static void
test_connect_3_1_1(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client->config.protocol = PL_MQTT_3_1_1;
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_cmpint(client->connection.protocol, ==, PL_MQTT_3_1_1);
  g_assert_true(broker_wait_log(broker, "as under-test (p2, c1, k5)"));

  g_assert_true(pl_mqtt_subscribe(client->mqtt, "a/b", 1));
  g_assert_cmpint(client_publish(client, "a/b", 1, 7), ==, PL_MQTT_SENT);
  g_assert_true(client_wait_acks(client, 1));
  g_assert_true(client_wait_messages(client, 1));
}

static void
test_unix_socket(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(0);
  client->config.host = broker->socket;
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_cmpint(client_publish(client, "a/b", 1, 7), ==, PL_MQTT_SENT);
  g_assert_true(client_wait_acks(client, 1));
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

static void
test_properties(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher =
      watcher_new(broker, "a/#", "-q", "1", "-F", "%t|q%q|r%r|%E|%C|%F|%P|%D|%p", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  PlMqttMessage message = {
      .topic = "a/live",
      .payload = "{\"v\":1}",
      .length = 7,
      .qos = 1,
      .expiry_s = 300,
      .schema = "live/1",
      .correlation = "c1",
      .correlation_length = 2,
      .tag = 42,
  };
  g_assert_cmpint(pl_mqtt_publish(client->mqtt, &message), ==, PL_MQTT_SENT);
  g_assert_cmpint(client_publish(client, "a/plain", 0, 43), ==, PL_MQTT_SENT);
  g_assert_true(client_wait_acks(client, 2));
  for (unsigned i = 0; i < 2; i++) {
    const PlMqttAck *ack = &g_array_index(client->acks, PlMqttAck, i);
    g_assert_cmpint(ack->outcome, ==, PL_MQTT_DELIVERED);
    g_assert_cmpuint(ack->tag, >=, 42);
    g_assert_cmpuint(ack->tag, <=, 43);
    g_assert_cmpint(ack->t_us, >, 0);
  }
  g_assert_true(watcher_wait(watcher, "\n", 2));
  g_autofree char *text = watcher_text(watcher);
  g_assert_nonnull(strstr(text, "a/live|q1|r0|300|application/json|1|schema:live/1|6331|") ||
                           strstr(text, "a/live|q1|r0|300|application/json|1|schema:live/1|c1|")
                       ? text
                       : NULL);
  g_assert_nonnull(strstr(text, "a/plain|q0|r0||application/json|1|||{\"v\":1}"));
}

static void
test_incoming(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  broker_publish(broker, "-t", "c/old", "-m", "{}", "-r", "-q", "1", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_true(pl_mqtt_subscribe(client->mqtt, "c/#", 1));
  g_assert_true(client_wait_messages(client, 1));
  g_assert_cmpstr(g_ptr_array_index(client->subscribed, 0), ==, "c/# yes");

  broker_publish(broker, "-t", "c/lap", "-m", "{\"transaction\":1}", "-q", "1", "-D", "publish",
                 "response-topic", "r/1", "-D", "publish", "correlation-data", "abc", NULL);
  broker_publish(broker, "-t", "c/kept", "-m", "{}", "-r", "-q", "1", NULL);
  g_autofree char *large = g_strnfill(PL_MQTT_INCOMING_MAX + 1, 'x');
  broker_publish(broker, "-t", "c/large", "-m", large, NULL);
  large[PL_MQTT_INCOMING_MAX] = 0;
  broker_publish(broker, "-t", "c/just", "-m", large, NULL);
  broker_publish(broker, "-t", "c/wild", "-m", "{}", "-D", "publish", "response-topic", "r",
                 NULL);
  g_assert_true(client_wait_messages(client, 6));

  const Received *old = g_ptr_array_index(client->messages, 0);
  const Received *lap = g_ptr_array_index(client->messages, 1);
  const Received *kept = g_ptr_array_index(client->messages, 2);
  const Received *oversized = g_ptr_array_index(client->messages, 3);
  const Received *just = g_ptr_array_index(client->messages, 4);
  g_assert_true(old->retained);
  g_assert_null(old->response_topic);
  g_assert_cmpstr(lap->topic, ==, "c/lap");
  g_assert_cmpstr(lap->payload, ==, "{\"transaction\":1}");
  g_assert_cmpstr(lap->response_topic, ==, "r/1");
  g_assert_cmpstr(lap->correlation, ==, "abc");
  g_assert_false(lap->retained);
  g_assert_true(kept->retained); /* although it came at once */
  g_assert_true(oversized->oversized);
  g_assert_cmpstr(oversized->payload, ==, "");
  g_assert_false(just->oversized);
  g_assert_cmpuint(strlen(just->payload), ==, PL_MQTT_INCOMING_MAX);
}

/* With the main thread busy, no more is kept than there is room for. */
static void
test_incoming_flood(void) {
  g_autoptr(Broker) broker = start_broker("allow_anonymous true\nmax_queued_messages 0");
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  g_assert_true(pl_mqtt_subscribe(client->mqtt, "c/#", 0));
  g_assert_true(client_wait(&client->subscribed->len, 1));
  g_autoptr(GString) lines = g_string_new(NULL);
  for (unsigned i = 0; i < 500; i++)
    g_string_append(lines, "{}\n");
  broker_write(broker, "lines", lines->str);
  g_autofree char *file = broker_path(broker, "lines");
  g_autofree char *command =
      g_strdup_printf("mosquitto_pub --unix %s -t c/x -q 1 -l < %s", broker->socket, file);
  g_assert_cmpint(system(command), ==, 0);
  broker_publish(broker, "-t", "other", "-m", "{}", NULL);

  PlMqttStatus status = {0};
  for (unsigned i = 0; i < 500 && status.ignored < 500 - 64; i++) {
    g_usleep(10000);
    pl_mqtt_status(client->mqtt, &status);
  }
  g_assert_cmpuint(status.ignored, ==, 500 - 64);
  g_assert_true(client_wait_messages(client, 64));
  g_assert_cmpuint(client->messages->len, ==, 64);
}

static void
test_window(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_cmpint(client_publish(client, "a/b", 1, 1), ==, PL_MQTT_NOT_CONNECTED);
  g_assert_true(client_wait(&client->connected, 1));
  for (uint64_t tag = 1; tag <= PL_MQTT_WINDOW; tag++)
    g_assert_cmpint(client_publish(client, "a/b", 1, tag), ==, PL_MQTT_SENT);
  g_assert_cmpint(client_publish(client, "a/b", 1, 99), ==, PL_MQTT_WINDOW_FULL);
  g_assert_cmpint(client_publish(client, "a/b", 0, 0), ==, PL_MQTT_SENT);
  PlMqttStatus status;
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.inflight, ==, PL_MQTT_WINDOW);

  g_assert_true(client_wait(&client->writable, 1));
  g_assert_true(client_wait_acks(client, PL_MQTT_WINDOW));
  for (unsigned i = 0; i < PL_MQTT_WINDOW; i++)
    g_assert_cmpuint(g_array_index(client->acks, PlMqttAck, i).tag, ==, i + 1);
  g_assert_cmpuint(client->writable, ==, 1);
  pl_mqtt_status(client->mqtt, &status);
  g_assert_cmpuint(status.inflight, ==, 0);
}

/* -- farewell -------------------------------------------------------------------------- */

static void
test_stop(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher = watcher_new(broker, "#", "-F", "%t %r %p", NULL);
  g_autoptr(Client) client = client_new(broker->port);
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  for (uint64_t tag = 1; tag <= PL_MQTT_WINDOW; tag++)
    g_assert_cmpint(client_publish(client, "a/b", 1, tag), ==, PL_MQTT_SENT);
  g_assert_true(pl_mqtt_stop(client->mqtt, 2 * G_USEC_PER_SEC));
  g_assert_cmpuint(client->acks->len, ==, PL_MQTT_WINDOW);
  g_assert_cmpuint(client->disconnected, ==, 1);
  g_assert_cmpint(client->problem, ==, PL_MQTT_NO_PROBLEM);
  g_assert_cmpint(client_publish(client, "a/b", 1, 1), ==, PL_MQTT_NOT_CONNECTED);
  g_assert_true(broker_wait_log(broker, "Received DISCONNECT from under-test"));

  g_autofree char *text = watcher_text(watcher);
  g_assert_true(g_str_has_suffix(text, "status 0 {\"state\":\"offline\"}\n"));
  g_autoptr(Watcher) later = watcher_new(broker, "#", "-F", "%t %r %p", NULL);
  g_assert_true(watcher_wait(later, "\n", 1));
  g_assert_cmpuint(watcher_count(later, "status 1 {\"state\":\"offline\"}"), ==, 1);
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

/* The other process, which is to die. */
static int
run_child(const char *port) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  g_autoptr(Client) client = client_new(atoi(port));
  client->config.client_id = "child";
  client_start(client);
  g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
  g_main_loop_run(loop);
  return 0;
}

static void
test_will(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher = watcher_new(broker, "#", "-F", "%t %q %p %C", NULL);
  g_autofree char *port = g_strdup_printf("%d", broker->port);
  pid_t pid = fork();
  if (pid == 0)
    execl("/proc/self/exe", "test-mqtt", "--child", port, NULL);
  g_assert_true(broker_wait_log(broker, "Sending CONNACK to child"));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  int64_t begin = g_get_monotonic_time();
  g_assert_true(watcher_wait(watcher, "offline", 1));
  g_assert_cmpuint(watcher_count(watcher, "status 0 {\"state\":\"offline\"} application/json"),
                   ==, 1);
  double waited_s = (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  g_assert_cmpfloat(waited_s, >, PL_MQTT_WILL_DELAY_S - 1.5); /* it counts whole seconds */
  g_assert_cmpfloat(waited_s, <, PL_MQTT_SESSION_EXPIRY_S - 1);
}

/* -- in bad times ---------------------------------------------------------------------- */

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

static int dns_delay_s;

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  int delay_s = g_atomic_int_get(&dns_delay_s);
  if (delay_s > 0)
    g_usleep((gulong)delay_s * G_USEC_PER_SEC);
  return real(node, service, hints, result);
}

static void
test_slow_name_server(void) {
  g_autoptr(Client) client = client_new(1883);
  client->config.host = "localhost";
  g_atomic_int_set(&dns_delay_s, 3);
  int64_t begin = g_get_monotonic_time();
  client_start(client);
  g_usleep(100000);
  g_assert_true(pl_mqtt_stop(client->mqtt, G_USEC_PER_SEC / 10) || client->connected == 0);
  g_clear_pointer(&client->mqtt, pl_mqtt_free);
  g_assert_cmpint(g_get_monotonic_time() - begin, <, G_USEC_PER_SEC);
  g_atomic_int_set(&dns_delay_s, 0);
  g_usleep(3500000); /* let the thread find out that nobody waits for it */
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
  if (argc == 3 && strcmp(argv[1], "--child") == 0)
    return run_child(argv[2]);
  g_test_init(&argc, &argv, NULL);
  if (!broker_available()) {
    g_print("1..0 # SKIP mosquitto and mosquitto-clients are not installed\n");
    return 0;
  }
  g_test_add_func("/edge/mqtt/connect", test_connect);
  g_test_add_func("/edge/mqtt/connect-3.1.1", test_connect_3_1_1);
  g_test_add_func("/edge/mqtt/unix-socket", test_unix_socket);
  g_test_add_func("/edge/mqtt/host-name", test_host_name);
  g_test_add_func("/edge/mqtt/properties", test_properties);
  g_test_add_func("/edge/mqtt/incoming", test_incoming);
  g_test_add_func("/edge/mqtt/incoming-flood", test_incoming_flood);
  g_test_add_func("/edge/mqtt/window", test_window);
  g_test_add_func("/edge/mqtt/stop", test_stop);
  g_test_add_func("/edge/mqtt/stop-before-stalled-broker", test_stop_before_stalled_broker);
  g_test_add_func("/edge/mqtt/will", test_will);
  g_test_add_func("/edge/mqtt/broker-comes-later", test_broker_comes_later);
  g_test_add_func("/edge/mqtt/broker-killed", test_broker_killed);
  g_test_add_func("/edge/mqtt/broker-stalled", test_broker_stalled);
  g_test_add_func("/edge/mqtt/broker-silent", test_broker_silent);
  g_test_add_func("/edge/mqtt/wrong-password", test_wrong_password);
  g_test_add_func("/edge/mqtt/denied-topic", test_denied_topic);
  g_test_add_func("/edge/mqtt/takeover", test_takeover);
  g_test_add_func("/edge/mqtt/slow-name-server", test_slow_name_server);
  g_test_add_func("/edge/mqtt/unknown-host", test_unknown_host);
  return g_test_run();
}
