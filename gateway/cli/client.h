/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/cli/cli.h"

#include <gio/gio.h>
#include <jansson.h>

/* A conversation with the daemon over its control socket. */
typedef struct {
  GSocketConnection *connection;
  GDataInputStream *input;
} PlClient;

/* False after a message, with the exit code: 69 when no daemon listens, 77 without permission.
 */
bool pl_client_open(PlClient *client, const PlCliOptions *options, int *exit_code);
void pl_client_close(PlClient *client);

/* Sends a request (taken) and waits for its reply: the `data`, or NULL after a message. */
json_t *pl_client_ask(PlClient *client, json_t *request);

/* The next line, NULL at the end.  Free it. */
char *pl_client_line(PlClient *client);
