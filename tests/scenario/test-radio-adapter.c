/* SPDX-License-Identifier: Apache-2.0 */

/* Adapters, the scan and bluetoothd: fault cases F-27, F-28, F-31, F-32, F-34 to F-38, F-41. */
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

/* Restarts of a scan that ran: stopped and started again within a second. */
static unsigned
restarts(const Fake *fake) {
  unsigned count = 0;
  double off = -INFINITY;
  for (guint i = 0; i < fake->requests->len; i++) {
    const FakeRequest *request = &g_array_index(fake->requests, FakeRequest, i);
    count += request->type == FAKE_SCAN_ON && request->t - off < 1;
    if (request->type == FAKE_SCAN_OFF)
      off = request->t;
  }
  return count;
}

static void
test_f27_deaf(void) {
  g_autoptr(Fake) fake = fake_new(1);
  fake->adapters[0].deaf = true;
  fake_start(fake);
  fake_run(fake, 90);
  g_assert_cmpuint(restarts(fake), ==, 0);
  fake_run(fake, 30);
  g_assert_cmpuint(restarts(fake), ==, 1);
  fake_run(fake, 50);
  g_assert_cmpuint(fake_count(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 0), ==, 0);
  g_assert_false(pl_radio_adapter(&fake->radio, 0)->stuck);
  g_assert_true(fake_wait_request(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 1, 60));
  double off = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_POWER_ON, PL_NO_SENSOR, 1, 10));
  assert_between(fake_now(fake) - off, 1.7, 2.3);
  unsigned scans = fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 0);
  double on = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_ON, PL_NO_SENSOR, scans + 1, 10));
  assert_between(fake_now(fake) - on, 2.7, 3.3);
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->resets, ==, 1);
  g_assert_cmpuint(fake->adapters[0].resets, ==, 1);
  fake_run(fake, 360 - fake_now(fake));
  g_assert_true(pl_radio_adapter(&fake->radio, 0)->stuck);
  g_assert_cmpuint(fake_count(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 0), ==, 1);
  g_assert_cmpuint(fake->adapters[0].lost, ==, 0); /* it was our doing */

  /* Stuck, it is tried again every five minutes. */
  unsigned before = restarts(fake);
  fake_run(fake, 1500);
  assert_between(restarts(fake) - before, 4, 6);

  fake->adapters[0].deaf = false;
  fake_run(fake, 40);
  g_assert_false(pl_radio_adapter(&fake->radio, 0)->stuck);
}

/* Half of the sensors of the run stream: they are worth more than the scan. */
static void
test_f27_deaf_during_a_run(void) {
  g_autoptr(Fake) fake = fake_new(4);
  for (int i = 0; i < 2; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  for (int i = 0; i < 4; i++)
    pl_radio_set_run_active(&fake->radio, i, true);
  fake_run(fake, 20);
  fake->adapters[0].deaf = true;
  fake_run(fake, 1);
  fake_drop(fake, 0); /* one of four is left */
  g_assert_true(fake_wait_request(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 1, 400));

  g_autoptr(Fake) healthy = fake_new(4);
  for (int i = 0; i < 3; i++)
    healthy->sensors[i].advertises = true;
  fake_start(healthy);
  for (int i = 0; i < 4; i++)
    pl_radio_set_run_active(&healthy->radio, i, true);
  fake_run(healthy, 20);
  healthy->adapters[0].deaf = true;
  fake_run(healthy, 3600);
  g_assert_cmpuint(fake_count(healthy, FAKE_POWER_OFF, PL_NO_SENSOR, 0), ==, 0);
  g_assert_true(pl_radio_adapter(&healthy->radio, 0)->stuck);
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint(healthy->sensors[i].lost, ==, 0);
}

static void
check_f28(FakeReply stop) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].stop = stop;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_OFF, PL_NO_SENSOR, 1, 5));
  double t = fake_now(fake);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 1, 5));
  g_assert_cmpfloat(fake_now(fake) - t, <=, 2.5);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
}

static void
test_f28_stop_discovery_fails(void) {
  check_f28((FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_IN_PROGRESS, .after = 0.05});
  check_f28((FakeReply){.answer = FAKE_SILENCE});
}

