/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/bluez.h"

#include "tests/fakes/fake-bluez.h"

/* A private bus with a fake org.bluez, the edge under test, and everything it has said. */

#define HCI0         "/org/bluez/hci0"
#define ADAPTER      "00:11:22:33:44:55"
#define STRAP        "C0:00:00:00:00:01" /* sensor 0, a static random address */
#define POD          "AA:BB:CC:00:00:02" /* sensor 1, public */
#define HEART_RATE   "00002a37-0000-1000-8000-00805f9b34fb"
#define CONTROL      "00002a39-0000-1000-8000-00805f9b34fb"
#define MODEL_NUMBER "00002a24-0000-1000-8000-00805f9b34fb"

typedef struct {
  GTestDBus *dbus;
  FakeBluez *fake;
  PlBluez *bluez;
  PlLink *link;
  GPtrArray *events; /* of PlLinkEvent, whose data they own */
  guint next;        /* the first that no test has looked at */
  unsigned closed;
  unsigned informed;
  void (*hook)(const PlLinkEvent *event, void *data); /* sees every event first */
  void *hook_data;
  char *strap; /* path on hci0 */
  char *heart_rate;
  char *control;
} Bench;

extern const PlUuid heart_rate_uuid;
extern const PlUuid control_uuid;
extern const PlUuid model_uuid;

/* The bus and a fake with one adapter; no edge yet. */
void bench_set_up(Bench *bench, gconstpointer data);
void bench_tear_down(Bench *bench, gconstpointer data);
#define BENCH_TEST(path, function)                                                             \
  g_test_add(path, Bench, NULL, bench_set_up, function, bench_tear_down)

/* Starts the edge with both sensors; `hurry` as in PlBluezOptions. */
void bench_start(Bench *bench, unsigned hurry);
void bench_start_with(Bench *bench, PlBluezOptions options);
/* The usual options, to be changed. */
PlBluezOptions bench_options(void);
/* Adds the strap with its characteristics to hci0; nothing is exported before a connection. */
void bench_add_strap(Bench *bench);
/* Starts the edge, adds the strap, connects it and waits until it is resolved and nothing more
 * is asked of it. */
void bench_connect(Bench *bench, unsigned hurry);
/* Subscribes to the heart rate and waits for the answer, which has to be a success. */
void bench_subscribe(Bench *bench, bool acquire);

/* Waits for an event of this type, skipping others, and moves behind it. */
const PlLinkEvent *bench_wait(Bench *bench, PlLinkEventType type);
/* Waits for the next event, which has to be of this type. */
const PlLinkEvent *bench_expect(Bench *bench, PlLinkEventType type);
/* All of this type since the start. */
unsigned bench_count(Bench *bench, PlLinkEventType type);
/* Waits until everything that the fake has sent so far has been handled.  Needs the strap. */
void bench_settle(Bench *bench);
/* Forgets what has been said. */
void bench_clear(Bench *bench);

typedef bool (*BenchCondition)(Bench *bench, const void *argument);
void bench_until(Bench *bench, BenchCondition condition, const void *argument);
/* Waits until the fake has seen `count` calls of this method. */
void bench_until_called(Bench *bench, const char *method, unsigned count);
/* Waits until the device information has been read. */
void bench_until_informed(Bench *bench);
/* Waits until the fake owes no delayed answer and the given ones have been handled. */
void bench_until_answered(Bench *bench);

GVariant *bench_dict(const char *name, GVariant *value);
GVariant *bench_bytes(const void *data, size_t length);
