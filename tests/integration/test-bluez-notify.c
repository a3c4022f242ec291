/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <string.h>
#include <sys/resource.h>

/* Notifications, by signals and by sockets. */

static const uint8_t packet[] = {0x10, 0x00, 0x00, 0xff, 0x00};

static unsigned
count_descriptors(void) {
  g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
  unsigned count = 0;
  while (g_dir_read_name(dir))
    count++;
  return count;
}

static void
expect_packet(Bench *bench, const void *bytes, size_t length) {
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_NOTIFICATION);
  g_assert_cmpint(event->sensor, ==, 0);
  g_assert_true(pl_uuid_equal(&event->uuid, &heart_rate_uuid));
  g_assert_cmpmem(event->data, event->length, bytes, length);
}

static bool
acquired(Bench *bench) {
  return fake_bluez_get_bool(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC,
                             "NotifyAcquired");
}

static bool
is_released(Bench *bench, const void *argument) {
  return !acquired(bench);
}

/* -- signals --------------------------------------------------------------------------- */

static void
test_start(Bench *bench, gconstpointer data) {
  static const uint8_t longest[514] = {1}, too_long[515] = {1};

  bench_connect(bench, 1);
  bench_subscribe(bench, false);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "AcquireNotify"), ==, 0);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  fake_bluez_notify(bench->fake, bench->heart_rate, "", 0);
  fake_bluez_notify(bench->fake, bench->heart_rate, longest, sizeof longest);
  fake_bluez_notify(bench->fake, bench->heart_rate, too_long, sizeof too_long);
  expect_packet(bench, packet, sizeof packet);
  expect_packet(bench, packet, sizeof packet);
  expect_packet(bench, "", 0);
  expect_packet(bench, longest, sizeof longest);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_DROPPED)->count, ==, 1);

  bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
  bench_until_called(bench, "StopNotify", 1);
  fake_bluez_change(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC,
                    bench_dict("Value", bench_bytes(packet, sizeof packet)));
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_NOTIFICATION), ==, 4);
}

/* Values of a characteristic that we did not subscribe to are somebody else's. */
static void
test_not_ours(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_change(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC,
                    bench_dict("Value", bench_bytes(packet, sizeof packet)));
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_NOTIFICATION), ==, 0);
}

typedef struct {
  FakeAnswer answer;
  PlFailure failure;
} NotifyCase;

static const NotifyCase start_cases[] = {
    {{.error = "NotPermitted", .text = "Notify acquired"}, PL_FAILURE_NOT_PERMITTED},
    {{.error = "NotPermitted", .text = "Not paired"}, PL_FAILURE_AUTHENTICATION},
    {{.error = "NotSupported"}, PL_FAILURE_NOT_SUPPORTED},
    {{.error = "NotConnected"}, PL_FAILURE_ABORTED},
    {{.error = "Failed", .text = "Not connected"}, PL_FAILURE_ABORTED},
    {{.error = "Failed", .text = "Operation failed with ATT error: 0x80"}, PL_FAILURE_OTHER},
    {{.error = "org.freedesktop.DBus.Error.UnknownObject"}, PL_FAILURE_UNKNOWN_OBJECT},
    {{.silent = true}, PL_FAILURE_TIMEOUT},
};

static void
test_start_errors(Bench *bench, gconstpointer data) {
  bench_connect(bench, 10);
  for (size_t i = 0; i < G_N_ELEMENTS(start_cases); i++) {
    fake_bluez_script(bench->fake, "StartNotify", start_cases[i].answer);
    bench->link->subscribe(bench->link, 0, &heart_rate_uuid, false);
    const PlLinkEvent *event = bench_expect(bench, PL_LINK_SUBSCRIBED);
    g_assert_false(event->ok);
    g_assert_cmpstr(pl_failure_name(event->failure), ==,
                    pl_failure_name(start_cases[i].failure));
  }
  bench->link->subscribe(bench->link, 0, &(PlUuid)PL_UUID16(0x2a53), false);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SUBSCRIBED);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_UNKNOWN_OBJECT);
}

