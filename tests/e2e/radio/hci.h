/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/e2e/radio/controller.h"
#include "tests/e2e/radio/packet.h"

/* Between the controller's two halves: links.c, which lives, and commands.c, which obeys. */

enum {
  HCI_COMMAND_PACKET = 0x01,
  HCI_ACL_PACKET = 0x02,
  HCI_EVENT_PACKET = 0x04,
};

enum {
  HCI_EVENT_DISCONNECTION_COMPLETE = 0x05,
  HCI_EVENT_ENCRYPTION_CHANGE = 0x08,
  HCI_EVENT_REMOTE_VERSION = 0x0c,
  HCI_EVENT_COMMAND_COMPLETE = 0x0e,
  HCI_EVENT_COMMAND_STATUS = 0x0f,
  HCI_EVENT_COMPLETED_PACKETS = 0x13,
  HCI_EVENT_LE_META = 0x3e,
};

enum {
  HCI_LE_CONNECTION_COMPLETE = 0x01,
  HCI_LE_ADVERTISING_REPORT = 0x02,
  HCI_LE_CONNECTION_UPDATE = 0x03,
  HCI_LE_REMOTE_FEATURES = 0x04,
};

enum {
  HCI_SUCCESS = 0x00,
  HCI_UNKNOWN_CONNECTION = 0x02,
  HCI_KEY_MISSING = 0x06,
  HCI_SUPERVISION_TIMEOUT = 0x08,
  HCI_CONNECTION_EXISTS = 0x0b,
  HCI_COMMAND_DISALLOWED = 0x0c,
  HCI_LIMITED_RESOURCES = 0x0d,
  HCI_INVALID_PARAMETERS = 0x12,
  HCI_REMOTE_TERMINATED = 0x13,
  HCI_LOCAL_TERMINATED = 0x16,
  HCI_FAILED_TO_ESTABLISH = 0x3e,
};

enum { HCI_EVENT_MAX = 255 };

/* Bytes of the parameters of the event under construction. */
static inline RadioWriter
hci_parameters(uint8_t buffer[HCI_EVENT_MAX]) {
  return radio_writer(buffer, HCI_EVENT_MAX);
}

/* Addresses are on the air with their last byte first. */
static inline void
hci_put_address(RadioWriter *w, const uint8_t address[6]) {
  for (size_t i = 6; i-- > 0;)
    radio_put_u8(w, address[i]);
}

void hci_send_event(const RadioController *controller, uint8_t code,
                    const RadioWriter *parameters);

/* The sensor with this link, or NULL. */
RadioSensor *hci_sensor_by_handle(const RadioController *controller, uint16_t handle);

/* Tells the host how its attempt to connect ended; `handle` is 0 unless it succeeded. */
void hci_send_connection_complete(const RadioController *controller, uint8_t status,
                                  const RadioPeer *peer, uint16_t handle);

/* A command with its parameters. */
void hci_handle_command(RadioController *controller, uint16_t opcode, const uint8_t *parameters,
                        size_t length);
