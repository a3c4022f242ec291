/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor that plays a file: its attribute table, its notifications with their times, and its
 * answers to writes.  One item a line, `#` starts a comment:
 *
 *   advertise 180d                        a service in the advertisement
 *   manufacturer 006b 33000038            company and data in the advertisement
 *   service 180d
 *   characteristic 2a37 notify            read, write, write-command, notify, indicate; joined
 *   characteristic 2a38 read 01           by commas; a value to be read may follow
 *   answer 2a39 01 2a37 0064              a write of 2a39 that begins with 01 makes 2a37 send
 * 0064 0.000 2a37 1078                       seconds from the first subscription, not falling
 *
 * The play begins at the first subscription and goes on whether or not anybody listens. */
#include <string.h>

#include "tests/e2e/radio/profile.h"
#include "tests/e2e/radio/text.h"

typedef struct {
  bool is_service;
  uint8_t properties;
  PlUuid uuid;
  GBytes *value;
} Item;

typedef struct {
  PlUuid written;
  GBytes *prefix;
  PlUuid sent;
  GBytes *value;
} Answer;

typedef struct {
  int64_t at;
  PlUuid uuid;
  GBytes *value;
} Event;

typedef struct {
  GArray *items;
  GArray *answers;
  GArray *events;
  GArray *advertised; /* of PlUuid */
  bool has_manufacturer;
  int64_t company;
  GBytes *manufacturer;
  bool loop;
  bool started;  /* somebody has subscribed */
  int64_t start; /* 0 until the first run after that */
  guint next;
} Replay;

static void
clear_item(void *data) {
  g_bytes_unref(((Item *)data)->value);
}

static void
clear_answer(void *data) {
  Answer *answer = data;
  g_bytes_unref(answer->prefix);
  g_bytes_unref(answer->value);
}

static void
clear_event(void *data) {
  g_bytes_unref(((Event *)data)->value);
}

static void
forget(Replay *replay) {
  g_clear_pointer(&replay->items, g_array_unref);
  g_clear_pointer(&replay->answers, g_array_unref);
  g_clear_pointer(&replay->events, g_array_unref);
  g_clear_pointer(&replay->advertised, g_array_unref);
  g_clear_pointer(&replay->manufacturer, g_bytes_unref);
}

static void
begin(Replay *replay) {
  forget(replay);
  replay->items = g_array_new(FALSE, TRUE, sizeof(Item));
  replay->answers = g_array_new(FALSE, TRUE, sizeof(Answer));
  replay->events = g_array_new(FALSE, TRUE, sizeof(Event));
  replay->advertised = g_array_new(FALSE, TRUE, sizeof(PlUuid));
  g_array_set_clear_func(replay->items, clear_item);
  g_array_set_clear_func(replay->answers, clear_answer);
  g_array_set_clear_func(replay->events, clear_event);
}

static void
init(RadioSensor *sensor) {
  begin(sensor->state);
}

static void
clear(RadioSensor *sensor) {
  forget(sensor->state);
}

static GBytes *
parse_bytes(const char *hex) {
  uint8_t bytes[RADIO_VALUE_MAX];
  size_t length;
  return radio_parse_hex(hex, bytes, sizeof bytes, &length) ? g_bytes_new(bytes, length) : NULL;
}

static bool
parse_properties(const char *text, uint8_t *properties) {
  static const struct {
    const char *name;
    uint8_t bit;
  } all[] = {
      {"read", RADIO_PROPERTY_READ},
      {"write", RADIO_PROPERTY_WRITE},
      {"write-command", RADIO_PROPERTY_WRITE_COMMAND},
      {"notify", RADIO_PROPERTY_NOTIFY},
      {"indicate", RADIO_PROPERTY_INDICATE},
  };
  g_auto(GStrv) names = g_strsplit(text, ",", -1);
  *properties = 0;
  for (char **name = names; *name; name++) {
    size_t i = 0;
    while (i < G_N_ELEMENTS(all) && strcmp(*name, all[i].name) != 0)
      i++;
    if (i == G_N_ELEMENTS(all))
      return false;
    *properties |= all[i].bit;
  }
  return true;
}

static bool
read_advertise(Replay *replay, char **words, guint n) {
  PlUuid uuid;
  if (n != 2 || !pl_uuid_parse(words[1], &uuid))
    return false;
  g_array_append_val(replay->advertised, uuid);
  return true;
}

static bool
read_manufacturer(Replay *replay, char **words, guint n) {
  g_autofree char *company = n == 3 ? g_strconcat("0x", words[1], NULL) : NULL;
  GBytes *data = n == 3 ? parse_bytes(words[2]) : NULL;
  if (!data || g_bytes_get_size(data) > RADIO_ADVERTISING_MAX ||
      !radio_parse_number(company, 0, UINT16_MAX, &replay->company)) {
    g_clear_pointer(&data, g_bytes_unref);
    return false;
  }
  g_clear_pointer(&replay->manufacturer, g_bytes_unref);
  replay->manufacturer = data;
  replay->has_manufacturer = true;
  return true;
}

static bool
read_service(Replay *replay, char **words, guint n) {
  Item item = {.is_service = true};
  if (n != 2 || !pl_uuid_parse(words[1], &item.uuid))
    return false;
  item.value = g_bytes_new(NULL, 0);
  g_array_append_val(replay->items, item);
  return true;
}

static bool
read_characteristic(Replay *replay, char **words, guint n) {
  Item item = {0};
  if (n < 3 || n > 4 || replay->items->len == 0 || !pl_uuid_parse(words[1], &item.uuid) ||
      !parse_properties(words[2], &item.properties))
    return false;
  item.value = parse_bytes(n == 4 ? words[3] : "");
  if (!item.value)
    return false;
  g_array_append_val(replay->items, item);
  return true;
}

