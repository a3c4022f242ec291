/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"
#include "gateway/app/config-scan.h"
#include "gateway/edge/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
file_problem(const char *path, const struct stat *status, unsigned forbidden) {
  if (!S_ISREG(status->st_mode))
    return g_strdup("this is no regular file");
  if ((status->st_mode & forbidden) != 0)
    return g_strdup_printf("others may %s the file (mode %04o): chmod %04o %s",
                           (status->st_mode & forbidden & 022) != 0 ? "write to" : "read",
                           (unsigned)status->st_mode & 07777,
                           (unsigned)status->st_mode & 07777 & ~forbidden, path);
  return NULL;
}

/* Up to one byte more than allowed, however large the file says it is. */
static bool
read_bytes(int fd, GString *bytes) {
  char block[4096];
  while (bytes->len <= PL_CONFIG_FILE_MAX) {
    ssize_t count = read(fd, block, sizeof block);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return count == 0;
    g_string_append_len(bytes, block, count);
  }
  return true;
}

static char *
read_open_file(int fd, const char *path, unsigned forbidden, GString *bytes) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    return g_strdup_printf("the file can not be read: %s", g_strerror(errno));
  char *problem = file_problem(path, &status, forbidden);
  if (problem != NULL)
    return problem;
  if (!read_bytes(fd, bytes))
    return g_strdup_printf("the file can not be read: %s", g_strerror(errno));
  if (bytes->len > PL_CONFIG_FILE_MAX)
    return g_strdup_printf("the file has more than %d KiB: share it out over files in conf.d",
                           PL_CONFIG_FILE_MAX / 1024);
  return NULL;
}

bool
pl_config_read_file(const char *path, unsigned forbidden, char **bytes, size_t *length,
                    char **problem) {
  /* Without O_NONBLOCK a FIFO would hold up the start for ever. */
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    *problem = g_strdup_printf("the file can not be read: %s", g_strerror(errno));
    return false;
  }
  GString *text = g_string_new(NULL);
  *problem = read_open_file(fd, path, forbidden, text);
  close(fd);
  if (*problem != NULL) {
    g_string_free(text, TRUE);
    return false;
  }
  *length = text->len;
  *bytes = g_string_free(text, FALSE);
  return true;
}

static void
check_secret(PlReader *reader, PlSection *section, const char *key, const char *path) {
  g_autoptr(GError) error = NULL;
  if (path != NULL && !pl_secret_check(path, &error))
    pl_reader_problem(reader, section, key, "%s: %s", key, error->message);
}

static void
check_readable(PlReader *reader, PlSection *section, const char *key, const char *path) {
  if (path == NULL)
    return;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status;
  if (fd < 0)
    pl_reader_problem(reader, section, key, "%s: %s can not be read: %s", key, path,
                      g_strerror(errno));
  else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    pl_reader_problem(reader, section, key, "%s: %s is no regular file", key, path);
  if (fd >= 0)
    close(fd);
}

/* Each file at its own key; then what only the library of the connection can tell, such as a
 * key that does not go with its certificate. */
static void
check_mqtt_files(PlReader *reader) {
  PlMqttConfig connection = reader->config->mqtt.connection;
  PlSection *section = pl_tree_single(reader->config->tree, PL_GROUP_MQTT);
  g_autoptr(GError) error = NULL;

  check_secret(reader, section, "password-file", connection.password_file);
  check_secret(reader, section, "client-key", connection.client_key);
  check_secret(reader, section, "psk-file", connection.psk_file);
  check_readable(reader, section, "client-cert", connection.client_cert);
  check_readable(reader, section, "tls", connection.ca_file);
  if (pl_problems_count(reader->problems) > 0)
    return;
  connection.client_id = "check";
  if (!pl_mqtt_config_check(&connection, &error))
    pl_reader_problem(reader, section, NULL, "%s", error->message);
}

static void
check_zone(PlReader *reader) {
  const char *name = reader->config->gateway.timezone;
  if (name == NULL)
    return;
  g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(name);
  if (zone == NULL)
    pl_reader_problem(reader, pl_tree_single(reader->config->tree, PL_GROUP_GATEWAY),
                      "timezone",
                      "timezone: this system knows no zone \"%s\"; `timedatectl "
                      "list-timezones` shows those that it knows",
                      name);
}

enum { NAME_MAX_LENGTH = 64 };

/* A name for somebody who is not configured here is no mistake: a club has one file for all its
 * gateways. */
static void
set_name(PlReader *reader, const char *file, unsigned line, const char *id, const char *value) {
  const char *problem = NULL;
  g_autofree char *name = pl_scan_unescape(value, &problem);
  if (name != NULL &&
      (name[0] == '\0' || g_utf8_strlen(name, -1) > NAME_MAX_LENGTH || pl_has_control(name)))
    problem = "expected a name of 1 to 64 characters";
  if (!pl_config_is_id(id))
    problem = "expected an id of 1 to 32 of a-z, 0-9 and -";
  int athlete = pl_config_find_athlete(reader->config, id);
  if (problem == NULL && athlete >= 0 && reader->config->athletes[athlete].name != NULL)
    problem = "this athlete has a name already";
  if (problem != NULL) {
    g_autofree char *quoted = pl_problems_quote(id);
    pl_problems_add(reader->problems, file, line, "%s: %s", quoted, problem);
  } else if (athlete >= 0) {
    reader->config->athletes[athlete].name = pl_reader_keep(reader, name);
  }
}

static void
read_names(PlReader *reader, const char *file, const char *bytes, size_t length) {
  PlScanner scan;
  PlScanKind kind;
  unsigned groups = 0;
  bool inside = false;

  pl_scan_init(&scan, bytes, length);
  while ((kind = pl_scan_next(&scan)) != PL_SCAN_END) {
    const char *problem = NULL;
    if (kind == PL_SCAN_GROUP) {
      inside = strcmp(scan.name, "names") == 0;
      if (!inside || groups++ > 0)
        problem = "expected one group [names] and no other";
    } else if (kind == PL_SCAN_KEY && !inside) {
      problem = "expected [names] before the first name";
    } else if (kind == PL_SCAN_KEY) {
      set_name(reader, file, scan.line, scan.name, scan.value);
    } else {
      problem = scan.problem;
    }
    if (problem != NULL)
      pl_problems_add(reader->problems, file, scan.line, "%s", problem);
  }
  pl_scan_clear(&scan);
}

static void
check_names_file(PlReader *reader) {
  const char *path = reader->config->gateway.names_file;
  g_autofree char *bytes = NULL, *problem = NULL;
  size_t length;

  if (path == NULL)
    return;
  if (pl_config_read_file(path, 027, &bytes, &length, &problem))
    read_names(reader, path, bytes, length);
  else
    pl_reader_problem(reader, pl_tree_single(reader->config->tree, PL_GROUP_GATEWAY),
                      "names-file", "names-file: %s: %s", path, problem);
}

void
pl_config_check_files(PlReader *reader) {
  check_zone(reader);
  check_names_file(reader);
  if (!reader->surroundings->without_broker)
    check_mqtt_files(reader);
}
