/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/control.h"

#include <stdio.h>
#include <string.h>

#include "tests/e2e/radio/fault-commands.h"
#include "tests/e2e/radio/profile.h"
#include "tests/e2e/radio/text.h"

static bool
valid_id(const char *id) {
  size_t length = strlen(id);
  return length >= 1 && length <= 32 &&
         strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static bool
apply_options(RadioSensor *sensor, char **options, GString *reply) {
  for (char **option = options; *option; option++) {
    g_auto(GStrv) pair = g_strsplit(*option, "=", 2);
    if (g_strv_length(pair) != 2 || !radio_sensor_set(sensor, pair[0], pair[1])) {
      g_string_append_printf(reply, "error: %s cannot take '%s'", sensor->id, *option);
      return false;
    }
  }
  return true;
}

/* sensor ID KIND ADDRESS [KEY=VALUE...] */
static bool
add_sensor(RadioCall *call) {
  const char *id = call->words[1];
  const RadioProfile *profile = radio_profile_find(call->words[2]);
  if (!profile)
    return radio_call_fail(call, "no such kind", call->words[2]);
  if (!valid_id(id) || radio_controller_find(call->control->controller, id))
    return radio_call_fail(call, "not an id, or taken", id);
  RadioSensor *sensor = radio_sensor_new(profile, id, call->words[3], call->control->journal);
  if (!sensor)
    return radio_call_fail(call, "not an address", call->words[3]);
  if (!apply_options(sensor, call->words + 4, call->reply)) {
    radio_sensor_free(sensor);
    return false;
  }
  radio_controller_add(call->control->controller, sensor, call->now);
  return true;
}

/* set ID KEY=VALUE... */
static bool
set_options(RadioCall *call) {
  return apply_options(call->sensor, call->words + 2, call->reply);
}

/* remove ID */
static bool
remove_sensor(RadioCall *call) {
  RadioController *controller = call->control->controller;
  radio_controller_drop(controller, call->sensor, 0x08);
  g_ptr_array_remove(controller->sensors, call->sensor);
  return true;
}

/* links N [ERROR] */
static bool
limit_links(RadioCall *call) {
  int64_t limit;
  int64_t error = 0x0d;
  if (!radio_parse_number(call->words[1], 0, 1000, &limit) ||
      (call->n > 2 && !radio_parse_number(call->words[2], 1, 255, &error)))
    return radio_call_fail(call, "not a number of links or an error", call->words[1]);
  call->control->controller->link_limit = (unsigned)limit;
  call->control->controller->link_limit_error = (uint8_t)error;
  return true;
}

/* strangers PER_SECOND */
static bool
set_strangers(RadioCall *call) {
  int64_t rate;
  if (!radio_parse_number(call->words[1], 0, 10000, &rate))
    return radio_call_fail(call, "not a rate", call->words[1]);
  call->control->controller->strangers_per_s = (unsigned)rate;
  call->control->controller->next_stranger = call->now;
  return true;
}

static bool
plug(RadioCall *call) {
  bool in = strcmp(call->words[0], "plug") == 0;
  return call->control->plug(call->control->user, in) ||
         radio_call_fail(call, "the virtual controller cannot be moved", call->words[0]);
}

static bool
quit(RadioCall *call) {
  call->control->quit = true;
  return true;
}

/* status: one JSON object */
static bool
print_status(RadioCall *call) {
  const RadioController *controller = call->control->controller;
  g_string_append_printf(
      call->reply, "{\"links\":%u,\"scanning\":%s,\"connecting\":%s,\"sensors\":{",
      radio_controller_links(controller), controller->scan.enabled ? "true" : "false",
      controller->initiator.pending ? "true" : "false");
  for (guint i = 0; i < controller->sensors->len; i++) {
    const RadioSensor *sensor = g_ptr_array_index(controller->sensors, i);
    g_string_append_printf(call->reply,
                           "%s\"%s\":{\"kind\":\"%s\",\"linked\":%s,\"mtu\":%u,\"sent\":%u,"
                           "\"lost\":%u}",
                           i ? "," : "", sensor->id, sensor->profile->kind,
                           sensor->link.up ? "true" : "false", sensor->att.mtu, sensor->sent,
                           sensor->lost);
  }
  g_string_append(call->reply, "}}");
  return true;
}

/* at SECONDS COMMAND...: the rest of the line, later */
static bool
schedule(RadioControl *control, const char *rest, int64_t now, GString *reply) {
  g_auto(GStrv) parts = g_strsplit(rest, " ", 2);
  RadioScheduled scheduled;
  if (g_strv_length(parts) != 2 || !radio_parse_seconds(parts[0], &scheduled.at)) {
    g_string_append_printf(reply, "error: at SECONDS COMMAND, not '%s'", rest);
    return false;
  }
  scheduled.at += now;
  scheduled.line = g_strdup(parts[1]);
  g_array_append_val(control->scheduled, scheduled);
  return true;
}

static const RadioCommand own_commands[] = {
    {"sensor", 4, 64, false, add_sensor},
    {"set", 3, 64, true, set_options},
    {"remove", 2, 2, true, remove_sensor},
    {"links", 2, 3, false, limit_links},
    {"strangers", 2, 2, false, set_strangers},
    {"plug", 1, 1, false, plug},
    {"unplug", 1, 1, false, plug},
    {"status", 1, 1, false, print_status},
    {"quit", 1, 1, false, quit},
    {NULL, 0, 0, false, NULL},
};

static const RadioCommand *
find_command(const char *name) {
  const RadioCommand *const tables[] = {own_commands, radio_fault_commands};
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const RadioCommand *command = tables[i]; command->name; command++)
      if (strcmp(command->name, name) == 0)
        return command;
  return NULL;
}

