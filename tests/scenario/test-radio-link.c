/* SPDX-License-Identifier: Apache-2.0 */

/* Sensors and links: fault cases F-01 to F-14.  The numbers are those of the case descriptions:
 * 20 % on times with jitter, 0.3 s on timers. */
#include "tests/fakes/fake-link.h"

#include <math.h>

/* `count` straps that stream. */
static Fake *
streaming(size_t count) {
  Fake *fake = fake_new(count);
  for (size_t i = 0; i < count; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 60));
  fake_run(fake, 5);
  return fake;
}

static void
assert_between(double value, double low, double high) {
  g_assert_cmpfloat(value, >=, low);
  g_assert_cmpfloat(value, <=, high);
}

/* Every packet that was sent since streaming began has arrived. */
static void
assert_no_loss(const Fake *fake, int sensor) {
  const PlSensorState *state = pl_radio_sensor(&fake->radio, sensor);
  g_assert_cmpuint(state->received, ==, fake->sensors[sensor].sent);
  g_assert_cmpuint(fake->sensors[sensor].samples, ==, fake->sensors[sensor].sent);
  g_assert_cmpuint(fake->sensors[sensor].lost, ==, 0);
}

static void
test_f01_vanishes(void) {
  g_autoptr(Fake) fake = streaming(3);
  fake_run(fake, 60);
  double t = fake_now(fake);
  fake_advertise(fake, 0, false);
  fake_drop(fake, 0);
  g_assert_cmpfloat(fake->sensors[0].lost_at - t, <=, 1);
  fake_run(fake, 300);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), ==, 0);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
  g_assert_cmpuint(pl_radio_sensor(&fake->radio, 0)->drops, ==, 1);
  assert_no_loss(fake, 1);
  assert_no_loss(fake, 2);
}

static void
test_f01_falls_silent(void) {
  g_autoptr(Fake) fake = streaming(2);
  fake_run(fake, 60);
  fake->sensors[0].sends = false;
  double t = fake_now(fake);
  fake_run(fake, 12);
  assert_between(fake->sensors[0].lost_at - t, 9, 11);
  assert_no_loss(fake, 1);
}

static void
test_f02_returns(void) {
  g_autoptr(Fake) fake = streaming(2);
  fake_run(fake, 60);
  fake_advertise(fake, 0, false);
  fake_drop(fake, 0);
  double gone = fake_now(fake);
  fake_run(fake, 60);
  fake_advertise(fake, 0, true);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_CONNECTING, 10));
  double heard = fake->sensors[0].heard;
  fake_run(fake, 10);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 2);
  g_assert_cmpfloat(fake->sensors[0].joined_at - heard, <=, 5);
  /* Up to 5 s of pause before it can be heard at all. */
  assert_between(fake->sensors[0].joined_at - gone, 60, 71);
  g_assert_cmpuint(fake->sensors[0].samples, ==, fake->sensors[0].sent);
  assert_no_loss(fake, 1);
}

static void
test_f03_silent_link(void) {
  g_autoptr(Fake) fake = streaming(1);
  fake_run(fake, 0.5);
  double last = (double)pl_radio_sensor(&fake->radio, 0)->last_data_us / 1e6 - 1000;
  fake->sensors[0].sends = false;
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 30));
  g_assert_cmpuint(fake_count(fake, FAKE_UNSUBSCRIBE, 0, 0), ==, 1);
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 2);
  assert_between(fake_when(fake, FAKE_UNSUBSCRIBE, 0, 1) - last, 9.7, 10.3);
  assert_between(fake_when(fake, FAKE_SUBSCRIBE, 0, 2) - last, 9.7, 10.3);
  assert_between(fake_when(fake, FAKE_DISCONNECT, 0, 1) - last, 19.7, 20.3);

  /* And so again, once in each turn. */
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 2, 60));
  g_assert_cmpuint(fake_count(fake, FAKE_UNSUBSCRIBE, 0, 0), ==, 2);
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 4);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 2);
}

/* A monitor that wakes up when it is subscribed to again. */
static void
test_f03_wakes_up(void) {
  g_autoptr(Fake) fake = streaming(1);
  fake->sensors[0].sends = false;
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STALE, 15));
  fake->sensors[0].sends = true;
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
  fake_run(fake, 60);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 0);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 2);
}

static void
test_f05_connect_never_answers(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect = (FakeReply){.answer = FAKE_SILENCE, .times = 1, .after = 0.5};
  fake->sensors[0].cancel_answers = false;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 30));
  double asked = fake_when(fake, FAKE_CONNECT, 0, 1);
  double cancelled = fake_when(fake, FAKE_DISCONNECT, 0, 1);
  assert_between(cancelled - asked, 7.7, 8.3);
  /* 1 s +-20 %, and up to a second for an advertisement and the end of the scan. */
  assert_between(fake_when(fake, FAKE_CONNECT, 0, 2) - cancelled, 0.8, 2.5);

  /* The first answer comes now: it is not that of the second attempt. */
  PlLinkEvent late = {
      .type = PL_LINK_CONNECT_FAILED, .attempt = 1, .failure = PL_FAILURE_ABORTED};
  fake_event(fake, &late);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_CONNECTING);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 2));
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 1);
}