/* BlueZ goes on saying that it scans. */
static void
test_f28_discovering_for_ever(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].stop.answer = FAKE_SILENCE;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_OFF, PL_NO_SENSOR, 1, 5));
  double t = fake_now(fake);
  for (int i = 0; i < 30; i++) {
    fake_event(fake,
               &(PlLinkEvent){
                   .type = PL_LINK_SCAN, .sensor = PL_NO_SENSOR, .ok = true, .scanning = true});
    fake_run(fake, 0.1);
    if (fake_count(fake, FAKE_CONNECT, 0, 0) > 0)
      break;
  }
  g_assert_cmpfloat(fake_when(fake, FAKE_CONNECT, 0, 1) - t, <=, 2.5);
}

static void
check_f31(PlFailure failure, unsigned resets) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].start =
      (FakeReply){.answer = FAKE_NO, .failure = failure, .times = 3, .after = 0.05};
  fake_start(fake);
  while (!fake->adapters[0].scanning && fake_now(fake) < 20)
    fake_run(fake, 0.1);
  g_assert_cmpfloat(fake_now(fake), <=, 15);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 0), ==, 4);
  g_assert_cmpuint(fake->adapters[0].resets, ==, resets);
  double off = fake_when(fake, FAKE_POWER_OFF, PL_NO_SENSOR, 1);
  if (resets > 0)
    assert_between(off, fake_when(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 2),
                   fake_when(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 3));
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
}

static void
test_f31_start_discovery_fails(void) {
  check_f31(PL_FAILURE_NOT_READY, 1);
  check_f31(PL_FAILURE_OTHER, 1);
  check_f31(PL_FAILURE_IN_PROGRESS, 1);
  check_f31(PL_FAILURE_UNKNOWN_OBJECT, 0); /* it is still being set up */
}

static void
test_f31_for_ever(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].start =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_OTHER, .after = 0.05};
  fake_start(fake);
  fake_run(fake, 30);
  g_assert_true(pl_radio_adapter(&fake->radio, 0)->stuck);
  fake_run(fake, 1170);
  g_assert_cmpuint(fake->adapters[0].resets, ==, 1);
  assert_between(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 0), 15, 25);
  fake->adapters[0].start.answer = FAKE_YES;
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 70));
  g_assert_false(pl_radio_adapter(&fake->radio, 0)->stuck);
}

static void
test_f32_switched_off(void) {
  g_autoptr(Fake) fake = advertising(2);
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 10);
  double t = fake_now(fake);
  fake->adapters[0].power_refused = true;
  fake_set_power(fake, 0, false);
  fake_run(fake, 60);
  g_assert_cmpuint(fake->sensors[0].lost, ==, 1);
  g_assert_cmpfloat(fake->sensors[0].lost_at - t, <=, 1);
  g_assert_cmpuint(fake->adapters[0].lost, ==, 1);
  assert_between(fake_count(fake, FAKE_POWER_ON, PL_NO_SENSOR, t), 5, 7);
  double minute = fake_now(fake);
  fake_run(fake, 540);
  g_assert_cmpuint(fake_count(fake, FAKE_POWER_ON, PL_NO_SENSOR, minute), <=, 9);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, t), ==, 0);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, t), ==, 0);
  fake->adapters[0].power_refused = false;
  fake_set_power(fake, 0, true);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 15));
}

static void
test_f32_power_off_is_respected(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->options.respect_power_off = true;
  fake_start(fake);
  fake_run(fake, 10);
  fake_set_power(fake, 0, false);
  fake_run(fake, 600);
  g_assert_cmpuint(fake_count(fake, FAKE_POWER_ON, PL_NO_SENSOR, 0), ==, 0);
}

static void
test_f34_unplugged(void) {
  g_autoptr(Fake) fake = advertising(3);
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 60);
  double t = fake_now(fake);
  fake_adapter_vanishes(fake, 0);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint(fake_link(fake, i), ==, PL_LINK_STATE_ABSENT);
    g_assert_cmpfloat(fake->sensors[i].lost_at, ==, t);
  }
  g_assert_cmpuint(fake->adapters[0].lost, ==, 1);
  fake_run(fake, 1200);
  g_assert_cmpuint(fake_count(fake, FAKE_SCAN_ON, PL_NO_SENSOR, t), ==, 0);
  fake_adapter_appears(fake, 0);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 15));
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, i, 0), ==, 0);
}

