/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/disk-vfs.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

enum { SECTOR = 512 };

typedef enum { CHANGE_WRITE, CHANGE_TRUNCATE, CHANGE_SYNC, CHANGE_DELETE } ChangeType;

typedef struct {
  ChangeType type;
  char *name; /* of the file, without its folder */
  int64_t offset;
  GBytes *data; /* of a write */
} Change;

typedef struct {
  sqlite3_vfs vfs;
  sqlite3_vfs *real;
  GMutex mutex;
  double share;
  int64_t left; /* changes that go well */
  int rc;
  bool noting;
  GPtrArray *changes; /* of Change */
  GHashTable *safe;   /* name -> GBytes, when noting began */
} Disk;

typedef struct {
  sqlite3_file file;
  Disk *disk;
  char *name; /* NULL: a temporary file */
  sqlite3_file *real;
} File;

static void
change_free(gpointer data) {
  Change *change = data;
  g_free(change->name);
  g_bytes_unref(change->data);
  g_free(change);
}

/* False: the operation fails. */
static bool
admit(Disk *disk, ChangeType type, const char *name, int64_t offset, const void *data,
      size_t size) {
  g_mutex_lock(&disk->mutex);
  bool fails = disk->left == 0 || (disk->share > 0 && g_random_double() < disk->share);
  if (disk->left > 0)
    disk->left--;
  if (!fails && disk->noting && name != NULL) {
    Change *change = g_new0(Change, 1);
    *change = (Change){type, g_strdup(name), offset, g_bytes_new(data, size)};
    g_ptr_array_add(disk->changes, change);
  }
  g_mutex_unlock(&disk->mutex);
  return !fails;
}

/* ---- files ---- */

static File *
file_of(sqlite3_file *file) {
  return (File *)(void *)file;
}

static int
vfs_close(sqlite3_file *file) {
  File *self = file_of(file);
  g_clear_pointer(&self->name, g_free);
  return self->real->pMethods->xClose(self->real);
}

static int
vfs_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset) {
  File *self = file_of(file);
  return self->real->pMethods->xRead(self->real, data, size, offset);
}

static int
vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
  File *self = file_of(file);
  if (!admit(self->disk, CHANGE_WRITE, self->name, offset, data, (size_t)size))
    return self->disk->rc;
  return self->real->pMethods->xWrite(self->real, data, size, offset);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 size) {
  File *self = file_of(file);
  if (!admit(self->disk, CHANGE_TRUNCATE, self->name, size, NULL, 0))
    return self->disk->rc;
  return self->real->pMethods->xTruncate(self->real, size);
}

static int
vfs_sync(sqlite3_file *file, int flags) {
  File *self = file_of(file);
  if (!admit(self->disk, CHANGE_SYNC, self->name, 0, NULL, 0))
    return self->disk->rc;
  return self->real->pMethods->xSync(self->real, flags);
}

static int
vfs_size(sqlite3_file *file, sqlite3_int64 *size) {
  File *self = file_of(file);
  return self->real->pMethods->xFileSize(self->real, size);
}

static int
vfs_lock(sqlite3_file *file, int level) {
  File *self = file_of(file);
  return self->real->pMethods->xLock(self->real, level);
}

static int
vfs_unlock(sqlite3_file *file, int level) {
  File *self = file_of(file);
  return self->real->pMethods->xUnlock(self->real, level);
}

static int
vfs_check_lock(sqlite3_file *file, int *reserved) {
  File *self = file_of(file);
  return self->real->pMethods->xCheckReservedLock(self->real, reserved);
}

static int
vfs_control(sqlite3_file *file, int op, void *arg) {
  File *self = file_of(file);
  return self->real->pMethods->xFileControl(self->real, op, arg);
}

static int
vfs_sector(sqlite3_file *file) {
  File *self = file_of(file);
  return self->real->pMethods->xSectorSize(self->real);
}

