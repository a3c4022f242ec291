/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/control.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
  CLIENTS_MAX = 16,
  REQUEST_MAX = 2048,
  QUEUE_MAX = 1 << 20, /* bytes that wait for a slow reader */
  SLOW_S = 2,
  SOCKET_MODE = 0660,
};

struct PlControlClient {
  PlControl *control;
  GSocketConnection *connection;
  GCancellable *cancellable;
  GString *input, *output;
  char chunk[REQUEST_MAX];
  gsize written;
  bool writing, follows, gone;
  gint64 stuck_since;
  int pending; /* operations of GIO that hold it */
};

struct PlControl {
  GSocketService *service;
  char *path;
  PlControlHandler handler;
  void *data;
  GPtrArray *clients;
};

static void read_more(PlControlClient *client);
static void write_more(PlControlClient *client);

static void
client_release(PlControlClient *client) {
  if (!client->gone || client->pending > 0)
    return;
  g_object_unref(client->connection);
  g_object_unref(client->cancellable);
  g_string_free(client->input, TRUE);
  g_string_free(client->output, TRUE);
  g_free(client);
}

static void
client_close(PlControlClient *client) {
  if (client->gone)
    return;
  client->gone = true;
  if (client->control != NULL)
    g_ptr_array_remove_fast(client->control->clients, client);
  client->control = NULL;
  g_cancellable_cancel(client->cancellable);
  client_release(client);
}

static void
send_line(PlControlClient *client, const char *line) {
  gint64 now = g_get_monotonic_time();
  bool stuck = client->stuck_since != 0 && now - client->stuck_since > SLOW_S * G_USEC_PER_SEC;
  if (client->gone)
    return;
  if (stuck || client->output->len > QUEUE_MAX) {
    client_close(client);
    return;
  }
  g_string_append(client->output, line);
  g_string_append_c(client->output, '\n');
  write_more(client);
}

static void
send_reply(PlControlClient *client, json_t *reply) {
  char *line = json_dumps(reply, JSON_COMPACT);
  if (line != NULL)
    send_line(client, line);
  free(line);
  json_decref(reply);
}

static void
on_written(GObject *source, GAsyncResult *result, void *data) {
  PlControlClient *client = data;
  gssize n = g_output_stream_write_finish(G_OUTPUT_STREAM(source), result, NULL);
  client->pending--;
  client->writing = false;
  if (client->gone) {
    client_release(client);
    return;
  }
  if (n <= 0) {
    client_close(client);
    return;
  }
  g_string_erase(client->output, 0, n);
  client->stuck_since = 0;
  write_more(client);
}

static void
write_more(PlControlClient *client) {
  if (client->writing || client->output->len == 0)
    return;
  client->writing = true;
  client->pending++;
  client->stuck_since = g_get_monotonic_time();
  /* The string may grow meanwhile, so what is on its way is a copy. */
  g_autoptr(GBytes) bytes = g_bytes_new(client->output->str, client->output->len);
  g_object_set_data_full(G_OBJECT(client->connection), "bytes", g_bytes_ref(bytes),
                         (GDestroyNotify)g_bytes_unref);
  g_output_stream_write_async(g_io_stream_get_output_stream(G_IO_STREAM(client->connection)),
                              g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                              G_PRIORITY_DEFAULT, client->cancellable, on_written, client);
}

static void
handle_line(PlControlClient *client, const char *line) {
  json_error_t why;
  json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, &why);
  const char *command = json_string_value(json_object_get(request, "command"));
  json_t *reply;

  if (!json_is_object(request))
    reply = pl_control_error("bad-json", "expected an object of JSON in one line");
  else if (command == NULL)
    reply = pl_control_error("missing-key", "\"command\" is missing");
  else
    reply = client->control->handler(client, command, request, client->control->data);
  if (reply != NULL && !client->gone)
    send_reply(client, reply);
  else
    json_decref(reply);
  json_decref(request);
}

