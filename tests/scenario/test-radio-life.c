/* SPDX-License-Identifier: Apache-2.0 */

/* What is not a fault: links found up, late answers, private addresses, advertisements as data,
 * captures, suspended machines, and the end. */
#include "tests/fakes/fake-link.h"

#include <math.h>
#include <string.h>

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

/* a link that comes up by an attempt that was given up is ended, and counts for nothing.
 */
static void
test_late_link(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].connect = (FakeReply){.answer = FAKE_SILENCE, .times = 1, .after = 8.3};
  fake->sensors[0].connects_late = true;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 2, 30));
  g_assert_false(pl_radio_adapter(&fake->radio, 0)->links > 0);
  assert_between(fake_now(fake) - fake_when(fake, FAKE_CONNECT, 0, 1), 8.25, 8.35);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_BACKOFF);
  fake->sensors[0].connects_late = false;
  fake->sensors[0].connect = (FakeReply){.after = 0.5};
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 2);
  g_assert_cmpuint(fake->sessions[0].backoff.failures, ==, 1);
}

/* answers of every kind to the attempt before change nothing. */
static void
test_late_answers(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].connect = (FakeReply){.answer = FAKE_SILENCE, .times = 1};
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 30));
  for (int failure = PL_FAILURE_ABORTED; failure < PL_FAILURE_COUNT; failure++) {
    PlLinkEvent late = {
        .type = PL_LINK_CONNECT_FAILED, .attempt = 1, .failure = (PlFailure)failure};
    fake_event(fake, &late);
    g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_CONNECTING);
  }
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CONNECTED, .attempt = 1});
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->links, ==, 0);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
}

/* On an abort the link is often up for a moment: the next attempt waits until it is down. */
static void
test_abort_after_link(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].resolve_after = 3;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 1, 10));
  fake_run(fake, 0.7);
  g_assert_true(fake->sensors[0].connected);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CONNECT_FAILED,
                                  .attempt = fake->sensors[0].attempt,
                                  .failure = PL_FAILURE_ABORTED});
  double t = fake_now(fake);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 1);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 10));
  assert_between(fake_now(fake) - t, 2.1 + 0.2, 2.1 + 0.3 + 1);
}

/* Its object would vanish with the scan. */
static void
test_private_address(void) {
  g_autoptr(Fake) fake = advertising(2);
  fake->sensors[0].private_address = true;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 1, 10));
  g_assert_true(fake->adapters[0].scanning);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 20));
}

/* R-136, and decision 19: what was up before us is used and left alone. */
static void
test_found_up(void) {
  g_autoptr(Fake) fake = fake_new(2);
  fake->sensors[1].advertises = true;
  fake_start(fake);
  fake->sensors[0].adapter = 0;
  fake_run(fake, 0.01);
  const PlUuid measurement = PL_UUID16(0x2a37);
  fake->sensors[0].connected = true;
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CONNECTED});
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CHARACTERISTIC, .uuid = measurement});
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_RESOLVED});
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 0);
  pl_radio_stop(&fake->radio);
  fake_run(fake, 8);
  g_assert_true(pl_radio_stopped(&fake->radio));
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 1, 0), ==, 1);
}

/* Somebody else connects it while we are about to. */
static void
test_found_up_while_connecting(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].stop.after = 1;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_OFF, PL_NO_SENSOR, 1, 10));
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_CONNECTING);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CONNECTED});
  fake_run(fake, 5);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 0);
}

static void
test_stop(void) {
  g_autoptr(Fake) fake = advertising(4);
  fake->sensors[1].drivers[0] = &fake_imu;
  fake->sensors[1].send_every = 0.02;
  fake->sensors[3].connect.answer = FAKE_SILENCE;
  fake_start(fake);
  for (int i = 0; i < 3; i++)
    g_assert_true(fake_wait(fake, i, PL_LINK_STATE_STREAMING, 30));
  g_assert_true(fake_wait(fake, 3, PL_LINK_STATE_CONNECTING, 30));
  double t = fake_now(fake);
  g_assert_false(pl_radio_stopped(&fake->radio));
  pl_radio_stop(&fake->radio);
  g_assert_false(pl_radio_stopped(&fake->radio));
  while (!pl_radio_stopped(&fake->radio)) {
    fake_run(fake, 0.1);
    g_assert_cmpfloat(fake_now(fake) - t, <=, 8);
  }
  /* The driver's farewell went out before the link did. */
  const FakeRequest *farewell = NULL;
  for (guint i = 0; i < fake->requests->len; i++) {
    const FakeRequest *request = &g_array_index(fake->requests, FakeRequest, i);
    if (request->type == FAKE_WRITE && request->t >= t)
      farewell = request;
  }
  g_assert_nonnull(farewell);
  g_assert_cmpuint(farewell->data[0], ==, 0);
  g_assert_cmpfloat(farewell->t, <, fake_when(fake, FAKE_DISCONNECT, 1, 1));
  for (int i = 0; i < 4; i++) {
    g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, i, t), ==, 1);
    g_assert_cmpint(fake_link(fake, i), ==, PL_LINK_STATE_ABSENT);
    g_assert_cmpuint(fake->sensors[i].lost, ==, fake->sensors[i].joined);
    g_assert_cmpuint(pl_radio_sensor(&fake->radio, i)->drops, ==, 0);
  }
  fake_run(fake, 600);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, t), ==, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), ==, 0);
}

