/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/att.h"

#include <string.h>

#include "gateway/core/bytes.h"
#include "tests/e2e/radio/packet.h"

enum { COMMAND_FLAG = 0x40, LIST_ENTRY_MAX = 255 };

/* One request on its way to a reply. */
typedef struct {
  RadioAtt *att;
  PlReader in;
  RadioWriter out;
  uint16_t handle; /* named in an error response */
} Call;

typedef struct {
  uint16_t start;
  uint16_t end;
} Range;

/* Reads and checks the pair of handles that most requests begin with. */
static uint8_t
read_range(Call *call, Range *range) {
  range->start = pl_reader_u16(&call->in);
  range->end = pl_reader_u16(&call->in);
  if (call->in.failed)
    return RADIO_ATT_INVALID_PDU;
  call->handle = range->start;
  return range->start == 0 || range->start > range->end ? RADIO_ATT_INVALID_HANDLE
                                                        : RADIO_ATT_OK;
}

static uint8_t
read_type(Call *call, PlUuid *type) {
  size_t left = pl_reader_left(&call->in);
  return radio_uuid_from_air(call->in.data + call->in.position, left, type)
             ? RADIO_ATT_OK
             : RADIO_ATT_INVALID_PDU;
}

/* The next attribute inside the range at or after *index, which moves past it; NULL at the end.
 */
static RadioAttribute *
next_in_range(const Call *call, const Range *range, size_t *index) {
  if (*index >= radio_gatt_count(call->att->gatt))
    return NULL;
  RadioAttribute *attribute = radio_gatt_at(call->att->gatt, (*index)++);
  return attribute->handle <= range->end ? attribute : NULL;
}

static uint8_t
exchange_mtu(Call *call) {
  uint16_t wanted = pl_reader_u16(&call->in);
  if (call->in.failed || pl_reader_left(&call->in) > 0)
    return RADIO_ATT_INVALID_PDU;
  uint16_t agreed = MIN(wanted, call->att->mtu_max);
  call->att->mtu = MAX(agreed, RADIO_ATT_MTU_DEFAULT);
  radio_put_u16(&call->out, call->att->mtu_max);
  return RADIO_ATT_OK;
}

static uint8_t
find_information(Call *call) {
  Range range;
  uint8_t error = read_range(call, &range);
  if (error)
    return error;
  size_t index = radio_gatt_lower_bound(call->att->gatt, range.start);
  size_t format = 0; /* bytes of a UUID: those of one reply are all of one size */
  const RadioAttribute *attribute;
  while ((attribute = next_in_range(call, &range, &index))) {
    size_t size = radio_uuid_size(&attribute->type);
    if (format == 0) {
      format = size;
      radio_put_u8(&call->out, size == 2 ? 1 : 2);
    }
    if (size != format || radio_writer_left(&call->out) < 2 + size)
      break;
    radio_put_u16(&call->out, attribute->handle);
    radio_put_uuid(&call->out, &attribute->type);
  }
  return format ? RADIO_ATT_OK : RADIO_ATT_ATTRIBUTE_NOT_FOUND;
}

static uint16_t
group_end(const Call *call, size_t index, const PlUuid *type) {
  PlUuid service = radio_uuid16(RADIO_TYPE_PRIMARY_SERVICE);
  return pl_uuid_equal(type, &service) ? radio_gatt_group_end(call->att->gatt, index)
                                       : radio_gatt_at(call->att->gatt, index)->handle;
}

static uint8_t
find_by_type_value(Call *call) {
  Range range;
  uint8_t error = read_range(call, &range);
  if (error)
    return error;
  PlUuid type = radio_uuid16(pl_reader_u16(&call->in));
  if (call->in.failed)
    return RADIO_ATT_INVALID_PDU;
  const uint8_t *value = call->in.data + call->in.position;
  size_t length = pl_reader_left(&call->in);
  bool found = false;
  size_t index = radio_gatt_lower_bound(call->att->gatt, range.start);
  const RadioAttribute *attribute;
  while ((attribute = next_in_range(call, &range, &index)) &&
         radio_writer_left(&call->out) >= 4) {
    if (!pl_uuid_equal(&attribute->type, &type) || attribute->length != length ||
        (length > 0 && memcmp(attribute->value, value, length) != 0))
      continue;
    radio_put_u16(&call->out, attribute->handle);
    radio_put_u16(&call->out, group_end(call, index - 1, &type));
    found = true;
  }
  return found ? RADIO_ATT_OK : RADIO_ATT_ATTRIBUTE_NOT_FOUND;
}

