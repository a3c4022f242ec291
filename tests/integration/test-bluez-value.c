/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/bluez-fixture.h"

#include <string.h>

/* Services, reads, writes and device information. */

static const uint8_t bytes[] = {0x02, 0x00, 0xff};

/* -- reads and writes --------------------------------------------------------------------- */

static void
test_read(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_set(bench->fake, bench->control, FAKE_CHARACTERISTIC, "Value",
                 bench_bytes(bytes, sizeof bytes));
  bench->link->read(bench->link, 0, &control_uuid);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_VALUE);
  g_assert_true(event->ok);
  g_assert_true(pl_uuid_equal(&event->uuid, &control_uuid));
  g_assert_cmpmem(event->data, event->length, bytes, sizeof bytes);
  /* BlueZ signals what was read; it is no notification. */
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_NOTIFICATION), ==, 0);
  g_assert_cmpuint(bench_count(bench, PL_LINK_VALUE), ==, 1);
}

static void
test_write(Bench *bench, gconstpointer data) {
  static const uint8_t second[] = {0x01};

  bench_connect(bench, 1);
  bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
  bench->link->write(bench->link, 0, &control_uuid, second, sizeof second);
  bench->link->write(bench->link, 0, &control_uuid, NULL, 0);
  bench_until_called(bench, "WriteValue", 1);
  g_autofree char *text = g_variant_print(fake_bluez_last(bench->fake, "WriteValue"), FALSE);
  g_assert_cmpstr(text, ==, "([0x02, 0x00, 0xff], {'type': <'request'>})");
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "WriteValue"), ==, 1);
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
}

/* BlueZ is busy with the first; the second may not overtake it. */
static void
test_busy(Bench *bench, gconstpointer data) {
  static const uint8_t second[] = {0x01};

  bench_connect(bench, 1);
  for (int i = 0; i < 3; i++)
    fake_bluez_script(bench->fake, "WriteValue", (FakeAnswer){.error = "InProgress"});
  bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
  bench->link->write(bench->link, 0, &control_uuid, second, sizeof second);
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "WriteValue"), ==, 4);
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
  g_autofree char *text = g_variant_print(fake_bluez_last(bench->fake, "WriteValue"), FALSE);
  g_assert_cmpstr(text, ==, "([0x01], {'type': <'request'>})");
}

static void
test_busy_for_ever(Bench *bench, gconstpointer data) {
  bench_connect(bench, 10);
  for (int i = 0; i < 100; i++)
    fake_bluez_script(bench->fake, "ReadValue", (FakeAnswer){.error = "InProgress"});
  bench->link->read(bench->link, 0, &control_uuid);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_VALUE);
  g_assert_false(event->ok);
  g_assert_cmpint(event->failure, ==, PL_FAILURE_IN_PROGRESS);
}

typedef struct {
  FakeAnswer answer;
  PlFailure failure;
} ValueCase;

static const ValueCase value_cases[] = {
    {{.error = "NotPermitted", .text = "Read not permitted"}, PL_FAILURE_NOT_PERMITTED},
    {{.error = "NotAuthorized"}, PL_FAILURE_AUTHENTICATION},
    {{.error = "NotPermitted", .text = "Not paired"}, PL_FAILURE_AUTHENTICATION},
    {{.error = "InvalidValueLength"}, PL_FAILURE_OTHER},
    {{.error = "Failed", .text = "Operation failed with ATT error: 0x81"}, PL_FAILURE_OTHER},
    {{.error = "NotConnected", .text = "Not Connected"}, PL_FAILURE_ABORTED},
    {{.error = "AlreadyConnected"}, PL_FAILURE_OTHER},
    {{.silent = true}, PL_FAILURE_TIMEOUT},
};

static void
test_errors(Bench *bench, gconstpointer data) {
  bench_connect(bench, 25);
  for (size_t i = 0; i < G_N_ELEMENTS(value_cases); i++) {
    fake_bluez_script(bench->fake, "WriteValue", value_cases[i].answer);
    bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
    const PlLinkEvent *event = bench_wait(bench, PL_LINK_WRITTEN);
    g_assert_false(event->ok);
    g_assert_cmpstr(pl_failure_name(event->failure), ==,
                    pl_failure_name(value_cases[i].failure));
    fake_bluez_script(bench->fake, "ReadValue", value_cases[i].answer);
    bench->link->read(bench->link, 0, &control_uuid);
    event = bench_wait(bench, PL_LINK_VALUE);
    g_assert_false(event->ok);
    g_assert_cmpint(event->failure, ==, value_cases[i].failure);
  }
  fake_bluez_script(bench->fake, "ReadValue", (FakeAnswer){.garbage = true});
  bench->link->read(bench->link, 0, &control_uuid);
  g_assert_cmpint(bench_wait(bench, PL_LINK_VALUE)->failure, ==, PL_FAILURE_OTHER);
}

