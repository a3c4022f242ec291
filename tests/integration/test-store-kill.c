/* SPDX-License-Identifier: Apache-2.0 */

/* A process that writes is killed at random moments, again and again,
 * in one directory.  It tells through a pipe what it posted and when, so that after each kill
 * it is known what had to survive. */

#include "tests/integration/store-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "20251124T160000Z-r1"

static const int64_t second = G_USEC_PER_SEC;

/* What the child tells; smaller than PIPE_BUF, so it arrives whole or not at all. */
typedef enum { REPORT_OPEN, REPORT_RECORD, REPORT_MESSAGE, REPORT_SEQ } ReportType;
typedef struct {
  ReportType type;
  uint64_t number;
  int64_t at_us; /* monotonic */
} Report;

typedef struct {
  unsigned times;
  int64_t commit_us;
  int64_t period_us;          /* between records */
  bool messages;              /* each of which brings a commit */
  int64_t life_us, spread_us; /* of the child, from opening to its end */
} Plan;

/* The second one with the interval of the daemon: at most 5.5 s are lost. */
static const Plan plans[] = {
    {50, 100 * 1000, 1000, true, 0, 900 * 1000},
    {2, 5000 * 1000, 10 * 1000, false, 5000 * 1000, 6000 * 1000},
};

/* ---- the child ---- */

static void
tell(ReportType type, uint64_t number) {
  Report report = {.type = type, .number = number, .at_us = g_get_monotonic_time()};
  if (write(STDOUT_FILENO, &report, sizeof report) != sizeof report)
    _exit(3);
}

static void
add_message(PlStore *store, uint64_t seq) {
  g_autofree char *payload = g_strdup_printf("{\"seq\":%" G_GUINT64_FORMAT "}", seq);
  PlOutboxMessage message = {.seq = seq,
                             .outbox_class = PL_OUTBOX_EVENT,
                             .topic = "plumbline/gateway/g/event",
                             .payload = payload,
                             .length = strlen(payload),
                             .qos = 1};
  pl_store_outbox_add(store, &message);
}

static void
write_until_killed(const char *directory, const Plan *plan) {
  PlStoreOptions options = {.mode = PL_STORE_THREADED,
                            .directory = directory,
                            .boot_id = TEST_BOOT,
                            .commit_us = plan->commit_us};
  PlStore *store = pl_store_open(&options, NULL);
  g_autoptr(GPtrArray) open = pl_store_open_runs(store, NULL);
  unsigned next = 1;

  if (open->len == 0) {
    PlStoreTime start = moment_at(0);
    pl_store_run_begin(store, RUN, "r1", &start);
    pl_store_run_confirm(store, RUN);
    pl_store_flush(store, second, NULL);
  } else {
    next += count_records(store, RUN, 1);
  }
  tell(REPORT_OPEN, next);
  for (;; next++) {
    PlRecord record = record_at(next);
    pl_store_record(store, RUN, &record);
    tell(REPORT_RECORD, next);
    uint64_t seq = pl_store_next_seq(store);
    tell(REPORT_SEQ, seq);
    if (plan->messages && next % 20 == 0) {
      add_message(store, seq);
      tell(REPORT_MESSAGE, seq);
    }
    g_usleep((gulong)plan->period_us);
  }
}

/* ---- the parent ---- */

typedef struct {
  uint64_t record;  /* has to be there */
  uint64_t seq;     /* the largest ever handed out */
  GArray *messages; /* numbers that have to be in the outbox */
  int64_t worst_us; /* age of the oldest record that was lost */
} Expected;

static GPid
start_child(const char *directory, const Plan *plan, int *out) {
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  g_autofree char *number = g_strdup_printf("%d", (int)(plan - plans));
  g_autofree char *path = g_strdup(directory);
  char write_option[] = "--write";
  char *argv[] = {self, write_option, path, number, NULL};
  GPid pid;
  g_autoptr(GError) error = NULL;
  g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                           out, NULL, &error);
  g_assert_no_error(error);
  return pid;
}

/* Reads what the child says until the pipe ends; kills it meanwhile. */
static GArray *
live_and_die(const char *directory, const Plan *plan, int64_t *killed_us) {
  GArray *reports = g_array_new(FALSE, FALSE, sizeof(Report));
  int out, status;
  GPid pid = start_child(directory, plan, &out);
  int64_t life_us = plan->life_us + (int64_t)(g_test_rand_double() * (double)plan->spread_us);
  Report report;
  bool killed = false;

  while (read(out, &report, sizeof report) == sizeof report) {
    g_array_append_val(reports, report);
    int64_t opened = g_array_index(reports, Report, 0).at_us;
    if (killed || g_get_monotonic_time() < opened + life_us)
      continue;
    *killed_us = g_get_monotonic_time();
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    killed = true;
  }
  g_assert_true(killed);
  waitpid(pid, &status, 0);
  g_assert_true(WIFSIGNALED(status));
  close(out);
  return reports;
}

