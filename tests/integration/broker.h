/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* A real mosquitto of one's own, on a free port of 127.0.0.1 and on a unix socket, with
 * everything it needs in a directory that goes away with it.  It does not outlive the test. */

typedef struct {
  char *directory;
  char *socket; /* path of the unix socket */
  int port;
  pid_t pid;    /* 0: it is not running */
  char *config; /* path */
} Broker;

/* False when mosquitto and its clients are not installed: the test is then to be skipped. */
bool broker_available(void);

Broker *broker_new(void);
void broker_free(Broker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Broker, broker_free)

/* A path in the directory; the caller frees it. */
char *broker_path(const Broker *broker, const char *name);

/* Writes a file of mode 0600 in the directory. */
void broker_write(const Broker *broker, const char *name, const char *text);

/* Starts it and waits until it takes connections.  `lines` go into its configuration, "@DIR@"
 * in them standing for the directory; NULL: everybody may do everything.  `listener` are lines
 * for the port only, such as those of TLS; NULL: none. */
void broker_start(Broker *broker, const char *lines, const char *listener);

/* With the configuration that it has, and the same port. */
void broker_restart(Broker *broker);

/* Ends it by a signal and waits for its end. */
void broker_end(Broker *broker, int signal);

/* Holds it still, and lets it go on. */
void broker_pause(const Broker *broker);
void broker_resume(const Broker *broker);

/* Waits until its log has this text; false after ten seconds. */
bool broker_wait_log(const Broker *broker, const char *text);

/* Publishes by mosquitto_pub; the list of arguments ends with NULL. */
void broker_publish(const Broker *broker, ...) G_GNUC_NULL_TERMINATED;

/* Somebody else's eyes: mosquitto_sub, which writes what it gets to a file, a line for each
 * message.  It is subscribed when this returns.  The list of arguments ends with NULL. */
typedef struct {
  pid_t pid;
  char *file;
} Watcher;

Watcher *watcher_new(const Broker *broker, const char *filter, ...) G_GNUC_NULL_TERMINATED;
void watcher_free(Watcher *watcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watcher, watcher_free)

/* What it wrote so far; the caller frees it. */
char *watcher_text(const Watcher *watcher);

/* How often a text is in it. */
unsigned watcher_count(const Watcher *watcher, const char *text);

/* Waits until a text is in it so often; false after ten seconds. */
bool watcher_wait(const Watcher *watcher, const char *text, unsigned count);

/* Runs the main context until `condition` is true, at most so long. */
typedef bool (*Condition)(void *data);
bool wait_for(Condition condition, void *data, unsigned ms);
