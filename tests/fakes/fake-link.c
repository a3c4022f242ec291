/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-link-private.h"

#include <math.h>
#include <string.h>

static const double oldest_advertisement = 5; /* 3 s, and 2 s until the scan has ended */

/* Whether the reply is the failure that it says, or is past it. */
static FakeAnswer
take_reply(FakeReply *reply) {
  FakeAnswer result = reply->answer;
  if (result != FAKE_YES && reply->times > 0 && --reply->times == 0)
    reply->answer = FAKE_YES;
  return result;
}

/* -- requests ---------------------------------------------------------------------------- */

static FakeRequest *
record(Fake *fake, FakeRequestType type, int sensor, int adapter, const PlUuid *uuid) {
  FakeRequest request = {
      .type = type, .t = fake_now(fake), .sensor = sensor, .adapter = adapter};
  if (uuid)
    request.uuid = *uuid;
  g_array_append_val(fake->requests, request);
  return &g_array_index(fake->requests, FakeRequest, fake->requests->len - 1);
}

/* The adapter has to be there for anything to be asked of it. */
static FakeAdapter *
asked_adapter(Fake *fake, int adapter) {
  g_assert_cmpint(adapter, >=, 0);
  g_assert_cmpint(adapter, <, PL_ADAPTER_MAX);
  if (!fake->lawless)
    g_assert_true(fake->adapters[adapter].present);
  return &fake->adapters[adapter];
}

static FakeSensor *
asked_sensor(Fake *fake, int sensor) {
  g_assert_cmpint(sensor, >=, 0);
  g_assert_cmpuint((unsigned)sensor, <, fake->count);
  FakeSensor *self = &fake->sensors[sensor];
  if (self->adapter != PL_NO_ADAPTER)
    (void)asked_adapter(fake, self->adapter);
  return self;
}

void
fake_stop_scanning(Fake *fake, FakeAdapter *adapter) {
  if (adapter->scanning)
    adapter->scanned += fake_now(fake) - adapter->scan_since;
  adapter->scanning = false;
}

static void
on_power(PlLink *link, int index, bool on) {
  Fake *fake = (Fake *)link;
  FakeAdapter *adapter = asked_adapter(fake, index);
  record(fake, on ? FAKE_POWER_ON : FAKE_POWER_OFF, PL_NO_SENSOR, index, NULL);
  if (!on) { /* it takes everything with it, whatever is told of it */
    adapter->scan_until = fake_now(fake);
    adapter->pending = PL_NO_SENSOR;
  }
  if (fake->lawless || adapter->power_refused || adapter->powered == on)
    return;
  fake_set_power(fake, index, on);
}

static void
on_scan(PlLink *link, int index, bool on) {
  Fake *fake = (Fake *)link;
  FakeAdapter *adapter = asked_adapter(fake, index);
  FakeReply *reply = on ? &adapter->start : &adapter->stop;
  record(fake, on ? FAKE_SCAN_ON : FAKE_SCAN_OFF, PL_NO_SENSOR, index, NULL);
  bool pending = adapter->pending != PL_NO_SENSOR;
  if (on && pending)
    g_assert_true(fake->sensors[adapter->pending].private_address);
  FakeAnswer result = take_reply(reply);
  if (on)
    adapter->scan_until = INFINITY;
  else
    adapter->scan_until = fake_now(fake) + (result == FAKE_SILENCE ? 2 : reply->after);
  if (fake->lawless || result == FAKE_SILENCE)
    return;
  bool ok = result == FAKE_YES;
  fake_answer(fake, reply->after,
              (PlLinkEvent){.type = PL_LINK_SCAN,
                            .adapter = index,
                            .sensor = PL_NO_SENSOR,
                            .ok = ok,
                            .scanning = on && ok,
                            .failure = ok ? PL_FAILURE_NONE : reply->failure});
}

static unsigned
links_on(const Fake *fake, int adapter) {
  unsigned links = 0;
  for (size_t i = 0; i < fake->count; i++)
    links += fake->sensors[i].connected && fake->sensors[i].adapter == adapter;
  return links;
}

static void
check_connect(Fake *fake, const FakeSensor *sensor, int index) {
  FakeAdapter *adapter = &fake->adapters[index];
  g_assert_cmpint(adapter->pending, ==, PL_NO_SENSOR);
  if (!sensor->private_address)
    g_assert_cmpfloat(fake_now(fake) + 1e-6, >=, adapter->scan_until);
  if (fake->lawless)
    return;
  g_assert_true(adapter->powered);
  g_assert_false(sensor->connected);
  g_assert_cmpfloat(fake_now(fake) - sensor->heard, <=, oldest_advertisement + 1e-6);
  g_assert_cmpuint(links_on(fake, index), <, pl_radio_adapter(&fake->radio, index)->max_links);
}

