/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"
#include "gateway/core/frame.h"
#include "gateway/core/json.h"
#include "gateway/core/run.h"
#include "gateway/core/session.h"
#include "gateway/core/warning.h"

#include <stdbool.h>
#include <stdint.h>

/* The JSON of the messages (plumbline-mqtt(7)): pure text, no topic, no clock.  Everything
 * that is not known is left out. */

enum {
  PL_PAYLOAD_SIZE = 8 * 1024,          /* the largest of them but for the next three */
  PL_PAYLOAD_ROW_SIZE = 1024,          /* of a row of the board */
  PL_PAYLOAD_ID_SIZE = 40,             /* of a name in a list */
  PL_PAYLOAD_SUMMARY_SIZE = 32 * 1024, /* without the laps and the sensors */
};

/* What stands at the head of a message. */
typedef struct {
  const char *gateway;
  uint64_t seq;
  int64_t wall_ms;
  bool synced;
} PlStamp;

void pl_payload_stamp(PlJson *json, const PlStamp *stamp);

/* `run`: NULL outside a run. */
void pl_payload_live(PlJson *json, const PlStamp *stamp, const char *athlete, const char *run,
                     const PlFrame *frame);

/* One transition of a warning.  `since_ms` is wall time; `inputs`: metrics and sensors, NULL
 * at the end. */
typedef struct {
  const char *athlete, *run, *id;
  int64_t since_ms;
  const char *const *inputs;
  PlLanguage language;
} PlWarningContext;

void pl_payload_warning(PlJson *json, const PlStamp *stamp, const PlWarningContext *context,
                        const PlWarningEvent *event);
void pl_payload_warnings(PlJson *json, const PlStamp *stamp, uint64_t active);

/* Without the head, as in a summary. */
void pl_payload_lap_members(PlJson *json, const PlLap *lap, int64_t start_ms);
void pl_payload_lap(PlJson *json, const PlStamp *stamp, const char *athlete, const char *run,
                    const PlLap *lap, int64_t start_ms);

typedef struct {
  const char *athlete;          /* NULL: nobody wears it */
  const char *model, *firmware; /* NULL: unknown */
} PlSensorContext;

void pl_payload_sensor(PlJson *json, const PlStamp *stamp, const PlSensorContext *context,
                       const PlSensorState *state);

void pl_payload_athlete(PlJson *json, const PlStamp *stamp, PlPhase phase, const char *run,
                        int64_t since_ms, const char *const *sensors, size_t sensor_count);

/* `athlete`, `run` and `sensor` may be NULL. */
void pl_payload_event(PlJson *json, const PlStamp *stamp, const char *code, const char *athlete,
                      const char *run, const char *sensor, const char *text);

/* A row of the board; the caller opens the message and the array. */
void pl_payload_board_row(PlJson *json, const char *athlete, const PlFrame *frame,
                          unsigned attention, double age_s);

/* Attention an athlete needs: 0 none, then as the severest active warning, at least 1 when a
 * value that should be there is lost. */
unsigned pl_payload_attention(const PlFrame *frame);
