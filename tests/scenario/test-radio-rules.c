/* SPDX-License-Identifier: Apache-2.0 */

/* The fine print of the rules at the top of radio.c: order, delays, and when to listen. */
#include "tests/fakes/fake-link.h"

#include <math.h>

static void
assert_between(double value, double low, double high) {
  g_assert_cmpfloat(value, >=, low);
  g_assert_cmpfloat(value, <=, high);
}

static Fake *
advertising(size_t count) {
  Fake *fake = fake_new(count);
  for (size_t i = 0; i < count; i++)
    fake->sensors[i].advertises = true;
  return fake;
}

/* Runs in small steps until the adapter scans or not, as wished. */
static void
wait_for_scan(Fake *fake, bool scanning) {
  for (int i = 0; i < 6000 && fake->adapters[0].scanning != scanning; i++)
    fake_run(fake, 0.01);
  g_assert_true(fake->adapters[0].scanning == scanning);
}

/* -- who is next -----------------------------------------------------------------------------
 */

static void
hear(Fake *fake, int sensor) {
  PlLinkEvent event = {.type = PL_LINK_ADVERTISEMENT, .sensor = sensor, .rssi_dbm = -60};
  fake->sensors[sensor].heard = fake_now(fake);
  fake_event(fake, &event);
}

/* One slot, taken by the third sensor while the first, which has failed twice, waits for it and
 * the second comes by at the end.  The sensor that gets the slot: */
static int
first_after(double waiting) {
  g_autoptr(Fake) fake = fake_new(3);
  fake->options.max_links = 1;
  fake->sensors[0].connect =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_OTHER, .times = 2, .after = 0.1};
  fake_start(fake);
  fake_advertise(fake, 0, true);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 30));
  fake_advertise(fake, 2, true);
  g_assert_true(fake_wait(fake, 2, PL_LINK_STATE_STREAMING, 30));
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_SEEN, 30));
  fake_advertise(fake, 2, false);
  fake_run(fake, waiting);
  hear(fake, 0);
  hear(fake, 1);
  double t = fake_now(fake);
  fake_drop(fake, 2);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, PL_NO_SENSOR, 4, 1));
  return fake_count(fake, FAKE_CONNECT, 0, t) > 0 ? 0 : 1;
}

/* Who has failed twice stands at the back of the queue, but not for ever. */
static void
test_patience(void) {
  g_assert_cmpint(first_after(20), ==, 1);
  g_assert_cmpint(first_after(50), ==, 0);
}

/* Of two that are heard at the same time the one that has been missing longer comes first. */
static void
test_longest_missing_first(void) {
  for (int longer = 0; longer < 2; longer++) {
    g_autoptr(Fake) fake = advertising(3);
    fake->sensors[2].connect.after = 2;
    fake_start(fake);
    g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
    fake_run(fake, 60);
    int order[] = {longer, 1 - longer, 2};
    for (int i = 0; i < 3; i++) {
      fake_advertise(fake, order[i], false);
      fake_drop(fake, order[i]);
      fake_run(fake, 20);
    }
    double t = fake_now(fake);
    /* The third holds the token while the others are heard. */
    fake_advertise(fake, 2, true);
    g_assert_true(fake_wait(fake, 2, PL_LINK_STATE_CONNECTING, 20));
    hear(fake, 0);
    hear(fake, 1);
    fake_run(fake, 10);
    g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, t), ==, 1);
    g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 1, t), ==, 1);
    g_assert_cmpfloat(fake_when(fake, FAKE_CONNECT, longer, 2), <,
                      fake_when(fake, FAKE_CONNECT, 1 - longer, 2));
  }
}

/* What was heard before a link says nothing after it. */
static void
test_heard_anew_after_a_link(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].connect.after = 0.2;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 1, 10));
  fake_run(fake, 0.3);
  fake_advertise(fake, 0, false);
  fake_drop(fake, 0);
  fake_run(fake, 60);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 1);
}

/* -- delays ----------------------------------------------------------------------------------
 */