static void
test_f06_success_without_link(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect.answer = FAKE_SILENCE; /* to the radio only the link counts */
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 30));
  g_assert_cmpfloat(fake_now(fake) - fake_when(fake, FAKE_CONNECT, 0, 1), <=, 12.3);
  g_assert_cmpuint(fake->sessions[0].backoff.failures, ==, 1);
  fake_run(fake, 60);
  g_assert_null(strstr(fake->sensors[0].history->str, "streaming"));
}

static void
test_f07_aborts_then_fine(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_ABORTED, .times = 8, .after = 0.3};
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 30));
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 9);
  double waited = -8 * 0.3;
  waited += fake_when(fake, FAKE_CONNECT, 0, 9) - fake_when(fake, FAKE_CONNECT, 0, 1);
  g_assert_cmpfloat(waited, <=, 4);
}

static void
test_f07_aborts_for_ever(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_ABORTED, .after = 0.3};
  fake_start(fake);
  fake_run(fake, 15);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), <=, 10);
  double t = fake_now(fake);
  fake_run(fake, 1800);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, t), <=, 60);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, t), >=, 40);
}

static void
test_f08_in_progress(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect = (FakeReply){
      .answer = FAKE_NO, .failure = PL_FAILURE_IN_PROGRESS, .times = 3, .after = 0.05};
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 1, 60));
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 3);
  g_assert_cmpfloat(fake_now(fake) - fake_when(fake, FAKE_DISCONNECT, 0, 3), <=, 5);
  g_assert_cmpuint(fake->adapters[0].resets, ==, 1);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 30));
}

static void
test_f09_object_gone(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->sensors[0].advertises = true;
  fake->sensors[0].connect = (FakeReply){
      .answer = FAKE_NO, .failure = PL_FAILURE_UNKNOWN_OBJECT, .times = 1, .after = 0.05};
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 1, 5));
  fake_advertise(fake, 0, false);
  fake_run(fake, 20);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_ABSENT);
  g_assert_cmpuint(fake->sessions[0].backoff.failures, ==, 0);
  fake_advertise(fake, 0, true);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_BACKOFF, 10));
  double heard = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 10));
  assert_between(fake_now(fake) - heard, 3.2, 4.8 + 0.6);
}

static void
test_f10_flapping(void) {
  g_autoptr(Fake) fake = streaming(4);
  fake_run(fake, 60);
  double begin = fake_now(fake);
  for (unsigned i = 0; i < 1200; i++) {
    for (int sensor = 0; sensor < 2; sensor++)
      if (fake->sensors[sensor].connected)
        fake_drop(fake, sensor);
    fake_run(fake, 3);
  }
  for (int sensor = 0; sensor < 2; sensor++) {
    unsigned total = fake_count(fake, FAKE_CONNECT, sensor, begin + 120);
    g_assert_cmpuint(total, >=, 58); /* it is not given up */
    for (double minute = begin + 120; minute < begin + 3540; minute += 60) {
      unsigned after = fake_count(fake, FAKE_CONNECT, sensor, minute);
      unsigned later = fake_count(fake, FAKE_CONNECT, sensor, minute + 60);
      g_assert_cmpuint(after - later, <=, 4);
    }
    assert_no_loss(fake, sensor + 2);
  }
}

static void
test_f11_twenty_absent(void) {
  g_autoptr(Fake) fake = fake_new(20);
  fake_start(fake);
  fake_run(fake, 600);
  g_assert_cmpfloat(fake_scanned(fake, 0), <=, 0.67 * 600);
  g_assert_cmpfloat(fake_scanned(fake, 0), >=, 0.6 * 600);
  double scanned = fake_scanned(fake, 0);
  fake_run(fake, 3000);
  g_assert_cmpfloat(fake_scanned(fake, 0) - scanned, <=, 0.17 * 3000);
  g_assert_cmpfloat(fake_scanned(fake, 0) - scanned, >=, 0.15 * 3000);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, 0), ==, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 0), ==, 0);
}

/* Fast sensors on the board's own radio: the scan leaves them more room. */
static void
test_f11_beside_fast_sensors(void) {
  g_autoptr(Fake) fake = fake_new(20);
  fake->sensors[0].drivers[0] = &fake_imu;
  fake->sensors[0].advertises = true;
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
  fake_run(fake, 15);
  double scanned = fake_scanned(fake, 0);
  fake_run(fake, 500);
  g_assert_cmpfloat(fake_scanned(fake, 0) - scanned, <=, 0.34 * 500);
  g_assert_cmpfloat(fake_scanned(fake, 0) - scanned, >=, 0.3 * 500);
}