/* After a new link BlueZ 5.66 notifies by itself and may say InProgress. */
static void
test_in_progress(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_subscribe(bench, false);
  fake_bluez_drop(bench->fake, bench->strap);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  bench->link->connect(bench->link, 0, 0, 8);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_true(fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet));
  bench_settle(bench);
  fake_bluez_script(bench->fake, "StartNotify",
                    (FakeAnswer){.error = "InProgress", .text = "In Progress"});
  bench_subscribe(bench, false);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  bench_wait(bench, PL_LINK_NOTIFICATION);
  g_assert_cmpuint(bench_count(bench, PL_LINK_NOTIFICATION), ==, 1);
}

/* Between the call and its answer. */
static void
test_early(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "StartNotify", (FakeAnswer){.delay_ms = 20});
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, false);
  bench_until_called(bench, "StartNotify", 1);
  fake_bluez_change(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC,
                    bench_dict("Value", bench_bytes(packet, sizeof packet)));
  expect_packet(bench, packet, sizeof packet);
  bench_expect(bench, PL_LINK_SUBSCRIBED);
}

/* -- sockets --------------------------------------------------------------------------- */

static void
test_acquire(Bench *bench, gconstpointer data) {
  uint8_t huge[2000] = {0};

  bench_connect(bench, 1);
  unsigned descriptors = count_descriptors();
  bench_subscribe(bench, true);
  g_assert_true(acquired(bench));
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StartNotify"), ==, 0);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  fake_bluez_notify(bench->fake, bench->heart_rate, "", 0); /* no end, as it might seem */
  fake_bluez_notify(bench->fake, bench->heart_rate, huge, sizeof huge);
  fake_bluez_notify(bench->fake, bench->heart_rate, huge, 515);
  fake_bluez_notify(bench->fake, bench->heart_rate, packet, 3);
  expect_packet(bench, packet, sizeof packet);
  expect_packet(bench, "", 0);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_DROPPED)->count, ==, 1);
  g_assert_cmpuint(bench_expect(bench, PL_LINK_DROPPED)->count, ==, 1);
  expect_packet(bench, packet, 3);
  g_assert_true(acquired(bench));

  /* Both copies of our end are closed, so that BlueZ sees it; never by StopNotify. */
  bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
  bench_until(bench, is_released, NULL);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopNotify"), ==, 0);
  g_assert_cmpuint(count_descriptors(), ==, descriptors);
}

/* What is in the socket when the link breaks comes before the news that it did. */
static void
test_acquire_end(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  unsigned descriptors = count_descriptors();
  bench_subscribe(bench, true);
  for (uint8_t i = 0; i < 94; i++)
    g_assert_true(fake_bluez_notify(bench->fake, bench->heart_rate, &i, i % 10 == 4 ? 0 : 1));
  fake_bluez_drop(bench->fake, bench->strap);
  for (uint8_t i = 0; i < 94; i++)
    expect_packet(bench, &i, i % 10 == 4 ? 0 : 1);
  bench_expect(bench, PL_LINK_DISCONNECTED);
  g_assert_cmpuint(count_descriptors(), ==, descriptors);
}

static void
sleep_once(const PlLinkEvent *event, void *data) {
  bool *slept = data;
  if (event->type == PL_LINK_NOTIFICATION && !*slept)
    g_usleep(100000);
  *slept |= event->type == PL_LINK_NOTIFICATION;
}

/* The news is there before the socket has been read to its end. */
static void
test_acquire_end_first(Bench *bench, gconstpointer data) {
  bool slept = false;

  bench_connect(bench, 1);
  bench_subscribe(bench, true);
  bench->hook = sleep_once;
  bench->hook_data = &slept;
  for (uint8_t i = 0; i < 200; i++)
    g_assert_true(fake_bluez_notify(bench->fake, bench->heart_rate, &i, 1));
  fake_bluez_drop(bench->fake, bench->strap);
  for (uint8_t i = 0; i < 200; i++)
    expect_packet(bench, &i, 1);
  bench_expect(bench, PL_LINK_DISCONNECTED);
}

/* The end of the socket alone is no end of the link. */
static void
test_acquire_closed(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_subscribe(bench, true);
  g_assert_true(fake_bluez_notify(bench->fake, bench->heart_rate, "", 0));
  g_assert_true(fake_bluez_notify(bench->fake, bench->heart_rate, packet, 2));
  fake_bluez_close_socket(bench->fake, bench->heart_rate);
  expect_packet(bench, "", 0);
  expect_packet(bench, packet, 2);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_DISCONNECTED), ==, 0);
  bench_subscribe(bench, true);
}

