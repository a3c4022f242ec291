/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/e2e/radio/control.h"

/* A UNIX stream socket that takes commands: one line in, one line out, any number of clients.
 */
typedef struct RadioControlSocket RadioControlSocket;

/* Writes the answer, without a line's end, to `reply`. */
typedef void (*RadioControlLine)(void *user, const char *line, GString *reply);

/* A socket that is there already is replaced. */
RadioControlSocket *radio_control_socket_new(const char *path, RadioControlLine on_line,
                                             void *user, GError **error);
void radio_control_socket_free(RadioControlSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RadioControlSocket, radio_control_socket_free)
