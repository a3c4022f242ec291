/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/controller.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/core/bytes.h"
#include "tests/e2e/radio/hci.h"

enum {
  ADVERTISING_CONNECTABLE = 0x00,
  ADVERTISING_NOT_CONNECTABLE = 0x03,
  ADVERTISING_SCAN_RESPONSE = 0x04,
  ADVERTISING_JITTER_US = 10000, /* as the specification demands */
  ACL_FRAGMENT = 251,
  FIRST_LINK_HANDLE = 0x0010,
  LAST_LINK_HANDLE = 0x0eff,
  DEFAULT_LINK_LIMIT = 32,
  SUPERVISION_UNIT_US = 10000,
  INTERVAL_UNIT_US = 1250,
  ATTEMPTS_TO_ESTABLISH = 6, /* connection events without an answer, then the link has failed */
  SEED = 20240229,
};

RadioController *
radio_controller_new(const uint8_t address[6], RadioHostSend send, void *user,
                     RadioJournal *journal) {
  RadioController *controller = g_new0(RadioController, 1);
  controller->send = send;
  controller->user = user;
  controller->journal = journal;
  memcpy(controller->address, address, sizeof controller->address);
  controller->sensors = g_ptr_array_new_with_free_func((GDestroyNotify)radio_sensor_free);
  controller->accept_list = g_array_new(FALSE, FALSE, sizeof(RadioPeer));
  controller->random = g_rand_new_with_seed(SEED);
  controller->next_handle = FIRST_LINK_HANDLE;
  controller->link_limit = DEFAULT_LINK_LIMIT;
  controller->link_limit_error = HCI_LIMITED_RESOURCES;
  return controller;
}

void
radio_controller_free(RadioController *controller) {
  if (!controller)
    return;
  g_ptr_array_unref(controller->sensors);
  g_array_unref(controller->accept_list);
  g_rand_free(controller->random);
  g_free(controller);
}

/* Gives a PDU of a link to the host in fragments that its controller could have received. */
static void
transmit(void *user, const RadioSensor *sensor, uint16_t channel, const uint8_t *payload,
         size_t length) {
  enum { FIRST = 2, CONTINUED = 1 };
  const RadioController *controller = user;
  uint8_t pdu[RADIO_L2CAP_HEAD + RADIO_L2CAP_PAYLOAD_MAX];
  RadioWriter whole = radio_writer(pdu, sizeof pdu);
  radio_put_u16(&whole, (uint16_t)length);
  radio_put_u16(&whole, channel);
  radio_put(&whole, payload, length);
  for (size_t at = 0; at < whole.length; at += ACL_FRAGMENT) {
    uint8_t packet[5 + ACL_FRAGMENT];
    RadioWriter w = radio_writer(packet, sizeof packet);
    size_t n = MIN(whole.length - at, ACL_FRAGMENT);
    radio_put_u8(&w, HCI_ACL_PACKET);
    radio_put_u16(&w, (uint16_t)(sensor->link.handle | (at == 0 ? FIRST : CONTINUED) << 12));
    radio_put_u16(&w, (uint16_t)n);
    radio_put(&w, pdu + at, n);
    controller->send(controller->user, packet, w.length);
  }
}

void
radio_controller_add(RadioController *controller, RadioSensor *sensor, int64_t now) {
  sensor->transmit = transmit;
  sensor->transmit_user = controller;
  sensor->next_advertisement =
      now + g_rand_int_range(controller->random, 0, ADVERTISING_JITTER_US);
  sensor->next_value = now;
  g_ptr_array_add(controller->sensors, sensor);
}

RadioSensor *
radio_controller_find(const RadioController *controller, const char *id) {
  for (guint i = 0; i < controller->sensors->len; i++) {
    RadioSensor *sensor = g_ptr_array_index(controller->sensors, i);
    if (strcmp(sensor->id, id) == 0)
      return sensor;
  }
  return NULL;
}

