/* SPDX-License-Identifier: Apache-2.0 */
/* plumbline-radio: a Bluetooth LE controller with simulated sensors behind it, for tests with
 * the real BlueZ.  See tests/e2e/README.md. */
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/e2e/radio/control-socket.h"
#include "tests/e2e/radio/text.h"
#include "tests/e2e/radio/vhci.h"

typedef struct {
  RadioController *controller;
  RadioControl control;
  RadioJournal *journal;
  GMainLoop *loop;
  GSource *clock; /* dispatches when something is due */
  int vhci;       /* -1: not plugged in */
  guint vhci_watch;
} Program;

typedef struct {
  char *address; /* owned, as the others; NULL when not given */
  char *control_path;
  char *journal_path;
  char *scenario_path;
} Options;

static void
send_to_host(void *user, const uint8_t *packet, size_t length) {
  const Program *program = user;
  if (program->vhci >= 0 && write(program->vhci, packet, length) != (ssize_t)length)
    fprintf(stderr, "plumbline-radio: a packet to the host is lost: %s\n", g_strerror(errno));
}

static void
run(Program *program) {
  int64_t now = radio_now();
  int64_t next = radio_control_run(&program->control, now);
  next = MIN(next, radio_controller_run(program->controller, now));
  if (program->control.quit)
    g_main_loop_quit(program->loop);
  int64_t wait = next == RADIO_NEVER ? -1 : MAX(next - radio_now(), 0);
  g_source_set_ready_time(program->clock, wait < 0 ? -1 : g_get_monotonic_time() + wait);
}

static gboolean
on_clock(GSource *source, GSourceFunc callback, void *user) {
  (void)source;
  (void)callback;
  run(user);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_host_packet(int fd, GIOCondition condition, void *user) {
  (void)condition;
  Program *program = user;
  uint8_t packet[RADIO_VHCI_PACKET_MAX];
  ssize_t length = read(fd, packet, sizeof packet);
  if (length > 0)
    radio_controller_receive(program->controller, packet, (size_t)length, radio_now());
  run(program);
  return G_SOURCE_CONTINUE;
}

static bool
plug_in(Program *program, GError **error) {
  unsigned index;
  program->vhci = radio_vhci_open(&index, error);
  if (program->vhci < 0)
    return false;
  program->vhci_watch = g_unix_fd_add(program->vhci, G_IO_IN, on_host_packet, program);
  radio_journal_write(program->journal, NULL, "plugged", "\"index\":%u", index);
  return true;
}

static void
unplug(Program *program) {
  if (program->vhci < 0)
    return;
  g_clear_handle_id(&program->vhci_watch, g_source_remove);
  close(program->vhci);
  program->vhci = -1;
  radio_controller_reset(program->controller);
  radio_journal_write(program->journal, NULL, "unplugged", NULL);
}

static bool
on_plug(void *user, bool in) {
  Program *program = user;
  if (in && program->vhci < 0)
    return plug_in(program, NULL);
  if (!in)
    unplug(program);
  return true;
}

static void
on_control_line(void *user, const char *line, GString *reply) {
  Program *program = user;
  radio_control_obey(&program->control, line, radio_now(), reply);
  run(program);
}

static gboolean
on_signal(void *user) {
  g_main_loop_quit(((Program *)user)->loop);
  return G_SOURCE_CONTINUE;
}

static bool
parse_options(int argc, char **argv, Options *options, GError **error) {
  const GOptionEntry entries[] = {
      {"address", 'a', 0, G_OPTION_ARG_STRING, &options->address, "of the controller",
       "ADDRESS"},
      {"control", 'c', 0, G_OPTION_ARG_FILENAME, &options->control_path,
       "UNIX socket that takes commands", "PATH"},
      {"journal", 'j', 0, G_OPTION_ARG_FILENAME, &options->journal_path,
       "file that gets what happened, as JSON lines", "PATH"},
      {"scenario", 's', 0, G_OPTION_ARG_FILENAME, &options->scenario_path,
       "commands to obey at the start", "PATH"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_set_summary(context,
                               "A Bluetooth LE controller with simulated sensors (/dev/vhci).");
  g_option_context_add_main_entries(context, entries, NULL);
  return g_option_context_parse(context, &argc, &argv, error);
}

static bool
obey_scenario(Program *program, const char *path, GError **error) {
  g_autofree char *text = NULL;
  if (!path)
    return true;
  if (!g_file_get_contents(path, &text, NULL, error))
    return false;
  g_autoptr(GString) reply = g_string_new(NULL);
  if (radio_control_obey_all(&program->control, text, radio_now(), reply))
    return true;
  g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s", path, reply->str);
  return false;
}

static bool
start(Program *program, const Options *options, GError **error) {
  static GSourceFuncs clock_functions = {.dispatch = on_clock};
  uint8_t address[6];
  const char *text = options->address ? options->address : "00:AA:01:00:00:42";
  if (!radio_parse_address(text, address)) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "not an address: '%s'", text);
    return false;
  }
  program->journal = radio_journal_new(options->journal_path);
  if (!program->journal) {
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s",
                options->journal_path, g_strerror(errno));
    return false;
  }
  program->loop = g_main_loop_new(NULL, FALSE);
  program->controller = radio_controller_new(address, send_to_host, program, program->journal);
  program->control.controller = program->controller;
  program->control.journal = program->journal;
  program->control.plug = on_plug;
  program->control.user = program;
  radio_control_init(&program->control);
  program->clock = g_source_new(&clock_functions, sizeof(GSource));
  g_source_set_callback(program->clock, NULL, program, NULL);
  g_source_attach(program->clock, NULL);
  return obey_scenario(program, options->scenario_path, error) && plug_in(program, error);
}

static void
stop(Program *program) {
  if (!program->loop)
    return;
  unplug(program);
  g_source_destroy(program->clock);
  g_source_unref(program->clock);
  radio_control_clear(&program->control);
  radio_controller_free(program->controller);
  g_main_loop_unref(program->loop);
}

static bool
serve(Program *program, const Options *options, GError **error) {
  g_autoptr(RadioControlSocket) socket = NULL;
  if (options->control_path) {
    socket = radio_control_socket_new(options->control_path, on_control_line, program, error);
    if (!socket)
      return false;
  }
  g_unix_signal_add(SIGTERM, on_signal, program);
  g_unix_signal_add(SIGINT, on_signal, program);
  run(program);
  g_main_loop_run(program->loop);
  return true;
}

int
main(int argc, char **argv) {
  Options options = {0};
  Program program = {.vhci = -1};
  g_autoptr(GError) error = NULL;
  bool ok = parse_options(argc, argv, &options, &error) && start(&program, &options, &error) &&
            serve(&program, &options, &error);
  if (!ok)
    fprintf(stderr, "plumbline-radio: %s\n", error->message);
  stop(&program);
  radio_journal_free(program.journal);
  g_free(options.address);
  g_free(options.control_path);
  g_free(options.journal_path);
  g_free(options.scenario_path);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
