/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-broker.h"
#include "tests/integration/mqtt-client.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* The connection to a broker that answers as no broker should, or as few do.  Bytes are those
 * of the MQTT 5 and 3.1.1 specifications. */

#define ACCEPTED_5     "20 03 00 00 00"
#define ACCEPTED_3_1_1 "20 02 00 00"

enum { PACKET_MAX = 4096, PUBLISH_QOS_0 = 0x30, PUBLISH_QOS_1 = 0x32 };

/* libmosquitto forgets to free a property when it does not understand what follows. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void) {
  return "leak:libmosquitto.so";
}

typedef struct {
  FakeBroker *broker;
  Client *client;
} Fixture;

static void
set_up(Fixture *self, const void *data) {
  self->broker = fake_broker_new();
  self->client = client_new(self->broker->port);
}

static void
tear_down(Fixture *self, const void *data) {
  client_free(self->client);
  fake_broker_free(self->broker);
}

static void
connect_with(Fixture *self, const char *answer) {
  unsigned before = self->client->connected;
  fake_broker_expect_connect(self->broker);
  fake_broker_send(self->broker, answer);
  g_assert_true(client_wait(&self->client->connected, before + 1));
}

/* Reads a PUBLISH of at most 127 bytes; its packet identifier in hexadecimal digits. */
static char *
expect_publish(Fixture *self, uint8_t type) {
  uint8_t packet[PACKET_MAX];
  size_t length = fake_broker_read(self->broker, packet, sizeof packet);
  g_assert_cmpuint(length, >, 4);
  g_assert_cmpuint(packet[0], ==, type);
  size_t identifier = 4 + (size_t)packet[3];
  return g_strdup_printf("%02x %02x", packet[identifier], packet[identifier + 1]);
}

static void
skip_publish(Fixture *self, uint8_t type) {
  g_free(expect_publish(self, type));
}

/* -- what is sent ---------------------------------------------------------------------- */

/* Clean start, will of QoS 1 retained, keep-alive 15 s; session expiry 10 s, maximum packet
 * size 64 KiB, receive maximum 20; will delay 5 s, UTF-8, application/json. */
static void
test_connect_packet(Fixture *self, const void *data) {
  static const char expected[] = "\x10\x71\x00\x04MQTT\x05\x2e\x00\x0f"
                                 "\x0d\x11\x00\x00\x00\x0a\x27\x00\x01\x00\x00\x21\x00\x14"
                                 "\x00\x0aunder-test"
                                 "\x1a\x18\x00\x00\x00\x05\x01\x01\x03\x00\x10"
                                 "application/json"
                                 "\x00\x1bplumbline/gateway/g1/status"
                                 "\x00\x13{\"state\":\"offline\"}";
  uint8_t packet[PACKET_MAX];
  self->client->config.hurry = 1;
  client_start(self->client);
  fake_broker_accept(self->broker);
  size_t length = fake_broker_read(self->broker, packet, sizeof packet);
  g_assert_cmpmem(packet, length, expected, sizeof expected - 1);
}

/* -- versions -------------------------------------------------------------------------- */

static void
test_fall_back(Fixture *self, const void *refusal) {
  client_start(self->client);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 5);
  fake_broker_send(self->broker, refusal);
  fake_broker_hang_up(self->broker);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 4);
  fake_broker_send(self->broker, ACCEPTED_3_1_1);
  g_assert_true(client_wait(&self->client->connected, 1));
  g_assert_cmpint(self->client->connection.protocol, ==, PL_MQTT_3_1_1);

  /* and remembers it */
  fake_broker_hang_up(self->broker);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 4);
}

/* A broker that does not even say that it does not understand. */
static void
test_fall_back_after_silence(Fixture *self, const void *data) {
  client_start(self->client);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 5);
  fake_broker_hang_up(self->broker);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 5);
  fake_broker_hang_up(self->broker);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 4);
}

static void
test_no_fall_back(Fixture *self, const void *data) {
  self->client->config.protocol = PL_MQTT_5;
  client_start(self->client);
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 5);
  fake_broker_send(self->broker, "20 02 00 01");
  g_assert_true(client_wait_problem(self->client, PL_MQTT_PROTOCOL_REFUSED));
  g_assert_cmpint(fake_broker_expect_connect(self->broker), ==, 5);
}

