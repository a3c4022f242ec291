/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control point of the Polar Measurement Data service: what it answers, which settings to
 * choose, and what to write. */

/* First byte of what the control point sends. */
enum {
  PL_PMD_STOPPED = 0x01,  /* the sensor has ended measurements by itself; types follow */
  PL_PMD_FEATURES = 0x0f, /* what it can measure; the answer to a read */
  PL_PMD_RESPONSE = 0xf0, /* answer to a command */
};

/* Commands. */
enum {
  PL_PMD_GET_SETTINGS = 1,
  PL_PMD_START = 2,
  PL_PMD_STOP = 3,
};

/* What a response says about its command; the others (invalid parameter, in charger, ...) all
 * mean that it was refused. */
enum {
  PL_PMD_SUCCESS = 0,
  PL_PMD_ALREADY = 6, /* already in that state: a stream from an earlier link still runs */
};

typedef struct {
  unsigned command;
  unsigned measurement;
  unsigned result;
  bool more;                 /* the parameters go on in a further response */
  const uint8_t *parameters; /* into the packet; only with PL_PMD_SUCCESS */
  size_t length;
} PlPmdResponse;

/* Reads an answer to a command.  PL_SHORT without the four bytes that have to be there;
 * PL_UNEXPECTED when it is something else. */
PlStatus pl_pmd_response(PlPmdResponse *response, const uint8_t *data, size_t length);

/* Settings that are chosen from a list, by their number in the protocol. */
enum {
  PL_PMD_RATE,        /* Hz */
  PL_PMD_RESOLUTION,  /* bits */
  PL_PMD_RANGE,       /* g */
  PL_PMD_MILLI_RANGE, /* milli-g */
  PL_PMD_CHANNELS,
  PL_PMD_SETTING_COUNT
};

typedef struct {
  bool offered[PL_PMD_SETTING_COUNT];
  uint32_t value[PL_PMD_SETTING_COUNT]; /* means something where offered */
  double factor;                        /* NaN: not named */
} PlPmdSettings;

enum { PL_PMD_REQUEST_MAX = 32 };

/* Reads a list of settings and takes of each the value nearest to the one wished for, the
 * larger of two equally near ones.  Reading stops at an entry that does not fit (PL_SHORT) or
 * is not known, so that its size is not known either (PL_UNSUPPORTED); what came before is
 * kept. */
PlStatus pl_pmd_choose(PlPmdSettings *chosen, const uint8_t *parameters, size_t length,
                       const uint32_t wish[PL_PMD_SETTING_COUNT]);

/* Writes the command that starts the acceleration stream, with one value for each setting that
 * the sensor offered.  Returns the length. */
size_t pl_pmd_start_request(const PlPmdSettings *chosen, uint8_t request[PL_PMD_REQUEST_MAX]);
