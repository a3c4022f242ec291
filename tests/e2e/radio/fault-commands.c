/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/fault-commands.h"

#include <string.h>

#include "tests/e2e/radio/profile.h"
#include "tests/e2e/radio/text.h"

enum { GARBAGE_MAX = 64, REASON_REMOTE_TERMINATED = 0x13, MS = 1000 };

/* drop ID [REASON] */
static bool
drop(RadioCall *call) {
  int64_t reason = REASON_REMOTE_TERMINATED;
  if (call->n > 2 && !radio_parse_number(call->words[2], 1, 255, &reason))
    return radio_call_fail(call, "not a reason", call->words[2]);
  radio_controller_drop(call->control->controller, call->sensor, (uint8_t)reason);
  return true;
}

/* silent ID, resume ID */
static bool
set_silent(RadioCall *call) {
  call->sensor->faults.silent = strcmp(call->words[0], "silent") == 0;
  return true;
}

/* refuse ID ERROR [late], refuse ID off */
static bool
refuse(RadioCall *call) {
  int64_t error = 0;
  bool late = call->n > 3 && strcmp(call->words[3], "late") == 0;
  if (strcmp(call->words[2], "off") != 0 && !radio_parse_number(call->words[2], 1, 255, &error))
    return radio_call_fail(call, "not an error", call->words[2]);
  if (call->n > 3 && !late)
    return radio_call_fail(call, "not 'late'", call->words[3]);
  call->sensor->faults.refuse = (uint8_t)error;
  call->sensor->faults.refuse_late = late;
  return true;
}

/* range ID in|out */
static bool
set_range(RadioCall *call) {
  bool in = strcmp(call->words[2], "in") == 0;
  if (!in && strcmp(call->words[2], "out") != 0)
    return radio_call_fail(call, "not 'in' or 'out'", call->words[2]);
  radio_sensor_set_range(call->sensor, in, call->now);
  return true;
}

/* walk ID LAP_SECONDS AWAY_SECONDS, walk ID off */
static bool
walk(RadioCall *call) {
  RadioFaults *faults = &call->sensor->faults;
  if (call->n == 3 && strcmp(call->words[2], "off") == 0) {
    faults->lap_us = 0;
    radio_sensor_set_range(call->sensor, true, call->now);
    return true;
  }
  int64_t lap;
  int64_t away;
  if (call->n != 4 || !radio_parse_seconds(call->words[2], &lap) ||
      !radio_parse_seconds(call->words[3], &away) || lap == 0 || away > lap)
    return radio_call_fail(call, "not LAP AWAY or 'off'", call->words[2]);
  faults->lap_us = lap;
  faults->lap_out_us = away;
  faults->lap_start = call->now;
  return true;
}

/* advertise ID on|off */
static bool
set_advertise(RadioCall *call) {
  return radio_parse_switch(call->words[2], &call->sensor->advertises) ||
         radio_call_fail(call, "not 'on' or 'off'", call->words[2]);
}

/* ghost ID on|off */
static bool
set_ghost(RadioCall *call) {
  return radio_parse_switch(call->words[2], &call->sensor->faults.ghost) ||
         radio_call_fail(call, "not 'on' or 'off'", call->words[2]);
}

/* discovery ID MILLISECONDS|never|normal */
static bool
delay_discovery(RadioCall *call) {
  int64_t *delay = &call->sensor->faults.discovery_delay_us;
  int64_t ms;
  if (strcmp(call->words[2], "never") == 0) {
    *delay = RADIO_NEVER;
  } else if (strcmp(call->words[2], "normal") == 0) {
    *delay = 0;
  } else if (radio_parse_number(call->words[2], 0, 60000, &ms)) {
    *delay = ms * MS;
  } else {
    return radio_call_fail(call, "not a delay", call->words[2]);
  }
  return true;
}

static bool
shift_table(RadioCall *call) {
  int64_t first;
  if (call->n != 4 || !radio_parse_number(call->words[3], 1, 0x8000, &first))
    return radio_call_fail(call, "not a handle", call->words[call->n - 1]);
  call->sensor->table.first_handle = (uint16_t)first;
  return true;
}

static bool
fill_table(RadioCall *call) {
  int64_t filler;
  if (call->n != 4 || !radio_parse_number(call->words[3], 0, 20000, &filler))
    return radio_call_fail(call, "not a number of characteristics", call->words[call->n - 1]);
  call->sensor->table.filler = (unsigned)filler;
  return true;
}

