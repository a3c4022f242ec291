/* SPDX-License-Identifier: Apache-2.0 */

/* Characteristics and notifications: fault cases F-15 to F-19 and F-23, and what drivers may
 * rely on. */
#include "tests/fakes/fake-link.h"

#include <math.h>
#include <string.h>

static Fake *
one_sensor(const PlDriver *driver) {
  Fake *fake = fake_new(1);
  fake->sensors[0].drivers[0] = driver;
  fake->sensors[0].advertises = true;
  return fake;
}

static void
assert_between(double value, double low, double high) {
  g_assert_cmpfloat(value, >=, low);
  g_assert_cmpfloat(value, <=, high);
}

static const FakeRequest *
nth(const Fake *fake, FakeRequestType type, unsigned number) {
  for (guint i = 0; i < fake->requests->len; i++) {
    const FakeRequest *request = &g_array_index(fake->requests, FakeRequest, i);
    if (request->type == type && --number == 0)
      return request;
  }
  return NULL;
}

static void
test_f15_never_resolved(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].resolve_after = -1;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 30));
  double up = fake_when(fake, FAKE_CONNECT, 0, 1) + 0.5;
  assert_between(fake_now(fake) - up, 11.7, 12.3);
  g_assert_cmpuint(fake_count(fake, FAKE_REMOVE, 0, 0), ==, 0);

  g_assert_true(fake_wait_request(fake, FAKE_REMOVE, 0, 1, 120));
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 3);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_INCOMPLETE);
  double removed = fake_now(fake);
  fake_run(fake, 3500);
  g_assert_cmpuint(fake_count(fake, FAKE_REMOVE, 0, 0), ==, 1);
  g_assert_true(fake_wait_request(fake, FAKE_REMOVE, 0, 2, 300));
  g_assert_cmpfloat(fake_now(fake) - removed, >=, 3600);
}

static void
test_f16_objects_1_s_late(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].objects_after = 1;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 0);
}

static void
test_f16_objects_5_s_late(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].objects_after = 5;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 30));
  double resolved = fake_when(fake, FAKE_CONNECT, 0, 1) + 1;
  g_assert_cmpfloat(fake_now(fake) - resolved, <=, 2.5);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_INCOMPLETE);
}

static void
test_f17_services_change(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 5);
  /* More of what nobody wants changes nothing. */
  PlLinkEvent event = {.type = PL_LINK_CHARACTERISTIC, .uuid = PL_UUID16(0x2a38)};
  fake_event(fake, &event);
  event.type = PL_LINK_RESOLVED;
  fake_event(fake, &event);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);

  event.type = PL_LINK_CONNECTED;
  fake_event(fake, &event);
  event = (PlLinkEvent){.type = PL_LINK_CHARACTERISTIC, .uuid = PL_UUID16(0x2a37)};
  fake_event(fake, &event);
  event.type = PL_LINK_RESOLVED;
  fake_event(fake, &event);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_CONNECTING);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 3));
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 2);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 1);
  g_assert_cmpuint(fake->sensors[0].lost, ==, 0);
}

static void
check_f18(FakeReply reply, double longest) {
  g_autoptr(Fake) fake = fake_new(2);
  fake->sensors[0].advertises = true;
  fake->sensors[1].advertises = true;
  fake->sensors[0].subscribe = reply;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 1, PL_LINK_STATE_STREAMING, 30));
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 4, 200));
  for (unsigned i = 1; i <= 4; i++)
    g_assert_cmpfloat(fake_when(fake, FAKE_DISCONNECT, 0, i) -
                          fake_when(fake, FAKE_SUBSCRIBE, 0, i),
                      <=, longest);
  /* 1, 2, 4 s +-20 % after 2.1 s of disconnecting, and at most 1 s until it is heard. */
  for (unsigned i = 1; i <= 3; i++) {
    double pause =
        fake_when(fake, FAKE_CONNECT, 0, i + 1) - fake_when(fake, FAKE_DISCONNECT, 0, i) - 2.1;
    double delay = 1 << (i - 1);
    assert_between(pause, 0.8 * delay, 1.2 * delay + 1);
  }
  g_assert_cmpuint(pl_radio_sensor(&fake->radio, 1)->received, ==, fake->sensors[1].sent);
  g_assert_cmpuint(fake->sensors[0].joined, ==, 0);
}

static void
test_f18_start_notify_fails(void) {
  check_f18((FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_OTHER, .after = 0.05}, 0.1);
  check_f18((FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_NOT_PERMITTED, .after = 0.05},
            0.1);
  check_f18((FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_NOT_SUPPORTED, .after = 0.05},
            0.1);
  check_f18((FakeReply){.answer = FAKE_SILENCE}, 10.5);
}