static void
take_lines(PlControlClient *client) {
  char *end;
  while (!client->gone && (end = strchr(client->input->str, '\n')) != NULL) {
    g_autofree char *line = g_strndup(client->input->str, (gsize)(end - client->input->str));
    g_string_erase(client->input, 0, end - client->input->str + 1);
    client->pending++; /* the handler may close it */
    handle_line(client, line);
    client->pending--;
  }
}

static void
on_read(GObject *source, GAsyncResult *result, void *data) {
  PlControlClient *client = data;
  gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);
  client->pending--;
  if (client->gone) {
    client_release(client);
    return;
  }
  if (n <= 0 || memchr(client->chunk, '\0', (size_t)n) != NULL) {
    client_close(client);
    return;
  }
  g_string_append_len(client->input, client->chunk, n);
  take_lines(client);
  if (client->gone) {
    client_release(client);
  } else if (client->input->len > REQUEST_MAX) {
    client_close(client);
  } else {
    read_more(client);
  }
}

static void
read_more(PlControlClient *client) {
  client->pending++;
  g_input_stream_read_async(g_io_stream_get_input_stream(G_IO_STREAM(client->connection)),
                            client->chunk, sizeof client->chunk, G_PRIORITY_DEFAULT,
                            client->cancellable, on_read, client);
}

static gboolean
on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
            void *data) {
  PlControl *self = data;
  (void)service;
  (void)source;
  if (self->clients->len >= CLIENTS_MAX)
    return TRUE;
  PlControlClient *client = g_new0(PlControlClient, 1);
  client->control = self;
  client->connection = g_object_ref(connection);
  client->cancellable = g_cancellable_new();
  client->input = g_string_new(NULL);
  client->output = g_string_new(NULL);
  g_ptr_array_add(self->clients, client);
  read_more(client);
  return TRUE;
}

PlControl *
pl_control_new(const char *path, PlControlHandler handler, void *data, GError **error) {
  g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
  g_autoptr(GSocketService) service = g_socket_service_new();

  g_unlink(path);
  if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), address, G_SOCKET_TYPE_STREAM,
                                     G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error)) {
    g_prefix_error(error, "control socket %s: ", path);
    return NULL;
  }
  g_chmod(path, SOCKET_MODE);
  PlControl *self = g_new0(PlControl, 1);
  self->service = g_steal_pointer(&service);
  self->path = g_strdup(path);
  self->handler = handler;
  self->data = data;
  self->clients = g_ptr_array_new();
  g_signal_connect(self->service, "incoming", G_CALLBACK(on_incoming), self);
  g_socket_service_start(self->service);
  return self;
}

void
pl_control_free(PlControl *self) {
  if (self == NULL)
    return;
  while (self->clients->len > 0)
    client_close(self->clients->pdata[0]);
  g_socket_service_stop(self->service);
  g_socket_listener_close(G_SOCKET_LISTENER(self->service));
  g_signal_handlers_disconnect_by_data(self->service, self);
  g_object_unref(self->service);
  g_unlink(self->path);
  g_ptr_array_unref(self->clients);
  g_free(self->path);
  g_free(self);
}

void
pl_control_reply(PlControl *self, PlControlClient *client, json_t *reply) {
  if (g_ptr_array_find(self->clients, client, NULL))
    send_reply(client, reply);
  else
    json_decref(reply);
}

void
pl_control_follow(PlControlClient *client) {
  client->follows = true;
}

bool
pl_control_is_followed(const PlControl *self) {
  for (guint i = 0; i < self->clients->len; i++)
    if (((const PlControlClient *)self->clients->pdata[i])->follows)
      return true;
  return false;
}

void
pl_control_broadcast(PlControl *self, const char *line) {
  for (guint i = self->clients->len; i > 0; i--) {
    PlControlClient *client = self->clients->pdata[i - 1];
    if (client->follows)
      send_line(client, line);
  }
}

json_t *
pl_control_error(const char *code, const char *message) {
  return json_pack("{s:s, s:{s:s, s:s}}", "status", "error", "error", "code", code, "message",
                   message);
}

json_t *
pl_control_ok(json_t *data) {
  return json_pack("{s:s, s:o}", "status", "ok", "data", data);
}