static void
test_unknown(Bench *bench, gconstpointer data) {
  static const PlUuid other = PL_UUID16(0x2a53);

  bench_connect(bench, 1);
  bench->link->read(bench->link, 0, &other);
  bench->link->write(bench->link, 0, &other, bytes, sizeof bytes);
  bench->link->read(bench->link, 1, &control_uuid);
  bench->link->write(bench->link, -1, &control_uuid, bytes, sizeof bytes);
  g_assert_cmpuint(bench_count(bench, PL_LINK_VALUE), ==, 0);
  unsigned answers = 0;
  for (int i = 0; i < 2; i++)
    answers += !bench_wait(bench, PL_LINK_VALUE)->ok;
  g_assert_cmpuint(answers, ==, 2);
  bench_settle(bench);
  g_assert_cmpuint(bench_count(bench, PL_LINK_WRITTEN), ==, 2);
}

/* More than can wait: refused, not forgotten. */
static void
test_queue(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_settle(bench);
  for (int i = 0; i < 40; i++)
    bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
  unsigned ok = 0;
  for (int i = 0; i < 40; i++)
    ok += bench_wait(bench, PL_LINK_WRITTEN)->ok;
  g_assert_cmpuint(ok, ==, 33); /* one on its way, 32 behind it */
}

/* The link breaks: what was asked for is void, and a late answer belongs to nobody. */
static void
test_dropped(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  fake_bluez_script(bench->fake, "WriteValue", (FakeAnswer){.delay_ms = 100});
  bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
  bench->link->write(bench->link, 0, &control_uuid, bytes, sizeof bytes);
  bench_until_called(bench, "WriteValue", 1);
  fake_bluez_drop(bench->fake, bench->strap);
  bench_wait(bench, PL_LINK_DISCONNECTED);
  bench->link->connect(bench->link, 0, 0, 8);
  bench_wait(bench, PL_LINK_RESOLVED);
  fake_bluez_set(bench->fake, bench->control, FAKE_CHARACTERISTIC, "Value",
                 bench_bytes(bytes, sizeof bytes));
  fake_bluez_script(bench->fake, "ReadValue", (FakeAnswer){.delay_ms = 200});
  bench->link->read(bench->link, 0, &control_uuid);
  const PlLinkEvent *event = bench_wait(bench, PL_LINK_VALUE);
  g_assert_cmpmem(event->data, event->length, bytes, sizeof bytes);
  g_assert_cmpuint(bench_count(bench, PL_LINK_WRITTEN), ==, 0);
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "WriteValue"), ==, 1);
}

