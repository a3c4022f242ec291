/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/client.h"

#include "gateway/app/control-path.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

static char *
find_socket(const PlCliOptions *options, int *exit_code) {
  if (options->state_dir != NULL)
    return pl_control_find(options->state_dir);
  g_autoptr(PlConfig) config = pl_cli_config(options);
  *exit_code = PL_EXIT_CONFIG;
  return config == NULL ? NULL : pl_control_find(config->storage.directory);
}

bool
pl_client_open(PlClient *client, const PlCliOptions *options, int *exit_code) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = find_socket(options, exit_code);
  if (path == NULL)
    return false;
  g_autoptr(GSocketClient) connector = g_socket_client_new();
  g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
  *client = (PlClient){0};
  client->connection =
      g_socket_client_connect(connector, G_SOCKET_CONNECTABLE(address), NULL, &error);
  if (client->connection != NULL) {
    client->input =
        g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(client->connection)));
    return true;
  }
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)) {
    pl_cli_error("%s: permission denied; run it as root or join the group plumbline", path);
    *exit_code = PL_EXIT_PERMISSION;
  } else {
    pl_cli_error("no daemon listens at %s; start it with systemctl start plumblined, or say "
                 "--state-dir",
                 path);
    *exit_code = PL_EXIT_UNAVAILABLE;
  }
  return false;
}

void
pl_client_close(PlClient *client) {
  g_clear_object(&client->input);
  g_clear_object(&client->connection);
}

char *
pl_client_line(PlClient *client) {
  return g_data_input_stream_read_line(client->input, NULL, NULL, NULL);
}

json_t *
pl_client_ask(PlClient *client, json_t *request) {
  char *text = json_dumps(request, JSON_COMPACT);
  g_autofree char *line = g_strconcat(text, "\n", NULL);
  free(text);
  json_decref(request);
  GOutputStream *output = g_io_stream_get_output_stream(G_IO_STREAM(client->connection));
  g_autofree char *answer = NULL;
  if (g_output_stream_write_all(output, line, strlen(line), NULL, NULL, NULL))
    answer = pl_client_line(client);
  json_t *reply = answer == NULL ? NULL : json_loads(answer, 0, NULL);
  json_t *data = json_object_get(reply, "data");
  if (data == NULL) {
    json_t *error = json_object_get(reply, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    pl_cli_error("%s", message != NULL ? message : "the daemon did not answer");
  }
  json_incref(data);
  json_decref(reply);
  return data;
}