/* A sensor that does not answer the farewell does not hold up the end. */
static void
test_stop_without_answers(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].drivers[0] = &fake_imu;
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 5);
  fake->sensors[0].write.answer = FAKE_SILENCE;
  fake->sensors[0].disconnect_after = -1;
  pl_radio_stop(&fake->radio);
  fake_run(fake, 8);
  g_assert_true(pl_radio_stopped(&fake->radio));
}

/* -- advertisements as data ---------------------------------------------------------------- */

static void
send_beacon(Fake *fake, uint16_t company) {
  static const uint8_t data[] = {0, 60};
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_MANUFACTURER,
                                  .company = company,
                                  .data = data,
                                  .length = sizeof data});
}

static void
test_beacon(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].drivers[0] = &fake_beacon;
  fake_start(fake);
  fake_run(fake, 1);
  send_beacon(fake, 0x004c);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_SEEN);
  for (int i = 0; i < 600; i++) {
    fake_run(fake, 1);
    send_beacon(fake, 0x0107);
  }
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);
  g_assert_cmpuint(fake->sensors[0].samples, ==, 600);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 1);
  g_assert_cmpfloat(fake_scanned(fake, 0), >=, 595); /* without pause */
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 0);
  fake_advertise(fake, 0, false);
  fake_run(fake, 11);
  g_assert_cmpuint(fake->sensors[0].lost, ==, 1);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
}

/* What a strap advertises besides reaches its driver, but is no link. */
static void
test_beacon_beside_a_link(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].drivers[1] = &fake_beacon;
  fake_start(fake);
  fake_run(fake, 1);
  send_beacon(fake, 0x0107);
  g_assert_cmpuint(fake->sensors[0].samples, ==, 1);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 0);
  fake_advertise(fake, 0, true);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
}

/* -- who is next --------------------------------------------------------------------------- */

/* Sensors that fail again and again do not keep the others waiting. */
static void
test_failing_sensors_step_back(void) {
  g_autoptr(Fake) fake = fake_new(7);
  for (int i = 0; i < 6; i++) {
    fake->sensors[i].advertises = true;
    fake->sensors[i].connect =
        (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_ABORTED, .after = 0.9};
    fake->sensors[i].rssi_dbm[0] = -85;
  }
  fake_start(fake);
  for (int i = 0; i < 6; i++)
    pl_radio_set_run_active(&fake->radio, i, true);
  fake_run(fake, 15);
  fake_advertise(fake, 6, true);
  double t = fake_now(fake);
  g_assert_true(fake_wait(fake, 6, PL_LINK_STATE_STREAMING, 60));
  g_assert_cmpfloat(fake_when(fake, FAKE_CONNECT, 6, 1) - t, <=, 15);
}

/* And they are not starved either. */
static void
test_nobody_waits_for_ever(void) {
  g_autoptr(Fake) fake = fake_new(6);
  for (int i = 0; i < 6; i++) {
    fake->sensors[i].advertises = true;
    fake->sensors[i].advertise_every = 0.1;
    fake->sensors[i].connect =
        (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_TIMEOUT, .after = 7.5};
  }
  fake_start(fake);
  pl_radio_set_run_active(&fake->radio, 0, true);
  fake_run(fake, 3600);
  for (int i = 0; i < 6; i++) {
    unsigned attempts = fake_count(fake, FAKE_CONNECT, i, 0);
    g_assert_cmpuint(attempts, >=, 3600 / (60 + 36));
    for (unsigned n = 2; n <= attempts; n++)
      g_assert_cmpfloat(fake_when(fake, FAKE_CONNECT, i, n) -
                            fake_when(fake, FAKE_CONNECT, i, n - 1),
                        <=, 7.5 + 36 + 60);
  }
}

/* Weak advertisements show that it is there, and are no reason to connect. */
static void
test_too_weak(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].rssi_dbm[0] = -93;
  fake_start(fake);
  fake_run(fake, 60);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_SEEN);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 0);
  fake->sensors[0].rssi_dbm[0] = -92;
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 20));
}

/* -- time ---------------------------------------------------------------------------------- */

/* The machine slept for a minute; what the sensors sent is still on its way to us. */
static void
test_suspended(void) {
  g_autoptr(Fake) fake = advertising(3);
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 10);
  fake->now_us += 60000000;
  pl_radio_advance(&fake->radio, fake->now_us);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint(fake_link(fake, i), ==, PL_LINK_STATE_STREAMING);
  fake_run(fake, 60);
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint(fake->sensors[i].lost, ==, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_UNSUBSCRIBE, PL_NO_SENSOR, 0), ==, 0);
}

