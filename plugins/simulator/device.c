/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/device.h"

#include "gateway/core/decimal.h"

#include <string.h>

/* fb005cXX-02e7-f387-1cad-8acd2d8df0c8 */
/* clang-format off */
#define POLAR(x)                                                                              \
  {{0xfb, 0x00, 0x5c, (x), 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd, 0x2d, 0x8d, 0xf0, 0xc8}}
/* clang-format on */

static const struct {
  PlSimulatorKind kind;
  PlUuid uuid;
  bool notify;
} characteristics[PL_SIMULATOR_CHARACTERISTICS] = {
    [PL_SIMULATOR_HEART_RATE] = {PL_SIMULATOR_STRAP, PL_UUID16(0x2a37), true},
    [PL_SIMULATOR_BODY_LOCATION] = {PL_SIMULATOR_STRAP, PL_UUID16(0x2a38), false},
    [PL_SIMULATOR_PMD_CONTROL] = {PL_SIMULATOR_STRAP, POLAR(0x81), true},
    [PL_SIMULATOR_PMD_DATA] = {PL_SIMULATOR_STRAP, POLAR(0x82), true},
    [PL_SIMULATOR_RSC] = {PL_SIMULATOR_FOOTPOD, PL_UUID16(0x2a53), true},
    [PL_SIMULATOR_RSC_FEATURE] = {PL_SIMULATOR_FOOTPOD, PL_UUID16(0x2a54), false},
    [PL_SIMULATOR_RSC_LOCATION] = {PL_SIMULATOR_FOOTPOD, PL_UUID16(0x2a5d), false},
};

static const PlUuid strap_services[] = {PL_UUID16(0x180d), POLAR(0x80), PL_UUID16(0x180f)};
static const PlUuid footpod_services[] = {PL_UUID16(0x1814), PL_UUID16(0x180f)};

static const struct {
  const char *id, *name, *mount;
  const PlUuid *services;
  size_t service_count;
} kinds[PL_SIMULATOR_KINDS] = {
    [PL_SIMULATOR_STRAP] = {"strap", "Polar H10 510000", "chest", strap_services, 3},
    [PL_SIMULATOR_FOOTPOD] = {"footpod", "Footpod ", "left-foot", footpod_services, 2},
};

int
pl_simulator_characteristic(PlSimulatorKind kind, const PlUuid *uuid) {
  for (int i = 0; i < PL_SIMULATOR_CHARACTERISTICS; i++)
    if (characteristics[i].kind == kind && pl_uuid_equal(&characteristics[i].uuid, uuid))
      return i;
  return -1;
}

bool
pl_simulator_has(PlSimulatorKind kind, PlSimulatorCharacteristic characteristic) {
  return characteristics[characteristic].kind == kind;
}

const PlUuid *
pl_simulator_uuid(PlSimulatorCharacteristic characteristic) {
  return &characteristics[characteristic].uuid;
}

bool
pl_simulator_can_notify(PlSimulatorCharacteristic characteristic) {
  return characteristics[characteristic].notify;
}

size_t
pl_simulator_read(PlSimulatorCharacteristic characteristic,
                  uint8_t value[PL_STRAP_ANSWER_SIZE]) {
  switch (characteristic) {
  case PL_SIMULATOR_BODY_LOCATION:
    value[0] = 1; /* chest */
    return 1;
  case PL_SIMULATOR_PMD_CONTROL:
    pl_strap_features(value);
    return PL_STRAP_FEATURES_SIZE;
  case PL_SIMULATOR_RSC_FEATURE:
    value[0] = 0x07; /* length, distance, walking or running */
    value[1] = 0;
    return 2;
  case PL_SIMULATOR_RSC_LOCATION:
    value[0] = 1; /* top of the shoe */
    return 1;
  case PL_SIMULATOR_HEART_RATE:
  case PL_SIMULATOR_PMD_DATA:
  case PL_SIMULATOR_RSC:
  case PL_SIMULATOR_CHARACTERISTICS:
    break;
  }
  return 0;
}

static char *
append(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length + 1);
  return out + length;
}

static char *
append_hex(char *out, unsigned number) {
  static const char digits[] = "0123456789ABCDEF";
  out[0] = digits[number / 16 % 16];
  out[1] = digits[number % 16];
  out[2] = '\0';
  return out + 2;
}

void
pl_simulator_describe(PlSimulatorKind kind, unsigned runner, unsigned runners,
                      PlSimulatorSensor *description) {
  unsigned number = runner * PL_SIMULATOR_KINDS + (unsigned)kind + 1;

  *description = (PlSimulatorSensor){
      .kind = kind,
      .runner = runner,
      .mount = kinds[kind].mount,
      .service_count = kinds[kind].service_count,
      .services = kinds[kind].services,
  };
  append_hex(append(description->address, "02:00:00:00:00:"), number);
  append_hex(append(description->name, kinds[kind].name), number);
  char *end = append(description->id, kinds[kind].id);
  if (runners > 1)
    pl_decimal_format_unsigned(runner + 1, append(end, "-"));
}

void
pl_simulator_queue_add(PlSimulatorQueue *queue, const PlSimulatorAnswer *answer) {
  if (queue->count == PL_SIMULATOR_ANSWERS_MAX)
    return;
  unsigned slot = (queue->first + queue->count) % PL_SIMULATOR_ANSWERS_MAX;
  queue->answers[slot] = *answer;
  if (queue->last_us > answer->t_us)
    queue->answers[slot].t_us = queue->last_us;
  queue->last_us = queue->answers[slot].t_us;
  queue->count++;
}

void
pl_simulator_queue_clear(PlSimulatorQueue *queue) {
  queue->count = 0;
  queue->last_us = 0;
}

const PlSimulatorAnswer *
pl_simulator_queue_first(const PlSimulatorQueue *queue) {
  return queue->count == 0 ? NULL : &queue->answers[queue->first];
}

void
pl_simulator_queue_drop_first(PlSimulatorQueue *queue) {
  queue->first = (queue->first + 1) % PL_SIMULATOR_ANSWERS_MAX;
  queue->count--;
}