static bool
read_answer(Replay *replay, char **words, guint n) {
  Answer answer;
  if (n != 5 || !pl_uuid_parse(words[1], &answer.written) ||
      !pl_uuid_parse(words[3], &answer.sent))
    return false;
  answer.prefix = parse_bytes(words[2]);
  answer.value = parse_bytes(words[4]);
  if (!answer.prefix || !answer.value) {
    g_clear_pointer(&answer.prefix, g_bytes_unref);
    g_clear_pointer(&answer.value, g_bytes_unref);
    return false;
  }
  g_array_append_val(replay->answers, answer);
  return true;
}

static bool
read_event(Replay *replay, char **words, guint n) {
  Event event;
  if (n < 2 || n > 3 || !radio_parse_seconds(words[0], &event.at) ||
      !pl_uuid_parse(words[1], &event.uuid))
    return false;
  guint count = replay->events->len;
  if (count > 0 && g_array_index(replay->events, Event, count - 1).at > event.at)
    return false;
  event.value = parse_bytes(n == 3 ? words[2] : "");
  if (!event.value)
    return false;
  g_array_append_val(replay->events, event);
  return true;
}

static bool
read_line(Replay *replay, const char *line) {
  static const struct {
    const char *word;
    bool (*read)(Replay *replay, char **words, guint n);
  } all[] = {
      {"advertise", read_advertise}, {"manufacturer", read_manufacturer},
      {"service", read_service},     {"characteristic", read_characteristic},
      {"answer", read_answer},
  };
  if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
    return true;
  g_auto(GStrv) words = NULL;
  int n = 0;
  if (!g_shell_parse_argv(line, &n, &words, NULL))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    if (strcmp(words[0], all[i].word) == 0)
      return all[i].read(replay, words, (guint)n);
  return read_event(replay, words, (guint)n);
}

static bool
load(RadioSensor *sensor, const char *path) {
  Replay *replay = sensor->state;
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return false;
  begin(replay);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++)
    if (!read_line(replay, *line))
      return false;
  radio_sensor_refresh_advertising(sensor);
  return true;
}

static void
build_gatt(RadioSensor *sensor) {
  const Replay *replay = sensor->state;
  for (guint i = 0; i < replay->items->len; i++) {
    const Item *item = &g_array_index(replay->items, Item, i);
    size_t length;
    const void *value = g_bytes_get_data(item->value, &length);
    if (item->is_service)
      radio_gatt_add_service(sensor->gatt, item->uuid);
    else
      radio_gatt_add_characteristic(sensor->gatt, item->uuid, item->properties, value, length);
  }
}

static void
build_advertising(RadioSensor *sensor) {
  const Replay *replay = sensor->state;
  RadioAdvertising *advertising = &sensor->advertising;
  for (guint i = 0; i < replay->advertised->len; i++)
    radio_advertise_service(sensor, g_array_index(replay->advertised, PlUuid, i));
  advertising->has_manufacturer = replay->has_manufacturer;
  if (!replay->has_manufacturer)
    return;
  const void *data = g_bytes_get_data(replay->manufacturer, &advertising->manufacturer_length);
  advertising->company = (uint16_t)replay->company;
  if (advertising->manufacturer_length > 0)
    memcpy(advertising->manufacturer, data, advertising->manufacturer_length);
}

static int64_t
run(RadioSensor *sensor, int64_t now) {
  Replay *replay = sensor->state;
  if (!replay->started || replay->events->len == 0)
    return RADIO_NEVER;
  if (replay->start == 0)
    replay->start = now;
  while (replay->next < replay->events->len) {
    const Event *event = &g_array_index(replay->events, Event, replay->next);
    if (replay->start + event->at > now)
      return replay->start + event->at;
    size_t length;
    const void *value = g_bytes_get_data(event->value, &length);
    radio_sensor_send_value(sensor, &event->uuid, value, length, now);
    replay->next++;
  }
  if (!replay->loop)
    return RADIO_NEVER;
  replay->next = 0;
  replay->start = now + sensor->period_us;
  return replay->start;
}

static bool
set(RadioSensor *sensor, const char *key, const char *value) {
  Replay *replay = sensor->state;
  if (strcmp(key, "file") == 0)
    return load(sensor, value);
  return strcmp(key, "loop") == 0 && radio_parse_switch(value, &replay->loop);
}

static uint8_t
written(RadioSensor *sensor, const RadioAttribute *attribute, const uint8_t *value,
        size_t length) {
  Replay *replay = sensor->state;
  const RadioAttribute *configured = radio_gatt_configured(sensor->gatt, attribute);
  if (configured) {
    replay->started |=
        replay->events->len > 0 &&
        pl_uuid_equal(&configured->type, &g_array_index(replay->events, Event, 0).uuid);
    return RADIO_ATT_OK;
  }
  for (guint i = 0; i < replay->answers->len; i++) {
    const Answer *answer = &g_array_index(replay->answers, Answer, i);
    size_t n;
    const void *prefix = g_bytes_get_data(answer->prefix, &n);
    if (!pl_uuid_equal(&answer->written, &attribute->type) || n > length ||
        (n > 0 && memcmp(prefix, value, n) != 0))
      continue;
    size_t size;
    const void *data = g_bytes_get_data(answer->value, &size);
    radio_sensor_respond(sensor, &answer->sent, data, size);
  }
  return RADIO_ATT_OK;
}

const RadioProfile radio_replay = {
    .kind = "replay",
    .default_name = "Replay",
    .state_size = sizeof(Replay),
    .init = init,
    .clear = clear,
    .build_gatt = build_gatt,
    .build_advertising = build_advertising,
    .run = run,
    .set = set,
    .written = written,
};