/* A characteristic that takes commands only. */
static void
test_command(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  g_autofree char *pod = fake_bluez_add_device(bench->fake, HCI0, POD, "public");
  fake_bluez_give(bench->fake, pod, 0x31, CONTROL, "write-without-response");
  bench_settle(bench);
  bench->link->connect(bench->link, 1, 0, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench->link->write(bench->link, 1, &control_uuid, bytes, sizeof bytes);
  g_assert_true(bench_wait(bench, PL_LINK_WRITTEN)->ok);
  g_autofree char *text = g_variant_print(fake_bluez_last(bench->fake, "WriteValue"), FALSE);
  g_assert_cmpstr(text, ==, "([0x02, 0x00, 0xff], {'type': <'command'>})");
}

/* -- device information ------------------------------------------------------------------ */

static void
test_info(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_set(bench->fake, bench->strap, FAKE_DEVICE, "Modalias",
                 g_variant_new_string("bluetooth:v006Bp000Ad0100"));
  fake_bluez_set_times(bench->fake, (FakeTimes){.connect_ms = 1, .resolve_ms = 50});
  bench->link->connect(bench->link, 0, 0, 1);
  bench_wait(bench, PL_LINK_CONNECTED);
  /* A value that tries to write on the terminal. */
  g_autofree char *model = fake_bluez_characteristic(bench->strap, 0x22);
  bench_wait(bench, PL_LINK_RESOLVED);
  fake_bluez_set(bench->fake, model, FAKE_CHARACTERISTIC, "Value",
                 bench_bytes(" H10\x1b[2J\0", 9));
  bench_until_informed(bench);
  const PlBluezInfo *info = pl_bluez_info(bench->bluez, 0);
  g_assert_cmpstr(info->model, ==, "H10?[2J");
  g_assert_cmpstr(info->modalias, ==, "bluetooth:v006Bp000Ad0100");
  g_assert_cmpstr(info->firmware, ==, "");
  g_assert_null(pl_bluez_info(bench->bluez, 2));
  g_assert_null(pl_bluez_info(bench->bluez, -1));
  g_assert_cmpuint(bench_count(bench, PL_LINK_VALUE), ==, 0);
}

/* What the core asks for goes first. */
static void
read_at_once(const PlLinkEvent *event, void *data) {
  PlLink *link = data;
  if (event->type == PL_LINK_RESOLVED)
    link->write(link, 0, &control_uuid, bytes, sizeof bytes);
}

static void
test_info_last(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench->hook = read_at_once;
  bench->hook_data = bench->link;
  bench_add_strap(bench);
  bench->link->connect(bench->link, 0, 0, 1);
  bench_until_informed(bench);
  const char *log = fake_bluez_log(bench->fake);
  const char *write = strstr(log, "WriteValue"), *read = strstr(log, "ReadValue");
  g_assert_nonnull(write);
  g_assert_nonnull(read);
  g_assert_true(write < read);
}

/* -- services -------------------------------------------------------------------------- */

/* ServicesResolved comes before the objects. */
static void
test_late_objects(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  fake_bluez_set_times(bench->fake, (FakeTimes){.objects_ms = 600});
  bench->link->connect(bench->link, 0, 0, 1);
  bench_expect(bench, PL_LINK_CONNECTED);
  bench_expect(bench, PL_LINK_RESOLVED); /* so far nothing */
  bench_expect(bench, PL_LINK_CHARACTERISTIC);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CHARACTERISTIC), ==, 3);
}

/* They never come, and the snapshot has none either. */
static void
test_no_objects(Bench *bench, gconstpointer data) {
  bench_start(bench, 10);
  bench_add_strap(bench);
  fake_bluez_set_times(bench->fake, (FakeTimes){.objects_ms = 60000});
  unsigned snapshots = fake_bluez_calls(bench->fake, "GetManagedObjects") + 1;
  for (unsigned i = 0; i < 2; i++) {
    bench->link->connect(bench->link, 0, 0, 1);
    bench_expect(bench, PL_LINK_CONNECTED);
    bench_expect(bench, PL_LINK_RESOLVED);
    bench_until_called(bench, "GetManagedObjects", snapshots);
    bench_settle(bench);
    g_assert_cmpuint(bench_count(bench, PL_LINK_CHARACTERISTIC), ==, 0);
    fake_bluez_drop(bench->fake, bench->strap);
    bench_expect(bench, PL_LINK_DISCONNECTED);
  }
  /* Once a minute at most. */
  g_assert_cmpuint(fake_bluez_calls(bench->fake, "GetManagedObjects"), ==, snapshots);
}

/* Their signals were lost: the snapshot has them. */
static void
test_lost_objects(Bench *bench, gconstpointer data) {
  GVariantBuilder builder;
  bench_start(bench, 10);
  bench_add_strap(bench);
  fake_bluez_set_times(bench->fake, (FakeTimes){.objects_ms = 60000});
  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", "UUID", g_variant_new_string(HEART_RATE));
  fake_bluez_add_silently(bench->fake, bench->heart_rate, FAKE_CHARACTERISTIC,
                          g_variant_builder_end(&builder));
  bench->link->connect(bench->link, 0, 0, 1);
  bench_expect(bench, PL_LINK_CONNECTED);
  bench_expect(bench, PL_LINK_RESOLVED);
  bench_expect(bench, PL_LINK_CHARACTERISTIC);
  bench_expect(bench, PL_LINK_RESOLVED);
}

