/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, PAUSE_US = 5000 };

/* -- processes ------------------------------------------------------------------------- */

static char *
find_program(const char *name) {
  char *path = g_find_program_in_path(name);
  if (path)
    return path;
  g_autofree char *system = g_build_filename("/usr/sbin", name, NULL);
  return g_file_test(system, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&system) : NULL;
}

static void
die_with_parent(gpointer data) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Output of both kinds is added to `file`. */
static pid_t
start(char **argv, const char *file) {
  GPid pid = 0;
  g_autoptr(GError) error = NULL;
  int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_assert_cmpint(fd, >=, 0);
  g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                         &pid, -1, fd, fd, &error);
  g_assert_no_error(error);
  close(fd);
  return pid;
}

static void
end(pid_t pid, int signal) {
  kill(pid, signal);
  kill(pid, SIGCONT);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

bool
wait_for(Condition condition, void *data, unsigned ms) {
  int64_t until = g_get_monotonic_time() + (int64_t)ms * 1000;
  while (!condition(data)) {
    if (g_get_monotonic_time() > until)
      return false;
    while (g_main_context_iteration(NULL, FALSE))
      ;
    if (!condition(data))
      g_usleep(PAUSE_US);
  }
  return true;
}

/* -- broker ---------------------------------------------------------------------------- */

bool
broker_available(void) {
  g_autofree char *broker = find_program("mosquitto");
  g_autofree char *client = find_program("mosquitto_sub");
  return broker && client;
}

static int
free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
  g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
  close(fd);
  return ntohs(address.sin_port);
}

Broker *
broker_new(void) {
  g_autoptr(GError) error = NULL;
  Broker *self = g_new0(Broker, 1);
  self->directory = g_dir_make_tmp("broker-XXXXXX", &error);
  g_assert_no_error(error);
  self->port = free_port();
  self->socket = broker_path(self, "socket");
  self->config = broker_path(self, "mosquitto.conf");
  return self;
}

static void
remove_directory(const char *directory) {
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  const char *name = NULL;
  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_unlink(path);
  }
  g_rmdir(directory);
}

void
broker_free(Broker *self) {
  if (!self)
    return;
  if (self->pid > 0)
    end(self->pid, SIGKILL);
  remove_directory(self->directory);
  g_free(self->directory);
  g_free(self->socket);
  g_free(self->config);
  g_free(self);
}

char *
broker_path(const Broker *self, const char *name) {
  return g_build_filename(self->directory, name, NULL);
}

void
broker_write(const Broker *self, const char *name, const char *text) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = broker_path(self, name);
  g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
  g_assert_no_error(error);
}

static bool
listens(void *data) {
  const Broker *self = data;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)self->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  close(fd);
  return connected;
}

void
broker_restart(Broker *self) {
  g_assert_cmpint(self->pid, ==, 0);
  g_autofree char *program = find_program("mosquitto");
  g_autofree char *log = broker_path(self, "log");
  char option[] = "-c";
  char *argv[] = {program, option, self->config, NULL};
  self->pid = start(argv, log);
  if (!wait_for(listens, self, PATIENCE_MS)) {
    g_autofree char *text = NULL;
    g_file_get_contents(log, &text, NULL, NULL);
    g_error("mosquitto did not start: %s", text);
  }
}

/* As root it would change to a user that may not read the directory. */
void
broker_start(Broker *self, const char *lines, const char *listener) {
  g_autoptr(GString) config = g_string_new("user root\nlog_dest stderr\nlog_type all\n");
  g_string_append_printf(config, "per_listener_settings false\n%s\n",
                         lines ? lines : "allow_anonymous true");
  g_string_append_printf(config, "listener 0 @DIR@/socket\n");
  g_string_append_printf(config, "listener %d 127.0.0.1\n%s\n", self->port,
                         listener ? listener : "");
  g_string_replace(config, "@DIR@", self->directory, 0);
  broker_write(self, "mosquitto.conf", config->str);
  broker_restart(self);
}