static void
expect(Expected *expected, const GArray *reports, int64_t safe_us, int64_t prompt_safe_us) {
  uint64_t first_seq = 0;
  for (guint i = 0; i < reports->len; i++) {
    const Report *report = &g_array_index(reports, Report, i);
    if (report->type == REPORT_RECORD && report->at_us < safe_us)
      expected->record = report->number;
    if (report->type == REPORT_MESSAGE && report->at_us < prompt_safe_us)
      g_array_append_val(expected->messages, report->number);
    if (report->type != REPORT_SEQ)
      continue;
    if (first_seq == 0)
      g_assert_cmpuint(report->number, >, expected->seq); /* never one twice */
    first_seq = report->number;
    expected->seq = MAX(expected->seq, report->number);
  }
}

typedef struct {
  const GArray *numbers;
  guint at;
} Pending;

/* Every expected number comes by in order, each at most once. */
static bool
tick_off(const PlOutboxMessage *message, void *data) {
  Pending *pending = data;
  g_autofree char *payload = g_strdup_printf("{\"seq\":%" G_GUINT64_FORMAT "}", message->seq);
  g_assert_cmpmem(message->payload, message->length, payload, strlen(payload));
  if (pending->at < pending->numbers->len &&
      g_array_index(pending->numbers, uint64_t, pending->at) == message->seq)
    pending->at++;
  return true;
}

/* Looks at a copy: the next child finds what the kill has left. */
static void
verify(Expected *expected, const char *directory, const GArray *reports, int64_t killed_us) {
  g_autofree char *copy = g_strconcat(directory, "-copy", NULL);
  copy_directory(directory, copy);
  PlStore *store = store_open(copy, PL_STORE_SYNCHRONOUS);
  PlStoreHealth health;
  unsigned stored = count_records(store, RUN, 1);
  Pending pending = {.numbers = expected->messages};

  g_assert_cmpuint(stored, >=, expected->record);
  for (guint i = 0; i < reports->len; i++) {
    const Report *report = &g_array_index(reports, Report, i);
    if (report->type == REPORT_RECORD && report->number == stored + 1)
      expected->worst_us = MAX(expected->worst_us, killed_us - report->at_us);
  }
  g_assert_true(pl_store_outbox_load(store, 0, G_MAXUINT, tick_off, &pending, NULL));
  g_assert_cmpuint(pending.at, ==, pending.numbers->len);
  g_assert_cmpuint(pl_store_next_seq(store), >, expected->seq);
  pl_store_health(store, &health);
  g_assert_cmpuint(health.replaced, ==, 0);
  pl_store_close(store);
  assert_sound(copy);
  remove_directory(copy);
}

static void
kill_often(const char *directory, const Plan *plan, unsigned times) {
  g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  Expected expected = {.messages = messages};
  int64_t slack_us = second / 2;

  for (unsigned i = 0; i < times; i++) {
    int64_t killed_us = 0;
    g_autoptr(GArray) reports = live_and_die(directory, plan, &killed_us);
    expect(&expected, reports, killed_us - plan->commit_us - slack_us, killed_us - slack_us);
    verify(&expected, directory, reports, killed_us);
  }
  g_test_message("%u kills, commits every %.1f s: the oldest lost record was %.2f s old", times,
                 (double)plan->commit_us / 1e6, (double)expected.worst_us / 1e6);
  g_assert_cmpint(expected.worst_us, <=, plan->commit_us + slack_us);
}

static void
test_kill(StoreFixture *f, gconstpointer data) {
  kill_often(f->directory, &plans[0], repetitions(plans[0].times, 1000));
}

static void
test_kill_default(StoreFixture *f, gconstpointer data) {
  kill_often(f->directory, &plans[1], repetitions(plans[1].times, 30));
}

int
main(int argc, char **argv) {
  if (argc == 4 && g_str_equal(argv[1], "--write"))
    write_until_killed(argv[2],
                       &plans[g_ascii_strtoull(argv[3], NULL, 10) % G_N_ELEMENTS(plans)]);
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/kill", test_kill);
  store_test("/edge/store/kill-default-interval", test_kill_default);
  return g_test_run();
}
