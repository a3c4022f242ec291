/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/frame.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What has to survive: runs and their records, the outbox, the clock, small settings.  One
 * SQLite database and a file with the message number, in a directory that one process writes
 * to.
 *
 * Writing never waits: an operation is copied into a queue, and a thread of its own writes the
 * queue, several operations in one transaction.  Operations stay in the queue until their
 * transaction is in the database, so a full card or a read-only file system loses nothing that
 * fits into memory.  What was posted in one order is written in that order.
 *
 *   how soon                                 survives
 *   records, clock, settings     5 s         kill -9 once written; power cut within 35 s
 *   outbox (but for records)     50 ms       the same
 *   run start, stop, lap         at once     a power cut, once written
 *
 * Reading is immediate and sees what has been written.  All calls come from one thread. Nothing
 * is called from inside a callback of this module.
 *
 * A database that turns out to be damaged is moved aside as it is, a new one is begun, and the
 * runs that are going on continue in it. */

#define PL_STORE_ERROR (pl_store_error_quark())
GQuark pl_store_error_quark(void);

typedef enum {
  PL_STORE_ERROR_FAILED,      /* SQLite or the file system refused */
  PL_STORE_ERROR_NEWER,       /* written by a later version: a matter of configuration */
  PL_STORE_ERROR_IN_USE,      /* another process writes to the directory */
  PL_STORE_ERROR_NOT_FOUND,   /* no database, or nothing of that name in it */
  PL_STORE_ERROR_UNAVAILABLE, /* there is no database at the moment; it is tried again */
  PL_STORE_ERROR_TIMEOUT,     /* not everything was written in time */
} PlStoreError;

typedef enum {
  PL_STORE_THREADED,    /* the daemon */
  PL_STORE_SYNCHRONOUS, /* every call does its work before it returns; no thread */
  PL_STORE_READ_ONLY,   /* beside a daemon or without one; what writes is ignored */
} PlStoreMode;

typedef struct {
  PlStoreMode mode;
  const char *directory;      /* made when it is missing; NULL: in memory, synchronous only */
  const char *boot_id;        /* of this boot of the machine; NULL only when reading */
  int64_t commit_us;          /* longest wait before records are written; 0: 5 s */
  unsigned keep_samples_days; /* records of older runs are deleted; 0: never */
  unsigned outbox_mib;        /* 0: 256 */
} PlStoreOptions;

typedef struct PlStore PlStore;

/* A moment: boot time, and the wall clock as it was known when this was written. */
typedef struct {
  int64_t boot_us;
  int64_t wall_us; /* since 1970 */
  bool synced;     /* the wall clock was right */
} PlStoreTime;

/* Opens, makes or mends the database.  NULL with an error for a later schema, a directory in
 * use, and where nothing can be written in synchronous mode.  A threaded store opens all the
 * same when the medium fails: it keeps what it can in memory and says so in its health.  May
 * take 10 s after a crash, when the database is checked. */
PlStore *pl_store_open(const PlStoreOptions *options, GError **error);

/* Writes what is left, for at most 3 s, and frees the store.  NULL is fine.  False when
 * something could not be written. */
bool pl_store_close(PlStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlStore, pl_store_close)

/* What is posted between the two is written in one transaction or not at all. */
void pl_store_begin(PlStore *store);
void pl_store_commit(PlStore *store);

/* Waits until all that was posted is on the medium, at most `timeout_us`. */
bool pl_store_flush(PlStore *store, int64_t timeout_us, GError **error);

/* The next message number: always larger than any before it in this directory, whatever
 * happened in between, and below 2^53.  Never waits for the database. */
uint64_t pl_store_next_seq(PlStore *store);

/* A name for this database, new when a damaged one had to be replaced.  Free it. */
char *pl_store_uuid(PlStore *store);

/* Starts to delete what is older than the options say, in small steps while no run is active.
 * `now_wall_us` has to be right: call it with a synced clock only, once an hour or so. */
void pl_store_retain(PlStore *store, int64_t now_wall_us);

/* ---- health ---- */

typedef enum {
  PL_STORE_OK,
  PL_STORE_BUSY,      /* somebody else holds the database */
  PL_STORE_DISK_FULL, /* kept in memory until there is space */
  PL_STORE_FS_READ_ONLY,
  PL_STORE_FAILING, /* the medium fails, even with a new database */
  PL_STORE_PROBLEM_COUNT
} PlStoreProblem;

