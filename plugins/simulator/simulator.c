/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/simulator.h"

#include "plugins/simulator/device.h"

#include <string.h>

enum { ADAPTER = 0, POLAR = 0x006b };

static const int64_t rest_us = INT64_C(360) * 1000000; /* between repetitions */
static const int64_t second_us = 1000000;
static const int64_t resolve_delay_us = 200000;
static const int64_t battery_first_us = 300000;
static const int64_t battery_period_us = INT64_C(600) * 1000000;
static const int64_t latency_us = 15000; /* from the sensor to us: at least; up to thrice */
static const double delay_s = 3;         /* by which each runner of a squad starts later */
static const int64_t never_us = INT64_MAX;

/* Evenly spread from `low` to `high`. */
static int64_t
between(PlSimulator *self, int64_t low, int64_t high) {
  return low + (int64_t)((double)(high - low) * pl_random_uniform(&self->random));
}

static int64_t
latency(PlSimulator *self) {
  return between(self, latency_us, 3 * latency_us);
}

/* Scenario time of a share of the whole. */
static int64_t
share_us(const PlSimulator *self, double share) {
  return (int64_t)((double)self->duration_us * share);
}

bool
pl_simulator_present(const PlSimulator *self, const PlSimulatorDevice *device, int64_t t_us) {
  const PlDropout *dropout = &self->options.scenario->dropout;
  int64_t at_us = t_us % self->cycle_us;

  if (!self->options.repeat && t_us >= self->duration_us)
    return false;
  return device->kind != dropout->kind || at_us < share_us(self, dropout->from) ||
         at_us >= share_us(self, dropout->until);
}

/* The next time at which a sensor may go or come. */
static int64_t
next_presence_us(const PlSimulator *self, int64_t t_us) {
  const PlDropout *dropout = &self->options.scenario->dropout;
  int64_t cycle_start = t_us - t_us % self->cycle_us;
  const int64_t times[] = {
      cycle_start + share_us(self, dropout->from),
      cycle_start + share_us(self, dropout->until),
      self->options.repeat ? cycle_start + self->cycle_us : self->duration_us,
  };

  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
    if (times[i] > t_us)
      return times[i];
  return never_us;
}

static void
set_timer(PlSimulatorDevice *device, PlSimulatorTimer timer, bool on, int64_t first_us) {
  if (!on)
    device->due_us[timer] = never_us;
  else if (device->due_us[timer] == never_us)
    device->due_us[timer] = first_us;
}

static bool
is_subscribed(const PlSimulatorDevice *device, PlSimulatorCharacteristic characteristic) {
  return (device->subscribed & 1u << characteristic) != 0;
}

void
pl_simulator_set_timers(PlSimulator *self, PlSimulatorDevice *device) {
  int64_t now = self->now_us;
  const PlSimulatorRunner *runner = &self->runners[device->runner];
  bool present = pl_simulator_present(self, device, now);
  bool connected = device->link == PL_SIMULATOR_CONNECTED;
  bool measuring =
      is_subscribed(device, PL_SIMULATOR_HEART_RATE) || is_subscribed(device, PL_SIMULATOR_RSC);
  bool streaming = is_subscribed(device, PL_SIMULATOR_PMD_DATA) && runner->strap.rate_hz != 0;
  int64_t full_us = 0;

  set_timer(device, PL_SIMULATOR_ADVERTISE,
            self->scanning && present && device->link == PL_SIMULATOR_FREE,
            between(self, now + second_us / 10, now + second_us));
  if (connected && measuring && device->due_us[PL_SIMULATOR_MEASURE] == never_us)
    device->measured_us = between(self, now + second_us / 2, now + second_us * 3 / 2);
  set_timer(device, PL_SIMULATOR_MEASURE, connected && measuring,
            device->measured_us + latency_us);
  if (streaming)
    full_us = pl_strap_frame_full_us(&runner->strap, &runner->body);
  set_timer(device, PL_SIMULATOR_FRAME, connected && streaming, full_us + latency_us);
  set_timer(device, PL_SIMULATOR_BATTERY, connected, now + battery_first_us);
}

