/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/control-socket.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <unistd.h>

struct RadioControlSocket {
  GSocketService *service;
  RadioControlLine on_line;
  void *user;
};

typedef struct {
  RadioControlSocket *socket;
  GSocketConnection *connection;
  GDataInputStream *lines;
} Client;

static void
free_client(Client *client) {
  g_object_unref(client->lines);
  g_object_unref(client->connection);
  g_free(client);
}

static void read_next(Client *client);

static void
on_line(GObject *source, GAsyncResult *result, void *user) {
  Client *client = user;
  g_autofree char *line = g_data_input_stream_read_line_finish_utf8(G_DATA_INPUT_STREAM(source),
                                                                    result, NULL, NULL);
  if (!line) {
    free_client(client);
    return;
  }
  g_autoptr(GString) reply = g_string_new(NULL);
  client->socket->on_line(client->socket->user, line, reply);
  g_string_append_c(reply, '\n');
  GOutputStream *output = g_io_stream_get_output_stream(G_IO_STREAM(client->connection));
  if (g_output_stream_write_all(output, reply->str, reply->len, NULL, NULL, NULL))
    read_next(client);
  else
    free_client(client);
}

static void
read_next(Client *client) {
  g_data_input_stream_read_line_async(client->lines, G_PRIORITY_DEFAULT, NULL, on_line, client);
}

static gboolean
on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
            void *user) {
  (void)service;
  (void)source;
  Client *client = g_new(Client, 1);
  client->socket = user;
  client->connection = g_object_ref(connection);
  client->lines =
      g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
  read_next(client);
  return TRUE;
}

RadioControlSocket *
radio_control_socket_new(const char *path, RadioControlLine on_line_function, void *user,
                         GError **error) {
  unlink(path);
  g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
  g_autoptr(GSocketService) service = g_socket_service_new();
  if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), address, G_SOCKET_TYPE_STREAM,
                                     G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error))
    return NULL;
  RadioControlSocket *socket = g_new0(RadioControlSocket, 1);
  socket->on_line = on_line_function;
  socket->user = user;
  socket->service = g_steal_pointer(&service);
  g_signal_connect(socket->service, "incoming", G_CALLBACK(on_incoming), socket);
  return socket;
}

void
radio_control_socket_free(RadioControlSocket *socket) {
  if (!socket)
    return;
  g_socket_service_stop(socket->service);
  g_socket_listener_close(G_SOCKET_LISTENER(socket->service));
  g_object_unref(socket->service);
  g_free(socket);
}