/* "db-busy", "disk-full", "fs-read-only", "db-failing"; "ok". */
const char *pl_store_problem_name(PlStoreProblem problem);

typedef enum {
  PL_DISK_UNKNOWN,
  PL_DISK_OK,
  PL_DISK_WARN,      /* below 500 MB */
  PL_DISK_LOW,       /* below 200 MB: old records go even during a run */
  PL_DISK_VERY_LOW,  /* below 100 MB: no raw data should be written */
  PL_DISK_ESSENTIAL, /* below 50 MB: runs and records only, no archive messages */
} PlDiskLevel;

typedef struct {
  PlStoreProblem problem;
  int error_code;       /* SQLite's extended code of the last failure; 0 */
  int64_t heartbeat_us; /* boot time when the writer last turned round */
  unsigned queued;      /* operations not yet written */
  size_t queued_bytes;
  uint64_t dropped;  /* operations given up because memory was full */
  uint64_t rejected; /* operations that the database refused: a bug of ours */
  uint64_t commits;
  int64_t commit_max_us;  /* the longest transaction */
  unsigned replaced;      /* damaged databases moved aside since the start */
  char replaced_name[32]; /* folder of the last one, in the directory; "" */
  PlDiskLevel disk;
  int64_t disk_free_bytes, db_bytes, wal_bytes; /* -1: unknown */
  uint64_t outbox_messages, outbox_bytes;       /* that wait, without the refused ones */
  uint64_t outbox_refused;                      /* by the broker, kept aside */
  uint64_t outbox_dropped;                      /* over the limit, since the start */
  int64_t outbox_oldest_us;                     /* wall clock; 0: empty */
} PlStoreHealth;

void pl_store_health(PlStore *store, PlStoreHealth *health);

/* ---- clock and events ---- */

typedef enum {
  PL_CLOCK_START,    /* the process began */
  PL_CLOCK_SET,      /* the wall clock was stepped */
  PL_CLOCK_SYNC,     /* the wall clock became right */
  PL_CLOCK_PERIODIC, /* every ten minutes */
} PlClockKind;

/* Where the wall clock stands.  The first synced one of a boot dates the runs and events of
 * that boot again; records are dated when they are read. */
void pl_store_clock(PlStore *store, PlClockKind kind, const PlStoreTime *time);

/* A gateway event; `detail` is JSON. */
void pl_store_event(PlStore *store, const PlStoreTime *time, const char *code,
                    const char *detail);

/* ---- settings that the program learns by itself ---- */

/* NULL deletes it. */
void pl_store_set(PlStore *store, const char *key, const char *value);

/* As it was last set, written or not.  NULL when it is not set.  Free it. */
char *pl_store_get(PlStore *store, const char *key);

/* ---- runs ---- */

typedef enum { PL_STORED_CANDIDATE, PL_STORED_ACTIVE, PL_STORED_FINISHED } PlStoredState;

typedef struct {
  char *id;
  char *athlete;
  PlStoredState state;
  char *start_boot; /* boot ids, to know boot times of this boot from others */
  char *end_boot;   /* NULL: not finished */
  PlStoreTime start, end;
  double distance_m; /* NaN: not finished */
  bool records_kept; /* false: older than the retention */
  char *shoe;        /* NULL: none */
  char *title;       /* NULL: none */
  char *summary;     /* JSON; NULL: not finished */
} PlStoredRun;

void pl_stored_run_free(PlStoredRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlStoredRun, pl_stored_run_free)

/* A run may begin here.  Its records are kept from now on. */
void pl_store_run_begin(PlStore *store, const char *run, const char *athlete,
                        const PlStoreTime *start);

/* It is one. */
void pl_store_run_confirm(PlStore *store, const char *run);

/* It was none, or it is to be forgotten: with its records, laps, warnings and messages. */
void pl_store_run_delete(PlStore *store, const char *run);

typedef struct {
  PlStoreTime end; /* last movement: later records do not belong to the run */
  double distance_m;
  const char *summary; /* JSON */
  const char *title;   /* NULL: none */
  const char *shoe;    /* NULL: none */
} PlStoreFinish;