PlSimulatorRunner *
pl_simulator_advance(PlSimulator *self, const PlSimulatorDevice *device) {
  PlSimulatorRunner *runner = &self->runners[device->runner];
  PlBody *body = &runner->body;

  while (body->t_us + PL_BODY_TICK_US <= self->now_us) {
    pl_body_tick(body);
    pl_strap_tick(&runner->strap, body);
    if (self->options.repeat && body->t_us % self->cycle_us == 0)
      pl_body_restart(body);
  }
  return runner;
}

void
pl_simulator_init(PlSimulator *self, const PlSimulatorOptions *options) {
  const PlScenario *scenario = options->scenario;
  double minutes = options->minutes > 0 ? options->minutes : scenario->minutes;
  unsigned runners = options->runners > 0 ? options->runners : scenario->runners;

  memset(self, 0, sizeof *self);
  self->options = *options;
  self->powered = true;
  if (runners > PL_SIMULATOR_RUNNERS_MAX)
    runners = PL_SIMULATOR_RUNNERS_MAX;
  self->options.runners = runners;
  self->sensor_count = runners * PL_SIMULATOR_KINDS;
  self->duration_us = (int64_t)(minutes * 60) * second_us;
  self->cycle_us = self->duration_us + rest_us;
  pl_random_init(&self->random, options->seed);
  for (unsigned i = 0; i < runners; i++) {
    PlSimulatorRunner *runner = &self->runners[i];
    pl_body_init(&runner->body, scenario, minutes, delay_s * i, pl_random_bits(&self->random));
    pl_strap_init(&runner->strap, pl_random_bits(&self->random));
    pl_simulator_footpod_init(&runner->footpod, options->footpod_steps,
                              pl_random_bits(&self->random));
  }
  for (unsigned i = 0; i < self->sensor_count; i++) {
    PlSimulatorDevice *device = &self->devices[i];
    device->kind = (PlSimulatorKind)(i % PL_SIMULATOR_KINDS);
    device->runner = i / PL_SIMULATOR_KINDS;
    for (int timer = 0; timer < PL_SIMULATOR_TIMERS; timer++)
      device->due_us[timer] = never_us;
    device->due_us[PL_SIMULATOR_PRESENCE] = next_presence_us(self, 0);
  }
  pl_simulator_init_requests(&self->link);
  pl_simulator_answer(self, &self->adapter,
                      (PlSimulatorAnswer){.type = PL_LINK_ADAPTER, .flag = true}, 0);
}

PlLink *
pl_simulator_link(PlSimulator *self) {
  return &self->link;
}

static void
fill_event(PlSimulator *self, const PlSimulatorDevice *device, PlLinkEventType type,
           PlLinkEvent *event) {
  *event = (PlLinkEvent){
      .type = type,
      .t_us = self->options.start_us + self->now_us,
      .adapter = ADAPTER,
      .sensor = device == NULL ? PL_NO_SENSOR : (int)(device - self->devices),
      .data = self->packet,
  };
}

/* The link is up: now the sensor shows what it has. */
static void
show_attributes(PlSimulator *self, PlSimulatorDevice *device) {
  for (int i = 0; i < PL_SIMULATOR_CHARACTERISTICS; i++) {
    PlSimulatorAnswer answer = {.type = PL_LINK_CHARACTERISTIC};
    if (!pl_simulator_has(device->kind, (PlSimulatorCharacteristic)i))
      continue;
    answer.uuid = *pl_simulator_uuid((PlSimulatorCharacteristic)i);
    pl_simulator_answer(self, &device->queue, answer, resolve_delay_us);
  }
  pl_simulator_answer(self, &device->queue, (PlSimulatorAnswer){.type = PL_LINK_RESOLVED},
                      resolve_delay_us);
}

