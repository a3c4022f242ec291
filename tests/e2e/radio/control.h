/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/e2e/radio/controller.h"

/* The commands that a scenario gives, one a line; tests/e2e/README.md lists them. */

typedef struct {
  RadioController *controller;
  RadioJournal *journal;
  GArray *scheduled; /* of RadioScheduled, unordered */
  /* Plugs the controller in or out; what `plug` and `unplug` do. */
  bool (*plug)(void *user, bool in);
  void *user;
  bool quit;
} RadioControl;

typedef struct {
  int64_t at;
  char *line;
} RadioScheduled;

void radio_control_init(RadioControl *control);
void radio_control_clear(RadioControl *control);

/* Obeys one line.  Writes "ok", the answer, or "error: ..." to `reply`; an empty line or a
 * comment gets "ok". */
void radio_control_obey(RadioControl *control, const char *line, int64_t now, GString *reply);

/* Obeys every line of a text; stops at the first that fails, whose error is in `reply` then. */
bool radio_control_obey_all(RadioControl *control, const char *text, int64_t now,
                            GString *reply);

/* Obeys the scheduled commands whose time has come; returns when to be called again. */
int64_t radio_control_run(RadioControl *control, int64_t now);
