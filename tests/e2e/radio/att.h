/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/e2e/radio/gatt.h"

/* The server side of the Attribute Protocol (Core Specification 5.3, Vol 3, Part F). */

enum {
  RADIO_ATT_MTU_DEFAULT = 23,
  RADIO_ATT_MTU_MAX = 517,
};

enum {
  RADIO_ATT_ERROR_RESPONSE = 0x01,
  RADIO_ATT_EXCHANGE_MTU = 0x02,
  RADIO_ATT_FIND_INFORMATION = 0x04,
  RADIO_ATT_FIND_BY_TYPE_VALUE = 0x06,
  RADIO_ATT_READ_BY_TYPE = 0x08,
  RADIO_ATT_READ = 0x0a,
  RADIO_ATT_READ_BLOB = 0x0c,
  RADIO_ATT_READ_BY_GROUP_TYPE = 0x10,
  RADIO_ATT_WRITE = 0x12,
  RADIO_ATT_NOTIFICATION = 0x1b,
  RADIO_ATT_INDICATION = 0x1d,
  RADIO_ATT_CONFIRMATION = 0x1e,
  RADIO_ATT_WRITE_COMMAND = 0x52,
};

enum {
  RADIO_ATT_OK = 0,
  RADIO_ATT_INVALID_HANDLE = 0x01,
  RADIO_ATT_READ_NOT_PERMITTED = 0x02,
  RADIO_ATT_WRITE_NOT_PERMITTED = 0x03,
  RADIO_ATT_INVALID_PDU = 0x04,
  RADIO_ATT_REQUEST_NOT_SUPPORTED = 0x06,
  RADIO_ATT_INVALID_OFFSET = 0x07,
  RADIO_ATT_ATTRIBUTE_NOT_FOUND = 0x0a,
  RADIO_ATT_INVALID_LENGTH = 0x0d,
  RADIO_ATT_UNSUPPORTED_GROUP_TYPE = 0x10,
};

typedef struct {
  RadioGatt *gatt;  /* not owned */
  uint16_t mtu_max; /* what this device offers in the exchange */
  uint16_t mtu;     /* RADIO_ATT_MTU_DEFAULT on a new link */
  void *user;
  /* A permitted write of a value or of a client configuration (already stored then).  Returns
   * RADIO_ATT_OK or the error to answer with. */
  uint8_t (*written)(void *user, RadioAttribute *attribute, const uint8_t *value,
                     size_t length);
} RadioAtt;

/* Handles any bytes from the central.  Returns the length of the reply, 0 when there is none.
 */
size_t radio_att_handle(RadioAtt *att, const uint8_t *pdu, size_t length,
                        uint8_t reply[RADIO_ATT_MTU_MAX]);

/* Whether this is a request of service discovery: information, by type, by group. */
bool radio_att_is_discovery(const uint8_t *pdu, size_t length);

/* Writes a notification or an indication of a value, cut to what the MTU lets through; returns
 * its length. */
size_t radio_att_value_pdu(const RadioAtt *att, uint8_t opcode, uint16_t handle,
                           const uint8_t *value, size_t length, uint8_t pdu[RADIO_ATT_MTU_MAX]);
