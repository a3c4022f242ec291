/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gateway/core/bytes.h"
#include "tests/e2e/radio/hci.h"

/* The commands that carry something back or change something; every other one is answered with
 * success, which is what a host wants to hear about event masks and the like. */

enum {
  VERSION_5_0 = 0x09,
  MANUFACTURER_LINUX_FOUNDATION = 0x05f1,
  ACL_LENGTH = 251,
  ACL_PACKETS = 24,
  ACCEPT_LIST_SIZE = 32,
};

typedef struct {
  RadioController *controller;
  uint16_t opcode;
  PlReader in;
} Command;

static void
complete(const Command *command, uint8_t status, const void *more, size_t length) {
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, 1);
  radio_put_u16(&w, command->opcode);
  radio_put_u8(&w, status);
  radio_put(&w, more, length);
  hci_send_event(command->controller, HCI_EVENT_COMMAND_COMPLETE, &w);
}

static void
send_status(const Command *command, uint8_t status) {
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, status);
  radio_put_u8(&w, 1);
  radio_put_u16(&w, command->opcode);
  hci_send_event(command->controller, HCI_EVENT_COMMAND_STATUS, &w);
}

static RadioPeer
read_peer(Command *command) {
  RadioPeer peer = {.type = pl_reader_u8(&command->in)};
  for (size_t i = 6; i-- > 0;)
    peer.address[i] = pl_reader_u8(&command->in);
  return peer;
}

static void
reset(Command *command) {
  radio_controller_reset(command->controller);
  complete(command, HCI_SUCCESS, NULL, 0);
}

static void
read_version(Command *command) {
  uint8_t buffer[8];
  RadioWriter w = radio_writer(buffer, sizeof buffer);
  radio_put_u8(&w, VERSION_5_0);
  radio_put_u16(&w, 0);
  radio_put_u8(&w, VERSION_5_0);
  radio_put_u16(&w, MANUFACTURER_LINUX_FOUNDATION);
  radio_put_u16(&w, 0);
  complete(command, HCI_SUCCESS, buffer, w.length);
}

static void
read_supported_commands(Command *command) {
  static const uint8_t supported[64] = {
      [0] = 0x20,  /* disconnect */
      [2] = 0x80,  /* remote version */
      [5] = 0xc0,  /* event mask, reset */
      [14] = 0x28, /* version, features */
      [15] = 0x22, /* address, RSSI */
      [25] = 0xf7, /* LE: masks, buffers, features, random address, advertising */
      [26] = 0xff, /* LE: scan, connect, accept list */
      [27] = 0xff, /* LE: accept list, update, channels, remote features, random numbers */
      [28] = 0x0f, /* LE: encryption, states */
  };
  complete(command, HCI_SUCCESS, supported, sizeof supported);
}

static void
read_features(Command *command) {
  static const uint8_t le_without_br_edr[8] = {[4] = 0x60};
  complete(command, HCI_SUCCESS, le_without_br_edr, sizeof le_without_br_edr);
}

static void
read_address(Command *command) {
  uint8_t buffer[6];
  RadioWriter w = radio_writer(buffer, sizeof buffer);
  hci_put_address(&w, command->controller->address);
  complete(command, HCI_SUCCESS, buffer, w.length);
}

static void
read_le_buffers(Command *command) {
  uint8_t buffer[3];
  RadioWriter w = radio_writer(buffer, sizeof buffer);
  radio_put_u16(&w, ACL_LENGTH);
  radio_put_u8(&w, ACL_PACKETS);
  complete(command, HCI_SUCCESS, buffer, w.length);
}

static void
read_le_features(Command *command) {
  static const uint8_t encryption_only[8] = {0x01};
  complete(command, HCI_SUCCESS, encryption_only, sizeof encryption_only);
}

static void
read_le_states(Command *command) {
  static const uint8_t all[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0x03};
  complete(command, HCI_SUCCESS, all, sizeof all);
}

static void
read_transmit_power(Command *command) {
  static const uint8_t zero_dbm = 0;
  complete(command, HCI_SUCCESS, &zero_dbm, 1);
}

static void
read_accept_list_size(Command *command) {
  static const uint8_t size = ACCEPT_LIST_SIZE;
  complete(command, HCI_SUCCESS, &size, 1);
}

static void
read_random(Command *command) {
  uint8_t buffer[8];
  RadioWriter w = radio_writer(buffer, sizeof buffer);
  radio_put_le(&w, g_rand_int(command->controller->random), 4);
  radio_put_le(&w, g_rand_int(command->controller->random), 4);
  complete(command, HCI_SUCCESS, buffer, w.length);
}

