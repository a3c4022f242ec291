/* SPDX-License-Identifier: Apache-2.0 */

/* Events of any kind in any order: whatever a source says, the radio keeps its own rules.  The
 * fake link checks what is asked for, this file what the radio remembers. */
#include "tests/fakes/fake-link.h"

#include <math.h>

enum { SENSORS = 9, ADAPTERS = 2, EVENTS = 8000 };

static const PlDriver *const table[] = {&fake_imu, &fake_strap};

/* A driver that asks for anything at any time. */
static PlStatus
unruly_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  static const uint8_t data[PL_VALUE_MAX];
  uint32_t *random = state;
  uint32_t x = pl_random_next(random);
  for (unsigned i = 0; i < x % 12; i++)
    sink->write(sink, (x >> 8) % 5, data, (x >> 12) % (x & 64 ? 20 : PL_VALUE_MAX));
  sink->timer(sink, (x >> 4) % 6, (x & 128) ? (int64_t)(x % 2000000) - 1000 : INT64_MAX);
  sink->lost(sink, x % 3);
  return (PlStatus)(x % PL_STATUS_COUNT);
}

static void
unruly_init(void *state, const PlDriverOptions *options) {
  *(uint32_t *)state = 1;
}

static PlDriver
unruly_driver(void) {
  PlDriver driver = fake_imu;
  driver.init = unruly_init;
  driver.handle = unruly_handle;
  driver.silent_at_rest = true;
  return driver;
}

static Fake *
new_fake(guint32 seed, const PlDriver *unruly) {
  Fake *fake = fake_new(SENSORS);
  fake->lawless = true;
  fake->options.seed = seed;
  fake->options.max_links = 3;
  fake->options.drivers = table;
  fake->options.driver_count = G_N_ELEMENTS(table);
  for (int i = 3; i < 6; i++)
    fake->sensors[i].drivers[0] = &fake_imu;
  fake->sensors[5].drivers[1] = &fake_strap;
  fake->sensors[3].drivers[0] = unruly;
  fake->sensors[4].private_address = true;
  fake->sensors[6].drivers[0] = &fake_beacon;
  fake->sensors[7].drivers[1] = &fake_imu;
  fake->configs[1].adapter = 1;
  fake->configs[2].notify = PL_NOTIFY_ACQUIRE;
  fake_start(fake);
  fake->configs[7].drivers[0] = NULL; /* the table decides */
  fake->configs[7].drivers[1] = NULL;
  pl_radio_init(&fake->radio, fake->sessions, SENSORS, fake->configs, &fake->options,
                &fake->link, &fake->listener, fake->now_us);
  return fake;
}

/* -- what the radio remembers ---------------------------------------------------------------
 */

static void
check_timers(const PlRadio *radio) {
  for (size_t i = 0; i < radio->count; i++) {
    const PlSession *session = &radio->sessions[i];
    int64_t earliest = INT64_MAX;
    for (unsigned t = 0; t < PL_TIMER_COUNT; t++)
      earliest = MIN(earliest, session->timers[t]);
    g_assert_cmpint(session->due_us, ==, earliest);
    g_assert_cmpint(radio->sessions[session->heap_position].heap_item, ==, (int)i);
    const PlSession *item = &radio->sessions[radio->sessions[i].heap_item];
    const PlSession *parent =
        &radio->sessions[radio->sessions[i > 0 ? (i - 1) / 2 : 0].heap_item];
    g_assert_cmpint(parent->due_us, <=, item->due_us);
  }
}

static unsigned
check_list(const PlRadio *radio, const PlSessionList *list, PlSessionListKind kind) {
  unsigned length = 0;
  int previous = PL_NO_SENSOR;
  int64_t last = INT64_MIN;
  for (int i = list->first; i != PL_NO_SENSOR; i = radio->sessions[i].lists[kind].next) {
    const PlSession *session = &radio->sessions[i];
    int64_t t = kind == PL_LIST_HEARD ? session->heard_us : session->expected_us;
    g_assert_true(session->lists[kind].list == list);
    g_assert_cmpint(session->lists[kind].previous, ==, previous);
    g_assert_cmpint(t, >=, last);
    last = t;
    previous = i;
    g_assert_cmpuint(++length, <=, SENSORS);
  }
  g_assert_cmpint(list->last, ==, previous);
  return length;
}