static void
test_wants_pairing(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].subscribe =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_AUTHENTICATION, .after = 0.05};
  fake_start(fake);
  fake_run(fake, 3600);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, 0), ==, 5);
  assert_between(fake_when(fake, FAKE_CONNECT, 0, 2) - fake_when(fake, FAKE_CONNECT, 0, 1), 48,
                 85);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_NEEDS_PAIRING);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_BACKOFF);
}

static void
test_f19_in_progress_is_accepted(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].subscribe =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_IN_PROGRESS, .after = 0.05};
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
  fake_run(fake, 120);
  g_assert_cmpint(fake_link(fake, 0), ==, PL_LINK_STATE_STREAMING);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 0);
  g_assert_cmpuint(fake->sensors[0].samples, >=, 118);
}

static void
test_f19_in_progress_without_data(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].subscribe =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_IN_PROGRESS, .after = 0.05};
  fake->sensors[0].sends = false;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
  double t = fake_now(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STALE, 10));
  assert_between(fake_now(fake) - t, 4.7, 5.3);
}

static void
test_f23_flood(void) {
  g_autoptr(Fake) fake = fake_new(7);
  for (int i = 0; i < 7; i++)
    fake->sensors[i].advertises = true;
  fake_start(fake);
  g_assert_true(fake_wait_all(fake, PL_LINK_STATE_STREAMING, 30));
  fake_run(fake, 30);
  double t = fake_now(fake);
  unsigned before = fake->sensors[0].samples;
  fake->sensors[0].send_every = 0.0005;
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 10));
  double banned = fake_now(fake);
  assert_between(banned - t, 4, 6.1); /* the next packet of the old rhythm comes first */
  g_assert_cmpuint(fake->sensors[0].floods, ==, 1);
  /* 8 a second at most, and 2 s of burst */
  g_assert_cmpuint(fake->sensors[0].samples - before, <=, 8 * 7 + 16);
  const PlSensorState *state = pl_radio_sensor(&fake->radio, 0);
  g_assert_cmpuint(state->received, ==, state->limited + fake->sensors[0].samples);
  fake->sensors[0].send_every = 1;
  fake_run(fake, 595);
  g_assert_cmpuint(fake_count(fake, FAKE_CONNECT, 0, banned), ==, 0);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_FLOODS);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 60));
  g_assert_cmpfloat(fake_when(fake, FAKE_CONNECT, 0, 2) - banned, >=, 600);
  g_assert_cmpint(pl_radio_sensor(&fake->radio, 0)->problem, ==, PL_SENSOR_FINE);
  for (int i = 1; i < 7; i++)
    g_assert_cmpuint(pl_radio_sensor(&fake->radio, i)->received, ==, fake->sensors[i].sent);
}

/* A strap that has stored a few packets is no flood. */
static void
test_f23_burst_is_no_flood(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  const uint8_t data[] = {0, 72};
  for (int minute = 0; minute < 10; minute++) {
    fake_run(fake, 60);
    for (int i = 0; i < 14; i++)
      fake_event(fake, &(PlLinkEvent){.type = PL_LINK_NOTIFICATION,
                                      .uuid = PL_UUID16(0x2a37),
                                      .data = data,
                                      .length = 2});
  }
  g_assert_cmpuint(pl_radio_sensor(&fake->radio, 0)->limited, ==, 0);
  g_assert_cmpuint(fake->sensors[0].floods, ==, 0);
}

static void
test_too_long_is_dropped(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  static const uint8_t data[PL_VALUE_MAX + 1];
  unsigned samples = fake->sensors[0].samples;
  PlLinkEvent event = {.type = PL_LINK_NOTIFICATION,
                       .uuid = PL_UUID16(0x2a37),
                       .data = data,
                       .length = sizeof data};
  fake_event(fake, &event);
  g_assert_cmpuint(fake->sensors[0].samples, ==, samples);
  event.length--;
  fake_event(fake, &event);
  g_assert_cmpuint(fake->sensors[0].samples, ==, samples + 1);
  const PlSensorState *state = pl_radio_sensor(&fake->radio, 0);
  g_assert_cmpuint(state->status[PL_UNSUPPORTED], ==, 1);
  event.length = 1;
  fake_event(fake, &event);
  g_assert_cmpuint(state->status[PL_SHORT], ==, 1);
}

/* -- what drivers may rely on ------------------------------------------------------------- */