static void
read_rssi(Command *command) {
  uint16_t handle = pl_reader_u16(&command->in);
  const RadioSensor *sensor = hci_sensor_by_handle(command->controller, handle);
  uint8_t buffer[3];
  RadioWriter w = radio_writer(buffer, sizeof buffer);
  radio_put_u16(&w, handle);
  radio_put_u8(&w, (uint8_t)(sensor ? sensor->rssi : 0));
  complete(command, sensor ? HCI_SUCCESS : HCI_UNKNOWN_CONNECTION, buffer, w.length);
}

static void
clear_accept_list(Command *command) {
  g_array_set_size(command->controller->accept_list, 0);
  complete(command, HCI_SUCCESS, NULL, 0);
}

static void
add_to_accept_list(Command *command) {
  RadioPeer peer = read_peer(command);
  GArray *list = command->controller->accept_list;
  bool fits = !command->in.failed && list->len < ACCEPT_LIST_SIZE;
  if (fits)
    g_array_append_val(list, peer);
  complete(command, fits ? HCI_SUCCESS : HCI_INVALID_PARAMETERS, NULL, 0);
}

static void
remove_from_accept_list(Command *command) {
  RadioPeer peer = read_peer(command);
  GArray *list = command->controller->accept_list;
  for (guint i = list->len; i-- > 0;) {
    const RadioPeer *entry = &g_array_index(list, RadioPeer, i);
    if (entry->type == peer.type &&
        memcmp(entry->address, peer.address, sizeof peer.address) == 0)
      g_array_remove_index(list, i);
  }
  complete(command, HCI_SUCCESS, NULL, 0);
}

static void
set_scan_parameters(Command *command) {
  RadioScan *scan = &command->controller->scan;
  if (scan->enabled) {
    complete(command, HCI_COMMAND_DISALLOWED, NULL, 0);
    return;
  }
  scan->active = pl_reader_u8(&command->in) == 1;
  pl_reader_le(&command->in, 5); /* interval, window, own address */
  scan->accept_list_only = pl_reader_u8(&command->in) & 1;
  complete(command, command->in.failed ? HCI_INVALID_PARAMETERS : HCI_SUCCESS, NULL, 0);
}

static void
set_scan_enable(Command *command) {
  RadioController *controller = command->controller;
  bool enable = pl_reader_u8(&command->in) == 1;
  controller->scan.filter_duplicates = pl_reader_u8(&command->in) == 1;
  if (enable != controller->scan.enabled)
    radio_journal_write(controller->journal, NULL, "scan",
                        "\"on\":%s,\"active\":%s,\"accept_list_only\":%s,\"duplicates\":%s",
                        enable ? "true" : "false", controller->scan.active ? "true" : "false",
                        controller->scan.accept_list_only ? "true" : "false",
                        controller->scan.filter_duplicates ? "false" : "true");
  controller->scan.enabled = enable;
  for (guint i = 0; enable && i < controller->sensors->len; i++)
    ((RadioSensor *)g_ptr_array_index(controller->sensors, i))->reported = false;
  complete(command, HCI_SUCCESS, NULL, 0);
}

static RadioInitiator
read_initiator(Command *command) {
  RadioInitiator initiator = {.pending = true};
  pl_reader_le(&command->in, 4); /* scan interval and window */
  initiator.use_accept_list = pl_reader_u8(&command->in) == 1;
  initiator.peer = read_peer(command);
  pl_reader_le(&command->in, 3); /* own address, shortest interval */
  initiator.interval = pl_reader_u16(&command->in);
  initiator.latency = pl_reader_u16(&command->in);
  initiator.supervision = pl_reader_u16(&command->in);
  return initiator;
}

static uint8_t
may_connect(const Command *command) {
  const RadioController *controller = command->controller;
  if (command->in.failed)
    return HCI_INVALID_PARAMETERS;
  if (controller->initiator.pending)
    return HCI_COMMAND_DISALLOWED;
  if (radio_controller_links(controller) >= controller->link_limit)
    return controller->link_limit_error;
  return HCI_SUCCESS;
}

static void
create_connection(Command *command) {
  RadioInitiator initiator = read_initiator(command);
  uint8_t status = may_connect(command);
  if (status == HCI_SUCCESS)
    command->controller->initiator = initiator;
  char hex[RADIO_HEX_SIZE];
  radio_journal_write(command->controller->journal, NULL, "connecting",
                      "\"status\":%u,\"accept_list\":%s,\"peer\":\"%s\"", status,
                      initiator.use_accept_list ? "true" : "false",
                      radio_hex(initiator.peer.address, 6, hex));
  send_status(command, status);
}