unsigned
radio_controller_links(const RadioController *controller) {
  unsigned n = 0;
  for (guint i = 0; i < controller->sensors->len; i++)
    n += ((const RadioSensor *)g_ptr_array_index(controller->sensors, i))->link.up;
  return n;
}

RadioSensor *
hci_sensor_by_handle(const RadioController *controller, uint16_t handle) {
  for (guint i = 0; i < controller->sensors->len; i++) {
    RadioSensor *sensor = g_ptr_array_index(controller->sensors, i);
    if (sensor->link.up && sensor->link.handle == handle)
      return sensor;
  }
  return NULL;
}

void
hci_send_event(const RadioController *controller, uint8_t code, const RadioWriter *parameters) {
  uint8_t packet[3 + HCI_EVENT_MAX];
  RadioWriter w = radio_writer(packet, sizeof packet);
  radio_put_u8(&w, HCI_EVENT_PACKET);
  radio_put_u8(&w, code);
  radio_put_u8(&w, (uint8_t)parameters->length);
  radio_put(&w, parameters->data, parameters->length);
  controller->send(controller->user, packet, w.length);
}

void
hci_send_connection_complete(const RadioController *controller, uint8_t status,
                             const RadioPeer *peer, uint16_t handle) {
  enum { ROLE_CENTRAL = 0, CLOCK_500_PPM = 0 };
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_LE_CONNECTION_COMPLETE);
  radio_put_u8(&w, status);
  radio_put_u16(&w, handle);
  radio_put_u8(&w, ROLE_CENTRAL);
  radio_put_u8(&w, peer->type);
  hci_put_address(&w, peer->address);
  radio_put_u16(&w, controller->initiator.interval);
  radio_put_u16(&w, controller->initiator.latency);
  radio_put_u16(&w, controller->initiator.supervision);
  radio_put_u8(&w, CLOCK_500_PPM);
  hci_send_event(controller, HCI_EVENT_LE_META, &w);
}

static RadioPeer
peer_of(const RadioSensor *sensor) {
  RadioPeer peer = {.type = sensor->address_random};
  memcpy(peer.address, sensor->address, sizeof peer.address);
  return peer;
}

static bool
same_peer(const RadioPeer *a, const RadioPeer *b) {
  return a->type == b->type && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool
accepted(const RadioController *controller, const RadioPeer *peer) {
  for (guint i = 0; i < controller->accept_list->len; i++)
    if (same_peer(peer, &g_array_index(controller->accept_list, RadioPeer, i)))
      return true;
  return false;
}

static void
send_report(const RadioController *controller, uint8_t type, const RadioPeer *peer,
            const RadioAdvertisingData *data, int8_t rssi) {
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_LE_ADVERTISING_REPORT);
  radio_put_u8(&w, 1);
  radio_put_u8(&w, type);
  radio_put_u8(&w, peer->type);
  hci_put_address(&w, peer->address);
  radio_put_u8(&w, data->length);
  radio_put(&w, data->data, data->length);
  radio_put_u8(&w, (uint8_t)rssi);
  hci_send_event(controller, HCI_EVENT_LE_META, &w);
}

static void
report(RadioController *controller, RadioSensor *sensor, const RadioPeer *peer) {
  const RadioScan *scan = &controller->scan;
  if (!scan->enabled || (scan->filter_duplicates && sensor->reported) ||
      (scan->accept_list_only && !accepted(controller, peer)))
    return;
  /* A few decibels up and down, as no two packets arrive alike. */
  int8_t rssi = (int8_t)(sensor->rssi + g_rand_int_range(controller->random, -2, 3));
  send_report(controller, ADVERTISING_CONNECTABLE, peer, &sensor->advertisement, rssi);
  if (scan->active)
    send_report(controller, ADVERTISING_SCAN_RESPONSE, peer, &sensor->scan_response, rssi);
  sensor->reported = true;
}

