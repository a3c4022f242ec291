/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-link-private.h"

#include <math.h>
#include <string.h>

static const int64_t begin_us = INT64_C(1000000000);

/* -- the queue --------------------------------------------------------------------------- */

static gint
compare(gconstpointer a, gconstpointer b, gpointer data) {
  const FakeQueued *x = a, *y = b;
  if (x->t_us != y->t_us)
    return x->t_us < y->t_us ? -1 : 1;
  return x->serial < y->serial ? -1 : 1;
}

void
fake_queue(Fake *fake, double after, FakeQueuedKind kind, unsigned link_number,
           PlLinkEvent event) {
  FakeQueued *queued = g_new(FakeQueued, 1);
  *queued = (FakeQueued){.t_us = fake->now_us + llround(after * 1e6),
                         .serial = ++fake->serial,
                         .kind = kind,
                         .link_number = link_number,
                         .event = event};
  g_sequence_insert_sorted(fake->queue, queued, compare, NULL);
}

void
fake_answer(Fake *fake, double after, PlLinkEvent event) {
  fake_queue(fake, after, FAKE_QUEUED_EVENT, 0, event);
}

double
fake_now(const Fake *fake) {
  return (double)(fake->now_us - begin_us) / 1e6;
}

/* -- life ------------------------------------------------------------------------------- */

static void
init_sensor(FakeSensor *sensor) {
  sensor->drivers[0] = &fake_strap;
  sensor->advertise_every = 0.5;
  sensor->rssi_dbm[0] = -60;
  sensor->connect.after = 0.5;
  sensor->resolve_after = 0.5;
  sensor->subscribe.after = 0.05;
  sensor->acquire.after = 0.05;
  sensor->write.after = 0.05;
  sensor->sends = true;
  sensor->send_every = 1;
  sensor->cancel_answers = true;
  sensor->disconnect_after = 2.1;
  sensor->heard = -INFINITY;
  sensor->told_in_scan = -INFINITY;
  sensor->adapter = PL_NO_ADAPTER;
  sensor->history = g_string_new("");
}

Fake *
fake_new(size_t count) {
  Fake *fake = g_new0(Fake, 1);
  fake_wire(fake);
  fake->count = count;
  fake->sessions = g_new(PlSession, count);
  if (count > 0)
    memset(fake->sessions, 0xa5, count * sizeof *fake->sessions);
  fake->configs = g_new0(PlSessionConfig, count);
  fake->sensors = g_new0(FakeSensor, count);
  fake->requests = g_array_new(FALSE, FALSE, sizeof(FakeRequest));
  fake->queue = g_sequence_new(g_free);
  fake->now_us = begin_us;
  for (size_t i = 0; i < count; i++) {
    init_sensor(&fake->sensors[i]);
    fake->configs[i].adapter = PL_NO_ADAPTER;
  }
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    fake->adapters[i].pending = PL_NO_SENSOR;
    fake->adapters[i].start.after = 0.05;
    fake->adapters[i].stop.after = 0.05;
    fake->adapters[i].strangers_every = 1;
    fake->adapters[i].builtin = true;
  }
  fake->adapters[0].present = true;
  fake->adapters[0].powered = true;
  return fake;
}

void
fake_free(Fake *fake) {
  for (size_t i = 0; i < fake->count; i++)
    g_string_free(fake->sensors[i].history, TRUE);
  g_free(fake->sessions);
  g_free(fake->configs);
  g_free(fake->sensors);
  g_array_free(fake->requests, TRUE);
  g_sequence_free(fake->queue);
  g_free(fake);
}

static void
tell_adapter(Fake *fake, int index) {
  FakeAdapter *adapter = &fake->adapters[index];
  fake_answer(fake, 0,
              (PlLinkEvent){.type = PL_LINK_ADAPTER,
                            .adapter = index,
                            .sensor = PL_NO_SENSOR,
                            .powered = adapter->powered,
                            .builtin = adapter->builtin});
}