void
broker_end(Broker *self, int signal) {
  end(self->pid, signal);
  self->pid = 0;
}

void
broker_pause(const Broker *self) {
  g_assert_cmpint(kill(self->pid, SIGSTOP), ==, 0);
}

void
broker_resume(const Broker *self) {
  g_assert_cmpint(kill(self->pid, SIGCONT), ==, 0);
}

typedef struct {
  const Broker *broker;
  const char *text;
} Logged;

static bool
is_logged(void *data) {
  const Logged *logged = data;
  g_autofree char *log = broker_path(logged->broker, "log");
  g_autofree char *contents = NULL;
  return g_file_get_contents(log, &contents, NULL, NULL) && strstr(contents, logged->text);
}

bool
broker_wait_log(const Broker *self, const char *text) {
  Logged logged = {self, text};
  return wait_for(is_logged, &logged, PATIENCE_MS);
}

/* -- clients --------------------------------------------------------------------------- */

static GPtrArray *
command(const Broker *self, const char *name, va_list args) {
  GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(argv, find_program(name));
  g_ptr_array_add(argv, g_strdup("--unix"));
  g_ptr_array_add(argv, g_strdup(self->socket));
  g_ptr_array_add(argv, g_strdup("-V"));
  g_ptr_array_add(argv, g_strdup("5"));
  for (const char *arg = va_arg(args, const char *); arg; arg = va_arg(args, const char *))
    g_ptr_array_add(argv, g_strdup(arg));
  return argv;
}

void
broker_publish(const Broker *self, ...) {
  va_list args;
  va_start(args, self);
  g_autoptr(GPtrArray) argv = command(self, "mosquitto_pub", args);
  va_end(args);
  g_ptr_array_add(argv, NULL);

  int status = -1;
  g_autoptr(GError) error = NULL;
  g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
               &status, &error);
  g_assert_no_error(error);
  g_assert_cmpint(status, ==, 0);
}

Watcher *
watcher_new(const Broker *broker, const char *filter, ...) {
  va_list args;
  va_start(args, filter);
  g_autoptr(GPtrArray) argv = command(broker, "mosquitto_sub", args);
  va_end(args);

  Watcher *self = g_new0(Watcher, 1);
  g_autofree char *id = g_strdup_printf("watcher-%08x", g_random_int());
  self->file = broker_path(broker, id);
  g_ptr_array_add(argv, g_strdup("-i"));
  g_ptr_array_add(argv, g_strdup(id));
  g_ptr_array_add(argv, g_strdup("-t"));
  g_ptr_array_add(argv, g_strdup(filter));
  g_ptr_array_add(argv, NULL);
  self->pid = start((char **)argv->pdata, self->file);

  g_autofree char *subscribed = g_strdup_printf("Sending SUBACK to %s", id);
  g_assert_true(broker_wait_log(broker, subscribed));
  return self;
}

void
watcher_free(Watcher *self) {
  if (!self)
    return;
  end(self->pid, SIGKILL);
  g_free(self->file);
  g_free(self);
}

char *
watcher_text(const Watcher *self) {
  char *text = NULL;
  g_file_get_contents(self->file, &text, NULL, NULL);
  return text;
}

unsigned
watcher_count(const Watcher *self, const char *text) {
  g_autofree char *all = watcher_text(self);
  unsigned count = 0;
  for (const char *at = all; at && (at = strstr(at, text)); at += strlen(text))
    count++;
  return count;
}

typedef struct {
  const Watcher *watcher;
  const char *text;
  unsigned count;
} Watched;

static bool
is_watched(void *data) {
  const Watched *watched = data;
  return watcher_count(watched->watcher, watched->text) >= watched->count;
}

bool
watcher_wait(const Watcher *self, const char *text, unsigned count) {
  Watched watched = {self, text, count};
  return wait_for(is_watched, &watched, PATIENCE_MS);
}