/* Ends a run; again for one that is finished: replaces its summary. */
void pl_store_run_finish(PlStore *store, const char *run, const PlStoreFinish *finish);

void pl_store_record(PlStore *store, const char *run, const PlRecord *record);
void pl_store_lap(PlStore *store, const char *run, unsigned number, const char *lap);

/* One transition of a warning; `event` is its JSON. */
void pl_store_warning(PlStore *store, const char *run, unsigned episode, const char *code,
                      const PlStoreTime *time, const char *event);

/* ---- reading runs: NULL or false with an error ---- */

/* Runs that are not finished, oldest first: candidates and active ones.  Of PlStoredRun. */
GPtrArray *pl_store_open_runs(PlStore *store, GError **error);

/* Finished and active runs of one athlete (NULL: of all), newest first.  Of PlStoredRun. */
GPtrArray *pl_store_runs(PlStore *store, const char *athlete, unsigned limit, unsigned offset,
                         GError **error);

/* One run, or with "last" the newest; PL_STORE_ERROR_NOT_FOUND. */
PlStoredRun *pl_store_run(PlStore *store, const char *run, GError **error);

typedef struct {
  PlRecord record;  /* as pl_record_decode() gives it */
  unsigned segment; /* counts up with every boot of the machine within the run */
  int64_t wall_us;  /* by the best that is known of that boot's clock; never falls in a run */
  bool synced;
} PlStoredRecord;

/* False stops. */
typedef bool (*PlStoreRecordFunc)(const PlStoredRecord *record, void *data);

/* The records of a run in their order, up to its end. */
bool pl_store_records(PlStore *store, const char *run, PlStoreRecordFunc func, void *data,
                      GError **error);

/* What was given to pl_store_lap() and pl_store_warning(), in order.  Of char. */
GPtrArray *pl_store_laps(PlStore *store, const char *run, GError **error);
GPtrArray *pl_store_warnings(PlStore *store, const char *run, GError **error);

typedef struct {
  int64_t start_us, end_us; /* wall clock */
  double distance_m;
} PlStoredSpan;

/* The finished runs of an athlete that began in [from, to), oldest first.  Of PlStoredSpan. */
GArray *pl_store_spans(PlStore *store, const char *athlete, int64_t from_wall_us,
                       int64_t to_wall_us, GError **error);

/* When the first run of an athlete began; 0: none. */
bool pl_store_first_run(PlStore *store, const char *athlete, int64_t *wall_us, GError **error);

/* ---- outbox: messages that wait for the broker's answer ---- */

/* In the order in which they are given up when the outbox is full; nothing of one class goes
 * while there is something of a class before it. */
typedef enum {
  PL_OUTBOX_RECORDS, /* archives: written with the records, not at once */
  PL_OUTBOX_DERIVED, /* what can be worked out again */
  PL_OUTBOX_EVENT,
  PL_OUTBOX_LAP,
  PL_OUTBOX_WARNING,
  PL_OUTBOX_SUMMARY,
  PL_OUTBOX_CLASS_COUNT
} PlOutboxClass;

typedef struct {
  uint64_t seq; /* from pl_store_next_seq() */
  PlOutboxClass outbox_class;
  int64_t created_us; /* wall clock */
  const char *topic;
  const void *payload;
  size_t length;
  unsigned qos;
  bool retain;
  const char *run; /* NULL: of no run; otherwise it goes when the run is deleted */
  unsigned tries;  /* how often it was refused */
} PlOutboxMessage;

void pl_store_outbox_add(PlStore *store, const PlOutboxMessage *message);

/* The broker has it. */
void pl_store_outbox_remove(PlStore *store, uint64_t seq);

/* The broker refuses it for good: kept, not sent again before pl_store_outbox_revive(). */
void pl_store_outbox_refuse(PlStore *store, uint64_t seq);
void pl_store_outbox_revive(PlStore *store);

/* Pointers are valid during the call. */
typedef bool (*PlOutboxFunc)(const PlOutboxMessage *message, void *data);

/* At most `limit` messages after `seq`, oldest first, without the refused ones.  One that was
 * removed a moment ago may come once more. */
bool pl_store_outbox_load(PlStore *store, uint64_t after_seq, unsigned limit, PlOutboxFunc func,
                          void *data, GError **error);