static void
test_acquire_refused(Bench *bench, gconstpointer data) {
  static const FakeAnswer refusals[] = {
      {.error = "NotPermitted", .text = "Notify acquired"},
      {.error = "NotSupported"},
      {.error = "InProgress"},
      {.error = "org.freedesktop.DBus.Error.UnknownMethod"},
  };
  bench_connect(bench, 1);
  for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
    fake_bluez_script(bench->fake, "AcquireNotify", refusals[i]);
    bench_subscribe(bench, true);
    fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
    expect_packet(bench, packet, sizeof packet);
    bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
    bench_until_called(bench, "StopNotify", (unsigned)i + 1);
  }
  /* Both ways are taken by somebody else. */
  fake_bluez_script(bench->fake, "AcquireNotify", refusals[0]);
  fake_bluez_script(bench->fake, "StartNotify", refusals[0]);
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, true);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SUBSCRIBED);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_NOT_PERMITTED);
}

/* It never answers: told after 10 s, and from then on this sensor gets StartNotify. */
static void
test_acquire_silent(Bench *bench, gconstpointer data) {
  bench_connect(bench, 10);
  fake_bluez_script(bench->fake, "AcquireNotify", (FakeAnswer){.silent = true});
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, true);
  const PlLinkEvent *event = bench_expect(bench, PL_LINK_SUBSCRIBED);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_TIMEOUT);
  fake_bluez_drop(bench->fake, bench->strap);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  bench->link->connect(bench->link, 0, 0, 8);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench_subscribe(bench, true);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "AcquireNotify"), ==, 1);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopNotify"), ==, 0);
}

/* The link ends first; the silence is remembered all the same. */
static void
test_acquire_silent_dropped(Bench *bench, gconstpointer data) {
  bench_connect(bench, 10);
  fake_bluez_script(bench->fake, "AcquireNotify", (FakeAnswer){.silent = true});
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, true);
  bench_until_called(bench, "AcquireNotify", 1);
  fake_bluez_drop(bench->fake, bench->strap);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  bench->link->scan(bench->link, 0, true); /* anything that takes its 10 s, too */
  bench_wait(bench, PL_LINK_SCAN);
  fake_bluez_script(bench->fake, "Set", (FakeAnswer){.silent = true});
  bench->link->scan(bench->link, 0, false);
  bench->link->power(bench->link, 0, true);
  g_assert_false(bench_wait(bench, PL_LINK_ADAPTER)->ok);
  bench->link->connect(bench->link, 0, 0, 8);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench_subscribe(bench, true);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "AcquireNotify"), ==, 1);
}

static void
test_acquire_garbage(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "AcquireNotify", (FakeAnswer){.garbage = true});
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, true);
  g_assert_cmpint(bench_expect(bench, PL_LINK_SUBSCRIBED)->failure, ==, PL_FAILURE_OTHER);
}

/* An answer that nobody waits for any more: its socket is closed. */
static void
test_acquire_late(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "AcquireNotify", (FakeAnswer){.delay_ms = 20});
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, true);
  bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
  bench_until_called(bench, "AcquireNotify", 1);
  bench_until_answered(bench);
  bench_until(bench, is_released, NULL);
  g_assert_cmpuint(bench_count(bench, PL_LINK_SUBSCRIBED), ==, 0);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StopNotify"), ==, 0);
}

/* BlueZ notices the closed end a moment later, and refuses until then. */
static void
test_acquire_again(Bench *bench, gconstpointer data) {
  fake_bluez_set_times(bench->fake, (FakeTimes){.hang_up_ms = 30});
  bench_connect(bench, 1);
  bench_subscribe(bench, true);
  bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
  bench_subscribe(bench, true);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "AcquireNotify"), ==, 2);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StartNotify"), ==, 0);
  bench->link->unsubscribe(bench->link, 0, &heart_rate_uuid);
  bench_subscribe(bench, false);
  g_assert_false(acquired(bench));
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "StartNotify"), ==, 1);
}

/* The handler may end the subscription at any packet. */
static void
unsubscribe_at_once(const PlLinkEvent *event, void *data) {
  PlLink *link = data;
  if (event->type == PL_LINK_NOTIFICATION)
    link->unsubscribe(link, event->sensor, &event->uuid);
}

