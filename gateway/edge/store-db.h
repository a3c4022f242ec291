/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* One connection to SQLite, for use by one thread at a time, and the schema.  Everything
 * answers with SQLite's own result codes, because what to do next depends on them. */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

typedef struct PlDb PlDb;

/* A parameter of a statement. */
typedef enum { PL_ARG_NULL, PL_ARG_INTEGER, PL_ARG_REAL, PL_ARG_TEXT, PL_ARG_BLOB } PlArgType;
typedef struct {
  PlArgType type;
  size_t size; /* of a text, with its end, or of a blob */
  union {
    int64_t integer;
    double real;
    const void *data;
  };
} PlArg;

PlArg pl_arg_integer(int64_t value);
PlArg pl_arg_real(double value);      /* NaN is NULL */
PlArg pl_arg_text(const char *value); /* borrowed; NULL is NULL */
PlArg pl_arg_blob(const void *data, size_t size);

/* NULL, and the reason in *rc, when it can not be opened.  A path of NULL is a database in
 * memory. Nothing in the file is changed by opening it. */
PlDb *pl_db_open(const char *path, bool read_only, int *rc);

/* Leaves a write-ahead log as it is, unless `checkpoint`. */
void pl_db_close(PlDb *db, bool checkpoint);

/* The settings for a connection that writes. */
int pl_db_configure(PlDb *db);

/* SQL without parameters or results. */
int pl_db_exec(PlDb *db, const char *sql);

/* One statement to its end.  `sql` has to be a literal: the prepared statement is kept under
 * its address. */
int pl_db_run(PlDb *db, const char *sql, const PlArg *args, unsigned count);

/* A statement to step through; NULL on failure.  The caller finalizes it. */
sqlite3_stmt *pl_db_query(PlDb *db, const char *sql, const PlArg *args, unsigned count);

/* The first column of the first row: *value is untouched without one. */
int pl_db_integer(PlDb *db, const char *sql, const PlArg *args, unsigned count, int64_t *value);

/* The same as a new string; NULL without one or on failure. */
char *pl_db_text(PlDb *db, const char *sql, const PlArg *args, unsigned count);

bool pl_db_in_transaction(PlDb *db);
int pl_db_changes(PlDb *db); /* rows of the last statement */
int pl_db_code(PlDb *db);    /* extended code of the last failure */
const char *pl_db_message(PlDb *db);
sqlite3 *pl_db_handle(PlDb *db);

/* Whether the content is sound as far as can be seen in `limit_us`. */
bool pl_db_check(PlDb *db, int64_t limit_us);

enum {
  PL_DB_NEWER = -1, /* beside SQLite's codes: a later version made the schema */
};

/* Step n brings the schema from version n to n + 1. */
typedef struct {
  const char *const *steps;
  unsigned count;
} PlSchema;

extern const PlSchema pl_schema;

/* Brings the schema up to date, each step in a transaction of its own with the new number, so
 * that a crash leaves one version or the next.  PL_DB_NEWER, SQLITE_CORRUPT when the number is
 * not believable, or what failed. */
int pl_schema_migrate(PlDb *db, const PlSchema *schema);

/* The version of the schema, checked as above. */
int pl_schema_version(PlDb *db, const PlSchema *schema, unsigned *version);