static void
test_good_stream_wipes_the_slate(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].connect =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_OTHER, .times = 6, .after = 0.1};
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 200));
  fake_run(fake, 5);
  fake_drop(fake, 0); /* too soon: the table goes on */
  double t = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 8, 60));
  assert_between(fake_now(fake) - t, 24, 36 + 1);

  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 62);
  fake_drop(fake, 0);
  t = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 9, 60));
  g_assert_cmpfloat(fake_now(fake) - t, <=, 1); /* as soon as it is heard */
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 5);
  fake_drop(fake, 0);
  t = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 10, 60));
  assert_between(fake_now(fake) - t, 0.8, 1.2 + 1); /* the table from its beginning */
}

static void
test_connect_wants_pairing(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].connect =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_AUTHENTICATION, .after = 0.1};
  fake_start(fake);
  fake_run(fake, 1000);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 5);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_NEEDS_PAIRING);
}

/* Only three links in a row without services are a reason to remove the device. */
static void
test_unresolved_in_a_row(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].resolve_after = -1;
  fake_start(fake);
  for (unsigned round = 0; round < 2; round++) {
    g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 2 * (round + 1), 120));
    fake->sensors[0].resolve_after = 0.5;
    g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 120));
    fake_run(fake, 70);
    fake->sensors[0].resolve_after = -1;
    fake_drop(fake, 0);
  }
  g_assert_cmpuint(fake_count(fake, FAKE_REMOVE, 0, 0), ==, 0);
}

/* Aborts of near sensors mean nothing while few links are up. */
static void
test_aborts_with_few_links(void) {
  g_autoptr(Fake) fake = advertising(4);
  for (int i = 2; i < 4; i++)
    fake->sensors[i].connect =
        (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_ABORTED, .times = 8, .after = 0.1};
  fake_start(fake);
  while (fake_now(fake) < 20) {
    fake_run(fake, 0.1);
    g_assert_false(pl_radio_adapter(&fake->radio, 0)->slots_exhausted);
  }
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 1));
}

/* -- when to listen ---------------------------------------------------------------------------
 */

static void
test_drop_ends_the_pause(void) {
  g_autoptr(Fake) fake = fake_new(2); /* the second is absent: the hunt goes on */
  fake->sensors[0].advertises = true;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 60);
  wait_for_scan(fake, true);
  wait_for_scan(fake, false);
  double t = fake_now(fake);
  fake_drop(fake, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, t), ==, 1);
}

static void
test_run_ends_the_pause(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake_start(fake);
  fake_run(fake, 1200);
  wait_for_scan(fake, true);
  wait_for_scan(fake, false);
  fake_run(fake, 7);
  double t = fake_now(fake);
  pl_radio_set_run_active(&fake->radio, 0, true);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, t), ==, 1);
}

/* Without a free slot there is nobody to hunt for. */
static void
test_full_adapter_scans_little(void) {
  g_autoptr(Fake) fake = advertising(9);
  fake_start(fake);
  fake_run(fake, 60);
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->links, ==, 7);
  double scanned = fake_scanned(fake, 0);
  fake_run(fake, 300);
  assert_between(fake_scanned(fake, 0) - scanned, 0.1 * 300, 0.17 * 300);
}

/* An adapter that comes back begins with a hunt, however long it was away. */
static void
test_new_adapter_hunts(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->adapters[0].present = false;
  fake_start(fake);
  fake_run(fake, 3600);
  fake_adapter_appears(fake, 0);
  fake_run(fake, 300);
  assert_between(fake_scanned(fake, 0), 0.6 * 300, 0.67 * 300);
}

/* Somebody or something has ended our scan. */
static void
test_scan_ends_by_itself(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake_start(fake);
  fake_run(fake, 2);
  g_assert_true(fake->adapters[0].scanning);
  unsigned scans = fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 0);
  double t = fake_now(fake);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_SCAN, .sensor = PL_NO_SENSOR, .ok = true});
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_ON, PL_NO_SENSOR, scans + 1, 5));
  assert_between(fake_now(fake) - t, 0.99, 1.01);
}

