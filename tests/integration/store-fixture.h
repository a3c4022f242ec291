/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/edge/store.h"

#include <glib.h>

#define TEST_BOOT "3c1f2f0e-6a55-4a55-9d0a-0b6f5f3b1c11"

/* A temporary directory of one test. */
typedef struct {
  char *directory;
} StoreFixture;

void store_fixture_set_up(StoreFixture *fixture, gconstpointer data);
void store_fixture_tear_down(StoreFixture *fixture, gconstpointer data);

#define store_test(path, func)                                                                 \
  g_test_add(path, StoreFixture, NULL, store_fixture_set_up, func, store_fixture_tear_down)

/* Opens with the options of a daemon that writes every 100 ms; ends the test when it fails. */
PlStore *store_open(const char *directory, PlStoreMode mode);
PlStore *store_open_boot(const char *directory, PlStoreMode mode, const char *boot_id);

/* A moment: boot time in seconds, and the wall clock that belongs to it. */
PlStoreTime moment_at(double boot_s);
enum { MOMENT_WALL_S = 1764000000 }; /* when the machine of moment_at() was booted */

/* Begins a run and confirms it. */
void begin_run(PlStore *store, const char *run, const char *athlete, double at_s);

/* Second `n` of a run with heart rate, footpod and three beats. */
PlRecord record_at(unsigned n);

void add_records(PlStore *store, const char *run, unsigned from, unsigned to);

/* The numbers of the records of a run, checked to be `first`, `first` + 1, ...; how many. */
unsigned count_records(PlStore *store, const char *run, unsigned first);

/* Flushes; ends the test when it fails. */
void flush(PlStore *store);

/* `PRAGMA integrity_check` by a connection of its own. */
void assert_sound(const char *directory);

/* One number by a connection of its own. */
int64_t query_number(const char *directory, const char *sql);

void copy_directory(const char *from, const char *to);
void remove_directory(const char *path);

/* Repetitions: `normal`, or more when PLUMBLINE_LONG_TESTS is set. */
unsigned repetitions(unsigned normal, unsigned many);
