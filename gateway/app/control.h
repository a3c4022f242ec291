/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>

/* The control socket of the daemon: lines of JSON, a request each and a reply each.
 *
 *   {"command":"status"}            -> {"status":"ok","data":{...}}
 *   {"command":"watch"}             -> the same, then every message as plumbline replay prints
 * it
 *   {"command":"scan","seconds":10} -> after that time, what was heard
 *
 * Bounded: 16 clients, 2 KiB a request; one that does not read for 2 s is shut out. */

typedef struct PlControl PlControl;
typedef struct PlControlClient PlControlClient;

/* Answers a request: returns a reply (the caller of the handler frees it), or NULL when it
 * comes later through pl_control_reply(). */
typedef json_t *(*PlControlHandler)(PlControlClient *client, const char *command,
                                    json_t *request, void *data);

/* Listens at `path`, replacing what a dead daemon left there; mode 0660. */
PlControl *pl_control_new(const char *path, PlControlHandler handler, void *data,
                          GError **error);
void pl_control_free(PlControl *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlControl, pl_control_free)

/* A late reply to a client that may have gone meanwhile.  Takes the reply. */
void pl_control_reply(PlControl *self, PlControlClient *client, json_t *reply);

/* From now on the client gets every broadcast line. */
void pl_control_follow(PlControlClient *client);

/* A line for all who follow. */
void pl_control_broadcast(PlControl *self, const char *line);
bool pl_control_is_followed(const PlControl *self);

/* {"status":"error","error":{"code":...,"message":...}} */
json_t *pl_control_error(const char *code, const char *message);
json_t *pl_control_ok(json_t *data); /* takes `data` */