/* An answer that comes after all: nobody wants that scan any more. */
static void
test_late_scan_is_stopped(void) {
  g_autoptr(Fake) fake = fake_new(0);
  fake_start(fake);
  fake_run(fake, 1);
  fake_event(fake,
             &(PlLinkEvent){
                 .type = PL_LINK_SCAN, .sensor = PL_NO_SENSOR, .ok = true, .scanning = true});
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_OFF, PL_NO_SENSOR, 0), ==, 1);
}

static void
test_start_never_answers(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].start = (FakeReply){.answer = FAKE_SILENCE, .times = 1, .after = 0.05};
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_OFF, PL_NO_SENSOR, 1, 20));
  assert_between(fake_now(fake), 14.7, 15.3);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
}

/* -- drivers ---------------------------------------------------------------------------------
 */

static PlStatus
stubborn_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  static const uint8_t data[PL_DRIVER_WRITE_MAX + 1];
  unsigned *refusals = state;
  if (event->type == PL_DRIVER_GONE) {
    sink->write(sink, 0, data, 1);
    sink->timer(sink, 0, 1000000);
  } else if (event->type == PL_DRIVER_READY) {
    sink->write(sink, 0, data, sizeof data);
  } else if (event->type == PL_DRIVER_WRITTEN && !event->ok) {
    ++*refusals;
  }
  return PL_OK;
}

/* Without a link nothing is written, and what can not be written is said to have failed. */
static void
test_stubborn_driver(void) {
  PlDriver stubborn = fake_imu;
  stubborn.handle = stubborn_handle;
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].drivers[0] = &stubborn;
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 5);
  g_assert_cmpuint(*(const unsigned *)fake->sessions[0].driver_state[0].bytes, ==, 1);
  fake_advertise(fake, 0, false);
  fake_drop(fake, 0);
  g_assert_cmpint(pl_radio_next_us(&fake->radio) - fake->now_us, !=, 1000000);
  fake_run(fake, 60);
  g_assert_cmpuint(fake_count(fake, FAKE_WRITE, 0, 0), ==, 0);
}

/* BlueZ tells of unchanged advertisements once in a scan: a sensor that was told of while it
 * was in back-off is looked for by another scan, not after the pause. */
static void
test_told_once_in_a_scan(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].told_once = true;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 30));
  for (int failures = 1; failures <= 4;
       failures++) { /* 1, 2, 4 and 8 s, a fifth more at most */
    fake_run(fake, 2);
    fake_drop(fake, 0);
    g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_BACKOFF, 5));
    double back_off = 1.2 * (1 << (failures - 1));
    g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, back_off + 5));
  }
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/R-139/patience", test_patience);
  g_test_add_func("/radio/R-139/longest-missing-first", test_longest_missing_first);
  g_test_add_func("/radio/R-131/heard-anew-after-a-link", test_heard_anew_after_a_link);
  g_test_add_func("/radio/R-138/good-stream", test_good_stream_wipes_the_slate);
  g_test_add_func("/radio/backoff/wants-pairing", test_connect_wants_pairing);
  g_test_add_func("/radio/R-135/in-a-row", test_unresolved_in_a_row);
  g_test_add_func("/radio/R-190/aborts-with-few-links", test_aborts_with_few_links);
  g_test_add_func("/radio/scan/drop-ends-the-pause", test_drop_ends_the_pause);
  g_test_add_func("/radio/scan/run-ends-the-pause", test_run_ends_the_pause);
  g_test_add_func("/radio/scan/full-adapter", test_full_adapter_scans_little);
  g_test_add_func("/radio/scan/new-adapter", test_new_adapter_hunts);
  g_test_add_func("/radio/scan/ends-by-itself", test_scan_ends_by_itself);
  g_test_add_func("/radio/scan/told-once", test_told_once_in_a_scan);
  g_test_add_func("/radio/scan/late", test_late_scan_is_stopped);
  g_test_add_func("/radio/scan/start-never-answers", test_start_never_answers);
  g_test_add_func("/radio/drivers/stubborn", test_stubborn_driver);
  return g_test_run();
}
