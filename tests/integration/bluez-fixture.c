/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <time.h>

enum { PATIENCE_S = 60 };

const PlUuid heart_rate_uuid = PL_UUID16(0x2a37);
const PlUuid control_uuid = PL_UUID16(0x2a39);
const PlUuid model_uuid = PL_UUID16(0x2a24);

static const PlUuid wanted[] = {PL_UUID16(0x2a37), PL_UUID16(0x2a39)};

static int64_t
now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
event_free(gpointer data) {
  PlLinkEvent *event = data;
  g_free((gpointer)(guintptr)event->data);
  g_free(event);
}

static void
on_event(const PlLinkEvent *event, void *data) {
  Bench *bench = data;
  PlLinkEvent *copy = g_memdup2(event, sizeof *event);

  copy->data = g_memdup2(event->data, event->length);
  if (bench->events->len > 0) {
    const PlLinkEvent *last = g_ptr_array_index(bench->events, bench->events->len - 1);
    g_assert_cmpint(copy->t_us, >=, last->t_us);
  }
  g_ptr_array_add(bench->events, copy);
  if (bench->hook)
    bench->hook(event, bench->hook_data);
}

static void
on_closed(void *data) {
  Bench *bench = data;
  bench->closed++;
}

static void
on_informed(int sensor, void *data) {
  Bench *bench = data;
  bench->informed++;
}

void
bench_set_up(Bench *bench, gconstpointer data) {
  bench->dbus = g_test_dbus_new(G_TEST_DBUS_NONE);
  g_test_dbus_up(bench->dbus);
  g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bench->dbus), TRUE);
  bench->events = g_ptr_array_new_with_free_func(event_free);
  bench->fake = fake_bluez_new(g_test_dbus_get_bus_address(bench->dbus));
  fake_bluez_add_adapter(bench->fake, HCI0, ADAPTER);
}

void
bench_tear_down(Bench *bench, gconstpointer data) {
  pl_bluez_free(bench->bluez);
  if (bench->fake)
    g_assert_cmpuint(fake_bluez_violations(bench->fake), ==, 0);
  fake_bluez_free(bench->fake);
  while (g_main_context_iteration(NULL, FALSE)) {
  }
  if (bench->dbus) {
    g_test_dbus_down(bench->dbus);
    g_object_unref(bench->dbus);
  }
  g_ptr_array_unref(bench->events);
  g_free(bench->strap);
  g_free(bench->heart_rate);
  g_free(bench->control);
}

PlBluezOptions
bench_options(void) {
  static const PlBluezSensor sensors[] = {
      {"c0:00:00:00:00:01", "random", wanted, G_N_ELEMENTS(wanted)},
      {POD, "auto", NULL, 0},
  };
  return (PlBluezOptions){
      .sensors = sensors,
      .sensor_count = G_N_ELEMENTS(sensors),
      .now_us = now_us,
      .closed = on_closed,
      .informed = on_informed,
      .sysfs = "/nonexistent",
      .hurry = 1,
  };
}

void
bench_start_with(Bench *bench, PlBluezOptions options) {
  bench->bluez = pl_bluez_new(&options, on_event, bench);
  bench->link = pl_bluez_link(bench->bluez);
}

void
bench_start(Bench *bench, unsigned hurry) {
  PlBluezOptions options = bench_options();
  options.hurry = hurry;
  bench_start_with(bench, options);
  bench_expect(bench, PL_LINK_ADAPTER);
}

void
bench_add_strap(Bench *bench) {
  g_free(bench->strap);
  g_free(bench->heart_rate);
  g_free(bench->control);
  bench->strap = fake_bluez_add_device(bench->fake, HCI0, STRAP, "random");
  fake_bluez_give(bench->fake, bench->strap, 0x11, HEART_RATE, "notify");
  fake_bluez_give(bench->fake, bench->strap, 0x14, CONTROL, "write");
  fake_bluez_give(bench->fake, bench->strap, 0x22, MODEL_NUMBER, "read");
  bench->heart_rate = fake_bluez_characteristic(bench->strap, 0x11);
  bench->control = fake_bluez_characteristic(bench->strap, 0x14);
  if (bench->bluez)
    bench_settle(bench);
}

static bool
is_informed(Bench *bench, const void *argument) {
  return bench->informed > 0;
}

void
bench_until_informed(Bench *bench) {
  bench_until(bench, is_informed, NULL);
}

void
bench_connect(Bench *bench, unsigned hurry) {
  bench_start(bench, hurry);
  bench_add_strap(bench);
  fake_bluez_advertise(bench->fake, bench->strap, -60);
  bench_wait(bench, PL_LINK_ADVERTISEMENT);
  bench->link->connect(bench->link, 0, 0, 7);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench_until_informed(bench);
}