static void
check_lists(const PlRadio *radio) {
  unsigned listed[PL_LIST_COUNT] = {0};
  unsigned members[PL_LIST_COUNT] = {0};
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    listed[PL_LIST_HEARD] += check_list(radio, &radio->adapters[i].heard, PL_LIST_HEARD);
  for (int i = 0; i <= PL_ADAPTER_MAX; i++)
    listed[PL_LIST_MISSING] += check_list(radio, &radio->missing[i], PL_LIST_MISSING);
  for (size_t i = 0; i < radio->count; i++) {
    const PlSession *session = &radio->sessions[i];
    bool missing = (session->phase == PL_PHASE_ABSENT || session->phase == PL_PHASE_SEEN ||
                    session->phase == PL_PHASE_BACKOFF) &&
                   !session->banned;
    g_assert_true((session->lists[PL_LIST_MISSING].list != NULL) == missing);
    if (session->lists[PL_LIST_HEARD].list)
      g_assert_true(session->lists[PL_LIST_HEARD].list ==
                    &radio->adapters[session->adapter].heard);
    for (unsigned kind = 0; kind < PL_LIST_COUNT; kind++)
      members[kind] += session->lists[kind].list != NULL;
  }
  for (unsigned kind = 0; kind < PL_LIST_COUNT; kind++)
    g_assert_cmpuint(members[kind], ==, listed[kind]);
}

static void
check_counts(const PlRadio *radio) {
  unsigned links[PL_ADAPTER_MAX] = {0}, fast[PL_ADAPTER_MAX] = {0}, broadcasting = 0;
  for (size_t i = 0; i < radio->count; i++) {
    const PlSession *session = &radio->sessions[i];
    bool up = session->phase >= PL_PHASE_RESOLVING && session->phase <= PL_PHASE_CLOSING;
    bool beacon = i == 6;
    broadcasting += beacon && session->phase == PL_PHASE_STREAMING;
    g_assert_true(session->linked == up || (beacon && !session->linked));
    if (session->present)
      g_assert_true(up);
    if (session->linked && session->adapter >= 0) {
      links[session->adapter]++;
      fast[session->adapter] += session->fast;
    } else {
      g_assert_false(session->fast);
    }
    g_assert_cmpuint(session->write_count, <=, PL_SESSION_WRITES);
  }
  g_assert_cmpuint(radio->broadcasting, ==, broadcasting);
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    const PlAdapter *adapter = &radio->adapters[i];
    g_assert_cmpuint(adapter->state.links, ==, links[i]);
    g_assert_cmpuint(adapter->fast_links, ==, fast[i]);
    if (adapter->connecting != PL_NO_SENSOR && !adapter->connect_sent)
      g_assert_cmpint(radio->sessions[adapter->connecting].phase, ==, PL_PHASE_CONNECTING);
  }
}

static void
check(const Fake *fake) {
  check_timers(&fake->radio);
  check_lists(&fake->radio);
  check_counts(&fake->radio);
  g_assert_cmpint(pl_radio_next_us(&fake->radio), >, fake->now_us);
}

/* -- anything -------------------------------------------------------------------------------
 */

static PlUuid
any_uuid(GRand *rand) {
  static const PlUuid uuids[] = {PL_UUID16(0x2a37), PL_UUID16(0xfd01), PL_UUID16(0xfd02),
                                 PL_UUID16(0xfd03), PL_UUID16(0xbeef)};
  return uuids[g_rand_int_range(rand, 0, G_N_ELEMENTS(uuids))];
}