static void
test_unsubscribe_inside(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  for (int acquire = 0; acquire < 2; acquire++) {
    bench->hook = NULL;
    bench_subscribe(bench, acquire);
    bench->hook = unsubscribe_at_once;
    bench->hook_data = bench->link;
    for (int i = 0; i < 10; i++)
      fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
    bench_wait(bench, PL_LINK_NOTIFICATION);
    bench_settle(bench);
  }
  g_assert_cmpuint(bench_count(bench, PL_LINK_NOTIFICATION), ==, 2);
}

/* A characteristic that can only indicate has no socket. */
static void
test_indication(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  g_autofree char *pod = fake_bluez_add_device(bench->fake, HCI0, POD, "public");
  fake_bluez_give(bench->fake, pod, 0x31, HEART_RATE, "indicate");
  bench_settle(bench);
  bench->link->connect(bench->link, 1, 0, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench->link->subscribe(bench->link, 1, &heart_rate_uuid, true);
  g_assert_true(bench_wait(bench, PL_LINK_SUBSCRIBED)->ok);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "AcquireNotify"), ==, 0);
}

/* -- much ------------------------------------------------------------------------------ */

enum { FLOOD = 5000 }; /* 2000 a second by signals */

typedef struct {
  Bench *bench;
  unsigned sent;
  unsigned refused;
} Flood;

static gboolean
send_burst(gpointer data) {
  Flood *flood = data;
  for (int i = 0; i < 20; i++) {
    uint8_t value[20];
    memset(value, 0, sizeof value);
    memcpy(value, &flood->sent, sizeof flood->sent);
    if (fake_bluez_notify(flood->bench->fake, flood->bench->heart_rate, value, sizeof value))
      flood->sent++;
    else
      flood->refused++;
  }
  return flood->sent < FLOOD;
}

/* Every one arrives, in order. */
static void
flood(Bench *bench, bool acquire) {
  Flood state = {.bench = bench};

  bench_connect(bench, 1);
  bench_subscribe(bench, acquire);
  g_autoptr(GTimer) timer = g_timer_new();
  g_timeout_add(acquire ? 1 : 10, send_burst, &state);
  for (unsigned i = 0; i < FLOOD; i++) {
    unsigned number;
    const PlLinkEvent *event = bench_wait(bench, PL_LINK_NOTIFICATION);
    memcpy(&number, event->data, sizeof number);
    g_assert_cmpuint(number, ==, i);
  }
  g_test_message("%d in %.2f s, %u refused", FLOOD, g_timer_elapsed(timer, NULL),
                 state.refused);
}

static void
test_flood_signals(Bench *bench, gconstpointer data) {
  flood(bench, false);
}

static void
test_flood_socket(Bench *bench, gconstpointer data) {
  flood(bench, true);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/start", test_start);
  BENCH_TEST("/edge/bluez/start-not-ours", test_not_ours);
  BENCH_TEST("/edge/bluez/start-errors", test_start_errors);
  BENCH_TEST("/edge/bluez/start-in-progress", test_in_progress);
  BENCH_TEST("/edge/bluez/start-early", test_early);
  BENCH_TEST("/edge/bluez/acquire", test_acquire);
  BENCH_TEST("/edge/bluez/acquire-end", test_acquire_end);
  BENCH_TEST("/edge/bluez/acquire-end-first", test_acquire_end_first);
  BENCH_TEST("/edge/bluez/acquire-closed", test_acquire_closed);
  BENCH_TEST("/edge/bluez/acquire-refused", test_acquire_refused);
  BENCH_TEST("/edge/bluez/acquire-silent", test_acquire_silent);
  BENCH_TEST("/edge/bluez/acquire-silent-dropped", test_acquire_silent_dropped);
  BENCH_TEST("/edge/bluez/acquire-garbage", test_acquire_garbage);
  BENCH_TEST("/edge/bluez/acquire-late", test_acquire_late);
  BENCH_TEST("/edge/bluez/acquire-again", test_acquire_again);
  BENCH_TEST("/edge/bluez/unsubscribe-inside", test_unsubscribe_inside);
  BENCH_TEST("/edge/bluez/indication", test_indication);
  BENCH_TEST("/edge/bluez/flood-signals", test_flood_signals);
  BENCH_TEST("/edge/bluez/flood-socket", test_flood_socket);
  return g_test_run();
}
