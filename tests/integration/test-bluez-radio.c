/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include "gateway/core/radio.h"

/* The edge and the state machine together: what one asks for is what the other does. */

typedef struct {
  Bench bench;
  PlRadio radio;
  PlSession session[2];
  PlRadioListener listener;
  guint tick;
} Pair;

static void
ignore_sample(PlRadioListener *listener, int sensor, const PlSample *sample) {
}

static void
ignore_state(PlRadioListener *listener, int sensor, const PlSensorState *state) {
}

static void
ignore_sensor(PlRadioListener *listener, int sensor, int64_t t_us) {
}

static const PlCharacteristic characteristics[] = {
    {PL_UUID16(0x180d), PL_UUID16(0x2a37), PL_CHARACTERISTIC_NOTIFY},
};

static void
driver_init(void *state, const PlDriverOptions *options) {
}

static PlStatus
driver_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  return PL_OK;
}

static const PlDriver driver = {
    .abi = PL_DRIVER_ABI,
    .id = "test",
    .name = "test",
    .characteristics = characteristics,
    .characteristic_count = G_N_ELEMENTS(characteristics),
    .nominal_rate_hz = 1,
    .stale_us = 10000000,
    .init = driver_init,
    .handle = driver_handle,
};

static const PlSessionConfig configs[] = {
    {.drivers = {&driver}, .notify = PL_NOTIFY_START, .adapter = PL_NO_ADAPTER},
    {.drivers = {&driver}, .notify = PL_NOTIFY_ACQUIRE, .adapter = PL_NO_ADAPTER},
};

static void
on_event(const PlLinkEvent *event, void *data) {
  Pair *pair = data;
  pl_radio_handle(&pair->radio, event);
}

static gboolean
on_tick(gpointer data) {
  Pair *pair = data;
  pl_radio_advance(&pair->radio, bench_options().now_us());
  return G_SOURCE_CONTINUE;
}

static void
start_radio(Pair *pair) {
  static const PlRadioOptions options = {.seed = 1};
  pl_radio_init(&pair->radio, pair->session, G_N_ELEMENTS(configs), configs, &options,
                pair->bench.link, &pair->listener, bench_options().now_us());
}

static void
set_up(Pair *pair, gconstpointer data) {
  bench_set_up(&pair->bench, data);
  pair->listener = (PlRadioListener){
      .sample = ignore_sample,
      .state = ignore_state,
      .joined = ignore_sensor,
      .lost = ignore_sensor,
      .flood = ignore_sensor,
      .adapter_lost = ignore_sensor,
      .adapter_reset = ignore_sensor,
  };
  bench_start_with(&pair->bench, bench_options());
  start_radio(pair);
  pair->bench.hook = on_event;
  pair->bench.hook_data = pair;
  pair->tick = g_timeout_add(20, on_tick, pair);
  bench_wait(&pair->bench, PL_LINK_ADAPTER);
  bench_add_strap(&pair->bench);
}

static void
tear_down(Pair *pair, gconstpointer data) {
  g_source_remove(pair->tick);
  pair->bench.hook = NULL;
  bench_tear_down(&pair->bench, data);
}

/* It advertises until it is connected, and then sends. */
static gboolean
on_strap(gpointer data) {
  static const uint8_t packet[] = {0x00, 0x48};
  Bench *bench = data;
  if (!bench->fake || !fake_bluez_get(bench->fake, bench->strap, FAKE_DEVICE, "Connected"))
    return G_SOURCE_CONTINUE;
  if (!fake_bluez_get_bool(bench->fake, bench->strap, FAKE_DEVICE, "Connected"))
    fake_bluez_advertise(bench->fake, bench->strap, -60);
  else if (fake_bluez_get(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC, "UUID"))
    fake_bluez_notify(bench->fake, bench->heart_rate, packet, sizeof packet);
  return G_SOURCE_CONTINUE;
}

static bool
streams(Bench *bench, const void *argument) {
  const Pair *pair = argument;
  const PlSensorState *state = pl_radio_sensor(&pair->radio, 0);
  return state->link == PL_LINK_STATE_STREAMING && state->received > 0;
}

static bool
is_lost(Bench *bench, const void *argument) {
  return !streams(bench, argument);
}