void
fake_start(Fake *fake) {
  for (size_t i = 0; i < fake->count; i++)
    memcpy(fake->configs[i].drivers, fake->sensors[i].drivers, sizeof fake->configs[i].drivers);
  pl_radio_init(&fake->radio, fake->sessions, fake->count, fake->configs, &fake->options,
                &fake->link, &fake->listener, fake->now_us);
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    if (fake->adapters[i].present)
      tell_adapter(fake, i);
  for (size_t i = 0; i < fake->count; i++)
    if (fake->sensors[i].advertises)
      fake_advertise(fake, (int)i, true);
}

/* -- what happens ------------------------------------------------------------------------ */

void
fake_event(Fake *fake, const PlLinkEvent *event) {
  PlLinkEvent stamped = *event;
  stamped.t_us = fake->now_us;
  pl_radio_handle(&fake->radio, &stamped);
  g_assert_cmpint(pl_radio_next_us(&fake->radio), >, fake->now_us);
}

void
fake_advertise(Fake *fake, int sensor, bool on) {
  FakeSensor *self = &fake->sensors[sensor];
  self->advertises = on;
  if (!on || self->advertisement_queued)
    return;
  self->advertisement_queued = true;
  fake_queue(fake, 0.1, FAKE_QUEUED_ADVERTISEMENT, 0,
             (PlLinkEvent){.type = PL_LINK_ADVERTISEMENT, .sensor = sensor});
}

static void
play_advertisement(Fake *fake, const FakeQueued *queued) {
  FakeSensor *self = &fake->sensors[queued->event.sensor];
  self->advertisement_queued = self->advertises;
  if (!self->advertises)
    return;
  fake_queue(fake, self->advertise_every, FAKE_QUEUED_ADVERTISEMENT, 0, queued->event);
  for (int i = 0; i < PL_ADAPTER_MAX && !self->connected; i++) {
    FakeAdapter *adapter = &fake->adapters[i];
    if (!adapter->scanning || adapter->deaf || self->rssi_dbm[i] == 0)
      continue;
    PlLinkEvent event = queued->event;
    event.adapter = i;
    event.rssi_dbm = self->rssi_dbm[i];
    event.private_address = self->private_address;
    self->heard = fake_now(fake);
    if (self->told_once && self->told_in_scan == adapter->scan_since)
      continue;
    self->told_in_scan = adapter->scan_since;
    fake_event(fake, &event);
  }
}

static void
play_stranger(Fake *fake, const FakeQueued *queued) {
  FakeAdapter *adapter = &fake->adapters[queued->event.adapter];
  adapter->stranger_queued = adapter->scanning && adapter->strangers_every > 0;
  if (!adapter->stranger_queued)
    return;
  fake_queue(fake, adapter->strangers_every, FAKE_QUEUED_STRANGER, 0, queued->event);
  if (!adapter->deaf)
    fake_event(fake, &queued->event);
}

static void
play_notification(Fake *fake, const FakeQueued *queued) {
  static const guint8 data[] = {0x00, 0x48};
  FakeSensor *self = &fake->sensors[queued->event.sensor];
  if (!self->connected || queued->link_number != self->link_number)
    return;
  fake_queue(fake, self->send_every, FAKE_QUEUED_NOTIFICATION, queued->link_number,
             queued->event);
  if (!self->sends)
    return;
  PlLinkEvent event = queued->event;
  event.data = data;
  event.length = sizeof data;
  self->sent++;
  fake_event(fake, &event);
}

static void
queue_characteristics(Fake *fake, int sensor, double after) {
  const FakeSensor *self = &fake->sensors[sensor];
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && self->drivers[i]; i++)
    for (size_t c = 0; c < self->drivers[i]->characteristic_count; c++) {
      PlLinkEvent event = fake_sensor_event(fake, PL_LINK_CHARACTERISTIC, sensor);
      event.uuid = self->drivers[i]->characteristics[c].uuid;
      fake_queue(fake, after, FAKE_QUEUED_EVENT, self->link_number, event);
    }
}

static void
link_came_up(Fake *fake, int sensor) {
  FakeSensor *self = &fake->sensors[sensor];
  self->connected = true;
  self->streams = 0;
  self->operating = false;
  self->link_number++;
  if (self->resolve_after < 0)
    return;
  if (self->objects_after <= 0)
    queue_characteristics(fake, sensor, self->resolve_after);
  fake_queue(fake, self->resolve_after, FAKE_QUEUED_EVENT, self->link_number,
             fake_sensor_event(fake, PL_LINK_RESOLVED, sensor));
  if (self->objects_after > 0)
    queue_characteristics(fake, sensor, self->resolve_after + self->objects_after);
}