bool
radio_call_fail(RadioCall *call, const char *what, const char *which) {
  g_string_append_printf(call->reply, "error: %s: '%s'", what, which);
  return false;
}

static bool
obey_words(RadioCall *call) {
  const RadioCommand *command = find_command(call->words[0]);
  if (!command)
    return radio_call_fail(call, "no such command", call->words[0]);
  if (call->n < command->words_min || call->n > command->words_max)
    return radio_call_fail(call, "wrong number of arguments", call->words[0]);
  if (command->on_sensor) {
    call->sensor = radio_controller_find(call->control->controller, call->words[1]);
    if (!call->sensor)
      return radio_call_fail(call, "no such sensor", call->words[1]);
  }
  return command->obey(call);
}

/* Commands are echoed in the journal: as much of them as JSON takes unescaped. */
static void
note_command(const RadioControl *control, const char *line) {
  g_autofree char *plain = g_strdup(line);
  for (char *c = plain; *c; c++)
    if (*c == '"' || *c == '\\' || !g_ascii_isprint(*c))
      *c = '?';
  radio_journal_write(control->journal, NULL, "command", "\"line\":\"%s\"", plain);
}

static bool
obey(RadioControl *control, const char *line, int64_t now, GString *reply) {
  line += strspn(line, " \t");
  if (*line == '\0' || *line == '#')
    return true;
  if (g_str_has_prefix(line, "at "))
    return schedule(control, line + 3, now, reply);
  g_auto(GStrv) words = NULL;
  int n = 0;
  if (!g_shell_parse_argv(line, &n, &words, NULL)) {
    g_string_append_printf(reply, "error: unreadable: '%s'", line);
    return false;
  }
  if (strcmp(words[0], "status") != 0)
    note_command(control, line);
  RadioCall call = {.control = control, .words = words, .n = n, .now = now, .reply = reply};
  return obey_words(&call);
}

void
radio_control_obey(RadioControl *control, const char *line, int64_t now, GString *reply) {
  if (obey(control, line, now, reply) && reply->len == 0)
    g_string_append(reply, "ok");
}

bool
radio_control_obey_all(RadioControl *control, const char *text, int64_t now, GString *reply) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++)
    if (!obey(control, *line, now, reply))
      return false;
  return true;
}

static int
compare_scheduled(const void *a, const void *b) {
  int64_t first = ((const RadioScheduled *)a)->at;
  int64_t second = ((const RadioScheduled *)b)->at;
  return first < second ? -1 : first > second;
}

int64_t
radio_control_run(RadioControl *control, int64_t now) {
  g_array_sort(control->scheduled, compare_scheduled);
  while (control->scheduled->len > 0) {
    RadioScheduled *first = &g_array_index(control->scheduled, RadioScheduled, 0);
    if (first->at > now)
      return first->at;
    g_autofree char *line = g_steal_pointer(&first->line);
    g_array_remove_index(control->scheduled, 0);
    g_autoptr(GString) reply = g_string_new(NULL);
    if (!obey(control, line, now, reply))
      fprintf(stderr, "plumbline-radio: %s\n", reply->str);
  }
  return RADIO_NEVER;
}

static void
clear_scheduled(void *data) {
  g_free(((RadioScheduled *)data)->line);
}

void
radio_control_init(RadioControl *control) {
  control->scheduled = g_array_new(FALSE, FALSE, sizeof(RadioScheduled));
  g_array_set_clear_func(control->scheduled, clear_scheduled);
}

void
radio_control_clear(RadioControl *control) {
  g_clear_pointer(&control->scheduled, g_array_unref);
}