/* Turns an answer into the event, and the state of the sensor into what the answer says. */
static void
say(PlSimulator *self, PlSimulatorDevice *device, PlSimulatorQueue *queue, PlLinkEvent *event) {
  PlSimulatorAnswer answer = *pl_simulator_queue_first(queue);
  pl_simulator_queue_drop_first(queue);

  fill_event(self, device, answer.type, event);
  memcpy(self->packet, answer.data, answer.length);
  event->length = answer.length;
  event->uuid = answer.uuid;
  event->ok = answer.ok;
  event->failure = answer.failure;
  event->attempt = answer.attempt;
  event->company = answer.company;
  event->powered = answer.type == PL_LINK_ADAPTER && answer.flag;
  event->builtin = answer.type == PL_LINK_ADAPTER;
  event->scanning = answer.type == PL_LINK_SCAN && answer.flag;
  if (answer.type == PL_LINK_CONNECTED) {
    device->link = PL_SIMULATOR_CONNECTED;
    show_attributes(self, device);
  } else if (answer.type == PL_LINK_CONNECT_FAILED && answer.attempt == device->attempt &&
             answer.failure != PL_FAILURE_IN_PROGRESS &&
             device->link == PL_SIMULATOR_CONNECTING) {
    device->link = PL_SIMULATOR_FREE;
  }
  if (device != NULL)
    pl_simulator_set_timers(self, device);
}

static void
advertise(PlSimulator *self, PlSimulatorDevice *device, PlLinkEvent *event) {
  fill_event(self, device, PL_LINK_ADVERTISEMENT, event);
  event->rssi_dbm = (int)between(self, -68, -55);
  device->due_us[PL_SIMULATOR_ADVERTISE] =
      between(self, self->now_us + second_us * 9 / 10, self->now_us + second_us * 11 / 10);
  if (device->kind != PL_SIMULATOR_STRAP)
    return;
  PlSimulatorRunner *runner = pl_simulator_advance(self, device);
  PlSimulatorAnswer answer = {
      .type = PL_LINK_MANUFACTURER,
      .company = POLAR,
      .length = PL_STRAP_MANUFACTURER_SIZE,
  };
  pl_strap_manufacturer(&runner->strap, &runner->body, answer.data);
  pl_simulator_answer(self, &device->queue, answer, 0);
}

static void
measure(PlSimulator *self, PlSimulatorDevice *device, PlLinkEvent *event) {
  PlSimulatorRunner *runner = pl_simulator_advance(self, device);

  fill_event(self, device, PL_LINK_NOTIFICATION, event);
  if (device->kind == PL_SIMULATOR_STRAP) {
    event->uuid = *pl_simulator_uuid(PL_SIMULATOR_HEART_RATE);
    event->length = pl_strap_heart(&runner->strap, &runner->body, self->packet);
  } else {
    event->uuid = *pl_simulator_uuid(PL_SIMULATOR_RSC);
    event->length = PL_FOOTPOD_SIZE;
    pl_simulator_footpod_measure(&runner->footpod, &runner->body, self->packet);
  }
  device->measured_us += second_us;
  device->due_us[PL_SIMULATOR_MEASURE] = device->measured_us + latency(self);
}

static void
send_frame(PlSimulator *self, PlSimulatorDevice *device, PlLinkEvent *event) {
  PlSimulatorRunner *runner = pl_simulator_advance(self, device);

  fill_event(self, device, PL_LINK_NOTIFICATION, event);
  event->uuid = *pl_simulator_uuid(PL_SIMULATOR_PMD_DATA);
  memcpy(self->packet, runner->strap.frame, sizeof runner->strap.frame);
  event->length = sizeof runner->strap.frame;
  device->due_us[PL_SIMULATOR_FRAME] =
      pl_strap_frame_full_us(&runner->strap, &runner->body) + latency(self);
}

static void
tell_battery(PlSimulator *self, PlSimulatorDevice *device, PlLinkEvent *event) {
  fill_event(self, device, PL_LINK_BATTERY, event);
  int64_t hours = self->now_us / (3600 * second_us);
  int64_t percent = (device->kind == PL_SIMULATOR_STRAP ? 90 : 75) - hours / 4;
  event->battery_pct = (double)(percent > 5 ? percent : 5);
  device->due_us[PL_SIMULATOR_BATTERY] = self->now_us + battery_period_us;
}