static PlLinkEvent
any_event(GRand *rand, const Fake *fake) {
  static const uint8_t data[PL_VALUE_MAX + 10];
  int sensor = g_rand_int_range(rand, -1, SENSORS + 1);
  bool known = sensor >= 0 && sensor < SENSORS;
  PlLinkEvent event = {
      .type = (PlLinkEventType)g_rand_int_range(rand, 0, PL_LINK_DROPPED + 1),
      .adapter = g_rand_int_range(rand, 0, 20) ? g_rand_int_range(rand, 0, ADAPTERS)
                                               : g_rand_int_range(rand, -2, 10),
      .sensor = sensor,
      .ok = g_rand_int_range(rand, 0, 4) > 0,
      .powered = g_rand_int_range(rand, 0, 8) > 0,
      .scanning = g_rand_int_range(rand, 0, 2),
      .builtin = g_rand_int_range(rand, 0, 2),
      .private_address = sensor == 4,
      .failure = (PlFailure)g_rand_int_range(rand, 0, PL_FAILURE_COUNT),
      .rssi_dbm = g_rand_int_range(rand, -100, 1),
      .company = g_rand_int_range(rand, 0, 2) ? 0x0107 : 0x004c,
      .count = (unsigned)g_rand_int_range(rand, 0, 100),
      .battery_pct = g_rand_double_range(rand, -10, 300),
      .uuid = any_uuid(rand),
      .data = data,
      .length = (size_t)g_rand_int_range(rand, 0, g_rand_int_range(rand, 0, 9) ? 20 : 524),
  };
  if (known && g_rand_int_range(rand, 0, 4) > 0)
    event.attempt = fake->sensors[sensor].attempt;
  else
    event.attempt = (unsigned)g_rand_int_range(rand, 0, 4);
  return event;
}

/* What the sensor may be waiting for, or nothing would ever stream. */
static PlLinkEventType
next_type(GRand *rand, const PlSession *session) {
  switch (session->phase) {
  case PL_PHASE_CONNECTING:
    return PL_LINK_CONNECTED;
  case PL_PHASE_RESOLVING:
    return g_rand_int_range(rand, 0, 5) ? PL_LINK_CHARACTERISTIC : PL_LINK_RESOLVED;
  case PL_PHASE_SUBSCRIBING:
    return PL_LINK_SUBSCRIBED;
  case PL_PHASE_CLOSING:
    return PL_LINK_DISCONNECTED;
  case PL_PHASE_STREAMING:
  case PL_PHASE_STALE:
  case PL_PHASE_STOPPING:
    if (session->operation == PL_OPERATION_WRITE && g_rand_int_range(rand, 0, 2))
      return PL_LINK_WRITTEN;
    return session->operation == PL_OPERATION_READ ? PL_LINK_VALUE : PL_LINK_NOTIFICATION;
  case PL_PHASE_ABSENT:
  case PL_PHASE_SEEN:
  case PL_PHASE_BACKOFF:
    break;
  }
  return g_rand_int_range(rand, 0, 3) ? PL_LINK_ADVERTISEMENT : PL_LINK_MANUFACTURER;
}

static PlLinkEvent
likely_event(GRand *rand, const Fake *fake) {
  PlLinkEvent event = any_event(rand, fake);
  event.sensor = g_rand_int_range(rand, 0, SENSORS);
  const PlSession *session = &fake->sessions[event.sensor];
  event.type = next_type(rand, session);
  event.attempt = session->attempt;
  event.ok = true;
  event.rssi_dbm = -60;
  event.private_address = event.sensor == 4;
  if (session->adapter != PL_NO_ADAPTER && event.type != PL_LINK_ADVERTISEMENT)
    event.adapter = session->adapter;
  if (session->subscribing >= 0)
    event.uuid = session->wanted[session->subscribing].characteristic->uuid;
  else if (session->operation == PL_OPERATION_WRITE)
    event.uuid = (PlUuid)PL_UUID16(0xfd01);
  return event;
}

/* What the event means for the requests that are on their way. */
static void
note(Fake *fake, const PlLinkEvent *event) {
  bool all = event->type == PL_LINK_SERVICE_LOST;
  bool adapter_down = event->type == PL_LINK_ADAPTER_GONE ||
                      (event->type == PL_LINK_ADAPTER && !event->powered);
  bool answered =
      event->sensor >= 0 && event->sensor < SENSORS &&
      ((event->type == PL_LINK_CONNECTED && event->attempt == 0) ||
       ((event->type == PL_LINK_CONNECTED || event->type == PL_LINK_CONNECT_FAILED) &&
        event->attempt == fake->sensors[event->sensor].attempt) ||
       event->type == PL_LINK_REMOVED);
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    FakeAdapter *adapter = &fake->adapters[i];
    bool down = all || (adapter_down && event->adapter == i);
    bool stopped =
        event->type == PL_LINK_SCAN && event->adapter == i && !(event->ok && event->scanning);
    if (down || (answered && adapter->pending == event->sensor))
      adapter->pending = PL_NO_SENSOR;
    if (down || stopped)
      adapter->scan_until = fake_now(fake);
  }
}