/* -- refusals -------------------------------------------------------------------------- */

typedef struct {
  const char *name, *answer;
  PlMqttProtocol protocol;
  PlMqttProblem problem;
} Refusal;

static const Refusal refusals[] = {
    {"bad-password", "20 03 00 86 00", PL_MQTT_5, PL_MQTT_AUTH_REFUSED},
    {"not-authorized", "20 03 00 87 00", PL_MQTT_5, PL_MQTT_AUTH_REFUSED},
    {"identifier", "20 03 00 85 00", PL_MQTT_5, PL_MQTT_AUTH_REFUSED},
    {"unavailable", "20 03 00 88 00", PL_MQTT_5, PL_MQTT_BUSY},
    {"busy", "20 03 00 89 00", PL_MQTT_5, PL_MQTT_BUSY},
    {"rate", "20 03 00 9f 00", PL_MQTT_5, PL_MQTT_BUSY},
    {"version", "20 03 00 84 00", PL_MQTT_5, PL_MQTT_PROTOCOL_REFUSED},
    {"old-version", "20 02 00 01", PL_MQTT_3_1_1, PL_MQTT_PROTOCOL_REFUSED},
    {"old-identifier", "20 02 00 02", PL_MQTT_3_1_1, PL_MQTT_AUTH_REFUSED},
    {"old-unavailable", "20 02 00 03", PL_MQTT_3_1_1, PL_MQTT_BUSY},
    {"old-bad-password", "20 02 00 04", PL_MQTT_3_1_1, PL_MQTT_AUTH_REFUSED},
    {"old-not-authorized", "20 02 00 05", PL_MQTT_3_1_1, PL_MQTT_AUTH_REFUSED},
    {"old-unknown", "20 02 00 06", PL_MQTT_3_1_1, PL_MQTT_MALFORMED},
    {"takes-nothing", "20 06 00 00 03 21 00 00", PL_MQTT_5, PL_MQTT_MALFORMED},
};

static void
test_refusal(Fixture *self, const void *data) {
  const Refusal *refusal = data;
  self->client->config.protocol = refusal->protocol;
  client_start(self->client);
  fake_broker_expect_connect(self->broker);
  fake_broker_send(self->broker, refusal->answer);
  g_assert_true(client_wait_problem(self->client, refusal->problem));
  g_assert_cmpuint(self->client->connected, ==, 0);
}

static void
test_no_answer(Fixture *self, const void *data) {
  client_start(self->client);
  fake_broker_expect_connect(self->broker);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_LOST));
  g_assert_nonnull(strstr(self->client->text, "does not answer"));
}

static void
test_taken_over(Fixture *self, const void *data) {
  client_start(self->client);
  for (unsigned i = 1; i <= 3; i++) {
    connect_with(self, ACCEPTED_5);
    fake_broker_send(self->broker, "e0 01 8e");
    g_assert_true(client_wait(&self->client->disconnected, i));
    g_assert_cmpint(self->client->problem, ==,
                    i < 3 ? PL_MQTT_LOST : PL_MQTT_CLIENT_ID_CONFLICT);
  }
}

/* -- limits ---------------------------------------------------------------------------- */

static void
test_receive_maximum(Fixture *self, const void *data) {
  client_start(self->client);
  connect_with(self, "20 06 00 00 03 21 00 01");
  g_assert_cmpuint(self->client->connection.receive_maximum, ==, 1);
  g_assert_cmpuint(self->client->connection.window, ==, 1);
  for (uint64_t tag = 1; tag <= 3; tag++) {
    g_assert_cmpint(client_publish(self->client, "a", 1, tag), ==, PL_MQTT_SENT);
    g_assert_cmpint(client_publish(self->client, "a", 1, 99), ==, PL_MQTT_WINDOW_FULL);
    g_autofree char *identifier = expect_publish(self, PUBLISH_QOS_1);
    g_autofree char *answer = g_strdup_printf("40 02 %s", identifier);
    fake_broker_send(self->broker, answer);
    g_assert_true(client_wait(&self->client->writable, (unsigned)tag));
  }
  g_assert_cmpuint(self->client->acks->len, ==, 3);
}