static void
test_f35_only_its_own_sensors(void) {
  g_autoptr(Fake) fake = advertising(4);
  for (int i = 0; i < 4; i++) {
    fake->sensors[i].rssi_dbm[0] = i < 2 ? -60 : 0;
    fake->sensors[i].rssi_dbm[1] = i < 2 ? 0 : -60;
  }
  fake->adapters[1].present = true;
  fake->adapters[1].powered = true;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 60);
  fake_adapter_vanishes(fake, 0);
  fake_run(fake, 120);
  for (int i = 0; i < 4; i++)
    g_assert_cmpuint(fake->sensors[i].lost, ==, i < 2 ? 1 : 0);
  for (int i = 2; i < 4; i++)
    g_assert_cmpuint(pl_radio_sensor(&fake->radio, i)->received, ==, fake->sensors[i].sent);
}

static void
test_f36_plugged_in_after_an_hour(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].present = false;
  fake_start(fake);
  g_assert_cmpint(pl_radio_next_us(&fake->radio), ==, INT64_MAX); /* it sleeps */
  fake_run(fake, 3600);
  g_assert_cmpuint(fake->requests->len, ==, 0);
  fake_adapter_appears(fake, 0);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
}

/* The source tells of an adapter when it has its address; until then nothing is asked of it. */
static void
test_f37_address_comes_late(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->adapters[0].present = false;
  fake_start(fake);
  fake_run(fake, 30);
  g_assert_cmpuint(fake->requests->len, ==, 0);
  fake_adapter_appears(fake, 0);
  g_assert_true(fake_wait_request(fake, FAKE_SCAN_ON, PL_NO_SENSOR, 1, 2));
}

static void
test_f38_bluetoothd_killed(void) {
  g_autoptr(Fake) fake = advertising(5);
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  for (unsigned round = 1; round <= 50; round++) {
    fake_run(fake, 20 + round % 20);
    double t = fake_now(fake);
    fake_service_lost(fake);
    for (int i = 0; i < 5; i++) {
      g_assert_cmpuint(fake->sensors[i].lost, ==, round);
      g_assert_cmpfloat(fake->sensors[i].lost_at - t, <=, 1);
      g_assert_cmpint(fake_link(fake, i), ==, PL_LINK_STATE_ABSENT);
    }
    fake_run(fake, 1);
    g_assert_cmpfloat(fake_now(fake), ==, t + 1);
    fake_adapter_appears(fake, 0);
    g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 15));
  }
}

static void
test_f41_bluetoothd_comes_late(void) {
  g_autoptr(Fake) fake = advertising(2);
  fake->adapters[0].present = false;
  fake_start(fake);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_SERVICE_LOST,
                                  .adapter = PL_NO_ADAPTER,
                                  .sensor = PL_NO_SENSOR});
  fake_run(fake, 300);
  g_assert_cmpuint(fake->requests->len, ==, 0);
  fake_adapter_appears(fake, 0);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 15));
}

/* Disconnect() without effect, three times in ten minutes. */
static void
test_links_that_do_not_end(void) {
  g_autoptr(Fake) fake = advertising(1);
  fake->sensors[0].resolve_after = -1;
  fake->sensors[0].disconnect_after = -1;
  fake->lawless = false;
  fake_start(fake);
  for (unsigned i = 1; i <= 3; i++) {
    g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, i, 60));
    double t = fake_now(fake);
    g_assert_cmpuint(fake->adapters[0].resets, ==, 0);
    fake_run(fake, 4.5);
    g_assert_cmpuint(fake->adapters[0].resets, ==, 0);
    fake_run(fake, 1);
    if (i < 3) {
      /* It does end after all, or it would not be heard. */
      fake_drop(fake, 0);
      g_assert_cmpfloat(fake_now(fake) - t, <, 6);
    }
  }
  g_assert_cmpuint(fake->adapters[0].resets, ==, 1);
}

/* Of two adapters the better takes the sensor; a little better is no reason to move. */
static void
test_two_adapters(void) {
  g_autoptr(Fake) fake = advertising(4);
  fake->adapters[1].present = true;
  fake->adapters[1].powered = true;
  fake->sensors[0].rssi_dbm[1] = -40; /* clearly better */
  fake->sensors[1].rssi_dbm[1] = -56; /* not by 5 dB */
  fake->configs[2].adapter = 1;       /* told so */
  fake->sensors[2].rssi_dbm[1] = -90;
  fake->sensors[3].rssi_dbm[0] = -95; /* too weak there */
  fake->sensors[3].rssi_dbm[1] = -80;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  g_assert_cmpint(fake->sensors[0].adapter, ==, 1);
  g_assert_cmpint(fake->sensors[1].adapter, ==, 0);
  g_assert_cmpint(fake->sensors[2].adapter, ==, 1);
  g_assert_cmpint(fake->sensors[3].adapter, ==, 1);
}