/* A timer of a sensor's is due; whether that is an event. */
static bool
fire(PlSimulator *self, PlSimulatorDevice *device, PlSimulatorTimer timer, PlLinkEvent *event) {
  switch (timer) {
  case PL_SIMULATOR_PRESENCE:
    device->due_us[timer] = next_presence_us(self, self->now_us);
    if (!pl_simulator_present(self, device, self->now_us))
      pl_simulator_drop(self, device, 0);
    pl_simulator_set_timers(self, device);
    return false;
  case PL_SIMULATOR_ADVERTISE:
    advertise(self, device, event);
    return true;
  case PL_SIMULATOR_MEASURE:
    measure(self, device, event);
    return true;
  case PL_SIMULATOR_FRAME:
    send_frame(self, device, event);
    return true;
  case PL_SIMULATOR_BATTERY:
    tell_battery(self, device, event);
    return true;
  case PL_SIMULATOR_TIMERS:
    break;
  }
  return false;
}

static int64_t
queue_due(const PlSimulatorQueue *queue) {
  const PlSimulatorAnswer *answer = pl_simulator_queue_first(queue);
  return answer == NULL ? never_us : answer->t_us;
}

/* The earliest thing that a sensor has to say: a timer, or PL_SIMULATOR_TIMERS for its queue.
 */
static int64_t
device_due(const PlSimulatorDevice *device, PlSimulatorTimer *what) {
  int64_t due = queue_due(&device->queue);

  *what = PL_SIMULATOR_TIMERS;
  for (int timer = 0; timer < PL_SIMULATOR_TIMERS; timer++)
    if (device->due_us[timer] < due) {
      due = device->due_us[timer];
      *what = (PlSimulatorTimer)timer;
    }
  return due;
}

/* The earliest of all; -1: the adapter. */
static int64_t
earliest(const PlSimulator *self, int *sensor, PlSimulatorTimer *what) {
  int64_t due = queue_due(&self->adapter);

  *sensor = PL_NO_SENSOR;
  *what = PL_SIMULATOR_TIMERS;
  for (unsigned i = 0; i < self->sensor_count; i++) {
    PlSimulatorTimer timer;
    int64_t device = device_due(&self->devices[i], &timer);
    if (device < due) {
      due = device;
      *sensor = (int)i;
      *what = timer;
    }
  }
  return due;
}

int64_t
pl_simulator_due(const PlSimulator *self) {
  int sensor;
  PlSimulatorTimer what;
  int64_t due = earliest(self, &sensor, &what);
  return due == never_us ? never_us : self->options.start_us + due;
}

bool
pl_simulator_next(PlSimulator *self, int64_t until_us, PlLinkEvent *event) {
  int64_t until = until_us - self->options.start_us;

  for (;;) {
    int sensor;
    PlSimulatorTimer what;
    int64_t due = earliest(self, &sensor, &what);
    if (due == never_us || due > until) {
      self->now_us = until > self->now_us ? until : self->now_us;
      return false;
    }
    self->now_us = due > self->now_us ? due : self->now_us;
    if (sensor == PL_NO_SENSOR) {
      say(self, NULL, &self->adapter, event);
      return true;
    }
    PlSimulatorDevice *device = &self->devices[sensor];
    if (what == PL_SIMULATOR_TIMERS) {
      say(self, device, &device->queue, event);
      return true;
    }
    if (fire(self, device, what, event))
      return true;
  }
}

bool
pl_simulator_finished(const PlSimulator *self) {
  return !self->options.repeat && self->now_us >= self->duration_us &&
         pl_simulator_due(self) == INT64_MAX;
}

int64_t
pl_simulator_duration(const PlSimulator *self) {
  return self->duration_us;
}

unsigned
pl_simulator_sensor_count(const PlSimulator *self) {
  return self->sensor_count;
}

void
pl_simulator_sensor(const PlSimulator *self, unsigned sensor, PlSimulatorSensor *description) {
  pl_simulator_describe((PlSimulatorKind)(sensor % PL_SIMULATOR_KINDS),
                        sensor / PL_SIMULATOR_KINDS, self->options.runners, description);
}

const PlBody *
pl_simulator_body(const PlSimulator *self, unsigned runner) {
  return &self->runners[runner].body;
}
