/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-link.h"

#include <math.h>

/* Drivers with nothing in them but what a radio can see of a driver. */

static void
init(void *state, const PlDriverOptions *options) {
  *(unsigned *)state = 0;
}

static void
emit(PlSink *sink, const PlDriverEvent *event) {
  PlSample sample = {.kind = PL_SAMPLE_HEART,
                     .t_us = event->t_us,
                     .t_sensor_us = PL_NO_TIME,
                     .heart.heart_rate_bpm = event->length > 1 ? event->data[1] : (double)NAN};
  sink->sample(sink, &sample);
}

static PlStatus
strap_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  if (event->type != PL_DRIVER_DATA)
    return PL_UNEXPECTED;
  if (event->length < 2)
    return PL_SHORT;
  emit(sink, event);
  return PL_OK;
}

static const PlCharacteristic strap_characteristics[] = {
    {PL_UUID16(0x180d), PL_UUID16(0x2a37), PL_CHARACTERISTIC_NOTIFY},
};

const PlDriver fake_strap = {
    .abi = PL_DRIVER_ABI,
    .id = "strap",
    .characteristics = strap_characteristics,
    .characteristic_count = 1,
    .nominal_rate_hz = 1,
    .stale_us = 10000000,
    .state_size = sizeof(unsigned),
    .init = init,
    .handle = strap_handle,
};

enum { IMU_CONTROL, IMU_DATA, IMU_FEATURES };

static PlStatus
imu_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  switch (event->type) {
  case PL_DRIVER_READY:
    sink->write(sink, IMU_CONTROL, (const uint8_t[]){1}, 1);
    sink->timer(sink, 0, 1000000);
    return PL_OK;
  case PL_DRIVER_STOP:
    sink->write(sink, IMU_CONTROL, (const uint8_t[]){0}, 1);
    return PL_OK;
  case PL_DRIVER_WRITTEN:
    if (!event->ok)
      sink->timer(sink, 1, 1000000);
    return PL_OK;
  case PL_DRIVER_TIMER:
    if (event->characteristic == 1)
      sink->write(sink, IMU_CONTROL, (const uint8_t[]){1}, 1);
    return PL_OK;
  case PL_DRIVER_DATA:
    if (event->characteristic == IMU_DATA)
      emit(sink, event);
    return PL_OK;
  case PL_DRIVER_GONE:
  case PL_DRIVER_ADVERTISEMENT:
  case PL_DRIVER_SERVICE_DATA:
    break;
  }
  return PL_UNEXPECTED;
}

static const PlCharacteristic imu_characteristics[] = {
    {PL_UUID16(0xfd00), PL_UUID16(0xfd01), PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_WRITE},
    {PL_UUID16(0xfd00), PL_UUID16(0xfd02),
     PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_READ | PL_CHARACTERISTIC_FAST},
    {PL_UUID16(0xfd00), PL_UUID16(0xfd03), PL_CHARACTERISTIC_READ | PL_CHARACTERISTIC_OPTIONAL},
};

const PlDriver fake_imu = {
    .abi = PL_DRIVER_ABI,
    .id = "imu",
    .characteristics = imu_characteristics,
    .characteristic_count = 3,
    .nominal_rate_hz = 50,
    .stale_us = 3000000,
    .counts_lost = true,
    .state_size = sizeof(unsigned),
    .init = init,
    .handle = imu_handle,
};

static PlStatus
beacon_handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  if (event->type != PL_DRIVER_ADVERTISEMENT || event->company != 0x0107)
    return PL_UNEXPECTED;
  emit(sink, event);
  return PL_OK;
}

const PlDriver fake_beacon = {
    .abi = PL_DRIVER_ABI,
    .id = "beacon",
    .nominal_rate_hz = 2,
    .stale_us = 10000000,
    .state_size = sizeof(unsigned),
    .init = init,
    .handle = beacon_handle,
};