static void
test_maximum_qos(Fixture *self, const void *data) {
  client_start(self->client);
  connect_with(self, "20 05 00 00 02 24 00");
  g_assert_cmpint(client_publish(self->client, "a", 1, 1), ==, PL_MQTT_SENT);
  skip_publish(self, PUBLISH_QOS_0);
  g_assert_true(client_wait_acks(self->client, 1));
  PlMqttStatus status;
  pl_mqtt_status(self->client->mqtt, &status);
  g_assert_cmpuint(status.inflight, ==, 0);
}

static void
test_maximum_packet_size(Fixture *self, const void *data) {
  client_start(self->client);
  connect_with(self, "20 08 00 00 05 27 00 00 00 10");
  g_assert_cmpint(client_publish(self->client, "a", 1, 1), ==, PL_MQTT_SENT);
  g_assert_true(client_wait_acks(self->client, 1));
  g_assert_cmpint(g_array_index(self->client->acks, PlMqttAck, 0).outcome, ==, PL_MQTT_REFUSED);
}

typedef struct {
  const char *name, *reason;
  PlMqttOutcome outcome;
} Answer;

static const Answer answers[] = {
    {"success", "00", PL_MQTT_DELIVERED},      {"no-subscribers", "10", PL_MQTT_DELIVERED},
    {"not-authorized", "87", PL_MQTT_REFUSED}, {"topic", "90", PL_MQTT_REFUSED},
    {"payload", "99", PL_MQTT_REFUSED},        {"unspecified", "80", PL_MQTT_RETRY},
    {"implementation", "83", PL_MQTT_RETRY},   {"quota", "97", PL_MQTT_RETRY},
};

static void
test_answer(Fixture *self, const void *data) {
  const Answer *answer = data;
  client_start(self->client);
  connect_with(self, ACCEPTED_5);
  g_assert_cmpint(client_publish(self->client, "a", 1, 5), ==, PL_MQTT_SENT);
  g_autofree char *identifier = expect_publish(self, PUBLISH_QOS_1);
  g_autofree char *packet = g_strdup_printf("40 03 %s %s", identifier, answer->reason);
  fake_broker_send(self->broker, packet);
  g_assert_true(client_wait_acks(self->client, 1));
  const PlMqttAck *ack = &g_array_index(self->client->acks, PlMqttAck, 0);
  g_assert_cmpint(ack->outcome, ==, answer->outcome);
  g_assert_cmpint(ack->reason, ==, strtol(answer->reason, NULL, 16));
}

/* What was on its way when the connection ended is not sent again by us. */
static void
test_unacknowledged(Fixture *self, const void *data) {
  client_start(self->client);
  connect_with(self, ACCEPTED_5);
  g_assert_cmpint(client_publish(self->client, "a", 1, 5), ==, PL_MQTT_SENT);
  skip_publish(self, PUBLISH_QOS_1);
  fake_broker_hang_up(self->broker);
  g_assert_true(client_wait(&self->client->disconnected, 1));
  connect_with(self, ACCEPTED_5);
  PlMqttStatus status;
  pl_mqtt_status(self->client->mqtt, &status);
  g_assert_cmpuint(status.inflight, ==, 0);
  g_assert_cmpint(client_publish(self->client, "b", 0, 6), ==, PL_MQTT_SENT);
  skip_publish(self, PUBLISH_QOS_0);
  g_assert_cmpuint(self->client->acks->len, ==, 0);
}

/* -- nonsense -------------------------------------------------------------------------- */

