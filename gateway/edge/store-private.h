/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/store-db.h"
#include "gateway/edge/store.h"

/* What the files store*.c share. */

enum {
  PL_STORE_BATCH = 2000,                  /* operations in one transaction */
  PL_STORE_CHUNK = 30,                    /* records in one row at most */
  PL_STORE_SPOOL_BYTES = 16 * 1024 * 1024 /* in memory, before something is given up */
};

/* ---- operations ---- */

/* What an operation does to the list of open runs, which a new database has to be given. */
typedef enum {
  PL_OP_PLAIN,
  PL_OP_RECORD, /* joined with others of its run into one row */
  PL_OP_RUN_BEGIN,
  PL_OP_RUN_CONFIRM,
  PL_OP_RUN_END,
  PL_OP_CLOCK,
} PlOpKind;

typedef enum {
  PL_OP_PROMPT = 1 << 0,     /* within 50 ms */
  PL_OP_DURABLE = 1 << 1,    /* at once, and to the medium */
  PL_OP_OUTBOX = 1 << 2,     /* changes the outbox */
  PL_OP_EXPENDABLE = 1 << 3, /* the first to go when memory is full */
  PL_OP_CONTINUES = 1 << 4,  /* the next one belongs to the same transaction */
} PlOpFlags;

/* One statement with its parameters, all in one block; immutable but for CONTINUES. */
typedef struct {
  PlOpKind kind;
  unsigned flags;
  size_t bytes; /* of memory */
  const char *sql;
  unsigned count;
  PlArg args[];
} PlOp;

PlOp *pl_op_new(PlOpKind kind, unsigned flags, const char *sql, const PlArg *args,
                unsigned count);
PlOp *pl_op_ref(PlOp *op);
void pl_op_unref(PlOp *op);
const char *pl_op_text(const PlOp *op, unsigned arg); /* NULL when it is none */

/* store-runs.c: operations that are also made from what is in a database.  Their first argument
 * is the run. */
enum { PL_OP_RUN_BEGIN_BOOT = 2 }; /* the argument that names the boot */
PlOp *pl_op_run_begin(const char *run, const char *athlete, const char *boot_id,
                      const PlStoreTime *start);
PlOp *pl_op_run_confirm(const char *run);

#define PL_SQL_SET                                                                             \
  "INSERT INTO settings (key, value) VALUES (?1, ?2)"                                          \
  " ON CONFLICT (key) DO UPDATE SET value = excluded.value"

/* ---- the store ---- */

/* The message number and its file. */
typedef struct {
  GMutex mutex; /* of the numbers */
  GMutex file;  /* taken before `mutex` */
  char *path;   /* NULL: in memory */
  uint64_t next;
  uint64_t reserved; /* written: numbers below may be handed out */
} PlSequence;

/* What the main thread and the writer share, under `mutex`. */
typedef struct {
  GMutex mutex;
  GCond wake;            /* the writer: there is something to do */
  GCond done;            /* others: something was done */
  GQueue queue;          /* of PlOp, oldest first */
  unsigned in_flight;    /* of those, the first ones are being written */
  int64_t due_us;        /* monotonic time of the next commit; INT64_MAX: none */
  bool quit, finished;   /* the thread shall end; has ended */
  uint64_t flush_wanted; /* counts requests */
  uint64_t flush_done;   /* those answered */
  int flush_rc;          /* of the last answer */
  unsigned generation;   /* of the database file: readers open it again */
  bool suspect;          /* a reader met damage */
  int64_t retain_now_us; /* wall clock to delete old rows by; 0: nothing to do */
  GHashTable *settings;  /* key -> value */
  char *uuid;            /* NULL: no database yet */
  PlStoreHealth health;
} PlStoreShared;

/* The writer's own. */
typedef struct {
  PlDb *db;            /* NULL: could not be opened */
  GHashTable *runs;    /* id -> GPtrArray of PlOp: begin, and confirm when it was */
  PlOp *clock;         /* the last one */
  int64_t retry_us;    /* monotonic time before which a failed commit is not tried again */
  int64_t sync_us;     /* of the next commit that goes to the medium */
  int64_t look_us;     /* of the next look at the disk */
  int64_t vacuum_us;   /* of the next step of giving pages back */
  int64_t replaced_us; /* when a database was last moved aside; INT64_MIN: never */
  int64_t batch;       /* number of the last transaction that was synced, or was meant to be */
  GPtrArray *doubt;    /* the operations of that one while it is not known; NULL */
  bool bare;           /* the database is new and was not told yet what goes on */
  bool outbox_changed; /* its totals have to be read again */
} PlStoreWriter;