static void
any_step(GRand *rand, Fake *fake) {
  static const double pauses[] = {0, 0, 0, 0, 0.001, 0.01, 0.1, 0.5};
  bool pausing = g_rand_int_range(rand, 0, 100) == 0;
  double pause = pausing ? 20 : pauses[g_rand_int_range(rand, 0, G_N_ELEMENTS(pauses))];
  int64_t until = fake->now_us + llround(pause * g_rand_double(rand) * 1e6);
  int choice = g_rand_int_range(rand, 0, 100);
  while (pl_radio_next_us(&fake->radio) <= until && g_rand_int_range(rand, 0, 50) > 0) {
    fake->now_us = pl_radio_next_us(&fake->radio);
    pl_radio_advance(&fake->radio, fake->now_us);
    check(fake);
  }
  fake->now_us = until;
  pl_radio_advance(&fake->radio, until);
  check(fake);
  if (choice == 0) {
    pl_radio_set_run_active(&fake->radio, g_rand_int_range(rand, 0, SENSORS),
                            g_rand_int_range(rand, 0, 2));
  } else if (choice == 1) {
    pl_radio_user_scan(&fake->radio, fake->now_us + g_rand_int_range(rand, -5, 50) * 1000000);
  } else {
    PlLinkEvent event = choice < 10 ? any_event(rand, fake) : likely_event(rand, fake);
    note(fake, &event);
    fake_event(fake, &event);
  }
  check(fake);
}

typedef struct {
  unsigned streamed, connects, writes;
} Reach;

static void
run(guint32 seed, Reach *reach) {
  const PlDriver unruly = unruly_driver();
  g_autoptr(Fake) fake = new_fake(seed, &unruly);
  GRand *rand = g_rand_new_with_seed(seed);
  for (int i = 0; i < ADAPTERS; i++)
    fake_event(fake, &(PlLinkEvent){.type = PL_LINK_ADAPTER,
                                    .adapter = i,
                                    .sensor = PL_NO_SENSOR,
                                    .powered = true});
  for (unsigned i = 0; i < EVENTS; i++)
    any_step(rand, fake);
  for (int i = 0; i < SENSORS; i++)
    reach->streamed += fake->sensors[i].joined;
  reach->connects += fake_count(fake, FAKE_CONNECT, PL_NO_SENSOR, 0);
  reach->writes += fake_count(fake, FAKE_WRITE, PL_NO_SENSOR, 0);

  pl_radio_stop(&fake->radio);
  fake_run(fake, 8);
  g_assert_true(pl_radio_stopped(&fake->radio));
  g_rand_free(rand);
}

static void
test_any_events(void) {
  guint32 seeds = g_test_slow() ? 3000 : 60;
  Reach reach = {0};
  for (guint32 seed = 1; seed <= seeds; seed++)
    run(seed, &reach);
  g_test_message("%u connects, %u times joined, %u writes", reach.connects, reach.streamed,
                 reach.writes);
  /* The test is worth something only where it gets somewhere. */
  g_assert_cmpuint(reach.connects, >, 20 * seeds);
  g_assert_cmpuint(reach.streamed, >, 20 * seeds);
  g_assert_cmpuint(reach.writes, >, 5 * seeds);
}

/* The same events give the same requests. */
static void
test_same_again(void) {
  g_autoptr(Fake) first = fake_new(5);
  g_autoptr(Fake) second = fake_new(5);
  Fake *const both[] = {first, second};
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < 5; i++) {
      both[k]->sensors[i].advertises = true;
      both[k]->sensors[i].connect = (FakeReply){
          .answer = FAKE_NO, .failure = PL_FAILURE_ABORTED, .times = 30, .after = 0.3};
    }
    both[k]->options.seed = 99;
    fake_start(both[k]);
    fake_run(both[k], 1000);
  }
  g_assert_cmpuint(first->requests->len, ==, second->requests->len);
  for (guint i = 0; i < first->requests->len; i++) {
    const FakeRequest *a = &g_array_index(first->requests, FakeRequest, i);
    const FakeRequest *b = &g_array_index(second->requests, FakeRequest, i);
    g_assert_cmpint(a->type, ==, b->type);
    g_assert_cmpint(a->sensor, ==, b->sensor);
    g_assert_cmpfloat(a->t, ==, b->t);
  }
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/radio/property/any-events", test_any_events);
  g_test_add_func("/radio/property/same-again", test_same_again);
  return g_test_run();
}