static void
link_went_down(FakeSensor *sensor) {
  sensor->connected = false;
  sensor->streams = 0;
  sensor->operating = false;
  sensor->link_number++;
}

static void
scan_changed(Fake *fake, int index, bool scanning) {
  FakeAdapter *adapter = &fake->adapters[index];
  fake_stop_scanning(fake, adapter);
  adapter->scanning = scanning;
  adapter->scan_since = fake_now(fake);
  if (!scanning || adapter->strangers_every <= 0 || adapter->stranger_queued)
    return;
  adapter->stranger_queued = true;
  fake_queue(fake, adapter->strangers_every, FAKE_QUEUED_STRANGER, 0,
             (PlLinkEvent){.type = PL_LINK_ADVERTISEMENT,
                           .adapter = index,
                           .sensor = PL_NO_SENSOR,
                           .rssi_dbm = -80});
}

/* The world first, then the radio: it sees what already holds. */
static void
play_event(Fake *fake, const FakeQueued *queued) {
  const PlLinkEvent *event = &queued->event;
  FakeSensor *self = event->sensor >= 0 ? &fake->sensors[event->sensor] : NULL;
  FakeAdapter *adapter = event->adapter >= 0 ? &fake->adapters[event->adapter] : NULL;
  if (queued->link_number != 0 && queued->link_number != self->link_number)
    return;
  bool answers = event->type == PL_LINK_CONNECTED || event->type == PL_LINK_CONNECT_FAILED;
  if (answers && adapter->pending == event->sensor && event->attempt == self->attempt)
    adapter->pending = PL_NO_SENSOR;
  if (event->type == PL_LINK_CONNECTED)
    link_came_up(fake, event->sensor);
  else if (event->type == PL_LINK_DISCONNECTED)
    link_went_down(self);
  else if (event->type == PL_LINK_WRITTEN || event->type == PL_LINK_VALUE)
    self->operating = false;
  else if (event->type == PL_LINK_SCAN)
    scan_changed(fake, event->adapter, event->scanning);
  fake_event(fake, event);
}

static void
play(Fake *fake, const FakeQueued *queued) {
  if (queued->kind == FAKE_QUEUED_ADVERTISEMENT)
    play_advertisement(fake, queued);
  else if (queued->kind == FAKE_QUEUED_NOTIFICATION)
    play_notification(fake, queued);
  else if (queued->kind == FAKE_QUEUED_STRANGER)
    play_stranger(fake, queued);
  else
    play_event(fake, queued);
}

void
fake_drop(Fake *fake, int sensor) {
  PlLinkEvent event = fake_sensor_event(fake, PL_LINK_DISCONNECTED, sensor);
  g_assert_true(fake->sensors[sensor].connected);
  link_went_down(&fake->sensors[sensor]);
  fake_event(fake, &event);
}

static void
forget_adapter(Fake *fake, int index) {
  FakeAdapter *adapter = &fake->adapters[index];
  fake_stop_scanning(fake, adapter);
  adapter->scan_until = fake_now(fake);
  adapter->pending = PL_NO_SENSOR;
  for (size_t i = 0; i < fake->count; i++)
    if (fake->sensors[i].adapter == index) {
      link_went_down(&fake->sensors[i]);
      fake->sensors[i].adapter = PL_NO_ADAPTER;
    }
  /* Answers on their way die with it. */
  GSequenceIter *iter = g_sequence_get_begin_iter(fake->queue);
  while (!g_sequence_iter_is_end(iter)) {
    GSequenceIter *next = g_sequence_iter_next(iter);
    const FakeQueued *queued = g_sequence_get(iter);
    if (queued->kind == FAKE_QUEUED_EVENT && queued->event.adapter == index)
      g_sequence_remove(iter);
    iter = next;
  }
}

void
fake_adapter_appears(Fake *fake, int index) {
  fake->adapters[index].present = true;
  fake->adapters[index].powered = true;
  tell_adapter(fake, index);
}

