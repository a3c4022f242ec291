/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/link.h"

#include <inttypes.h>
#include <string.h>

#include "tests/e2e/radio/packet.h"

enum { CONFIGURED_NOTIFY = 1, CONFIGURED_INDICATE = 2 };

/* Something to be sent, not before its time and not while the sensor is out of range. */
typedef struct {
  uint16_t channel;
  int64_t due;
  GBytes *payload;
} Outgoing;

static void
free_outgoing(void *data) {
  Outgoing *outgoing = data;
  g_bytes_unref(outgoing->payload);
  g_free(outgoing);
}

static void
free_bytes(void *data) {
  g_bytes_unref(data);
}

static bool
is_value(const uint8_t *pdu, size_t length) {
  return length >= 3 && (pdu[0] == RADIO_ATT_NOTIFICATION || pdu[0] == RADIO_ATT_INDICATION);
}

/* Notes a value that goes out, or that never will. */
static void
note_value(RadioSensor *sensor, const char *event, const uint8_t *pdu, size_t length) {
  uint16_t handle = (uint16_t)(pdu[1] | pdu[2] << 8);
  const RadioAttribute *attribute = radio_gatt_by_handle(sensor->gatt, handle);
  char uuid[PL_UUID_TEXT_SIZE] = "";
  char hex[RADIO_HEX_SIZE];
  if (attribute)
    pl_uuid_format(&attribute->type, uuid);
  radio_journal_write(sensor->journal, sensor->id, event, "\"uuid\":\"%s\",\"value\":\"%s\"",
                      uuid, radio_hex(pdu + 3, length - 3, hex));
}

static void
transmit(RadioSensor *sensor, uint16_t channel, const uint8_t *payload, size_t length) {
  if (channel == RADIO_CID_ATT && is_value(payload, length)) {
    sensor->sent++;
    note_value(sensor, payload[0] == RADIO_ATT_INDICATION ? "indicate" : "notify", payload,
               length);
  }
  sensor->transmit(sensor->transmit_user, sensor, channel, payload, length);
}

static void
queue(RadioSensor *sensor, uint16_t channel, const uint8_t *payload, size_t length,
      int64_t due) {
  Outgoing *outgoing = g_new(Outgoing, 1);
  *outgoing = (Outgoing){channel, due, g_bytes_new(payload, length)};
  g_queue_push_tail(sensor->link.outgoing, outgoing);
}

int64_t
radio_link_flush(RadioSensor *sensor, int64_t now) {
  RadioLink *link = &sensor->link;
  if (!sensor->faults.in_range)
    return RADIO_NEVER;
  const Outgoing *head;
  while ((head = g_queue_peek_head(link->outgoing)) && head->due <= now) {
    Outgoing *outgoing = g_queue_pop_head(link->outgoing);
    size_t length;
    const uint8_t *payload = g_bytes_get_data(outgoing->payload, &length);
    transmit(sensor, outgoing->channel, payload, length);
    free_outgoing(outgoing);
  }
  return head ? head->due : RADIO_NEVER;
}

void
radio_sensor_send_raw(RadioSensor *sensor, uint16_t channel, const void *payload, size_t length,
                      int64_t now) {
  if (!sensor->link.up)
    return;
  queue(sensor, channel, payload, length, now);
  radio_link_flush(sensor, now);
}

static unsigned
configuration_of(const RadioSensor *sensor, const RadioAttribute *value) {
  const RadioAttribute *configuration =
      value ? radio_gatt_configuration(sensor->gatt, value) : NULL;
  return configuration ? configuration->value[0] : 0;
}

static void
send_indication(RadioSensor *sensor, const uint8_t *pdu, size_t length, int64_t now) {
  RadioLink *link = &sensor->link;
  if (link->awaits_confirmation) {
    g_queue_push_tail(link->indications, g_bytes_new(pdu, length));
    return;
  }
  link->awaits_confirmation = true;
  radio_sensor_send_raw(sensor, RADIO_CID_ATT, pdu, length, now);
}

bool
radio_sensor_send_value(RadioSensor *sensor, const PlUuid *uuid, const void *value,
                        size_t length, int64_t now) {
  if (!sensor->link.up || sensor->faults.silent)
    return false;
  const RadioAttribute *attribute = radio_gatt_value(sensor->gatt, uuid);
  unsigned configuration = configuration_of(sensor, attribute);
  uint8_t pdu[RADIO_ATT_MTU_MAX];
  if (configuration & CONFIGURED_NOTIFY) {
    size_t n = radio_att_value_pdu(&sensor->att, RADIO_ATT_NOTIFICATION, attribute->handle,
                                   value, length, pdu);
    radio_sensor_send_raw(sensor, RADIO_CID_ATT, pdu, n, now);
    return true;
  }
  if (configuration & CONFIGURED_INDICATE) {
    size_t n = radio_att_value_pdu(&sensor->att, RADIO_ATT_INDICATION, attribute->handle, value,
                                   length, pdu);
    send_indication(sensor, pdu, n, now);
    return true;
  }
  return false;
}