static void
test_order(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 1);
  const PlUuid control = PL_UUID16(0xfd01), data = PL_UUID16(0xfd02);
  /* The control point by signals and before the data, which get a socket. */
  g_assert_true(pl_uuid_equal(&nth(fake, FAKE_SUBSCRIBE, 1)->uuid, &control));
  g_assert_true(pl_uuid_equal(&nth(fake, FAKE_ACQUIRE, 1)->uuid, &data));
  g_assert_cmpfloat(nth(fake, FAKE_SUBSCRIBE, 1)->t, <, nth(fake, FAKE_ACQUIRE, 1)->t);
  const PlUuid features = PL_UUID16(0xfd03); /* and what is subscribed to is not read */
  g_assert_cmpuint(fake_count(fake, FAKE_READ, 0, 0), ==, 1);
  g_assert_true(pl_uuid_equal(&nth(fake, FAKE_READ, 1)->uuid, &features));
  g_assert_cmpuint(fake_count(fake, FAKE_WRITE, 0, 0), ==, 1);
  g_assert_cmpuint(nth(fake, FAKE_WRITE, 1)->data[0], ==, 1);
  g_assert_cmpfloat(nth(fake, FAKE_WRITE, 1)->t, >=, nth(fake, FAKE_READ, 1)->t + 0.05);
}

static void
test_busy_write_is_repeated(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake->sensors[0].write = (FakeReply){
      .answer = FAKE_NO, .failure = PL_FAILURE_IN_PROGRESS, .times = 3, .after = 0.001};
  fake_start(fake);
  fake_run(fake, 10);
  g_assert_cmpuint(fake_count(fake, FAKE_WRITE, 0, 0), ==, 4);
  assert_between(nth(fake, FAKE_WRITE, 2)->t - nth(fake, FAKE_WRITE, 1)->t, 0.01, 0.02);
}

static void
test_failed_write_is_told(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake->sensors[0].write =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_OTHER, .times = 2, .after = 0.05};
  fake_start(fake);
  fake_run(fake, 10);
  g_assert_cmpuint(fake_count(fake, FAKE_WRITE, 0, 0), ==, 3);
  /* The driver asked for a timer of a second when it was told. */
  assert_between(nth(fake, FAKE_WRITE, 2)->t - nth(fake, FAKE_WRITE, 1)->t, 1.04, 1.06);
}

static void
test_f26_acquire_never_answers(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake->sensors[0].acquire.answer = FAKE_SILENCE;
  fake_start(fake);
  g_assert_true(fake_wait_request(fake, FAKE_DISCONNECT, 0, 1, 30));
  assert_between(fake_now(fake) - fake_when(fake, FAKE_ACQUIRE, 0, 1), 9.7, 10.3);
  g_assert_true(fake_wait_request(fake, FAKE_CONNECT, 0, 2, 30));
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 60);
  g_assert_cmpuint(fake_count(fake, FAKE_ACQUIRE, 0, 0), ==, 1);
  g_assert_cmpuint(fake_count(fake, FAKE_UNSUBSCRIBE, 0, 0), ==, 0);
}

static void
test_acquire_refused(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake->sensors[0].acquire =
      (FakeReply){.answer = FAKE_NO, .failure = PL_FAILURE_NOT_SUPPORTED, .after = 0.05};
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 5));
  g_assert_cmpuint(fake_count(fake, FAKE_ACQUIRE, 0, 0), ==, 1);
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 2);
  g_assert_cmpuint(fake_count(fake, FAKE_DISCONNECT, 0, 0), ==, 0);
}