void
fake_adapter_vanishes(Fake *fake, int index) {
  fake->adapters[index].present = false;
  forget_adapter(fake, index);
  fake_event(fake, &(PlLinkEvent){
                       .type = PL_LINK_ADAPTER_GONE, .adapter = index, .sensor = PL_NO_SENSOR});
}

void
fake_set_power(Fake *fake, int index, bool on) {
  fake->adapters[index].powered = on;
  if (!on)
    forget_adapter(fake, index);
  tell_adapter(fake, index);
}

void
fake_service_lost(Fake *fake) {
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    forget_adapter(fake, i);
    fake->adapters[i].present = false;
  }
  fake_event(fake, &(PlLinkEvent){.type = PL_LINK_SERVICE_LOST,
                                  .adapter = PL_NO_ADAPTER,
                                  .sensor = PL_NO_SENSOR});
}

/* -- time -------------------------------------------------------------------------------- */

/* One step; false when nothing is left to do until then. */
static bool
step(Fake *fake, int64_t until_us) {
  GSequenceIter *first = g_sequence_get_begin_iter(fake->queue);
  const FakeQueued *head = g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
  int64_t radio_us = pl_radio_next_us(&fake->radio);
  int64_t next_us = head && head->t_us < radio_us ? head->t_us : radio_us;
  if (next_us > until_us) {
    fake->now_us = until_us;
    pl_radio_advance(&fake->radio, until_us);
    return false;
  }
  fake->now_us = MAX(fake->now_us, next_us);
  if (head && head->t_us < radio_us) {
    FakeQueued queued = *head;
    g_sequence_remove(first);
    play(fake, &queued);
  } else {
    pl_radio_advance(&fake->radio, fake->now_us);
    g_assert_cmpint(pl_radio_next_us(&fake->radio), >, fake->now_us);
  }
  return true;
}

static int64_t
after(const Fake *fake, double seconds) {
  return fake->now_us + llround(seconds * 1e6);
}

void
fake_run(Fake *fake, double seconds) {
  int64_t until_us = after(fake, seconds);
  while (step(fake, until_us))
    ;
}

bool
fake_wait(Fake *fake, int sensor, PlLinkState link, double seconds) {
  int64_t until_us = after(fake, seconds);
  while (fake_link(fake, sensor) != link)
    if (!step(fake, until_us))
      return fake_link(fake, sensor) == link;
  return true;
}

bool
fake_wait_all(Fake *fake, PlLinkState link, double seconds) {
  int64_t until_us = after(fake, seconds);
  for (size_t i = 0; i < fake->count; i++)
    if (!fake_wait(fake, (int)i, link, (double)(until_us - fake->now_us) / 1e6))
      return false;
  return true;
}

bool
fake_wait_request(Fake *fake, FakeRequestType type, int sensor, unsigned number,
                  double seconds) {
  int64_t until_us = after(fake, seconds);
  while (fake_count(fake, type, sensor, 0) < number)
    if (!step(fake, until_us))
      return false;
  return true;
}

/* -- what there was ----------------------------------------------------------------------- */

static bool
is_of(const FakeRequest *request, FakeRequestType type, int sensor) {
  return request->type == type && (sensor == PL_NO_SENSOR || request->sensor == sensor);
}

unsigned
fake_count(const Fake *fake, FakeRequestType type, int sensor, double since) {
  unsigned count = 0;
  for (guint i = 0; i < fake->requests->len; i++) {
    const FakeRequest *request = &g_array_index(fake->requests, FakeRequest, i);
    count += is_of(request, type, sensor) && request->t >= since;
  }
  return count;
}

double
fake_when(const Fake *fake, FakeRequestType type, int sensor, unsigned number) {
  for (guint i = 0; i < fake->requests->len; i++) {
    const FakeRequest *request = &g_array_index(fake->requests, FakeRequest, i);
    if (is_of(request, type, sensor) && --number == 0)
      return request->t;
  }
  return (double)NAN;
}

double
fake_scanned(const Fake *fake, int index) {
  const FakeAdapter *adapter = &fake->adapters[index];
  return adapter->scanned + (adapter->scanning ? fake_now(fake) - adapter->scan_since : 0);
}

PlLinkState
fake_link(const Fake *fake, int sensor) {
  return pl_radio_sensor(&fake->radio, sensor)->link;
}