bool
radio_sensor_subscribed(const RadioSensor *sensor, const PlUuid *uuid) {
  return sensor->link.up && configuration_of(sensor, radio_gatt_value(sensor->gatt, uuid)) != 0;
}

const RadioAttribute *
radio_link_first_subscribed(const RadioSensor *sensor) {
  if (!sensor->link.up)
    return NULL;
  PlUuid service_changed = radio_uuid16(RADIO_SERVICE_CHANGED);
  for (size_t i = 0; i < radio_gatt_count(sensor->gatt); i++) {
    const RadioAttribute *attribute = radio_gatt_at(sensor->gatt, i);
    if (!pl_uuid_equal(&attribute->type, &service_changed) &&
        configuration_of(sensor, attribute) & CONFIGURED_NOTIFY)
      return attribute;
  }
  return NULL;
}

/* Called by the attribute server, which has stored a client configuration by now. */
static uint8_t
written(void *user, RadioAttribute *attribute, const uint8_t *value, size_t length) {
  RadioSensor *sensor = user;
  const RadioAttribute *configured = radio_gatt_configured(sensor->gatt, attribute);
  const RadioAttribute *named = configured ? configured : attribute;
  char uuid[PL_UUID_TEXT_SIZE];
  char hex[RADIO_HEX_SIZE];
  pl_uuid_format(&named->type, uuid);
  radio_journal_write(sensor->journal, sensor->id, configured ? "subscribe" : "write",
                      "\"uuid\":\"%s\",\"value\":\"%s\"", uuid, radio_hex(value, length, hex));
  if (sensor->profile->written)
    return sensor->profile->written(sensor, attribute, value, length);
  return RADIO_ATT_OK;
}

static void
confirmed(RadioSensor *sensor, int64_t now) {
  RadioLink *link = &sensor->link;
  link->awaits_confirmation = false;
  GBytes *next = g_queue_pop_head(link->indications);
  if (!next)
    return;
  size_t length;
  const uint8_t *pdu = g_bytes_get_data(next, &length);
  send_indication(sensor, pdu, length, now);
  g_bytes_unref(next);
}

static void
receive_att(RadioSensor *sensor, const RadioPdu *pdu, int64_t now) {
  if (pdu->length > 0 && pdu->payload[0] == RADIO_ATT_CONFIRMATION) {
    confirmed(sensor, now);
    return;
  }
  uint16_t mtu = sensor->att.mtu;
  uint8_t reply[RADIO_ATT_MTU_MAX];
  size_t length = radio_att_handle(&sensor->att, pdu->payload, pdu->length, reply);
  if (sensor->att.mtu != mtu)
    radio_journal_write(sensor->journal, sensor->id, "mtu", "\"mtu\":%u", sensor->att.mtu);
  int64_t delay =
      radio_att_is_discovery(pdu->payload, pdu->length) ? sensor->faults.discovery_delay_us : 0;
  if (length > 0 && delay != RADIO_NEVER)
    queue(sensor, RADIO_CID_ATT, reply, length, now + delay);
}

void
radio_sensor_receive(RadioSensor *sensor, bool first, const uint8_t *data, size_t length,
                     int64_t now) {
  RadioPdu pdu;
  if (!sensor->link.up || sensor->link.fails_at != 0 ||
      !radio_reassembly_feed(&sensor->link.reassembly, first, data, length, &pdu))
    return;
  if (pdu.channel == RADIO_CID_ATT) {
    receive_att(sensor, &pdu, now);
  } else {
    uint8_t reply[RADIO_FIXED_REPLY_MAX];
    size_t reply_length = radio_fixed_channel_reply(&pdu, reply);
    if (reply_length > 0)
      queue(sensor, pdu.channel, reply, reply_length, now);
  }
  radio_link_flush(sensor, now);
}

void
radio_link_init(RadioSensor *sensor) {
  sensor->link.outgoing = g_queue_new();
  sensor->link.indications = g_queue_new();
  sensor->att = (RadioAtt){
      .mtu = RADIO_ATT_MTU_DEFAULT,
      .mtu_max = RADIO_ATT_MTU_MAX,
      .user = sensor,
      .written = written,
  };
}

void
radio_link_drop(RadioSensor *sensor) {
  RadioLink *link = &sensor->link;
  for (const GList *item = link->outgoing->head; item; item = item->next) {
    const Outgoing *outgoing = item->data;
    size_t length;
    const uint8_t *payload = g_bytes_get_data(outgoing->payload, &length);
    if (outgoing->channel == RADIO_CID_ATT && is_value(payload, length)) {
      sensor->lost++;
      note_value(sensor, "lost", payload, length);
    }
  }
  g_queue_clear_full(link->outgoing, free_outgoing);
  g_queue_clear_full(link->indications, free_bytes);
  link->awaits_confirmation = false;
  link->up = false;
  link->reassembly.length = 0;
}

void
radio_link_clear(RadioSensor *sensor) {
  g_queue_free_full(sensor->link.outgoing, free_outgoing);
  g_queue_free_full(sensor->link.indications, free_bytes);
}
