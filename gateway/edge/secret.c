/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/secret.h"

#include "gateway/edge/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  mode_t forbidden; /* permissions that it may not have */
  bool may_be_empty;
} Rules;

static const Rules configured = {.forbidden = 077};
static const Rules credential = {.forbidden = 037, .may_be_empty = true};

typedef int File;
static void
close_file(File fd) {
  close(fd);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(File, close_file, -1)

G_GNUC_PRINTF(2, 3)
static bool
refuse(GError **error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  if (error)
    *error = g_error_new_valist(PL_ERROR, PL_ERROR_DATA, format, args);
  va_end(args);
  return false;
}

static bool
check(const struct stat *st, const char *path, const Rules *rules, GError **error) {
  if (!S_ISREG(st->st_mode))
    return refuse(error, "%s is not a regular file: put the secret into one", path);
  if (st->st_uid != 0 && st->st_uid != geteuid())
    return refuse(error,
                  "%s belongs to user %lu: it has to belong to root or to user %lu, run chown",
                  path, (unsigned long)st->st_uid, (unsigned long)geteuid());
  if (st->st_mode & rules->forbidden)
    return refuse(error, "%s is open to other users (mode %04o): run chmod 600 %s", path,
                  (unsigned)(st->st_mode & 07777), path);
  if (st->st_size == 0 && !rules->may_be_empty)
    return refuse(error, "%s is empty: write the secret into it, or take its key out", path);
  if (st->st_size > PL_SECRET_MAX)
    return refuse(error, "%s has more than %d bytes: it holds no secret", path, PL_SECRET_MAX);
  return true;
}

/* O_NONBLOCK: a FIFO without a writer would hold us here for ever. */
static int
open_checked(const char *path, const Rules *rules, GError **error) {
  g_auto(File) fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int saved = errno;
  if (fd < 0 && saved == ELOOP) {
    refuse(error, "%s is a symbolic link: name the file itself", path);
    return -1;
  }
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) {
    pl_error_set_file(error, fd < 0 ? saved : errno, "cannot read", path);
    return -1;
  }
  if (!check(&st, path, rules, error))
    return -1;

  int opened = fd;
  fd = -1;
  return opened;
}

/* Reads as far as there is anything, or one byte more than allowed. */
static ssize_t
read_all(int fd, char *buffer) {
  size_t length = 0;
  while (length <= PL_SECRET_MAX) {
    ssize_t n = read(fd, buffer + length, PL_SECRET_MAX + 1 - length);
    if (n == 0)
      break;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    length += (size_t)n;
  }
  return (ssize_t)length;
}

static void
strip_end_of_line(char *text, size_t length) {
  if (length > 0 && text[length - 1] == '\n')
    text[--length] = 0;
  if (length > 0 && text[length - 1] == '\r')
    text[--length] = 0;
}

static char *
read_secret(const char *path, const Rules *rules, GError **error) {
  g_auto(File) fd = open_checked(path, rules, error);
  if (fd < 0)
    return NULL;

  g_autoptr(PlSecret) text = g_malloc0(PL_SECRET_MAX + 2);
  ssize_t length = read_all(fd, text);
  if (length < 0) {
    pl_error_set_file(error, errno, "cannot read", path);
    return NULL;
  }
  if (length > PL_SECRET_MAX || memchr(text, 0, (size_t)length)) {
    refuse(error, "%s does not hold a line of text", path);
    return NULL;
  }
  strip_end_of_line(text, (size_t)length);
  if (text[0] == 0 && !rules->may_be_empty) {
    refuse(error, "%s is empty: write the secret into it, or take its key out", path);
    return NULL;
  }
  return g_steal_pointer(&text);
}

bool
pl_secret_check(const char *path, GError **error) {
  g_autoptr(PlSecret) secret = pl_secret_read(path, error);
  return secret != NULL;
}

char *
pl_secret_read(const char *path, GError **error) {
  return read_secret(path, &configured, error);
}

bool
pl_secret_credential(const char *name, char **secret, GError **error) {
  const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
  *secret = NULL;
  if (!directory || !*directory)
    return true;

  g_autofree char *path = g_build_filename(directory, name, NULL);
  g_autoptr(GError) failure = NULL;
  g_autoptr(PlSecret) text = read_secret(path, &credential, &failure);
  if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return true;
  if (failure) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
  }
  if (text[0] != 0)
    *secret = g_steal_pointer(&text);
  return true;
}

void
pl_secret_free(char *secret) {
  if (!secret)
    return;
  explicit_bzero(secret, strlen(secret));
  g_free(secret);
}
