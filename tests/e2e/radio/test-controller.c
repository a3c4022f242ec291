/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <string.h>

#include "tests/e2e/radio/control.h"
#include "tests/e2e/radio/packet.h"

#define SECOND INT64_C(1000000)

/* A host that keeps what the controller says. */
typedef struct {
  RadioController *controller;
  RadioControl control;
  RadioJournal *journal;
  GPtrArray *packets; /* of GBytes */
  int64_t now;
} Host;

static void
keep_packet(void *user, const uint8_t *packet, size_t length) {
  g_ptr_array_add(((Host *)user)->packets, g_bytes_new(packet, length));
}

static void
obey(Host *host, const char *line) {
  g_autoptr(GString) reply = g_string_new(NULL);
  radio_control_obey(&host->control, line, host->now, reply);
  g_assert_cmpstr(reply->str, ==, "ok");
}

static void
set_up(Host *host, const void *unused) {
  static const uint8_t address[6] = {0, 0xaa, 1, 0, 0, 0x42};
  (void)unused;
  host->now = 100 * SECOND;
  host->journal = radio_journal_new(NULL);
  host->packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  host->controller = radio_controller_new(address, keep_packet, host, host->journal);
  host->control.controller = host->controller;
  host->control.journal = host->journal;
  radio_control_init(&host->control);
  obey(host, "sensor strap heart-rate A0:00:00:00:00:01 bpm=150");
  obey(host, "sensor pod footpod A0:00:00:00:00:02");
}

static void
tear_down(Host *host, const void *unused) {
  (void)unused;
  radio_control_clear(&host->control);
  radio_controller_free(host->controller);
  radio_journal_free(host->journal);
  g_ptr_array_unref(host->packets);
}

static void
run_for(Host *host, int64_t us) {
  int64_t end = host->now + us;
  while (host->now < end) {
    int64_t next = radio_control_run(&host->control, host->now);
    next = MIN(next, radio_controller_run(host->controller, host->now));
    host->now = MIN(end, MAX(next, host->now + 1));
  }
}

static void
send_packet(Host *host, const uint8_t *packet, size_t length) {
  g_autofree uint8_t *exact = g_memdup2(packet, length);
  radio_controller_receive(host->controller, exact, length, host->now);
}