static void
test_stream(Pair *pair, gconstpointer data) {
  guint strap = g_timeout_add(50, on_strap, &pair->bench);
  bench_until(&pair->bench, streams, pair);
  g_assert_cmpuint(fake_bluez_calls(pair->bench.fake, "Connect"), ==, 1);

  fake_bluez_drop(pair->bench.fake, pair->bench.strap);
  bench_until(&pair->bench, is_lost, pair);
  bench_until(&pair->bench, streams, pair);
  g_assert_cmpuint(fake_bluez_calls(pair->bench.fake, "Connect"), ==, 2);
  g_source_remove(strap);
}

/* An attempt is aborted: the next one follows at once. */
static void
test_abort(Pair *pair, gconstpointer data) {
  for (int i = 0; i < 3; i++)
    fake_bluez_script(pair->bench.fake, "Connect",
                      (FakeAnswer){.error = "Failed", .text = "le-connection-abort-by-local"});
  guint strap = g_timeout_add(50, on_strap, &pair->bench);
  bench_until(&pair->bench, streams, pair);
  g_assert_cmpuint(fake_bluez_calls(pair->bench.fake, "Connect"), ==, 4);
  g_source_remove(strap);
}

static void
test_killed(Pair *pair, gconstpointer data) {
  Bench *bench = &pair->bench;
  guint strap = g_timeout_add(50, on_strap, bench);

  bench_until(bench, streams, pair);
  g_assert_cmpuint(fake_bluez_violations(bench->fake), ==, 0);
  g_clear_pointer(&bench->fake, fake_bluez_free);
  bench_until(bench, is_lost, pair);
  bench->fake = fake_bluez_new(g_test_dbus_get_bus_address(bench->dbus));
  fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
  bench_wait(bench, PL_LINK_ADAPTER);
  bench_add_strap(bench);
  bench_until(bench, streams, pair);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);
  g_source_remove(strap);
}

/* The table of the sensor changes while it streams. */
static void
test_service_changed(Pair *pair, gconstpointer data) {
  Bench *bench = &pair->bench;
  guint strap = g_timeout_add(50, on_strap, bench);

  bench_until(bench, streams, pair);
  unsigned subscriptions = fake_bluez_calls(bench->fake, "StartNotify");
  g_autofree char *service = g_path_get_dirname(bench->heart_rate);
  fake_bluez_remove(bench->fake, service);
  fake_bluez_give(bench->fake, bench->strap, 0x91, HEART_RATE, "notify");
  fake_bluez_export(bench->fake, bench->strap);
  g_free(bench->heart_rate);
  bench->heart_rate = fake_bluez_characteristic(bench->strap, 0x91);
  bench_until_called(bench, "StartNotify", subscriptions + 1);
  bench_until(bench, streams, pair);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "Disconnect"), ==, 0);
  g_source_remove(strap);
}

/* Another configuration: the engine begins anew, the link stays. */
static void
test_reload(Pair *pair, gconstpointer data) {
  Bench *bench = &pair->bench;
  PlBluezOptions options = bench_options();
  guint strap = g_timeout_add(50, on_strap, bench);

  bench_until(bench, streams, pair);
  start_radio(pair);
  pl_bluez_set_sensors(bench->bluez, options.sensors, options.sensor_count);
  g_assert_true(is_lost(bench, pair));
  bench_until(bench, streams, pair);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "Connect"), ==, 1);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "Disconnect"), ==, 0);
  /* It still looks for the other one. */
  bench_wait(bench, PL_LINK_SCAN);
  g_assert_true(pl_radio_adapter(&pair->radio, 0)->present);
  g_source_remove(strap);
}

#define PAIR_TEST(path, function) g_test_add(path, Pair, NULL, set_up, function, tear_down)

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  PAIR_TEST("/edge/bluez-radio/stream", test_stream);
  PAIR_TEST("/edge/bluez-radio/abort", test_abort);
  PAIR_TEST("/edge/bluez-radio/killed", test_killed);
  PAIR_TEST("/edge/bluez-radio/service-changed", test_service_changed);
  PAIR_TEST("/edge/bluez-radio/reload", test_reload);
  return g_test_run();
}
