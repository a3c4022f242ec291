/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway asks of its adapter and of the sensors, and how long they take to answer. */
#include "plugins/simulator/device.h"

#include <string.h>

enum { ADAPTER = 0 };

static const int64_t adapter_delay_us = 10000;
static const int64_t power_delay_us = 60000;
static const int64_t refuse_delay_us = 5000;
static const int64_t connect_delay_us = 150000;   /* at least; up to twice that */
static const int64_t give_up_delay_us = 10000000; /* when nobody is there */
static const int64_t drop_delay_us = 30000;
static const int64_t remove_delay_us = 40000;
static const int64_t attribute_delay_us = 30000;
static const int64_t control_delay_us = 45000; /* the answer of a control point */

static PlSimulator *
simulator_of(PlLink *link) {
  return (PlSimulator *)(void *)link;
}

static PlSimulatorDevice *
device_of(PlSimulator *self, int sensor) {
  return sensor >= 0 && sensor < (int)self->sensor_count ? &self->devices[sensor] : NULL;
}

void
pl_simulator_answer(const PlSimulator *self, PlSimulatorQueue *queue, PlSimulatorAnswer answer,
                    int64_t delay_us) {
  answer.t_us = self->now_us + delay_us;
  pl_simulator_queue_add(queue, &answer);
}

void
pl_simulator_drop(PlSimulator *self, PlSimulatorDevice *device, int64_t delay_us) {
  PlSimulatorAnswer answer = {.type = PL_LINK_DISCONNECTED};

  if (device->link == PL_SIMULATOR_FREE)
    return;
  if (device->link == PL_SIMULATOR_CONNECTING)
    answer = (PlSimulatorAnswer){
        .type = PL_LINK_CONNECT_FAILED,
        .failure = PL_FAILURE_ABORTED,
        .attempt = device->attempt,
    };
  pl_simulator_queue_clear(&device->queue);
  pl_simulator_answer(self, &device->queue, answer, delay_us);
  device->link = PL_SIMULATOR_FREE;
  device->subscribed = 0;
  pl_simulator_set_timers(self, device);
}

static void
request_power(PlLink *link, int adapter, bool on) {
  PlSimulator *self = simulator_of(link);
  if (adapter != ADAPTER)
    return;
  self->powered = on;
  self->scanning = self->scanning && on;
  for (unsigned i = 0; i < self->sensor_count; i++) {
    if (!on)
      pl_simulator_drop(self, &self->devices[i], drop_delay_us);
    pl_simulator_set_timers(self, &self->devices[i]);
  }
  pl_simulator_answer(self, &self->adapter,
                      (PlSimulatorAnswer){.type = PL_LINK_ADAPTER, .flag = on}, power_delay_us);
}

static void
request_scan(PlLink *link, int adapter, bool on) {
  PlSimulator *self = simulator_of(link);
  if (adapter != ADAPTER)
    return;
  self->scanning = on && self->powered;
  PlSimulatorAnswer answer = {
      .type = PL_LINK_SCAN,
      .ok = self->powered,
      .flag = self->scanning,
      .failure = self->powered ? PL_FAILURE_NONE : PL_FAILURE_NOT_READY,
  };
  pl_simulator_answer(self, &self->adapter, answer, adapter_delay_us);
  for (unsigned i = 0; i < self->sensor_count; i++)
    pl_simulator_set_timers(self, &self->devices[i]);
}

static void
request_connect(PlLink *link, int sensor, int adapter, unsigned attempt) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device == NULL)
    return;
  PlSimulatorAnswer failed = {.type = PL_LINK_CONNECT_FAILED, .attempt = attempt};
  if (!self->powered || adapter != ADAPTER || device->link != PL_SIMULATOR_FREE) {
    failed.failure =
        self->powered && adapter == ADAPTER ? PL_FAILURE_IN_PROGRESS : PL_FAILURE_NOT_READY;
    pl_simulator_answer(self, &device->queue, failed, refuse_delay_us);
    return;
  }
  device->link = PL_SIMULATOR_CONNECTING;
  device->attempt = attempt;
  if (pl_simulator_present(self, device, self->now_us)) {
    PlSimulatorAnswer connected = {.type = PL_LINK_CONNECTED, .ok = true, .attempt = attempt};
    double delay = (double)connect_delay_us * (1 + pl_random_uniform(&self->random));
    pl_simulator_answer(self, &device->queue, connected, (int64_t)delay);
  } else {
    failed.failure = PL_FAILURE_ABORTED;
    pl_simulator_answer(self, &device->queue, failed, give_up_delay_us);
  }
  pl_simulator_set_timers(self, device);
}

static void
request_disconnect(PlLink *link, int sensor) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device != NULL)
    pl_simulator_drop(self, device, drop_delay_us);
}

static void
request_remove(PlLink *link, int sensor) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device == NULL)
    return;
  pl_simulator_drop(self, device, drop_delay_us);
  pl_simulator_answer(self, &device->queue, (PlSimulatorAnswer){.type = PL_LINK_REMOVED},
                      remove_delay_us);
}

