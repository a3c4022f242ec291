/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/ledger.h"
#include "gateway/app/payload.h"
#include "gateway/app/summary.h"

/* Inside the ledger: one book for each athlete. */

/* Seconds of a run, those after the last movement apart: they may not belong to it. */
typedef struct {
  unsigned moved_s, rested_s;
} PlAttendance;

typedef struct {
  char *run;   /* NULL: nothing is recorded */
  bool is_run; /* confirmed */
  int64_t start_us;
  GPtrArray *laps; /* of char: JSON */
  GArray *early;   /* of PlLap: of what is not a run yet, to be sent when it is */
  PlWarningTotals totals;
  int64_t raised_us[PL_WARNING_COUNT]; /* of what is active; PL_NO_TIME: it is not */
  PlAttendance attendance;             /* of the runner */
  PlHistory history;
  PlFrame frame; /* the newest */
  bool has_frame;
  PlPhase phase;
  int64_t phase_since_us;
} PlBook;

typedef struct {
  char *model, *firmware;
  PlSensorState state;
  bool has_state;
  PlAttendance attendance; /* seconds of its runner's run in which it was heard */
} PlSensorPage;

struct PlLedger {
  PlOutlet outlet;
  PlLedgerParts parts;
  PlEngine *engine;
  PlBook *books; /* of the athletes */
  PlSensorPage *sensors;
  const char **sensor_ids; /* room for a list of all */
  unsigned seconds;        /* since the start: every fifth goes to the recorders */
  bool board_due;
  char *text; /* room for every payload but a summary */
  size_t text_size;
};

/* The head of a message about `t_us`, with a number of its own. */
PlStamp pl_ledger_stamp(PlLedger *self, int64_t t_us);

/* Sends what `json` holds. */
void pl_ledger_send(PlLedger *self, PlTopic topic, const char *name, const char *run,
                    const PlStamp *stamp, const PlJson *json);

PlStoreTime pl_ledger_time(const PlLedger *self, int64_t t_us);
const char *pl_ledger_athlete_id(const PlLedger *self, int athlete);

void pl_ledger_send_athlete(PlLedger *self, int athlete, int64_t t_us);
void pl_ledger_send_sensor(PlLedger *self, int sensor, int64_t t_us);
void pl_ledger_send_warnings(PlLedger *self, int athlete, int64_t t_us);
void pl_ledger_send_event(PlLedger *self, const char *code, int athlete, int sensor,
                          int64_t t_us, const char *text);

/* In ledger-run.c: the books of runs. */
void pl_ledger_attend(PlLedger *self, const PlFrame *frame);
void pl_book_clear(PlBook *book);

/* Settings that hold the run of an athlete that was started or paused by command.  Free them.
 */
char *pl_ledger_by_hand_key(const PlLedger *self, int athlete);
char *pl_ledger_paused_key(const PlLedger *self, int athlete);
void pl_ledger_on_run(PlOutlet *outlet, const PlRunEvent *event);
void pl_ledger_on_lap(PlOutlet *outlet, int athlete, const PlLap *lap);
void pl_book_count_warning(PlBook *book, const PlWarningEvent *event);
void pl_ledger_on_warning(PlOutlet *outlet, const PlWarningEvent *event);
