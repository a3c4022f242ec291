/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-db.h"

#include <glib/gstdio.h>
#include <sys/statvfs.h>

/* Times: `*_us` alone is boot time of the boot named beside it, `*_wall_us` the wall clock.
 *
 * A run's rows in `records` lie between first_chunk and last_chunk (open end: NULL), mixed with
 * those of other runs of the same time.  There is no index on purpose: rows are only ever added
 * at the end, so a commit writes one page whatever the number of athletes.
 *
 * outbox_totals is kept by triggers: the limit of the outbox is checked with every message. */
static const char version_1[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE boots ("
    "  key INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE"
    ") STRICT;"
    "CREATE TABLE clock ("
    "  id INTEGER PRIMARY KEY,"
    "  boot INTEGER NOT NULL REFERENCES boots (key),"
    "  boot_us INTEGER NOT NULL,"
    "  wall_us INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  synced INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX clock_boot ON clock (boot, boot_us);"
    "CREATE TABLE events ("
    "  id INTEGER PRIMARY KEY,"
    "  boot INTEGER NOT NULL REFERENCES boots (key),"
    "  boot_us INTEGER NOT NULL,"
    "  wall_us INTEGER NOT NULL,"
    "  synced INTEGER NOT NULL,"
    "  code TEXT NOT NULL,"
    "  detail TEXT"
    ") STRICT;"

    "CREATE TABLE runs ("
    "  key INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  athlete TEXT NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),"
    "  start_boot INTEGER NOT NULL REFERENCES boots (key),"
    "  start_us INTEGER NOT NULL,"
    "  start_wall_us INTEGER NOT NULL,"
    "  start_synced INTEGER NOT NULL,"
    "  end_boot INTEGER REFERENCES boots (key),"
    "  end_us INTEGER,"
    "  end_wall_us INTEGER,"
    "  end_synced INTEGER,"
    "  first_chunk INTEGER NOT NULL,"
    "  last_chunk INTEGER,"
    "  records_kept INTEGER NOT NULL DEFAULT 1,"
    "  distance_m REAL,"
    "  shoe TEXT,"
    "  title TEXT,"
    "  summary TEXT"
    ") STRICT;"
    "CREATE INDEX runs_athlete ON runs (athlete, start_wall_us);"
    "CREATE INDEX runs_open ON runs (state) WHERE state < 2;"
    "CREATE TABLE records ("
    "  id INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL,"
    "  boot INTEGER NOT NULL,"
    "  first_us INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  format INTEGER NOT NULL,"
    "  data BLOB NOT NULL"
    ") STRICT;"
    "CREATE TRIGGER runs_delete AFTER DELETE ON runs BEGIN"
    "  DELETE FROM records WHERE run = OLD.key AND id"
    "    BETWEEN OLD.first_chunk AND COALESCE(OLD.last_chunk, 9223372036854775807);"
    "END;"
    "CREATE TABLE laps ("
    "  run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,"
    "  number INTEGER NOT NULL,"
    "  lap TEXT NOT NULL,"
    "  PRIMARY KEY (run, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE warnings ("
    "  id INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,"
    "  episode INTEGER NOT NULL,"
    "  code TEXT NOT NULL,"
    "  boot INTEGER NOT NULL REFERENCES boots (key),"
    "  boot_us INTEGER NOT NULL,"
    "  event TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX warnings_run ON warnings (run);"

    "CREATE TABLE outbox ("
    "  seq INTEGER PRIMARY KEY,"
    "  class INTEGER NOT NULL,"
    "  created_wall_us INTEGER NOT NULL,"
    "  topic TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  qos INTEGER NOT NULL,"
    "  retain INTEGER NOT NULL,"
    "  run TEXT,"
    "  refused INTEGER NOT NULL DEFAULT 0,"
    "  tries INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX outbox_run ON outbox (run) WHERE run IS NOT NULL;"
    "CREATE INDEX outbox_refused ON outbox (refused) WHERE refused;"
    "CREATE TABLE outbox_totals ("
    "  class INTEGER PRIMARY KEY,"
    "  messages INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO outbox_totals VALUES (0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0),"
    "  (5, 0, 0);"
    "CREATE TRIGGER outbox_insert AFTER INSERT ON outbox BEGIN"
    "  UPDATE outbox_totals SET messages = messages + 1,"
    "    bytes = bytes + 64 + length(NEW.topic) + length(NEW.payload) WHERE class = NEW.class;"
    "END;"
    "CREATE TRIGGER outbox_delete AFTER DELETE ON outbox BEGIN"
    "  UPDATE outbox_totals SET messages = messages - 1,"
    "    bytes = bytes - 64 - length(OLD.topic) - length(OLD.payload) WHERE class = OLD.class;"
    "END;";

static const char *const steps[] = {version_1};

const PlSchema pl_schema = {.steps = steps, .count = G_N_ELEMENTS(steps)};

/* The number stands in the header and again in a row: a header that was hit by a bad block is
 * told from a database of a later version. */
int
pl_schema_version(PlDb *db, const PlSchema *schema, unsigned *version) {
  int64_t header = 0, row = 0, tables = 0;
  int rc = pl_db_integer(db, "PRAGMA user_version", NULL, 0, &header);
  if (rc == SQLITE_OK)
    rc = pl_db_integer(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", NULL, 0,
                       &tables);
  if (rc == SQLITE_OK && tables > 0)
    rc = pl_db_integer(db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema'", NULL,
                       0, &row);
  if (rc != SQLITE_OK)
    return rc;
  if (header != row)
    return SQLITE_CORRUPT;
  if (header > schema->count)
    return PL_DB_NEWER;
  *version = (unsigned)header;
  return SQLITE_OK;
}

/* A copy of the database as it is, where there is room for two more of them. */
static void
keep_copy(PlDb *db, unsigned version) {
  const char *path = sqlite3_db_filename(pl_db_handle(db), "main");
  struct statvfs disk;
  GStatBuf file;

  if (path == NULL || *path == '\0' || statvfs(path, &disk) != 0 || g_stat(path, &file) != 0)
    return;
  if ((uint64_t)disk.f_bavail * disk.f_frsize < 3 * (uint64_t)file.st_size)
    return;
  g_autofree char *copy = g_strdup_printf("%s-version-%u", path, version);
  g_unlink(copy);
  const PlArg args[] = {pl_arg_text(copy)};
  pl_db_run(db, "VACUUM INTO ?1", args, 1);
}

static int
take_step(PlDb *db, const char *step, unsigned version) {
  char number[64];
  g_snprintf(number, sizeof number, "PRAGMA user_version = %u", version);
  const PlArg args[] = {pl_arg_integer(version)};

  int rc = pl_db_exec(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, step);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, number);
  if (rc == SQLITE_OK)
    rc = pl_db_run(db,
                   "INSERT INTO meta (key, value) VALUES ('schema', CAST(?1 AS TEXT))"
                   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                   args, 1);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "COMMIT");
  if (rc != SQLITE_OK && pl_db_in_transaction(db))
    pl_db_exec(db, "ROLLBACK");
  return rc;
}

int
pl_schema_migrate(PlDb *db, const PlSchema *schema) {
  unsigned version;
  int rc = pl_schema_version(db, schema, &version);
  if (rc == SQLITE_OK && version > 0 && version < schema->count)
    keep_copy(db, version);
  while (rc == SQLITE_OK && version < schema->count) {
    rc = take_step(db, schema->steps[version], version + 1);
    version++;
  }
  return rc;
}