static uint16_t
take_handle(RadioController *controller) {
  uint16_t handle;
  do {
    handle = controller->next_handle++;
    if (controller->next_handle > LAST_LINK_HANDLE)
      controller->next_handle = FIRST_LINK_HANDLE;
  } while (hci_sensor_by_handle(controller, handle));
  return handle;
}

static void
establish(RadioController *controller, RadioSensor *sensor, const RadioPeer *peer) {
  const RadioInitiator *initiator = &controller->initiator;
  radio_sensor_link_up(sensor, take_handle(controller),
                       (int64_t)initiator->supervision * SUPERVISION_UNIT_US);
  radio_journal_write(controller->journal, sensor->id, "connect",
                      "\"handle\":%u,\"interval_ms\":%.2f,\"supervision_ms\":%u,\"links\":%u",
                      sensor->link.handle, initiator->interval * 1.25,
                      initiator->supervision * 10U, radio_controller_links(controller));
  hci_send_connection_complete(controller, HCI_SUCCESS, peer, sensor->link.handle);
}

/* The host's attempt to connect meets an advertisement. */
static void
try_connect(RadioController *controller, RadioSensor *sensor, const RadioPeer *peer,
            int64_t now) {
  RadioInitiator *initiator = &controller->initiator;
  if (!initiator->pending || sensor->faults.ghost ||
      !(initiator->use_accept_list ? accepted(controller, peer)
                                   : same_peer(peer, &initiator->peer)))
    return;
  initiator->pending = false;
  if (sensor->faults.refuse && !sensor->faults.refuse_late) {
    radio_journal_write(controller->journal, sensor->id, "refuse", "\"status\":%u",
                        sensor->faults.refuse);
    hci_send_connection_complete(controller, sensor->faults.refuse, peer, 0);
    return;
  }
  establish(controller, sensor, peer);
  if (sensor->faults.refuse)
    sensor->link.fails_at =
        now + ATTEMPTS_TO_ESTABLISH * initiator->interval * INTERVAL_UNIT_US;
}

static int64_t
run_advertising(RadioController *controller, RadioSensor *sensor, int64_t now) {
  if (!sensor->advertises || sensor->link.up || !sensor->faults.in_range)
    return RADIO_NEVER;
  if (now >= sensor->next_advertisement) {
    sensor->next_advertisement = now + sensor->advertising_interval_us +
                                 g_rand_int_range(controller->random, 0, ADVERTISING_JITTER_US);
    RadioPeer peer = peer_of(sensor);
    report(controller, sensor, &peer);
    try_connect(controller, sensor, &peer, now);
  }
  return sensor->next_advertisement;
}

static int64_t
run_supervision(RadioController *controller, RadioSensor *sensor, int64_t now) {
  if (!sensor->link.up)
    return RADIO_NEVER;
  if (sensor->link.fails_at != 0) {
    if (now >= sensor->link.fails_at)
      radio_controller_drop(controller, sensor, sensor->faults.refuse);
    return now >= sensor->link.fails_at ? RADIO_NEVER : sensor->link.fails_at;
  }
  if (sensor->faults.in_range)
    return RADIO_NEVER;
  int64_t end = sensor->faults.out_of_range_since + sensor->link.supervision_us;
  if (now >= end)
    radio_controller_drop(controller, sensor, HCI_SUPERVISION_TIMEOUT);
  return now >= end ? RADIO_NEVER : end;
}

/* Advertisements of phones that pass by: random private addresses, nothing of interest. */
static int64_t
run_strangers(RadioController *controller, int64_t now) {
  static const RadioAdvertisingData data = {{2, 1, 6, 5, 0xff, 0x4c, 0x00, 0x10, 0x00}, 9};
  enum { RSSI = -85, PRIVATE_RESOLVABLE = 0x40 };
  if (controller->strangers_per_s == 0)
    return RADIO_NEVER;
  int64_t step = 1000000 / controller->strangers_per_s;
  for (; controller->next_stranger <= now; controller->next_stranger += step) {
    RadioPeer peer = {.type = 1};
    for (size_t i = 0; i < sizeof peer.address; i++)
      peer.address[i] = (uint8_t)g_rand_int_range(controller->random, 0, 256);
    peer.address[0] = (uint8_t)((peer.address[0] & 0x3f) | PRIVATE_RESOLVABLE);
    if (controller->scan.enabled && !controller->scan.accept_list_only)
      send_report(controller, ADVERTISING_NOT_CONNECTABLE, &peer, &data, RSSI);
  }
  return controller->next_stranger;
}

