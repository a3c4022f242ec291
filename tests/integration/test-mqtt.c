/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/mqtt-client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The connection to a real broker in good times, and its end. */

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
  g_assert_cmpuint(
      watcher_count(watcher,
                    "a/live|q1|r0|300|application/json|1|schema:live/1|c1|{\"v\":1}\n"),
      ==, 1);
  g_assert_cmpuint(watcher_count(watcher, "a/plain|q0|r0||application/json|1|||{\"v\":1}\n"),
                   ==, 1);
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

  g_assert_true(watcher_wait(watcher, "status 0 {\"state\":\"offline\"}\n", 1));
  g_autoptr(Watcher) later = watcher_new(broker, "#", "-F", "%t %r %p", NULL);
  g_assert_true(watcher_wait(later, "\n", 1));
  g_assert_cmpuint(watcher_count(later, "status 1 {\"state\":\"offline\"}"), ==, 1);
}

/* The other process, which is to die. */
static int
run_child(const char *port) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  g_autoptr(Client) client = client_new(atoi(port));
  client->config.client_id = "child";
  client_start(client);
  g_assert_true(client_wait(&client->connected, 1));
  client_publish(client, "child/up", 0, 0);
  g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
  g_main_loop_run(loop);
  return 0;
}

static void
test_will(void) {
  g_autoptr(Broker) broker = start_broker(NULL);
  g_autoptr(Watcher) watcher = watcher_new(broker, "#", "-F", "%t %q %p %C", NULL);
  g_autofree char *port = g_strdup_printf("%d", broker->port);
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  pid_t pid = fork();
  if (pid == 0) {
    execl(program, "test-mqtt", "--child", port, NULL);
    _exit(1);
  }
  g_assert_true(watcher_wait(watcher, "child/up", 1));
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
  g_test_add_func("/edge/mqtt/properties", test_properties);
  g_test_add_func("/edge/mqtt/incoming", test_incoming);
  g_test_add_func("/edge/mqtt/incoming-flood", test_incoming_flood);
  g_test_add_func("/edge/mqtt/window", test_window);
  g_test_add_func("/edge/mqtt/stop", test_stop);
  g_test_add_func("/edge/mqtt/will", test_will);
  return g_test_run();
}