#define SEND(host, ...)                                                                        \
  send_packet(host, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The packets that begin with these bytes. */
static unsigned
count(const Host *host, const char *prefix, size_t length) {
  unsigned n = 0;
  for (guint i = 0; i < host->packets->len; i++) {
    size_t size;
    const uint8_t *data = g_bytes_get_data(g_ptr_array_index(host->packets, i), &size);
    n += size >= length && memcmp(data, prefix, length) == 0;
  }
  return n;
}

static const uint8_t *
last_packet(const Host *host, size_t *size) {
  g_assert_cmpuint(host->packets->len, >, 0);
  return g_bytes_get_data(g_ptr_array_index(host->packets, host->packets->len - 1), size);
}

static void
assert_last(const Host *host, const char *expected, size_t length) {
  size_t size;
  const uint8_t *data = last_packet(host, &size);
  g_assert_cmpmem(data, size, expected, length);
}

/* Active scan, all duplicates. */
static void
start_scan(Host *host) {
  SEND(host, 1, 0x0b, 0x20, 7, 1, 0x60, 0, 0x60, 0, 0, 0);
  SEND(host, 1, 0x0c, 0x20, 2, 1, 0);
}

static void
connect_to(Host *host, uint8_t last) {
  SEND(host, 1, 0x0d, 0x20, 25, 0x60, 0, 0x60, 0, 0, 0, last, 0, 0, 0, 0, 0xa0, 0, 0x18, 0,
       0x28, 0, 0, 0, 0x2a, 0, 0, 0, 0, 0);
  run_for(host, SECOND / 5);
}

static void
test_scan(Host *host, const void *unused) {
  (void)unused;
  run_for(host, SECOND);
  g_assert_cmpuint(host->packets->len, ==, 0);
  start_scan(host);
  run_for(host, SECOND);
  /* every 100 to 110 ms, two sensors, each with a scan response */
  g_assert_cmpuint(count(host, "\x04\x3e", 2), >=, 4 * 8);
  g_assert_cmpuint(count(host, "\x04\x3e", 2), <=, 4 * 11);
  SEND(host, 1, 0x0c, 0x20, 2, 0, 0);
  SEND(host, 1, 0x0c, 0x20, 2, 1, 1); /* once more, each sensor only once */
  g_ptr_array_set_size(host->packets, 0);
  run_for(host, SECOND);
  g_assert_cmpuint(host->packets->len, ==, 4);
}

static void
test_connect_and_drop(Host *host, const void *unused) {
  (void)unused;
  connect_to(host, 1);
  g_assert_cmpuint(count(host, "\x04\x0f\x04\x00\x01\x0d\x20", 7), ==, 1);
  assert_last(host,
              "\x04\x3e\x13\x01\x00\x10\x00\x00\x00\x01\x00\x00\x00\x00\xa0\x28\x00\x00\x00"
              "\x2a\x00\x00",
              22);
  g_assert_cmpuint(radio_controller_links(host->controller), ==, 1);
  obey(host, "drop strap 0x08");
  assert_last(host, "\x04\x05\x04\x00\x10\x00\x08", 7);
  connect_to(host, 1);
  SEND(host, 1, 0x06, 0x04, 3, 0x11, 0, 0x13); /* the host ends the next link */
  assert_last(host, "\x04\x05\x04\x00\x11\x00\x16", 7);
}

static void
test_accept_list(Host *host, const void *unused) {
  (void)unused;
  SEND(host, 1, 0x11, 0x20, 7, 0, 2, 0, 0, 0, 0, 0xa0);
  SEND(host, 1, 0x0d, 0x20, 25, 0x60, 0, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 0, 0x28, 0,
       0, 0, 0x2a, 0, 0, 0, 0, 0);
  run_for(host, SECOND / 5);
  g_assert_false(radio_controller_find(host->controller, "strap")->link.up);
  g_assert_true(radio_controller_find(host->controller, "pod")->link.up);
}

static void
test_cancel(Host *host, const void *unused) {
  (void)unused;
  obey(host, "ghost strap on");
  connect_to(host, 1);
  g_assert_cmpuint(radio_controller_links(host->controller), ==, 0);
  SEND(host, 1, 0x0e, 0x20, 0);
  size_t size;
  const uint8_t *last = last_packet(host, &size);
  g_assert_cmpmem(last, 5, "\x04\x3e\x13\x01\x02", 5);
  SEND(host, 1, 0x0e, 0x20, 0);
  assert_last(host, "\x04\x0e\x04\x01\x0e\x20\x0c", 7);
}

static void
test_link_limit(Host *host, const void *unused) {
  (void)unused;
  obey(host, "links 1 0x09");
  connect_to(host, 1);
  connect_to(host, 2);
  g_assert_cmpuint(count(host, "\x04\x0f\x04\x09\x01\x0d\x20", 7), ==, 1);
  g_assert_cmpuint(radio_controller_links(host->controller), ==, 1);
}

static void
subscribe(Host *host) {
  /* A write of the heart rate's client configuration, split over two packets. */
  SEND(host, 2, 0x10, 0x00, 6, 0, 5, 0, 4, 0, 0x12, 0x0d);
  SEND(host, 2, 0x10, 0x10, 3, 0, 0x00, 0x01, 0x00);
  assert_last(host, "\x02\x10\x20\x05\x00\x01\x00\x04\x00\x13", 10);
}

static void
test_notifications(Host *host, const void *unused) {
  (void)unused;
  connect_to(host, 1);
  subscribe(host);
  g_assert_cmpuint(count(host, "\x04\x13\x05\x01\x10\x00\x01\x00", 8), ==, 2);
  g_ptr_array_set_size(host->packets, 0);
  run_for(host, 10 * SECOND);
  /* 150 beats a minute, 0.4 s or 410/1024 s each */
  g_assert_cmpuint(count(host, "\x02\x10\x20", 3), ==, 10);
  g_assert_cmpuint(
      count(host, "\x02\x10\x20\x0d\x00\x09\x00\x04\x00\x1b\x0c\x00\x10\x96\x9a\x01", 16), ==,
      5);
  obey(host, "silent strap");
  g_ptr_array_set_size(host->packets, 0);
  run_for(host, 3 * SECOND);
  g_assert_cmpuint(host->packets->len, ==, 0);
}

static void
test_out_of_range(Host *host, const void *unused) {
  (void)unused;
  connect_to(host, 1);
  subscribe(host);
  obey(host, "range strap out");
  g_ptr_array_set_size(host->packets, 0);
  run_for(host, SECOND * 41 / 100);
  g_assert_cmpuint(host->packets->len, ==, 0);
  run_for(host, SECOND / 50);
  assert_last(host, "\x04\x05\x04\x00\x10\x00\x08", 7);
}

static void
test_short_absence(Host *host, const void *unused) {
  (void)unused;
  connect_to(host, 1);
  subscribe(host);
  run_for(host, SECOND - SECOND / 5 - SECOND / 5); /* the next value falls into the absence */
  obey(host, "range strap out");
  g_ptr_array_set_size(host->packets, 0);
  run_for(host, SECOND * 2 / 5);
  g_assert_cmpuint(count(host, "\x02", 1), ==, 0);
  obey(host, "range strap in");
  run_for(host, 1);
  g_assert_cmpuint(count(host, "\x02\x10\x20", 3), ==, 1); /* the link layer repeated it */
}

static void
test_schedule(Host *host, const void *unused) {
  (void)unused;
  connect_to(host, 1);
  obey(host, "at 2.5 drop strap");
  run_for(host, SECOND * 249 / 100);
  g_assert_cmpuint(radio_controller_links(host->controller), ==, 1);
  run_for(host, SECOND / 50);
  g_assert_cmpuint(radio_controller_links(host->controller), ==, 0);
}

static void
test_bad_commands(Host *host, const void *unused) {
  static const char *const lines[] = {
      "nonsense",
      "drop",
      "drop nobody",
      "drop strap 300",
      "set strap x=1",
      "set strap bpm=",
      "sensor UPPER x y",
      "sensor a nokind A0:00:00:00:00:09",
      "sensor strap heart-rate A0:00:00:00:00:09",
      "sensor b heart-rate A0:00:00:00:00",
      "range strap away",
      "walk strap 2 3",
      "flood strap 0 1",
      "notify strap 2a37 1",
      "at x drop strap",
      "gatt strap grow",
      "garbage strap 1 zz",
      "links many",
      "unterminated 'quote",
  };
  (void)unused;
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_autoptr(GString) reply = g_string_new(NULL);
    radio_control_obey(&host->control, lines[i], host->now, reply);
    g_assert_true(g_str_has_prefix(reply->str, "error: "));
  }
}