static int
vfs_device(sqlite3_file *file) {
  File *self = file_of(file);
  return self->real->pMethods->xDeviceCharacteristics(self->real);
}

static int
vfs_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **at) {
  File *self = file_of(file);
  return self->real->pMethods->xShmMap(self->real, page, size, extend, at);
}

static int
vfs_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
  File *self = file_of(file);
  return self->real->pMethods->xShmLock(self->real, offset, n, flags);
}

static void
vfs_shm_barrier(sqlite3_file *file) {
  File *self = file_of(file);
  self->real->pMethods->xShmBarrier(self->real);
}

static int
vfs_shm_unmap(sqlite3_file *file, int delete) {
  File *self = file_of(file);
  return self->real->pMethods->xShmUnmap(self->real, delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_lock,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_device,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* ---- the file system ---- */

static int
vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
  Disk *disk = vfs->pAppData;
  File *self = file_of(file);
  self->disk = disk;
  self->real = (sqlite3_file *)(void *)(self + 1);
  int rc = disk->real->xOpen(disk->real, path, self->real, flags, out);
  self->file.pMethods = self->real->pMethods != NULL ? &methods : NULL;
  self->name = rc == SQLITE_OK && path != NULL ? g_path_get_basename(path) : NULL;
  return rc;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
  Disk *disk = vfs->pAppData;
  g_autofree char *name = g_path_get_basename(path);
  if (!admit(disk, CHANGE_DELETE, name, 0, NULL, 0))
    return disk->rc;
  return disk->real->xDelete(disk->real, path, sync);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out) {
  Disk *disk = vfs->pAppData;
  return disk->real->xAccess(disk->real, path, flags, out);
}

static int
vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out) {
  Disk *disk = vfs->pAppData;
  return disk->real->xFullPathname(disk->real, path, size, out);
}

static Disk *
disk_new(void) {
  Disk *disk = g_new0(Disk, 1);
  disk->real = sqlite3_vfs_find(NULL);
  disk->left = INT64_MAX;
  disk->vfs = *disk->real;
  disk->vfs.zName = "disk";
  disk->vfs.pNext = NULL;
  disk->vfs.pAppData = disk;
  disk->vfs.szOsFile = (int)sizeof(File) + disk->real->szOsFile;
  disk->vfs.xOpen = vfs_open;
  disk->vfs.xDelete = vfs_delete;
  disk->vfs.xAccess = vfs_access;
  disk->vfs.xFullPathname = vfs_full_path;
  disk->changes = g_ptr_array_new_with_free_func(change_free);
  disk->safe =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  return disk;
}

static Disk *
installed(void) {
  sqlite3_vfs *vfs = sqlite3_vfs_find("disk");
  g_assert_nonnull(vfs);
  return vfs->pAppData;
}

void
disk_vfs_install(void) {
  g_assert_cmpint(sqlite3_vfs_register(&disk_new()->vfs, 1), ==, SQLITE_OK);
}

void
disk_vfs_remove(void) {
  Disk *disk = installed();
  sqlite3_vfs_unregister(&disk->vfs);
  g_ptr_array_unref(disk->changes);
  g_hash_table_unref(disk->safe);
  g_free(disk);
}

void
disk_vfs_fail(double share, int rc) {
  Disk *disk = installed();
  g_mutex_lock(&disk->mutex);
  disk->share = share;
  disk->left = INT64_MAX;
  disk->rc = rc;
  g_mutex_unlock(&disk->mutex);
}

void
disk_vfs_fail_after(unsigned count, int rc) {
  Disk *disk = installed();
  g_mutex_lock(&disk->mutex);
  disk->share = 0;
  disk->left = count;
  disk->rc = rc;
  g_mutex_unlock(&disk->mutex);
}

/* ---- power ---- */

void
disk_vfs_note(const char *directory) {
  Disk *disk = installed();
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  const char *name;

  g_mutex_lock(&disk->mutex);
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *data = NULL;
    gsize size;
    if (g_file_get_contents(path, &data, &size, NULL))
      g_hash_table_insert(disk->safe, g_strdup(name), g_bytes_new_take(data, size));
  }
  disk->noting = true;
  g_mutex_unlock(&disk->mutex);
}

