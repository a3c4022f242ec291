/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/e2e/radio/control.h"

/* Between control.c and the commands that make a sensor misbehave. */

typedef struct {
  RadioControl *control;
  RadioSensor *sensor; /* of words[1], for a command on a sensor */
  char **words;        /* NULL at the end; words[0] is the command */
  int n;
  int64_t now;
  GString *reply;
} RadioCall;

typedef struct {
  const char *name;
  int words_min;
  int words_max;
  bool on_sensor;
  bool (*obey)(RadioCall *call);
} RadioCommand;

/* Ends with an entry whose name is NULL. */
extern const RadioCommand radio_fault_commands[];

/* Puts "error: what: 'which'" into the reply; always false. */
bool radio_call_fail(RadioCall *call, const char *what, const char *which);