static bool
cut_table(RadioCall *call) {
  PlUuid uuid;
  if (call->n != 4 || !pl_uuid_parse(call->words[3], &uuid))
    return radio_call_fail(call, "not a UUID", call->words[call->n - 1]);
  g_ptr_array_add(call->sensor->table.removed, g_memdup2(&uuid, sizeof uuid));
  return true;
}

static bool
restore_table(RadioCall *call) {
  call->sensor->table.first_handle = 0;
  call->sensor->table.filler = 0;
  g_ptr_array_set_size(call->sensor->table.removed, 0);
  return true;
}

static bool
change_table(RadioCall *call) {
  radio_sensor_change_table(call->sensor, call->now);
  return true;
}

/* gatt ID first HANDLE | filler N | remove UUID | restore | changed */
static bool
gatt(RadioCall *call) {
  static const struct {
    const char *word;
    bool (*obey)(RadioCall *call);
  } all[] = {
      {"first", shift_table},     {"filler", fill_table},    {"remove", cut_table},
      {"restore", restore_table}, {"changed", change_table},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    if (strcmp(call->words[2], all[i].word) == 0)
      return all[i].obey(call);
  return radio_call_fail(call, "not a change of the table", call->words[2]);
}

/* notify ID UUID [HEX] */
static bool
notify(RadioCall *call) {
  PlUuid uuid;
  uint8_t value[RADIO_VALUE_MAX];
  size_t length = 0;
  if (!pl_uuid_parse(call->words[2], &uuid) ||
      (call->n > 3 && !radio_parse_hex(call->words[3], value, sizeof value, &length)))
    return radio_call_fail(call, "not a UUID and hex", call->words[2]);
  return radio_sensor_send_value(call->sensor, &uuid, value, length, call->now) ||
         radio_call_fail(call, "nobody has subscribed to", call->words[2]);
}

static size_t
random_bytes(GRand *random, uint8_t bytes[GARBAGE_MAX]) {
  size_t length = (size_t)g_rand_int_range(random, 0, GARBAGE_MAX + 1);
  for (size_t i = 0; i < length; i++)
    bytes[i] = (uint8_t)g_rand_int_range(random, 0, 256);
  return length;
}

/* garbage ID COUNT UUID: random values of a characteristic
 * garbage ID COUNT att|l2cap: random bytes on the attribute channel, or on random channels */
static bool
garbage(RadioCall *call) {
  GRand *random = call->control->controller->random;
  bool att = strcmp(call->words[3], "att") == 0;
  bool l2cap = strcmp(call->words[3], "l2cap") == 0;
  PlUuid uuid;
  int64_t count;
  if (!radio_parse_number(call->words[2], 1, 100000, &count) ||
      (!att && !l2cap && !pl_uuid_parse(call->words[3], &uuid)))
    return radio_call_fail(call, "not a number and 'att', 'l2cap' or a UUID", call->words[3]);
  for (int64_t i = 0; i < count; i++) {
    uint8_t bytes[GARBAGE_MAX];
    size_t length = random_bytes(random, bytes);
    if (att)
      radio_sensor_send_raw(call->sensor, RADIO_CID_ATT, bytes, length, call->now);
    else if (l2cap)
      radio_sensor_send_raw(call->sensor, (uint16_t)g_rand_int_range(random, 0, 0x10000), bytes,
                            length, call->now);
    else
      radio_sensor_send_value(call->sensor, &uuid, bytes, length, call->now);
  }
  return true;
}

/* flood ID PER_SECOND SECONDS */
static bool
flood(RadioCall *call) {
  RadioFaults *faults = &call->sensor->faults;
  int64_t rate;
  int64_t seconds;
  if (!radio_parse_number(call->words[2], 1, 10000, &rate) ||
      !radio_parse_seconds(call->words[3], &seconds))
    return radio_call_fail(call, "not a rate and seconds", call->words[2]);
  faults->flood_step_us = 1000000 / rate;
  faults->flood_next = call->now;
  faults->flood_end = call->now + seconds;
  return true;
}

const RadioCommand radio_fault_commands[] = {
    {"drop", 2, 3, true, drop},
    {"silent", 2, 2, true, set_silent},
    {"resume", 2, 2, true, set_silent},
    {"refuse", 3, 4, true, refuse},
    {"range", 3, 3, true, set_range},
    {"walk", 3, 4, true, walk},
    {"advertise", 3, 3, true, set_advertise},
    {"ghost", 3, 3, true, set_ghost},
    {"discovery", 3, 3, true, delay_discovery},
    {"gatt", 3, 4, true, gatt},
    {"notify", 3, 4, true, notify},
    {"garbage", 4, 4, true, garbage},
    {"flood", 4, 4, true, flood},
    {NULL, 0, 0, false, NULL},
};