unsigned
disk_vfs_position(void) {
  Disk *disk = installed();
  g_mutex_lock(&disk->mutex);
  unsigned position = disk->changes->len;
  g_mutex_unlock(&disk->mutex);
  return position;
}

static void
apply(GByteArray *content, const Change *change, size_t size) {
  gsize length = 0;
  const void *data = change->data != NULL ? g_bytes_get_data(change->data, &length) : NULL;
  length = MIN(length, size);
  if (change->type == CHANGE_TRUNCATE)
    g_byte_array_set_size(content, (guint)change->offset);
  if (change->type != CHANGE_WRITE || length == 0)
    return;
  guint old = content->len, end = (guint)change->offset + (guint)length;
  if (end > old) {
    g_byte_array_set_size(content, end);
    memset(content->data + old, 0, end - old);
  }
  memcpy(content->data + change->offset, data, length);
}

/* A change that was not synced: it is there, or not, or a piece of it. */
static void
apply_maybe(GByteArray *content, const Change *change, GRand *rand) {
  int luck = g_rand_int_range(rand, 0, 3);
  gsize size = g_bytes_get_size(change->data);
  if (luck == 1 && change->type == CHANGE_WRITE && size > SECTOR)
    apply(content, change,
          SECTOR * (size_t)g_rand_int_range(rand, 1, (gint32)(size / SECTOR) + 1));
  else if (luck == 2)
    apply(content, change, SIZE_MAX);
}

/* What one file may hold; NULL: it is not there. */
static GByteArray *
image_of(Disk *disk, const char *name, unsigned position, GRand *rand) {
  GBytes *safe = g_hash_table_lookup(disk->safe, name);
  g_autoptr(GPtrArray) pending = g_ptr_array_new();
  GByteArray *content = g_byte_array_new();
  bool exists = safe != NULL;

  if (safe != NULL)
    g_byte_array_append(content, g_bytes_get_data(safe, NULL), (guint)g_bytes_get_size(safe));
  for (unsigned i = 0; i < position; i++) {
    const Change *change = disk->changes->pdata[i];
    if (!g_str_equal(change->name, name))
      continue;
    exists = change->type != CHANGE_DELETE;
    if (!exists)
      g_byte_array_set_size(content, 0);
    g_ptr_array_add(pending, disk->changes->pdata[i]);
    if (change->type != CHANGE_SYNC && exists)
      continue;
    for (guint p = 0; p < pending->len && exists; p++)
      apply(content, pending->pdata[p], SIZE_MAX);
    g_ptr_array_set_size(pending, 0);
  }
  for (guint p = 0; p < pending->len; p++)
    apply_maybe(content, pending->pdata[p], rand);
  if (!exists)
    g_clear_pointer(&content, g_byte_array_unref);
  return content;
}

static void
add_name(GHashTable *names, const char *name) {
  if (!g_str_has_suffix(name, "-shm"))
    g_hash_table_add(names, g_strdup(name));
}

void
disk_vfs_cut(unsigned position, const char *directory, GRand *rand) {
  Disk *disk = installed();
  g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init(&iter, disk->safe);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    add_name(names, name);
  for (unsigned i = 0; i < position; i++)
    add_name(names, ((const Change *)disk->changes->pdata[i])->name);

  g_mkdir_with_parents(directory, 0700);
  g_hash_table_iter_init(&iter, names);
  while (g_hash_table_iter_next(&iter, &name, NULL)) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autoptr(GByteArray) content = image_of(disk, name, position, rand);
    if (content != NULL)
      g_assert_true(g_file_set_contents_full(path, (const char *)content->data,
                                             (gssize)content->len, G_FILE_SET_CONTENTS_NONE,
                                             0600, NULL));
  }
}
