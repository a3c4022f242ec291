/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part of L2CAP that a link to a sensor needs: reassembly, and answers on the fixed
 * channels of signalling and security (Core Specification 5.3, Vol 3, Parts A and H). */

enum {
  RADIO_CID_ATT = 4,
  RADIO_CID_SIGNALLING = 5,
  RADIO_CID_SECURITY = 6,
};

enum {
  RADIO_L2CAP_HEAD = 4,
  RADIO_L2CAP_PAYLOAD_MAX = 1024, /* longer ones are dropped: no fixed channel needs them */
  RADIO_FIXED_REPLY_MAX = 16,
};

typedef struct {
  uint8_t data[RADIO_L2CAP_HEAD + RADIO_L2CAP_PAYLOAD_MAX];
  size_t length;
} RadioReassembly;

/* One complete PDU; `payload` points into the reassembly and lasts until the next call. */
typedef struct {
  uint16_t channel;
  const uint8_t *payload;
  size_t length;
} RadioPdu;

/* Takes one fragment; `first` starts a new PDU and forgets an unfinished one.  True when the
 * PDU is complete. */
bool radio_reassembly_feed(RadioReassembly *reassembly, bool first, const uint8_t *data,
                           size_t length, RadioPdu *pdu);

/* The answer to a PDU on the signalling or the security channel; 0 when there is none.  Pairing
 * and connection-oriented channels are refused, parameter updates accepted. */
size_t radio_fixed_channel_reply(const RadioPdu *pdu, uint8_t reply[RADIO_FIXED_REPLY_MAX]);