PlLinkEvent
fake_sensor_event(const Fake *fake, PlLinkEventType type, int sensor) {
  const FakeSensor *self = &fake->sensors[sensor];
  return (PlLinkEvent){
      .type = type, .sensor = sensor, .adapter = self->adapter, .attempt = self->attempt};
}

static void
on_connect(PlLink *link, int sensor, int index, unsigned attempt) {
  Fake *fake = (Fake *)link;
  FakeAdapter *adapter = asked_adapter(fake, index);
  FakeSensor *self = asked_sensor(fake, sensor);
  g_assert_cmpuint(attempt, !=, 0);
  record(fake, FAKE_CONNECT, sensor, index, NULL);
  check_connect(fake, self, index);
  adapter->pending = sensor;
  self->adapter = index;
  self->attempt = attempt;
  if (fake->lawless)
    return;
  bool full = adapter->slots > 0 && links_on(fake, index) >= adapter->slots;
  FakeAnswer result = full ? FAKE_NO : take_reply(&self->connect);
  if (result == FAKE_SILENCE && !self->connects_late)
    return;
  PlLinkEvent event = fake_sensor_event(fake, PL_LINK_CONNECTED, sensor);
  if (result == FAKE_NO) {
    event.type = PL_LINK_CONNECT_FAILED;
    event.failure = full ? PL_FAILURE_ABORTED : self->connect.failure;
  }
  fake_answer(fake, self->connect.after, event);
}

static void
on_disconnect(PlLink *link, int sensor) {
  Fake *fake = (Fake *)link;
  FakeSensor *self = asked_sensor(fake, sensor);
  record(fake, FAKE_DISCONNECT, sensor, self->adapter, NULL);
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    if (fake->adapters[i].pending == sensor) {
      fake->adapters[i].pending = PL_NO_SENSOR;
      PlLinkEvent event = fake_sensor_event(fake, PL_LINK_CONNECT_FAILED, sensor);
      event.failure = PL_FAILURE_ABORTED;
      if (self->cancel_answers && !fake->lawless)
        fake_answer(fake, 0.015, event);
    }
  if (self->connected && self->disconnect_after >= 0 && !fake->lawless)
    fake_queue(fake, self->disconnect_after, FAKE_QUEUED_EVENT, self->link_number,
               fake_sensor_event(fake, PL_LINK_DISCONNECTED, sensor));
}

static void
on_remove(PlLink *link, int sensor) {
  Fake *fake = (Fake *)link;
  (void)asked_sensor(fake, sensor);
  record(fake, FAKE_REMOVE, sensor, PL_NO_ADAPTER, NULL);
  if (!fake->lawless)
    fake_answer(fake, 0.1, fake_sensor_event(fake, PL_LINK_REMOVED, sensor));
}

/* A number for the characteristic of a driver that has any of the flags, or -1. */
static int
find_characteristic(const FakeSensor *sensor, const PlUuid *uuid, unsigned flags) {
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && sensor->drivers[i]; i++) {
    int index = pl_driver_characteristic(sensor->drivers[i], uuid);
    if (index >= 0 && (sensor->drivers[i]->characteristics[index].flags & flags))
      return (int)(i * PL_DRIVER_CHARACTERISTICS) + index;
  }
  return -1;
}

/* A control point only answers; everything else sends by itself, once for each link. */
static void
start_stream(Fake *fake, int sensor, double after, const PlUuid *uuid) {
  FakeSensor *self = &fake->sensors[sensor];
  guint32 bit = 1u << find_characteristic(self, uuid, PL_CHARACTERISTIC_NOTIFY);
  if ((self->streams & bit) || find_characteristic(self, uuid, PL_CHARACTERISTIC_WRITE) >= 0)
    return;
  self->streams |= bit;
  PlLinkEvent event = fake_sensor_event(fake, PL_LINK_NOTIFICATION, sensor);
  event.uuid = *uuid;
  fake_queue(fake, after + self->send_every, FAKE_QUEUED_NOTIFICATION, self->link_number,
             event);
}

static void
on_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire) {
  Fake *fake = (Fake *)link;
  FakeSensor *self = asked_sensor(fake, sensor);
  FakeReply *reply = acquire ? &self->acquire : &self->subscribe;
  record(fake, acquire ? FAKE_ACQUIRE : FAKE_SUBSCRIBE, sensor, self->adapter, uuid);
  g_assert_cmpint(find_characteristic(self, uuid, PL_CHARACTERISTIC_NOTIFY), >=, 0);
  if (fake->lawless)
    return;
  g_assert_true(self->connected);
  FakeAnswer result = take_reply(reply);
  if (result == FAKE_SILENCE)
    return;
  PlLinkEvent event = fake_sensor_event(fake, PL_LINK_SUBSCRIBED, sensor);
  event.uuid = *uuid;
  event.ok = result == FAKE_YES;
  event.failure = event.ok ? PL_FAILURE_NONE : reply->failure;
  fake_queue(fake, reply->after, FAKE_QUEUED_EVENT, self->link_number, event);
  if (event.ok || event.failure == PL_FAILURE_IN_PROGRESS)
    start_stream(fake, sensor, reply->after, uuid);
}