/* A full adapter leaves the rest to the other one. */
static void
test_second_adapter_takes_the_rest(void) {
  g_autoptr(Fake) fake = advertising(8);
  fake->options.max_links = 4;
  fake->adapters[1].present = true;
  fake->adapters[1].powered = true;
  for (int i = 0; i < 8; i++)
    fake->sensors[i].rssi_dbm[1] = -75;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 9));
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 0)->links, ==, 4);
  g_assert_cmpuint(pl_radio_adapter(&fake->radio, 1)->links, ==, 4);
}

static void
test_nothing_missing_nothing_scanned(void) {
  g_autoptr(Fake) fake = advertising(2);
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 5);
  double scanned = fake_scanned(fake, 0);
  fake_run(fake, 3600);
  g_assert_cmpfloat(fake_scanned(fake, 0), ==, scanned);
}

static void
test_user_scan(void) {
  g_autoptr(Fake) fake = fake_new(0);
  fake_start(fake);
  fake_run(fake, 100);
  g_assert_cmpfloat(fake_scanned(fake, 0), ==, 0);
  pl_radio_user_scan(&fake->radio, fake->now_us + INT64_C(3600) * 1000000);
  fake_run(fake, 100);
  assert_between(fake_scanned(fake, 0), 59, 60.2);
  pl_radio_user_scan(&fake->radio, fake->now_us + 10000000);
  fake_run(fake, 100);
  assert_between(fake_scanned(fake, 0), 69, 70.2);
}

/* A run that begins makes its sensors worth hunting for, however long they were missing. */
static void
test_run_restarts_the_hunt(void) {
  g_autoptr(Fake) fake = fake_new(2);
  fake_start(fake);
  fake_run(fake, 1200);
  pl_radio_set_run_active(&fake->radio, 1, true);
  double scanned = fake_scanned(fake, 0);
  fake_run(fake, 600);
  assert_between(fake_scanned(fake, 0) - scanned, 0.6 * 600, 0.67 * 600);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/F-27/deaf", test_f27_deaf);
  g_test_add_func("/radio/F-27/deaf-during-a-run", test_f27_deaf_during_a_run);
  g_test_add_func("/radio/F-28/stop-discovery-fails", test_f28_stop_discovery_fails);
  g_test_add_func("/radio/F-28/discovering-for-ever", test_f28_discovering_for_ever);
  g_test_add_func("/radio/F-31/start-discovery-fails", test_f31_start_discovery_fails);
  g_test_add_func("/radio/F-31/for-ever", test_f31_for_ever);
  g_test_add_func("/radio/F-32/switched-off", test_f32_switched_off);
  g_test_add_func("/radio/F-32/power-off-is-respected", test_f32_power_off_is_respected);
  g_test_add_func("/radio/F-34/unplugged", test_f34_unplugged);
  g_test_add_func("/radio/F-35/only-its-own-sensors", test_f35_only_its_own_sensors);
  g_test_add_func("/radio/F-36/plugged-in-after-an-hour", test_f36_plugged_in_after_an_hour);
  g_test_add_func("/radio/F-37/address-comes-late", test_f37_address_comes_late);
  g_test_add_func("/radio/F-38/bluetoothd-killed", test_f38_bluetoothd_killed);
  g_test_add_func("/radio/F-41/bluetoothd-comes-late", test_f41_bluetoothd_comes_late);
  g_test_add_func("/radio/adapter/links-that-do-not-end", test_links_that_do_not_end);
  g_test_add_func("/radio/adapter/two", test_two_adapters);
  g_test_add_func("/radio/adapter/second-takes-the-rest", test_second_adapter_takes_the_rest);
  g_test_add_func("/radio/scan/nothing-missing", test_nothing_missing_nothing_scanned);
  g_test_add_func("/radio/scan/user", test_user_scan);
  g_test_add_func("/radio/scan/run-restarts-the-hunt", test_run_restarts_the_hunt);
  return g_test_run();
}