/* A footpod sleeps when nobody runs; during a run its silence is a fault. */
static void
test_silent_at_rest(void) {
  PlDriver footpod = fake_strap;
  footpod.silent_at_rest = true;
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].drivers[0] = &footpod;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 10);
  fake->sensors[0].sends = false;
  fake_run(fake, 600);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);
  pl_radio_set_run_active(&fake->radio, 0, true);
  double t = fake_now(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STALE, 30));
  assert_between(fake_now(fake) - t, 9.7, 10.3);
}

/* -- captures ------------------------------------------------------------------------------ */

static void
play(Fake *fake, double seconds, bool data) {
  static const uint8_t bytes[] = {0, 72};
  for (int i = 0; i < (int)seconds; i++) {
    fake_run(fake, 1);
    if (data)
      fake_event(fake, &(PlLinkEvent){.type = PL_LINK_NOTIFICATION,
                                      .adapter = PL_NO_ADAPTER,
                                      .uuid = PL_UUID16(0x2a37),
                                      .data = bytes,
                                      .length = sizeof bytes});
  }
}

static void
test_capture(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->options.passive = true;
  fake->adapters[0].present = false;
  fake_start(fake);
  fake->radio.link = NULL; /* nothing is asked of a capture */
  fake_run(fake, 5);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
  play(fake, 30, true); /* without a word of a link */
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);
  g_assert_cmpuint(fake->sensors[0].samples, ==, 30);
  g_assert_cmpfloat(fake->sensors[0].joined_at, ==, 6);
  play(fake, 15, false);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STALE);
  g_assert_cmpfloat(fake->sensors[0].lost_at, ==, 45);
  play(fake, 6, false);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_CONNECTED, .adapter = PL_NO_ADAPTER});
  play(fake, 10, true);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_DISCONNECTED, .adapter = PL_NO_ADAPTER});
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 2);
  g_assert_cmpuint(fake->sensors[0].lost, ==, 2);
  g_assert_cmpstr(fake->sensors[0].history->str, ==,
                  " streaming stale absent streaming absent");
  g_assert_cmpuint(fake->requests->len, ==, 0);
}

/* A capture may say less than every second; the states come at their own times all the same. */
static void
test_capture_with_gaps(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->options.passive = true;
  fake->adapters[0].present = false;
  fake_start(fake);
  play(fake, 10, true);
  fake->now_us += INT64_C(3600) * 1000000;
  play(fake, 1, true);
  g_assert_cmpuint(fake->sensors[0].lost, ==, 1);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 2);
}

static void
test_capture_finds_drivers(void) {
  static const PlDriver *const table[] = {&fake_imu, &fake_strap};
  g_autoptr(Fake) fake = fake_new(1);
  fake->options.passive = true;
  fake->options.drivers = table;
  fake->options.driver_count = G_N_ELEMENTS(table);
  fake->adapters[0].present = false;
  memset(fake->sensors[0].drivers, 0, sizeof fake->sensors[0].drivers);
  fake_start(fake);
  play(fake, 10, true);
  g_assert_cmpuint(fake->sensors[0].samples, ==, 10);
  static const uint8_t bytes[] = {0, 1};
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_NOTIFICATION,
                                  .adapter = PL_NO_ADAPTER,
                                  .uuid = PL_UUID16(0xfd02),
                                  .data = bytes,
                                  .length = sizeof bytes});
  g_assert_cmpuint(fake->sensors[0].samples, ==, 11);
  g_assert_cmpuint(fake->requests->len, ==, 0);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/R-133/late-link", test_late_link);
  g_test_add_func("/radio/R-133/late-answers", test_late_answers);
  g_test_add_func("/radio/connect/abort-after-link", test_abort_after_link);
  g_test_add_func("/radio/connect/private-address", test_private_address);
  g_test_add_func("/radio/connect/too-weak", test_too_weak);
  g_test_add_func("/radio/R-136/found-up", test_found_up);
  g_test_add_func("/radio/R-136/found-up-while-connecting", test_found_up_while_connecting);
  g_test_add_func("/radio/R-139/failing-sensors-step-back", test_failing_sensors_step_back);
  g_test_add_func("/radio/R-139/nobody-waits-for-ever", test_nobody_waits_for_ever);
  g_test_add_func("/radio/stop/all", test_stop);
  g_test_add_func("/radio/stop/without-answers", test_stop_without_answers);
  g_test_add_func("/radio/beacon/alone", test_beacon);
  g_test_add_func("/radio/beacon/beside-a-link", test_beacon_beside_a_link);
  g_test_add_func("/radio/time/suspended", test_suspended);
  g_test_add_func("/radio/time/silent-at-rest", test_silent_at_rest);
  g_test_add_func("/radio/capture/states", test_capture);
  g_test_add_func("/radio/capture/gaps", test_capture_with_gaps);
  g_test_add_func("/radio/capture/finds-drivers", test_capture_finds_drivers);
  return g_test_run();
}