static char *
add_heart_rate(Bench *bench, unsigned handle) {
  static const char *const flags[] = {"notify", NULL};
  GVariantBuilder builder;
  char *path = fake_bluez_characteristic(bench->strap, handle);
  g_autofree char *service = g_path_get_dirname(path);

  fake_bluez_add(bench->fake, service, FAKE_SERVICE,
                 bench_dict("Device", g_variant_new_object_path(bench->strap)));
  g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&builder, "{sv}", "UUID", g_variant_new_string(HEART_RATE));
  g_variant_builder_add(&builder, "{sv}", "Flags", g_variant_new_strv(flags, -1));
  fake_bluez_add(bench->fake, path, FAKE_CHARACTERISTIC, g_variant_builder_end(&builder));
  return path;
}

/* The sensor changes its table while it streams: new paths, and no call to the old ones. */
static void
test_service_changed(Bench *bench, gconstpointer data) {
  bench_connect(bench, 1);
  bench_subscribe(bench, true);
  g_autofree char *service = g_path_get_dirname(bench->heart_rate);
  fake_bluez_remove(bench->fake, service);
  g_autofree char *moved = add_heart_rate(bench, 0x51);
  bench_expect(bench, PL_LINK_CONNECTED);
  bench_wait(bench, PL_LINK_RESOLVED);
  bench_subscribe(bench, false);
  fake_bluez_notify(bench->fake, moved, bytes, sizeof bytes);
  bench_wait(bench, PL_LINK_NOTIFICATION);
  g_assert_cmpuint(fake_bluez_stray_calls(bench->fake), ==, 0);
}

/* Of several with one UUID the first in the table counts; of thousands, those that are wanted.
 */
static void
test_many(Bench *bench, gconstpointer data) {
  bench_start(bench, 1);
  bench_add_strap(bench);
  g_autofree char *pod = fake_bluez_add_device(bench->fake, HCI0, POD, "public");
  for (unsigned handle = 0x100; handle < 0x100 + 2000; handle++) {
    g_autofree char *uuid = g_strdup_printf("%08x-1111-2222-3333-444455556666", handle);
    fake_bluez_give(bench->fake, bench->strap, handle, uuid, "notify");
    if (handle < 0x200)
      fake_bluez_give(bench->fake, pod, handle, uuid, "notify");
  }
  fake_bluez_give(bench->fake, bench->strap, 0x2000, HEART_RATE, "notify");
  bench->link->connect(bench->link, 0, 0, 1);
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CHARACTERISTIC), <=, 4);
  bench_subscribe(bench, false);
  g_assert_nonnull(strstr(fake_bluez_log(bench->fake), bench->heart_rate));
  g_assert_null(strstr(fake_bluez_log(bench->fake), "char2000"));

  bench_clear(bench);
  bench->link->connect(bench->link, 1, 0, 2); /* whose list is open */
  bench_wait(bench, PL_LINK_RESOLVED);
  g_assert_cmpuint(bench_count(bench, PL_LINK_CHARACTERISTIC), ==, PL_BLUEZ_CHARACTERISTICS);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  BENCH_TEST("/edge/bluez/read", test_read);
  BENCH_TEST("/edge/bluez/write", test_write);
  BENCH_TEST("/edge/bluez/value-busy", test_busy);
  BENCH_TEST("/edge/bluez/value-busy-for-ever", test_busy_for_ever);
  BENCH_TEST("/edge/bluez/value-errors", test_errors);
  BENCH_TEST("/edge/bluez/value-unknown", test_unknown);
  BENCH_TEST("/edge/bluez/value-queue", test_queue);
  BENCH_TEST("/edge/bluez/value-dropped", test_dropped);
  BENCH_TEST("/edge/bluez/write-command", test_command);
  BENCH_TEST("/edge/bluez/info", test_info);
  BENCH_TEST("/edge/bluez/info-last", test_info_last);
  BENCH_TEST("/edge/bluez/late-objects", test_late_objects);
  BENCH_TEST("/edge/bluez/no-objects", test_no_objects);
  BENCH_TEST("/edge/bluez/lost-objects", test_lost_objects);
  BENCH_TEST("/edge/bluez/service-changed", test_service_changed);
  BENCH_TEST("/edge/bluez/many-characteristics", test_many);
  return g_test_run();
}
