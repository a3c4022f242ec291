/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/lines.h"

#include "gateway/edge/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
  READ_BUFFER = 128 * 1024,
  ZLIB_BUFFER = 128 * 1024,
};

struct PlLineReader {
  char *name;
  gzFile file; /* NULL: memory */
  const char *memory;
  size_t memory_left;
  char *buffer;
  size_t capacity;
  size_t start, end; /* what is read and not yet handed out */
  unsigned number;
  bool eof;
  bool cut;
  bool truncated;
};

struct PlLineWriter {
  char *name;
  gzFile file; /* NULL: closed */
};

/* A copy of a standard stream, so that closing ours leaves the stream open. */
static int
duplicate(int fd) {
  return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* Sets the error from zlib's, which keeps the cause in errno when it was the system's. */
static void
set_zlib_error(GError **error, gzFile file, const char *what, const char *name) {
  int saved_errno = errno;
  int code;
  const char *text = gzerror(file, &code);

  if (code == Z_ERRNO)
    pl_error_set_file(error, saved_errno, what, name);
  else
    g_set_error(error, PL_ERROR, PL_ERROR_DATA, "%s %s: %s", what, name, text);
}

static PlLineReader *
reader_new(const char *name) {
  PlLineReader *self = g_new0(PlLineReader, 1);
  self->name = g_strdup(name);
  self->capacity = READ_BUFFER;
  self->buffer = g_malloc(self->capacity);
  return self;
}

PlLineReader *
pl_line_reader_open(const char *path, GError **error) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? duplicate(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    pl_error_set_file(error, errno, "cannot read", path);
    return NULL;
  }
  gzFile file = gzdopen(fd, "rb");
  if (file == NULL) {
    pl_error_set_file(error, ENOMEM, "cannot read", path);
    close(fd);
    return NULL;
  }
  gzbuffer(file, ZLIB_BUFFER);
  PlLineReader *self = reader_new(standard ? "standard input" : path);
  self->file = file;
  return self;
}

PlLineReader *
pl_line_reader_open_memory(const char *name, const char *data, size_t length) {
  PlLineReader *self = reader_new(name);
  self->memory = data;
  self->memory_left = length;
  return self;
}

/* Reads up to `size` bytes; 0 at the end, -1 with the error set. */
static ssize_t
read_some(PlLineReader *self, char *out, size_t size, GError **error) {
  if (self->file == NULL) {
    size_t count = MIN(size, self->memory_left);
    if (count > 0)
      memcpy(out, self->memory, count);
    self->memory += count;
    self->memory_left -= count;
    return (ssize_t)count;
  }
  int count = gzread(self->file, out, (unsigned)size);
  if (count > 0)
    return count;
  int code;
  gzerror(self->file, &code);
  if (code == Z_BUF_ERROR)
    self->truncated = true;
  else if (count < 0) {
    set_zlib_error(error, self->file, "cannot read", self->name);
    return -1;
  }
  return 0;
}

/* Reads more behind what is there, and makes room for it. */
static bool
fill(PlLineReader *self, GError **error) {
  memmove(self->buffer, self->buffer + self->start, self->end - self->start);
  self->end -= self->start;
  self->start = 0;
  if (self->end == self->capacity) {
    self->capacity *= 2;
    self->buffer = g_realloc(self->buffer, self->capacity);
  }
  ssize_t count = read_some(self, self->buffer + self->end, self->capacity - self->end, error);
  if (count < 0)
    return false;
  self->end += (size_t)count;
  self->eof = count == 0;
  return true;
}

static bool
too_long(PlLineReader *self, size_t limit, GError **error) {
  g_set_error(error, PL_ERROR, PL_ERROR_DATA, "%s:%u: longer than %zu bytes", self->name,
              self->number + 1, limit);
  return false;
}

bool
pl_line_reader_next(PlLineReader *self, size_t limit, const char **line, size_t *length,
                    GError **error) {
  const char *newline;
  size_t searched = 0;

  for (;;) {
    const char *from = self->buffer + self->start + searched;
    newline = memchr(from, '\n', self->end - self->start - searched);
    searched = self->end - self->start;
    if (newline != NULL || self->eof)
      break;
    if (searched > limit)
      return too_long(self, limit, error);
    if (!fill(self, error))
      return false;
  }
  if (newline != NULL)
    searched = (size_t)(newline - (self->buffer + self->start));
  else if (searched > 0)
    self->cut = true;
  if (searched > limit)
    return too_long(self, limit, error);

  *length = searched;
  *line = newline != NULL || searched > 0 ? self->buffer + self->start : NULL;
  self->start += searched + (newline != NULL ? 1 : 0);
  self->number += *line != NULL ? 1 : 0;
  return true;
}

unsigned
pl_line_reader_number(const PlLineReader *self) {
  return self->number;
}

const char *
pl_line_reader_name(const PlLineReader *self) {
  return self->name;
}

bool
pl_line_reader_cut(const PlLineReader *self) {
  return self->cut;
}

bool
pl_line_reader_truncated(const PlLineReader *self) {
  return self->truncated;
}

void
pl_line_reader_free(PlLineReader *self) {
  if (self == NULL)
    return;
  if (self->file != NULL)
    gzclose_r(self->file);
  g_free(self->buffer);
  g_free(self->name);
  g_free(self);
}

/* Nobody but the owner may read what is written, also when the file was there before. */
static int
create_private(const char *path) {
  struct stat status;
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  if (fd < 0)
    return -1;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && fchmod(fd, 0600) != 0) {
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
  }
  return fd;
}

PlLineWriter *
pl_line_writer_open(const char *path, GError **error) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? duplicate(STDOUT_FILENO) : create_private(path);
  if (fd < 0) {
    pl_error_set_file(error, errno, "cannot write", path);
    return NULL;
  }
  /* T: as it is, not compressed. */
  gzFile file = gzdopen(fd, g_str_has_suffix(path, ".gz") ? "wb" : "wbT");
  if (file == NULL) {
    pl_error_set_file(error, ENOMEM, "cannot write", path);
    close(fd);
    return NULL;
  }
  PlLineWriter *self = g_new0(PlLineWriter, 1);
  self->name = g_strdup(standard ? "standard output" : path);
  self->file = file;
  return self;
}

bool
pl_line_writer_write(PlLineWriter *self, const char *text, size_t length, GError **error) {
  if (gzfwrite(text, 1, length, self->file) == length && gzputc(self->file, '\n') == '\n')
    return true;
  set_zlib_error(error, self->file, "cannot write", self->name);
  return false;
}

bool
pl_line_writer_flush(PlLineWriter *self, GError **error) {
  if (gzflush(self->file, Z_SYNC_FLUSH) == Z_OK)
    return true;
  set_zlib_error(error, self->file, "cannot write", self->name);
  return false;
}

bool
pl_line_writer_close(PlLineWriter *self, GError **error) {
  int code = gzclose_w(g_steal_pointer(&self->file));
  if (code == Z_OK)
    return true;
  pl_error_set_file(error, code == Z_ERRNO ? errno : EIO, "cannot write", self->name);
  return false;
}

void
pl_line_writer_free(PlLineWriter *self) {
  if (self == NULL)
    return;
  if (self->file != NULL)
    gzclose_w(self->file);
  g_free(self->name);
  g_free(self);
}
