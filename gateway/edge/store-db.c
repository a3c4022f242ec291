/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-db.h"

#include <math.h>
#include <string.h>

/* A reader is on the main thread. */
enum { READER_WAIT_MS = 250, WRITER_WAIT_MS = 5000 };

struct PlDb {
  sqlite3 *handle;
  GHashTable *statements; /* address of the SQL -> sqlite3_stmt */
};

PlArg
pl_arg_integer(int64_t value) {
  return (PlArg){.type = PL_ARG_INTEGER, .integer = value};
}

PlArg
pl_arg_real(double value) {
  if (isnan(value))
    return (PlArg){.type = PL_ARG_NULL};
  return (PlArg){.type = PL_ARG_REAL, .real = value};
}

PlArg
pl_arg_text(const char *value) {
  if (value == NULL)
    return (PlArg){.type = PL_ARG_NULL};
  return (PlArg){.type = PL_ARG_TEXT, .size = strlen(value) + 1, .data = value};
}

PlArg
pl_arg_blob(const void *data, size_t size) {
  return (PlArg){.type = PL_ARG_BLOB, .size = size, .data = data};
}

static void
finalize(gpointer statement) {
  sqlite3_finalize(statement);
}

PlDb *
pl_db_open(const char *path, bool read_only, int *rc) {
  int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3 *handle = NULL;

  if (path == NULL)
    flags |= SQLITE_OPEN_CREATE;
  *rc = sqlite3_open_v2(path != NULL ? path : ":memory:", &handle, flags | SQLITE_OPEN_NOMUTEX,
                        NULL);
  if (*rc != SQLITE_OK) {
    sqlite3_close(handle);
    return NULL;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, read_only ? READER_WAIT_MS : WRITER_WAIT_MS);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  PlDb *db = g_new0(PlDb, 1);
  db->handle = handle;
  db->statements = g_hash_table_new_full(NULL, NULL, NULL, finalize);
  return db;
}

void
pl_db_close(PlDb *db, bool checkpoint) {
  if (db == NULL)
    return;
  g_hash_table_unref(db->statements);
  sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !checkpoint, NULL);
  sqlite3_close_v2(db->handle);
  g_free(db);
}

int
pl_db_configure(PlDb *db) {
  return pl_db_exec(db, "PRAGMA synchronous = NORMAL;"
                        "PRAGMA wal_autocheckpoint = 1000;"
                        "PRAGMA journal_size_limit = 8388608;"
                        "PRAGMA temp_store = MEMORY;"
                        "PRAGMA cache_size = -4096;"
                        "PRAGMA mmap_size = 0;"
                        "PRAGMA foreign_keys = ON;"
                        "PRAGMA secure_delete = FAST;");
}

int
pl_db_exec(PlDb *db, const char *sql) {
  return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

static int
bind(sqlite3_stmt *statement, const PlArg *args, unsigned count) {
  int rc = SQLITE_OK;
  for (unsigned i = 0; i < count && rc == SQLITE_OK; i++) {
    int at = (int)i + 1;
    switch (args[i].type) {
    case PL_ARG_INTEGER:
      rc = sqlite3_bind_int64(statement, at, args[i].integer);
      break;
    case PL_ARG_REAL:
      rc = sqlite3_bind_double(statement, at, args[i].real);
      break;
    case PL_ARG_TEXT:
      rc = sqlite3_bind_text64(statement, at, args[i].data, args[i].size - 1, SQLITE_STATIC,
                               SQLITE_UTF8);
      break;
    case PL_ARG_BLOB:
      rc = args[i].size > 0
               ? sqlite3_bind_blob64(statement, at, args[i].data, args[i].size, SQLITE_STATIC)
               : sqlite3_bind_zeroblob(statement, at, 0);
      break;
    case PL_ARG_NULL:
    default:
      rc = sqlite3_bind_null(statement, at);
    }
  }
  return rc;
}

static int
prepared(PlDb *db, const char *sql, sqlite3_stmt **statement) {
  gpointer key = (gpointer)(uintptr_t)sql;
  *statement = g_hash_table_lookup(db->statements, key);
  if (*statement != NULL)
    return SQLITE_OK;
  int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
  if (rc == SQLITE_OK)
    g_hash_table_insert(db->statements, key, *statement);
  return rc;
}

int
pl_db_run(PlDb *db, const char *sql, const PlArg *args, unsigned count) {
  sqlite3_stmt *statement;
  int rc = prepared(db, sql, &statement);
  if (rc != SQLITE_OK)
    return rc;
  rc = bind(statement, args, count);
  while (rc == SQLITE_OK || rc == SQLITE_ROW)
    rc = sqlite3_step(statement);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

sqlite3_stmt *
pl_db_query(PlDb *db, const char *sql, const PlArg *args, unsigned count) {
  g_autoptr(sqlite3_stmt) statement = NULL;
  if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK ||
      bind(statement, args, count) != SQLITE_OK)
    return NULL;
  return g_steal_pointer(&statement);
}

int
pl_db_integer(PlDb *db, const char *sql, const PlArg *args, unsigned count, int64_t *value) {
  g_autoptr(sqlite3_stmt) statement = pl_db_query(db, sql, args, count);
  if (statement == NULL)
    return pl_db_code(db);
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
    *value = sqlite3_column_int64(statement, 0);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

char *
pl_db_text(PlDb *db, const char *sql, const PlArg *args, unsigned count) {
  g_autoptr(sqlite3_stmt) statement = pl_db_query(db, sql, args, count);
  if (statement == NULL || sqlite3_step(statement) != SQLITE_ROW)
    return NULL;
  return g_strdup((const char *)sqlite3_column_text(statement, 0));
}

bool
pl_db_in_transaction(PlDb *db) {
  return !sqlite3_get_autocommit(db->handle);
}

int
pl_db_changes(PlDb *db) {
  return sqlite3_changes(db->handle);
}

int
pl_db_code(PlDb *db) {
  return sqlite3_extended_errcode(db->handle);
}

const char *
pl_db_message(PlDb *db) {
  return sqlite3_errmsg(db->handle);
}

sqlite3 *
pl_db_handle(PlDb *db) {
  return db->handle;
}

static int
is_late(void *deadline) {
  return g_get_monotonic_time() > *(int64_t *)deadline;
}

bool
pl_db_check(PlDb *db, int64_t limit_us) {
  int64_t deadline = g_get_monotonic_time() + limit_us;
  sqlite3_progress_handler(db->handle, 10000, is_late, &deadline);
  g_autofree char *answer = pl_db_text(db, "PRAGMA quick_check(1)", NULL, 0);
  int rc = pl_db_code(db);
  sqlite3_progress_handler(db->handle, 0, NULL, NULL);
  return answer != NULL ? g_str_equal(answer, "ok") : (rc & 0xff) == SQLITE_INTERRUPT;
}