int64_t
radio_controller_run(RadioController *controller, int64_t now) {
  int64_t next = run_strangers(controller, now);
  for (guint i = 0; i < controller->sensors->len; i++) {
    RadioSensor *sensor = g_ptr_array_index(controller->sensors, i);
    next = MIN(next, radio_sensor_run(sensor, now));
    next = MIN(next, run_supervision(controller, sensor, now));
    next = MIN(next, run_advertising(controller, sensor, now));
  }
  return next;
}

void
radio_controller_drop(RadioController *controller, RadioSensor *sensor, uint8_t reason) {
  if (!sensor->link.up)
    return;
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, HCI_SUCCESS);
  radio_put_u16(&w, sensor->link.handle);
  radio_put_u8(&w, reason);
  radio_sensor_link_down(sensor);
  radio_journal_write(controller->journal, sensor->id, "disconnect",
                      "\"reason\":%u,\"links\":%u", reason, radio_controller_links(controller));
  hci_send_event(controller, HCI_EVENT_DISCONNECTION_COMPLETE, &w);
}

void
radio_controller_reset(RadioController *controller) {
  for (guint i = 0; i < controller->sensors->len; i++) {
    RadioSensor *sensor = g_ptr_array_index(controller->sensors, i);
    if (sensor->link.up)
      radio_journal_write(controller->journal, sensor->id, "disconnect", "\"reason\":0");
    radio_sensor_link_down(sensor);
    sensor->reported = false;
  }
  g_array_set_size(controller->accept_list, 0);
  controller->scan = (RadioScan){0};
  controller->initiator = (RadioInitiator){0};
}

static void
acknowledge(const RadioController *controller, uint16_t handle) {
  uint8_t buffer[HCI_EVENT_MAX];
  RadioWriter w = hci_parameters(buffer);
  radio_put_u8(&w, 1);
  radio_put_u16(&w, handle);
  radio_put_u16(&w, 1);
  hci_send_event(controller, HCI_EVENT_COMPLETED_PACKETS, &w);
}

static void
receive_acl(RadioController *controller, PlReader *in, int64_t now) {
  enum { HANDLE_MASK = 0x0fff, BOUNDARY_SHIFT = 12, BOUNDARY_MASK = 3, CONTINUED = 1 };
  uint16_t head = pl_reader_u16(in);
  uint16_t length = pl_reader_u16(in);
  RadioSensor *sensor = hci_sensor_by_handle(controller, head & HANDLE_MASK);
  if (in->failed || pl_reader_left(in) != length || !sensor)
    return;
  acknowledge(controller, sensor->link.handle);
  bool first = (head >> BOUNDARY_SHIFT & BOUNDARY_MASK) != CONTINUED;
  radio_sensor_receive(sensor, first, in->data + in->position, length, now);
}

void
radio_controller_receive(RadioController *controller, const uint8_t *packet, size_t length,
                         int64_t now) {
  PlReader in = pl_reader(packet, length);
  uint8_t type = pl_reader_u8(&in);
  if (type == HCI_ACL_PACKET) {
    receive_acl(controller, &in, now);
  } else if (type == HCI_COMMAND_PACKET) {
    uint16_t opcode = pl_reader_u16(&in);
    uint8_t parameters = pl_reader_u8(&in);
    if (!in.failed && pl_reader_left(&in) == parameters)
      hci_handle_command(controller, opcode, in.data + in.position, parameters);
  }
}