static void
test_notify_as_configured(void) {
  g_autoptr(Fake) start = one_sensor(&fake_imu);
  start->sensors[0].send_every = 0.02;
  start->configs[0].notify = PL_NOTIFY_START;
  fake_start(start);
  g_assert_true(fake_wait(start, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(start, FAKE_ACQUIRE, 0, 0), ==, 0);

  g_autoptr(Fake) acquire = one_sensor(&fake_strap);
  acquire->configs[0].notify = PL_NOTIFY_ACQUIRE;
  fake_start(acquire);
  g_assert_true(fake_wait(acquire, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(acquire, FAKE_ACQUIRE, 0, 0), ==, 1);
}

/* Two drivers on one sensor: each has its own characteristics, and one that lacks its own does
 * not keep the other from working. */
static void
test_two_drivers(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->sensors[0].drivers[1] = &fake_imu;
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 2);
  g_assert_cmpuint(fake_count(fake, FAKE_ACQUIRE, 0, 0), ==, 1);

  g_autoptr(Fake) lacking = one_sensor(&fake_strap);
  fake_start(lacking);
  lacking->configs[0].drivers[1] = &fake_imu;
  pl_radio_init(&lacking->radio, lacking->sessions, 1, lacking->configs, &lacking->options,
                &lacking->link, &lacking->listener, lacking->now_us);
  g_assert_true(fake_wait(lacking, 0, PL_LINK_STATE_STREAMING, 10));
  g_assert_cmpuint(fake_count(lacking, FAKE_SUBSCRIBE, 0, 0), ==, 1);
}

/* Without a driver in the configuration the characteristics decide. */
static void
test_automatic_driver(void) {
  static const PlDriver *const table[] = {&fake_imu, &fake_beacon, &fake_strap};
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake->options.drivers = table;
  fake->options.driver_count = G_N_ELEMENTS(table);
  fake_start(fake);
  memset(fake->configs[0].drivers, 0, sizeof fake->configs[0].drivers);
  pl_radio_init(&fake->radio, fake->sessions, 1, fake->configs, &fake->options, &fake->link,
                &fake->listener, fake->now_us);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  fake_run(fake, 10);
  g_assert_cmpuint(fake_count(fake, FAKE_SUBSCRIBE, 0, 0), ==, 1);
  g_assert_cmpuint(fake_count(fake, FAKE_WRITE, 0, 0), ==, 0);
  g_assert_cmpuint(fake->sensors[0].samples, >=, 9);
}

static void
test_rates_and_loss(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_imu);
  fake->sensors[0].send_every = 0.02;
  fake_start(fake);
  g_assert_true(fake_wait(fake, 0, PL_LINK_STATE_STREAMING, 10));
  const PlSensorState *state = pl_radio_sensor(&fake->radio, 0);
  g_assert_true(isnan(state->rate_hz));
  g_assert_true(isnan(state->loss_pct));
  fake_run(fake, 20.5);
  assert_between(state->rate_hz, 49, 51);
  g_assert_cmpfloat(state->loss_pct, ==, 0);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_DROPPED, .count = 250});
  fake_run(fake, 10);
  g_assert_cmpuint(state->lost, ==, 250);
  assert_between(state->loss_pct, 33, 33.7); /* of 750 */
  fake_drop(fake, 0);
  g_assert_true(isnan(state->rate_hz));
}

static void
test_battery(void) {
  g_autoptr(Fake) fake = one_sensor(&fake_strap);
  fake_start(fake);
  const PlSensorState *state = pl_radio_sensor(&fake->radio, 0);
  fake_run(fake, 5);
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_BATTERY, .battery_pct = 255});
  g_assert_true(isnan(state->battery_pct));
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_BATTERY, .battery_pct = 87});
  g_assert_cmpfloat(state->battery_pct, ==, 87);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/F-15/never-resolved", test_f15_never_resolved);
  g_test_add_func("/radio/F-16/objects-1-s-late", test_f16_objects_1_s_late);
  g_test_add_func("/radio/F-16/objects-5-s-late", test_f16_objects_5_s_late);
  g_test_add_func("/radio/F-17/services-change", test_f17_services_change);
  g_test_add_func("/radio/F-18/start-notify-fails", test_f18_start_notify_fails);
  g_test_add_func("/radio/F-18/wants-pairing", test_wants_pairing);
  g_test_add_func("/radio/F-19/in-progress-is-accepted", test_f19_in_progress_is_accepted);
  g_test_add_func("/radio/F-19/in-progress-without-data", test_f19_in_progress_without_data);
  g_test_add_func("/radio/F-22/too-long-is-dropped", test_too_long_is_dropped);
  g_test_add_func("/radio/F-23/flood", test_f23_flood);
  g_test_add_func("/radio/F-23/burst-is-no-flood", test_f23_burst_is_no_flood);
  g_test_add_func("/radio/F-26/acquire-never-answers", test_f26_acquire_never_answers);
  g_test_add_func("/radio/drivers/order", test_order);
  g_test_add_func("/radio/drivers/busy-write-is-repeated", test_busy_write_is_repeated);
  g_test_add_func("/radio/drivers/failed-write-is-told", test_failed_write_is_told);
  g_test_add_func("/radio/drivers/acquire-refused", test_acquire_refused);
  g_test_add_func("/radio/drivers/notify-as-configured", test_notify_as_configured);
  g_test_add_func("/radio/drivers/two", test_two_drivers);
  g_test_add_func("/radio/drivers/automatic", test_automatic_driver);
  g_test_add_func("/radio/state/rates-and-loss", test_rates_and_loss);
  g_test_add_func("/radio/state/battery", test_battery);
  return g_test_run();
}