/* Whatever the host sends, the controller lives and only complete packets come out. */
static void
test_any_bytes(Host *host, const void *unused) {
  static const uint8_t types[] = {1, 2, 2, 2, 4};
  (void)unused;
  connect_to(host, 1);
  g_autoptr(GRand) random = g_rand_new_with_seed(11);
  for (int n = 0; n < 30000; n++) {
    uint8_t packet[40];
    size_t length = (size_t)g_rand_int_range(random, 0, sizeof packet + 1);
    for (size_t i = 0; i < length; i++)
      packet[i] = (uint8_t)g_rand_int_range(random, 0, i < 8 && n % 2 ? 0x20 : 256);
    if (length > 4 && n % 4 < 3) { /* mostly well-formed on the outside */
      packet[0] = types[g_rand_int_range(random, 0, G_N_ELEMENTS(types))];
      packet[2] = packet[0] == 2 ? 0 : (uint8_t)(0x20 - 16 * (n % 3));
      packet[1] = packet[0] == 2 ? 0x10 : packet[1];
      packet[3] = (uint8_t)(length - (packet[0] == 2 ? 5 : 4));
      packet[4] = packet[0] == 2 ? 0 : packet[4];
    }
    send_packet(host, packet, length);
    g_ptr_array_set_size(host->packets, 0);
  }
  run_for(host, SECOND);
}

int
main(int argc, char **argv) {
  static const struct {
    const char *path;
    void (*run)(Host *host, const void *unused);
  } tests[] = {
      {"/radio/controller/scan", test_scan},
      {"/radio/controller/connect-and-drop", test_connect_and_drop},
      {"/radio/controller/accept-list", test_accept_list},
      {"/radio/controller/cancel", test_cancel},
      {"/radio/controller/link-limit", test_link_limit},
      {"/radio/controller/notifications", test_notifications},
      {"/radio/controller/out-of-range", test_out_of_range},
      {"/radio/controller/short-absence", test_short_absence},
      {"/radio/controller/schedule", test_schedule},
      {"/radio/controller/bad-commands", test_bad_commands},
      {"/radio/controller/any-bytes", test_any_bytes},
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].path, Host, NULL, set_up, tests[i].run, tear_down);
  return g_test_run();
}