/* Adds handle, with_end its group's end, and value to a list whose entries all have the size of
 * the first.  False when the entry does not belong or the reply is full. */
static bool
put_entry(Call *call, size_t *entry, const RadioAttribute *attribute, size_t index,
          bool with_end) {
  size_t head = with_end ? 4 : 2;
  size_t room = radio_writer_left(&call->out);
  if (*entry == 0) {
    *entry = MIN(head + attribute->length, MIN(room - 1, LIST_ENTRY_MAX));
    radio_put_u8(&call->out, (uint8_t)*entry);
    room--;
  } else if (head + attribute->length != *entry) {
    return false;
  }
  if (room < *entry)
    return false;
  radio_put_u16(&call->out, attribute->handle);
  if (with_end)
    radio_put_u16(&call->out, radio_gatt_group_end(call->att->gatt, index));
  radio_put(&call->out, attribute->value, *entry - head);
  return true;
}

static uint8_t
list_by_type(Call *call, bool groups) {
  Range range;
  PlUuid type;
  uint8_t error = read_range(call, &range);
  if (!error)
    error = read_type(call, &type);
  if (error)
    return error;
  PlUuid service = radio_uuid16(RADIO_TYPE_PRIMARY_SERVICE);
  if (groups && !pl_uuid_equal(&type, &service))
    return RADIO_ATT_UNSUPPORTED_GROUP_TYPE;
  size_t entry = 0;
  size_t index = radio_gatt_lower_bound(call->att->gatt, range.start);
  const RadioAttribute *attribute;
  while ((attribute = next_in_range(call, &range, &index))) {
    if (!pl_uuid_equal(&attribute->type, &type))
      continue;
    if (entry == 0 && !(attribute->properties & RADIO_PROPERTY_READ)) {
      call->handle = attribute->handle;
      return RADIO_ATT_READ_NOT_PERMITTED;
    }
    if (!put_entry(call, &entry, attribute, index - 1, groups))
      break;
  }
  return entry ? RADIO_ATT_OK : RADIO_ATT_ATTRIBUTE_NOT_FOUND;
}

static uint8_t
read_by_type(Call *call) {
  return list_by_type(call, false);
}

static uint8_t
read_by_group_type(Call *call) {
  return list_by_type(call, true);
}

static uint8_t
put_value(Call *call, uint16_t handle, uint16_t offset) {
  call->handle = handle;
  const RadioAttribute *attribute = radio_gatt_by_handle(call->att->gatt, handle);
  if (!attribute)
    return RADIO_ATT_INVALID_HANDLE;
  if (!(attribute->properties & RADIO_PROPERTY_READ))
    return RADIO_ATT_READ_NOT_PERMITTED;
  if (offset > attribute->length)
    return RADIO_ATT_INVALID_OFFSET;
  size_t length = MIN((size_t)(attribute->length - offset), radio_writer_left(&call->out));
  if (length > 0)
    radio_put(&call->out, attribute->value + offset, length);
  return RADIO_ATT_OK;
}

static uint8_t
read_value(Call *call) {
  uint16_t handle = pl_reader_u16(&call->in);
  return call->in.failed ? RADIO_ATT_INVALID_PDU : put_value(call, handle, 0);
}

static uint8_t
read_blob(Call *call) {
  uint16_t handle = pl_reader_u16(&call->in);
  uint16_t offset = pl_reader_u16(&call->in);
  return call->in.failed ? RADIO_ATT_INVALID_PDU : put_value(call, handle, offset);
}