void
bench_subscribe(Bench *bench, bool acquire) {
  bench->link->subscribe(bench->link, 0, &heart_rate_uuid, acquire);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_SUBSCRIBED);
  g_assert_true(event->ok);
  g_assert_true(pl_uuid_equal(&event->uuid, &heart_rate_uuid));
}

/* -- waiting --------------------------------------------------------------------------- */

static void
complain(Bench *bench, const char *wish) {
  for (guint i = 0; i < bench->events->len; i++) {
    const PlLinkEvent *event = g_ptr_array_index(bench->events, i);
    g_printerr("%s%s sensor %d adapter %d ok %d %s\n", i == bench->next ? "> " : "  ",
               pl_link_event_name(event->type), event->sensor, event->adapter, event->ok,
               pl_failure_name(event->failure));
  }
  if (bench->fake)
    g_printerr("%s", fake_bluez_log(bench->fake));
  g_error("waited in vain for %s", wish);
}

static void
turn(Bench *bench, int64_t until_us, const char *wish) {
  if (g_get_monotonic_time() > until_us)
    complain(bench, wish);
  g_main_context_iteration(NULL, TRUE);
}

static gboolean
on_tick(gpointer data) {
  return G_SOURCE_CONTINUE; /* wakes the loop, so that patience can end */
}

static const PlLinkEvent *
next_event(Bench *bench, const char *wish) {
  int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
  guint tick = g_timeout_add(100, on_tick, NULL);

  while (bench->next >= bench->events->len)
    turn(bench, until_us, wish);
  g_source_remove(tick);
  return g_ptr_array_index(bench->events, bench->next++);
}

const PlLinkEvent *
bench_wait(Bench *bench, PlLinkEventType type) {
  const PlLinkEvent *event;
  do
    event = next_event(bench, pl_link_event_name(type));
  while (event->type != type);
  return event;
}

const PlLinkEvent *
bench_expect(Bench *bench, PlLinkEventType type) {
  const PlLinkEvent *event = next_event(bench, pl_link_event_name(type));
  g_assert_cmpstr(pl_link_event_name(event->type), ==, pl_link_event_name(type));
  return event;
}

unsigned
bench_count(Bench *bench, PlLinkEventType type) {
  unsigned count = 0;
  for (guint i = 0; i < bench->events->len; i++)
    count += ((const PlLinkEvent *)g_ptr_array_index(bench->events, i))->type == type;
  return count;
}

void
bench_clear(Bench *bench) {
  g_ptr_array_set_size(bench->events, 0);
  bench->next = 0;
}

void
bench_until(Bench *bench, BenchCondition condition, const void *argument) {
  int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
  guint tick = g_timeout_add(5, on_tick, NULL);

  while (!condition(bench, argument))
    turn(bench, until_us, "a condition");
  g_source_remove(tick);
}

typedef struct {
  const char *method;
  unsigned count;
} Calls;

static bool
is_called(Bench *bench, const void *argument) {
  const Calls *calls = argument;
  return fake_bluez_calls(bench->fake, calls->method) >= calls->count;
}

void
bench_until_called(Bench *bench, const char *method, unsigned count) {
  Calls calls = {method, count};
  bench_until(bench, is_called, &calls);
}

static bool
is_answered(Bench *bench, const void *argument) {
  return !fake_bluez_owes(bench->fake);
}

void
bench_until_answered(Bench *bench) {
  bench_until(bench, is_answered, NULL);
  bench_settle(bench);
}

enum { MARK = 99 };

/* Takes the mark out of the events again. */
static bool
is_settled(Bench *bench, const void *argument) {
  for (guint i = 0; i < bench->events->len; i++) {
    const PlLinkEvent *event = g_ptr_array_index(bench->events, i);
    if (event->type != PL_LINK_BATTERY || event->battery_pct != MARK)
      continue;
    g_ptr_array_remove_index(bench->events, i);
    bench->next -= bench->next > i;
    return true;
  }
  return false;
}

/* A bus keeps the order of what one sends to another, so that this signal is the last. */
void
bench_settle(Bench *bench) {
  fake_bluez_change(bench->fake, bench->strap, FAKE_BATTERY,
                    bench_dict("Percentage", g_variant_new_byte(MARK)));
  bench_until(bench, is_settled, NULL);
}

GVariant *
bench_dict(const char *name, GVariant *value) {
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", name, value);
  return g_variant_builder_end(&builder);
}

GVariant *
bench_bytes(const void *data, size_t length) {
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, length, 1);
}