static void
cancel_connection(Command *command) {
  RadioInitiator *initiator = &command->controller->initiator;
  bool pending = initiator->pending;
  initiator->pending = false;
  complete(command, pending ? HCI_SUCCESS : HCI_COMMAND_DISALLOWED, NULL, 0);
  if (!pending)
    return;
  radio_journal_write(command->controller->journal, NULL, "connecting-cancelled", NULL);
  hci_send_connection_complete(command->controller, HCI_UNKNOWN_CONNECTION, &initiator->peer,
                               0);
}

/* Answers a command on a link with Command Status; NULL when there is no such link. */
static RadioSensor *
accept_for_link(Command *command) {
  uint16_t handle = pl_reader_u16(&command->in);
  RadioSensor *sensor = hci_sensor_by_handle(command->controller, handle);
  send_status(command, sensor ? HCI_SUCCESS : HCI_UNKNOWN_CONNECTION);
  return sensor;
}

static void
disconnect(Command *command) {
  RadioSensor *sensor = accept_for_link(command);
  if (sensor)
    radio_controller_drop(command->controller, sensor, HCI_LOCAL_TERMINATED);
}

static void
read_remote_version(Command *command) {
  const RadioSensor *sensor = accept_for_link(command);
  if (!sensor)
    return;
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_SUCCESS);
  radio_put_u16(&w, sensor->link.handle);
  radio_put_u8(&w, VERSION_5_0);
  radio_put_u16(&w, MANUFACTURER_LINUX_FOUNDATION);
  radio_put_u16(&w, 0);
  hci_send_event(command->controller, HCI_EVENT_REMOTE_VERSION, &w);
}

static void
read_remote_features(Command *command) {
  const RadioSensor *sensor = accept_for_link(command);
  if (!sensor)
    return;
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_LE_REMOTE_FEATURES);
  radio_put_u8(&w, HCI_SUCCESS);
  radio_put_u16(&w, sensor->link.handle);
  radio_put_le(&w, 1, 8); /* encryption */
  hci_send_event(command->controller, HCI_EVENT_LE_META, &w);
}

static void
update_connection(Command *command) {
  enum { SUPERVISION_UNIT_US = 10000 };
  RadioSensor *sensor = accept_for_link(command);
  if (!sensor)
    return;
  pl_reader_u16(&command->in); /* shortest interval */
  uint16_t interval = pl_reader_u16(&command->in);
  uint16_t latency = pl_reader_u16(&command->in);
  uint16_t supervision = pl_reader_u16(&command->in);
  sensor->link.supervision_us = (int64_t)supervision * SUPERVISION_UNIT_US;
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_LE_CONNECTION_UPDATE);
  radio_put_u8(&w, HCI_SUCCESS);
  radio_put_u16(&w, sensor->link.handle);
  radio_put_u16(&w, interval);
  radio_put_u16(&w, latency);
  radio_put_u16(&w, supervision);
  hci_send_event(command->controller, HCI_EVENT_LE_META, &w);
}

/* No sensor here has ever bonded, so none has a key. */
static void
enable_encryption(Command *command) {
  const RadioSensor *sensor = accept_for_link(command);
  if (!sensor)
    return;
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_KEY_MISSING);
  radio_put_u16(&w, sensor->link.handle);
  radio_put_u8(&w, 0);
  hci_send_event(command->controller, HCI_EVENT_ENCRYPTION_CHANGE, &w);
}

static const struct {
  uint16_t opcode;
  void (*handle)(Command *command);
} commands[] = {
    {0x0406, disconnect},
    {0x041d, read_remote_version},
    {0x0c03, reset},
    {0x1001, read_version},
    {0x1002, read_supported_commands},
    {0x1003, read_features},
    {0x1009, read_address},
    {0x1405, read_rssi},
    {0x2002, read_le_buffers},
    {0x2003, read_le_features},
    {0x2007, read_transmit_power},
    {0x200b, set_scan_parameters},
    {0x200c, set_scan_enable},
    {0x200d, create_connection},
    {0x200e, cancel_connection},
    {0x200f, read_accept_list_size},
    {0x2010, clear_accept_list},
    {0x2011, add_to_accept_list},
    {0x2012, remove_from_accept_list},
    {0x2013, update_connection},
    {0x2016, read_remote_features},
    {0x2018, read_random},
    {0x2019, enable_encryption},
    {0x201c, read_le_states},
};

void
hci_handle_command(RadioController *controller, uint16_t opcode, const uint8_t *parameters,
                   size_t length) {
  Command command = {controller, opcode, pl_reader(parameters, length)};
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
    if (commands[i].opcode == opcode) {
      commands[i].handle(&command);
      return;
    }
  }
  complete(&command, HCI_SUCCESS, NULL, 0);
}
