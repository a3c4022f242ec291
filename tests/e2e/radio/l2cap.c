/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/l2cap.h"

#include <string.h>

#include "gateway/core/bytes.h"
#include "tests/e2e/radio/packet.h"

enum {
  SIGNAL_REJECT = 0x01,
  SIGNAL_PARAMETER_UPDATE = 0x12,
  SIGNAL_PARAMETER_UPDATE_RESPONSE = 0x13,
  SIGNAL_CREDIT_CONNECT = 0x14,
  SIGNAL_CREDIT_CONNECT_RESPONSE = 0x15,
  SIGNAL_ENHANCED_CONNECT = 0x17,
  SIGNAL_ENHANCED_CONNECT_RESPONSE = 0x18,
  RESULT_PSM_NOT_SUPPORTED = 2,
  SECURITY_PAIRING_FAILED = 0x05,
  REASON_PAIRING_NOT_SUPPORTED = 0x05,
};

bool
radio_reassembly_feed(RadioReassembly *reassembly, bool first, const uint8_t *data,
                      size_t length, RadioPdu *pdu) {
  if (first)
    reassembly->length = 0;
  else if (reassembly->length == 0)
    return false;
  if (length > sizeof reassembly->data - reassembly->length) {
    reassembly->length = 0;
    return false;
  }
  if (length > 0)
    memcpy(reassembly->data + reassembly->length, data, length);
  reassembly->length += length;
  PlReader in = pl_reader(reassembly->data, reassembly->length);
  size_t payload = pl_reader_u16(&in);
  uint16_t channel = pl_reader_u16(&in);
  if (in.failed || pl_reader_left(&in) < payload)
    return false;
  *pdu = (RadioPdu){channel, reassembly->data + RADIO_L2CAP_HEAD, payload};
  reassembly->length = 0;
  return true;
}

static void
put_signal(RadioWriter *w, uint8_t code, uint8_t identifier, size_t length) {
  radio_put_u8(w, code);
  radio_put_u8(w, identifier);
  radio_put_u16(w, (uint16_t)length);
}

static bool
is_signal_response(uint8_t code) {
  return code == SIGNAL_REJECT || code == SIGNAL_PARAMETER_UPDATE_RESPONSE ||
         code == SIGNAL_CREDIT_CONNECT_RESPONSE || code == SIGNAL_ENHANCED_CONNECT_RESPONSE;
}

static void
answer_signal(const RadioPdu *pdu, RadioWriter *w) {
  PlReader in = pl_reader(pdu->payload, pdu->length);
  uint8_t code = pl_reader_u8(&in);
  uint8_t identifier = pl_reader_u8(&in);
  if (in.failed || is_signal_response(code))
    return;
  switch (code) {
  case SIGNAL_PARAMETER_UPDATE:
    put_signal(w, SIGNAL_PARAMETER_UPDATE_RESPONSE, identifier, 2);
    radio_put_u16(w, 0);
    break;
  case SIGNAL_CREDIT_CONNECT:
    put_signal(w, SIGNAL_CREDIT_CONNECT_RESPONSE, identifier, 10);
    radio_put_le(w, 0, 8);
    radio_put_u16(w, RESULT_PSM_NOT_SUPPORTED);
    break;
  case SIGNAL_ENHANCED_CONNECT:
    put_signal(w, SIGNAL_ENHANCED_CONNECT_RESPONSE, identifier, 8);
    radio_put_le(w, 0, 6);
    radio_put_u16(w, RESULT_PSM_NOT_SUPPORTED);
    break;
  default: /* "command not understood" */
    put_signal(w, SIGNAL_REJECT, identifier, 2);
    radio_put_u16(w, 0);
    break;
  }
}

size_t
radio_fixed_channel_reply(const RadioPdu *pdu, uint8_t reply[RADIO_FIXED_REPLY_MAX]) {
  RadioWriter w = radio_writer(reply, RADIO_FIXED_REPLY_MAX);
  if (pdu->channel == RADIO_CID_SIGNALLING) {
    answer_signal(pdu, &w);
  } else if (pdu->channel == RADIO_CID_SECURITY && pdu->length > 0 &&
             pdu->payload[0] != SECURITY_PAIRING_FAILED) {
    radio_put_u8(&w, SECURITY_PAIRING_FAILED);
    radio_put_u8(&w, REASON_PAIRING_NOT_SUPPORTED);
  }
  return w.length;
}