/* The characteristic that a request is about, or -1 when that can not be answered now. */
static int
find_attribute(const PlSimulatorDevice *device, const PlUuid *uuid) {
  if (device->link != PL_SIMULATOR_CONNECTED)
    return -1;
  return pl_simulator_characteristic(device->kind, uuid);
}

/* What begins with a subscription begins now. */
static void
begin(PlSimulator *self, const PlSimulatorDevice *device, int characteristic) {
  PlSimulatorRunner *runner = pl_simulator_advance(self, device);
  if (characteristic == PL_SIMULATOR_RSC)
    pl_simulator_footpod_begin(&runner->footpod, &runner->body);
  else if (characteristic == PL_SIMULATOR_HEART_RATE)
    pl_body_take_beats(&runner->body, NULL, PL_BODY_BEATS_MAX);
}

static void
request_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device == NULL)
    return;
  int found = find_attribute(device, uuid);
  PlSimulatorAnswer answer = {.type = PL_LINK_SUBSCRIBED, .uuid = *uuid};

  answer.ok = found >= 0 && pl_simulator_can_notify((PlSimulatorCharacteristic)found);
  answer.failure = answer.ok ? PL_FAILURE_NONE : PL_FAILURE_NOT_SUPPORTED;
  pl_simulator_answer(self, &device->queue, answer, attribute_delay_us);
  if (!answer.ok)
    return;
  begin(self, device, found);
  device->subscribed |= 1u << found;
  pl_simulator_set_timers(self, device);
}

static void
request_unsubscribe(PlLink *link, int sensor, const PlUuid *uuid) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  int found = device == NULL ? -1 : find_attribute(device, uuid);
  if (found < 0)
    return;
  device->subscribed &= ~(1u << found);
  pl_simulator_set_timers(self, device);
}

static void
request_read(PlLink *link, int sensor, const PlUuid *uuid) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device == NULL)
    return;
  int found = find_attribute(device, uuid);
  PlSimulatorAnswer answer = {.type = PL_LINK_VALUE, .uuid = *uuid};

  if (found >= 0)
    answer.length = (uint8_t)pl_simulator_read((PlSimulatorCharacteristic)found, answer.data);
  answer.ok = answer.length > 0;
  answer.failure = answer.ok ? PL_FAILURE_NONE : PL_FAILURE_NOT_PERMITTED;
  pl_simulator_answer(self, &device->queue, answer, attribute_delay_us);
}

static void
request_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data,
              size_t length) {
  PlSimulator *self = simulator_of(link);
  PlSimulatorDevice *device = device_of(self, sensor);
  if (device == NULL)
    return;
  PlSimulatorAnswer written = {.type = PL_LINK_WRITTEN, .uuid = *uuid};

  /* Only the control point takes anything, and only from those who listen to it. */
  written.ok = find_attribute(device, uuid) == PL_SIMULATOR_PMD_CONTROL &&
               (device->subscribed & 1u << PL_SIMULATOR_PMD_CONTROL) != 0;
  written.failure = written.ok ? PL_FAILURE_NONE : PL_FAILURE_NOT_PERMITTED;
  pl_simulator_answer(self, &device->queue, written, attribute_delay_us);
  if (!written.ok)
    return;
  PlSimulatorRunner *runner = pl_simulator_advance(self, device);
  PlSimulatorAnswer answer = {.type = PL_LINK_NOTIFICATION, .uuid = *uuid, .ok = true};
  answer.length = (uint8_t)pl_strap_command(&runner->strap, data, length, answer.data);
  pl_simulator_answer(self, &device->queue, answer, control_delay_us);
  pl_simulator_set_timers(self, device);
}

/* Links that are up stay up, with what was subscribed to; attempts and answers that are on
 * their way were meant for somebody else. */
void
pl_simulator_tell_again(PlSimulator *self) {
  self->scanning = false;
  pl_simulator_queue_clear(&self->adapter);
  pl_simulator_answer(self, &self->adapter,
                      (PlSimulatorAnswer){.type = PL_LINK_ADAPTER, .flag = self->powered}, 0);
  for (unsigned i = 0; i < self->sensor_count; i++) {
    PlSimulatorDevice *device = &self->devices[i];
    pl_simulator_queue_clear(&device->queue);
    if (device->link == PL_SIMULATOR_CONNECTING)
      device->link = PL_SIMULATOR_FREE;
    if (device->link == PL_SIMULATOR_CONNECTED)
      pl_simulator_answer(self, &device->queue,
                          (PlSimulatorAnswer){.type = PL_LINK_CONNECTED, .ok = true}, 0);
    pl_simulator_set_timers(self, device);
  }
}

void
pl_simulator_init_requests(PlLink *link) {
  *link = (PlLink){
      .power = request_power,
      .scan = request_scan,
      .connect = request_connect,
      .disconnect = request_disconnect,
      .remove = request_remove,
      .subscribe = request_subscribe,
      .unsubscribe = request_unsubscribe,
      .read = request_read,
      .write = request_write,
  };
}