static uint8_t
write_with(Call *call, uint8_t permission) {
  call->handle = pl_reader_u16(&call->in);
  if (call->in.failed)
    return RADIO_ATT_INVALID_PDU;
  RadioAttribute *attribute = radio_gatt_by_handle(call->att->gatt, call->handle);
  if (!attribute)
    return RADIO_ATT_INVALID_HANDLE;
  if (!(attribute->properties & permission))
    return RADIO_ATT_WRITE_NOT_PERMITTED;
  const uint8_t *value = call->in.data + call->in.position;
  size_t length = pl_reader_left(&call->in);
  if (length > RADIO_VALUE_MAX)
    return RADIO_ATT_INVALID_LENGTH;
  if (radio_gatt_configured(call->att->gatt, attribute)) {
    if (length != attribute->length)
      return RADIO_ATT_INVALID_LENGTH;
    radio_attribute_set(attribute, value, length);
  }
  return call->att->written(call->att->user, attribute, value, length);
}

static uint8_t
write_request(Call *call) {
  return write_with(call, RADIO_PROPERTY_WRITE);
}

static uint8_t
write_command(Call *call) {
  return write_with(call, RADIO_PROPERTY_WRITE_COMMAND);
}

static const struct {
  uint8_t opcode;
  uint8_t (*handle)(Call *call);
} requests[] = {
    {RADIO_ATT_EXCHANGE_MTU, exchange_mtu},
    {RADIO_ATT_FIND_INFORMATION, find_information},
    {RADIO_ATT_FIND_BY_TYPE_VALUE, find_by_type_value},
    {RADIO_ATT_READ_BY_TYPE, read_by_type},
    {RADIO_ATT_READ, read_value},
    {RADIO_ATT_READ_BLOB, read_blob},
    {RADIO_ATT_READ_BY_GROUP_TYPE, read_by_group_type},
    {RADIO_ATT_WRITE, write_request},
    {RADIO_ATT_WRITE_COMMAND, write_command},
};

static uint8_t
dispatch(Call *call, uint8_t opcode) {
  for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
    if (requests[i].opcode == opcode)
      return requests[i].handle(call);
  return RADIO_ATT_REQUEST_NOT_SUPPORTED;
}

/* Requests have even opcodes; what is odd is a response, and those are never answered. */
static bool
wants_reply(uint8_t opcode) {
  return !(opcode & COMMAND_FLAG) && opcode % 2 == 0 && opcode != RADIO_ATT_CONFIRMATION;
}

size_t
radio_att_handle(RadioAtt *att, const uint8_t *pdu, size_t length,
                 uint8_t reply[RADIO_ATT_MTU_MAX]) {
  if (length == 0)
    return 0;
  uint8_t opcode = pdu[0];
  bool reply_wanted = wants_reply(opcode);
  if (!reply_wanted && opcode != RADIO_ATT_WRITE_COMMAND)
    return 0;
  Call call = {
      .att = att,
      .in = pl_reader(pdu + 1, length - 1),
      .out = radio_writer(reply, MIN(att->mtu, RADIO_ATT_MTU_MAX)),
  };
  radio_put_u8(&call.out, (uint8_t)(opcode + 1));
  uint8_t error = dispatch(&call, opcode);
  if (!reply_wanted)
    return 0;
  if (error) {
    call.out = radio_writer(reply, RADIO_ATT_MTU_DEFAULT);
    radio_put_u8(&call.out, RADIO_ATT_ERROR_RESPONSE);
    radio_put_u8(&call.out, opcode);
    radio_put_u16(&call.out, call.handle);
    radio_put_u8(&call.out, error);
  }
  return call.out.length;
}

bool
radio_att_is_discovery(const uint8_t *pdu, size_t length) {
  return length > 0 &&
         (pdu[0] == RADIO_ATT_FIND_INFORMATION || pdu[0] == RADIO_ATT_FIND_BY_TYPE_VALUE ||
          pdu[0] == RADIO_ATT_READ_BY_TYPE || pdu[0] == RADIO_ATT_READ_BY_GROUP_TYPE);
}

size_t
radio_att_value_pdu(const RadioAtt *att, uint8_t opcode, uint16_t handle, const uint8_t *value,
                    size_t length, uint8_t pdu[RADIO_ATT_MTU_MAX]) {
  RadioWriter w = radio_writer(pdu, MIN(att->mtu, RADIO_ATT_MTU_MAX));
  radio_put_u8(&w, opcode);
  radio_put_u16(&w, handle);
  radio_put(&w, value, MIN(length, radio_writer_left(&w)));
  return w.length;
}