static void
on_unsubscribe(PlLink *link, int sensor, const PlUuid *uuid) {
  Fake *fake = (Fake *)link;
  FakeSensor *self = asked_sensor(fake, sensor);
  record(fake, FAKE_UNSUBSCRIBE, sensor, self->adapter, uuid);
}

static void
operate(Fake *fake, int sensor, PlLinkEventType type, const PlUuid *uuid, FakeReply *reply) {
  FakeSensor *self = &fake->sensors[sensor];
  if (fake->lawless)
    return;
  g_assert_true(self->connected);
  g_assert_false(self->operating);
  FakeAnswer result = take_reply(reply);
  self->operating = true;
  if (result == FAKE_SILENCE)
    return;
  PlLinkEvent event = fake_sensor_event(fake, type, sensor);
  event.uuid = *uuid;
  event.ok = result == FAKE_YES;
  event.failure = event.ok ? PL_FAILURE_NONE : reply->failure;
  fake_queue(fake, reply->after, FAKE_QUEUED_EVENT, self->link_number, event);
}

static void
on_read(PlLink *link, int sensor, const PlUuid *uuid) {
  Fake *fake = (Fake *)link;
  FakeSensor *self = asked_sensor(fake, sensor);
  FakeReply reply = {.after = 0.05};
  record(fake, FAKE_READ, sensor, self->adapter, uuid);
  g_assert_cmpint(find_characteristic(self, uuid, PL_CHARACTERISTIC_READ), >=, 0);
  operate(fake, sensor, PL_LINK_VALUE, uuid, &reply);
}

static void
on_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data, size_t length) {
  Fake *fake = (Fake *)link;
  FakeSensor *self = asked_sensor(fake, sensor);
  FakeRequest *request = record(fake, FAKE_WRITE, sensor, self->adapter, uuid);
  g_assert_cmpuint(length, <=, sizeof request->data);
  memcpy(request->data, data, length);
  request->length = length;
  operate(fake, sensor, PL_LINK_WRITTEN, uuid, &self->write);
}

/* -- what the radio says ------------------------------------------------------------------ */

static Fake *
of_listener(PlRadioListener *listener) {
  return (Fake *)((char *)listener - offsetof(Fake, listener));
}

static void
on_sample(PlRadioListener *listener, int sensor, const PlSample *sample) {
  of_listener(listener)->sensors[sensor].samples++;
}

static void
on_state(PlRadioListener *listener, int sensor, const PlSensorState *state) {
  GString *history = of_listener(listener)->sensors[sensor].history;
  const char *name = pl_link_state_name(state->link);
  if (!g_str_has_suffix(history->str, name))
    g_string_append_printf(history, " %s", name);
}

static void
on_joined(PlRadioListener *listener, int sensor, int64_t t_us) {
  Fake *fake = of_listener(listener);
  fake->sensors[sensor].joined++;
  fake->sensors[sensor].joined_at = fake_now(fake);
  g_assert_cmpuint(fake->sensors[sensor].joined, ==, fake->sensors[sensor].lost + 1);
}

static void
on_lost(PlRadioListener *listener, int sensor, int64_t t_us) {
  Fake *fake = of_listener(listener);
  fake->sensors[sensor].lost++;
  fake->sensors[sensor].lost_at = fake_now(fake);
  g_assert_cmpuint(fake->sensors[sensor].joined, ==, fake->sensors[sensor].lost);
}

static void
on_flood(PlRadioListener *listener, int sensor, int64_t t_us) {
  Fake *fake = of_listener(listener);
  fake->sensors[sensor].floods++;
  fake->sensors[sensor].flood_at = fake_now(fake);
}

static void
on_adapter_lost(PlRadioListener *listener, int adapter, int64_t t_us) {
  of_listener(listener)->adapters[adapter].lost++;
}

static void
on_adapter_reset(PlRadioListener *listener, int adapter, int64_t t_us) {
  of_listener(listener)->adapters[adapter].resets++;
}

void
fake_wire(Fake *fake) {
  fake->link = (PlLink){.power = on_power,
                        .scan = on_scan,
                        .connect = on_connect,
                        .disconnect = on_disconnect,
                        .remove = on_remove,
                        .subscribe = on_subscribe,
                        .unsubscribe = on_unsubscribe,
                        .read = on_read,
                        .write = on_write};
  fake->listener = (PlRadioListener){.sample = on_sample,
                                     .state = on_state,
                                     .joined = on_joined,
                                     .lost = on_lost,
                                     .flood = on_flood,
                                     .adapter_lost = on_adapter_lost,
                                     .adapter_reset = on_adapter_reset};
}