struct PlStore {
  PlStoreMode mode;
  char *directory; /* NULL: in memory */
  char *path;      /* of the database; NULL: in memory */
  char *boot_id;
  int64_t commit_us;
  unsigned keep_samples_days;
  int64_t outbox_bytes_max;
  int lock; /* descriptor of the lock file, -1: none */

  GThread *thread;
  PlSequence sequence;
  PlStoreShared shared;
  PlStoreWriter writer;

  PlDb *reader;               /* the caller's thread */
  unsigned reader_generation; /* of `reader` */
  unsigned grouped;           /* pl_store_begin() without pl_store_commit() */
  GQueue group;               /* of PlOp */
};

/* store.c: puts an operation into the queue, or into the open group.  Takes the operation. */
void pl_store_post(PlStore *store, PlOp *op);

/* store-file.c: opens, checks, makes and moves the database. */
int pl_store_file_open(PlStore *store, bool check);
bool pl_store_file_replace(PlStore *store);
void pl_store_file_prune(PlStore *store); /* leaves the two newest of what was moved aside */
void pl_store_file_close(PlStore *store, bool clean);

/* store-writer.c: writes everything that is queued; `durable`: to the medium. */
int pl_store_write_all(PlStore *store, bool durable);
void *pl_store_writer_main(void *store);
int64_t pl_store_boot_us(void);

/* store-restore.c: what an opened database tells; what a new one has to be told of what goes
 * on. */
int pl_store_load_settings(PlStore *store, PlDb *db);
int pl_store_load_runs(PlStore *store, PlDb *db);
int pl_store_restore(PlStore *store, PlDb *db);
void pl_store_remember(PlStore *store, PlOp *op); /* after it was written */

/* store-commit.c: one transaction with these operations; `durable`: to the medium. */
int pl_store_transaction(PlStore *store, GPtrArray *ops, bool durable);
/* After opening again: *ops are those of a failed transaction that are written after all. */
int pl_store_settle_doubt(PlStore *store, GPtrArray **ops);

/* store-mend.c: notes the result in the health.  True when it is worth to try at once again. */
typedef struct {
  bool purged, reopened, replaced; /* since something was last written */
} PlTried;
bool pl_store_mend(PlStore *store, int rc, PlTried *tried);

/* store-tidy.c: what the writer does when there is nothing to write. */
bool pl_store_tidy(PlStore *store); /* true: there is more to do soon */
void pl_store_retain_all(PlStore *store);
bool pl_store_is_tight(PlStore *store); /* essentials only; counts what is not taken */

/* store-outbox.c: gives up what is over the limit; reads the totals again. */
int pl_store_outbox_enforce(PlStore *store);
void pl_store_outbox_measure(PlStore *store);

/* store-sequence.c; `fresh`: nothing of an earlier life is in the directory. */
void pl_sequence_open(PlSequence *sequence, const char *directory, bool fresh);
void pl_sequence_reserve(PlSequence *sequence); /* ahead of need; may wait for the medium */
uint64_t pl_sequence_next(PlSequence *sequence);
void pl_sequence_close(PlSequence *sequence);

/* store-read.c: a statement on the connection that reads; NULL with an error.  next_row() is
 * false at the end, and after an error, when *rows is NULL. */
sqlite3_stmt *pl_store_query(PlStore *store, const char *sql, const PlArg *args, unsigned count,
                             GError **error);
bool pl_store_next_row(PlStore *store, sqlite3_stmt **rows, GError **error);

/* ---- store-clock.c ---- */

typedef struct {
  int64_t boot_us, wall_us;
  bool synced;
} PlClockRow;

/* The wall time of boot time `t_us` from the clock rows of that boot in their order; 0 without
 * any. */
int64_t pl_clock_wall(const PlClockRow *rows, unsigned count, int64_t t_us, bool *synced);