/* Instead of an answer, and after one. */
static const char *const nonsense[] = {
    "20 00",
    "20 01 00",
    "20 02 00 00",
    "20 03 00 00 05",
    "20 04 00 00 01 99",
    "20 07 00 00 04 21 00 14",
    "20 ff ff ff ff ff 00",
    "00 00",
    "f0 00",
    "10 00",
    "30 00",
    "30 03 00 01 61",
    "d0 00",
    "e0 00",
    "48 54 54 50 2f 31 2e 31 20 34 30 30 20 42 61 64 0d 0a 0d 0a",
    "30 02 00 00",
    "30 05 00 ff 61 62 63",
    "36 06 00 01 61 00 01 00",
    "32 06 00 01 61 00 00 00",
    "32 05 00 01 61 00",
    "34 06 00 01 61 00 01 00",
    "30 06 00 01 61 ff ff ff",
    "30 07 00 01 61 03 23 00 01",
    "40 00",
    "40 02 00 00",
    "40 02 ff ff",
    "40 05 00 01 00 05 1f",
    "50 02 00 01",
    "62 02 00 01",
    "70 02 00 01",
    "82 06 00 01 00 00 01 61",
    "90 03 00 01 00",
    "90 04 00 01 00 87",
    "b0 02 00 01",
    "c0 00",
    "e0 01 8b",
    "e0 02 98 05",
    "f0 02 18 00",
    ACCEPTED_5,
};

static void
test_nonsense(Fixture *self, const void *data) {
  self->client->config.hurry = 100000;
  client_start(self->client);
  for (unsigned i = 0; i < 2 * G_N_ELEMENTS(nonsense); i++) {
    bool v5 = fake_broker_expect_connect(self->broker) == 5;
    if (i % 2)
      fake_broker_send(self->broker, v5 ? ACCEPTED_5 : ACCEPTED_3_1_1);
    fake_broker_send(self->broker, nonsense[i / 2]);
    fake_broker_hang_up(self->broker);
    g_main_context_iteration(NULL, FALSE);
  }
  fake_broker_expect_connect(self->broker); /* it still tries */
}

static unsigned
count_files(void) {
  g_autoptr(GDir) files = g_dir_open("/proc/self/fd", 0, NULL);
  unsigned count = 0;
  while (g_dir_read_name(files))
    count++;
  return count;
}

static void
test_random_nonsense(Fixture *self, const void *data) {
  enum { COUNT = 1000, LENGTH_MAX = 64 };
  self->client->config.hurry = 100000;
  client_start(self->client);
  fake_broker_expect_connect(self->broker);
  unsigned files = count_files();
  fake_broker_hang_up(self->broker);
  for (unsigned i = 0; i < COUNT; i++) {
    uint8_t bytes[LENGTH_MAX];
    size_t length = (size_t)g_test_rand_int_range(1, LENGTH_MAX);
    for (size_t j = 0; j < length; j++)
      bytes[j] = (uint8_t)g_test_rand_int_range(0, 256);
    /* half of them with a true length, so that the rest is looked at */
    if (i % 2 && length > 1)
      bytes[1] = (uint8_t)(length - 2);
    bool v5 = fake_broker_expect_connect(self->broker) == 5;
    if (i % 4 > 1)
      fake_broker_send(self->broker, v5 ? ACCEPTED_5 : ACCEPTED_3_1_1);
    fake_broker_send_bytes(self->broker, bytes, length);
    fake_broker_hang_up(self->broker);
    g_main_context_iteration(NULL, FALSE);
  }
  fake_broker_expect_connect(self->broker);
  g_assert_cmpuint(count_files(), ==, files);
}

/* One that no version knows.  In libmosquitto 2.0 it fails an assertion. */
static void
test_unknown_property(Fixture *self, const void *when) {
  client_start(self->client);
  if (when)
    connect_with(self, ACCEPTED_5);
  else
    fake_broker_expect_connect(self->broker);
  fake_broker_send(self->broker, when ? "30 06 00 01 61 02 7f 00" : "20 05 00 00 02 7f 00");
  g_assert_true(client_wait_problem(self->client, PL_MQTT_MALFORMED));
  int64_t begin = g_get_monotonic_time();
  fake_broker_expect_connect(self->broker);
  g_assert_cmpint(g_get_monotonic_time() - begin, >, 2500000); /* 300 s, in a hurry */
}