static void
test_f12_twenty_at_once(void) {
  g_autoptr(Fake) fake = fake_new(20);
  fake->options.max_links = 20;
  fake->options.rssi_floor_dbm = -100;
  for (int i = 0; i < 20; i++) {
    fake->sensors[i].advertises = true;
    fake->sensors[i].rssi_dbm[0] = -60 - i;
  }
  fake_start(fake);
  for (int i = 15; i < 20; i++)
    pl_radio_set_run_active(&fake->radio, i, true);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  double run_last = 0, others_second = INFINITY;
  for (int i = 0; i < 20; i++) {
    double t = fake_when(fake, FAKE_CONNECT, i, 1);
    g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, i, 0), ==, 1);
    if (i >= 15)
      run_last = MAX(run_last, t);
    else if (t > fake_when(fake, FAKE_CONNECT, PL_NO_SENSOR, 1))
      others_second = MIN(others_second, t);
  }
  /* All but perhaps the very first, which was alone when it was chosen. */
  g_assert_cmpfloat(run_last, <, others_second);
}

static void
test_twelve_at_once(void) {
  g_autoptr(Fake) fake = fake_new(12);
  fake->options.max_links = 12;
  for (int i = 0; i < 12; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 20));
  fake_run(fake, 3600);
  for (int i = 0; i < 12; i++)
    assert_no_loss(fake, i);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, 0), ==, 12);
}

static void
test_f13_nine_sensors_seven_slots(void) {
  g_autoptr(Fake) fake = fake_new(9);
  for (int i = 0; i < 9; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  fake_run(fake, 300);
  unsigned up = 0, seen = 0, last = 0;
  for (unsigned i = 0; i < 9; i++) {
    up += fake_link(fake, (int)i) == PL_LINK_STATE_STREAMING;
    seen += fake_link(fake, (int)i) == PL_LINK_STATE_SEEN;
    if (fake->sensors[i].connected)
      last = i;
  }
  g_assert_cmpuint(up, ==, 7);
  g_assert_cmpuint(seen, ==, 2);
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->links, ==, 7);
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->max_links, ==, 7);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, 0), ==, 7);

  double t = fake_now(fake);
  fake_advertise(fake, (int)last, false);
  fake_drop(fake, (int)last);
  fake_run(fake, 5);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), ==, 1);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, (int)last, t), ==, 0);
}

static void
test_f14_controller_full_at_five(void) {
  g_autoptr(Fake) fake = fake_new(8);
  fake->adapters[0].slots = 5;
  for (int i = 0; i < 8; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  unsigned waited = 0;
  while (!pl_radio_adapter(&fake->radio, 0)->slots_exhausted) {
    fake_run(fake, 0.1);
    g_assert_cmpuint(waited++, <, 600);
  }
  double t = fake_now(fake);
  unsigned attempts = fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, 0);
  g_assert_cmpuint(attempts, ==, 5 + 3);
  fake_run(fake, 59);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), ==, 0);
  fake_run(fake, 30);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), >, 0);
  unsigned up = 0;
  for (int i = 0; i < 8; i++) {
    up += fake->sensors[i].connected;
    g_assert_cmpuint(fake->sensors[i].lost, ==, 0);
  }
  g_assert_cmpuint(up, ==, 5);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, PL_NO_SENSOR, 0), ==, 0);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/F-01/vanishes", test_f01_vanishes);
  g_test_add_func("/radio/F-01/falls-silent", test_f01_falls_silent);
  g_test_add_func("/radio/F-02/returns", test_f02_returns);
  g_test_add_func("/radio/F-03/silent-link", test_f03_silent_link);
  g_test_add_func("/radio/F-03/wakes-up", test_f03_wakes_up);
  g_test_add_func("/radio/F-05/connect-never-answers", test_f05_connect_never_answers);
  g_test_add_func("/radio/F-06/success-without-link", test_f06_success_without_link);
  g_test_add_func("/radio/F-07/aborts-then-fine", test_f07_aborts_then_fine);
  g_test_add_func("/radio/F-07/aborts-for-ever", test_f07_aborts_for_ever);
  g_test_add_func("/radio/F-08/in-progress", test_f08_in_progress);
  g_test_add_func("/radio/F-09/object-gone", test_f09_object_gone);
  g_test_add_func("/radio/F-10/flapping", test_f10_flapping);
  g_test_add_func("/radio/F-11/twenty-absent", test_f11_twenty_absent);
  g_test_add_func("/radio/F-11/beside-fast-sensors", test_f11_beside_fast_sensors);
  g_test_add_func("/radio/F-12/twenty-at-once", test_f12_twenty_at_once);
  g_test_add_func("/radio/F-12/twelve-at-once", test_twelve_at_once);
  g_test_add_func("/radio/F-13/nine-sensors-seven-slots", test_f13_nine_sensors_seven_slots);
  g_test_add_func("/radio/F-14/controller-full-at-five", test_f14_controller_full_at_five);
  return g_test_run();
}