/* 256 MB, as the length says, at the half of what a gigabit network carries. */
static void
stream_forever(Fixture *self) {
  static const uint8_t nothing[65536];
  fake_broker_send(self->broker, "30 ff ff ff 7f");
  for (unsigned i = 0; i < 4096; i++) {
    if (!fake_broker_send_bytes(self->broker, nothing, sizeof nothing))
      return;
    g_usleep(1000);
  }
}

static void
test_oversized(Fixture *self, const void *data) {
  if (!memory_counts()) {
    g_test_skip("memory says nothing here");
    return;
  }
  client_start(self->client);
  connect_with(self, ACCEPTED_5);
  long before = resident_kib();
  resident_peak_reset();
  stream_forever(self);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_OVERSIZED));
  g_test_message("%ld KiB more", resident_peak_kib() - before);
  g_assert_cmpint(resident_peak_kib() - before, <, 8 * 1024);
  fake_broker_expect_connect(self->broker); /* after 300 s, in a hurry */
}

/* As with LimitDATA= in the service. */
static void
test_oversized_with_limit(Fixture *self, const void *data) {
  struct rlimit before, limited;
  if (!memory_counts()) {
    g_test_skip("memory says nothing here");
    return;
  }
  client_start(self->client);
  connect_with(self, ACCEPTED_5);
  g_assert_cmpint(getrlimit(RLIMIT_DATA, &before), ==, 0);
  limited = (struct rlimit){.rlim_cur = 96 * 1024 * 1024, .rlim_max = before.rlim_max};
  g_assert_cmpint(setrlimit(RLIMIT_DATA, &limited), ==, 0);
  fake_broker_send(self->broker, "30 ff ff ff 7f 00");
  bool told = client_wait_problem(self->client, PL_MQTT_OVERSIZED);
  g_assert_cmpint(setrlimit(RLIMIT_DATA, &before), ==, 0);
  g_assert_true(told);
  g_assert_nonnull(strstr(self->client->text, "no memory"));
}

static void
test_flood(Fixture *self, const void *data) {
  enum { CHUNK = 65536, COUNT = 128 };
  g_autofree uint8_t *answers_to_nothing = g_malloc(CHUNK);
  for (unsigned i = 0; i < CHUNK; i += 2) {
    answers_to_nothing[i] = 0xd0;
    answers_to_nothing[i + 1] = 0;
  }
  client_start(self->client);
  connect_with(self, ACCEPTED_5);
  for (unsigned i = 0; i < COUNT; i++)
    fake_broker_send_bytes(self->broker, answers_to_nothing, CHUNK);
  g_assert_true(client_wait_problem(self->client, PL_MQTT_OVERSIZED));
}

static void
add(const char *name, void (*test)(Fixture *, const void *), const void *data) {
  g_autofree char *path = g_strconcat("/edge/mqtt-answers/", name, NULL);
  g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  g_test_init(&argc, &argv, NULL);
  add("connect-packet", test_connect_packet, NULL);
  add("fall-back", test_fall_back, "20 02 00 01");
  add("fall-back-5", test_fall_back, "20 03 00 84 00");
  add("fall-back-after-silence", test_fall_back_after_silence, NULL);
  add("no-fall-back", test_no_fall_back, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
    g_autofree char *name = g_strconcat("refusal/", refusals[i].name, NULL);
    add(name, test_refusal, &refusals[i]);
  }
  add("no-answer", test_no_answer, NULL);
  add("taken-over", test_taken_over, NULL);
  add("receive-maximum", test_receive_maximum, NULL);
  add("maximum-qos", test_maximum_qos, NULL);
  add("maximum-packet-size", test_maximum_packet_size, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(answers); i++) {
    g_autofree char *name = g_strconcat("answer/", answers[i].name, NULL);
    add(name, test_answer, &answers[i]);
  }
  add("unacknowledged", test_unacknowledged, NULL);
  add("nonsense", test_nonsense, NULL);
  add("random-nonsense", test_random_nonsense, NULL);
  add("unknown-property/at-first", test_unknown_property, NULL);
  add("unknown-property/later", test_unknown_property, "later");
  add("oversized", test_oversized, NULL);
  add("oversized-with-limit", test_oversized_with_limit, NULL);
  add("flood", test_flood, NULL);
  return g_test_run();
}
