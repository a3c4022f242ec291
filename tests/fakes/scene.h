/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/engine.h"

#include <glib.h>

/* Athletes whose sensors send real bytes through the real drivers into the engine, and all that
 * comes out of it.  Times are seconds since the beginning; every packet comes in the middle of
 * its second. */

typedef enum { SCENE_STRAP, SCENE_BAND, SCENE_FOOTPOD, SCENE_TREADMILL } SceneKind;

typedef struct {
  SceneKind kind;
  int athlete;
  PlCadenceUnit learnt; /* on an earlier day */
  bool sends;           /* this and what follows may be changed at any time */
  double heart_rate_bpm;
  unsigned beats; /* RR intervals in a packet, of a strap */
  bool contact_lost;
  double speed_m_s;
  double cadence;      /* as sent */
  bool running;        /* the pod's own opinion */
  double counter_m;    /* goes on with the speed; NaN: the pod has none */
  unsigned sent;       /* packets */
  unsigned beats_sent; /* each with another length: 300 ms and 1/1024 s more for each */
} SceneSensor;

typedef struct {
  int athlete;
  double t, about;
  PlRunEventType type;
  PlRun run; /* not of candidates */
} SceneRun;

typedef struct {
  int athlete;
  double t;
  PlLap lap;
} SceneLap;

typedef struct {
  double t, since;
  PlWarningEvent event;
} SceneWarning;

typedef struct {
  PlOutlet outlet;
  PlEngine engine;
  PlEngineMemory memory;
  PlSessionConfig *sessions;
  PlEngineSensor *engine_sensors;
  PlAthleteSettings *settings; /* to be changed before scene_start(), as are these: */
  PlRunSettings run_settings;
  PlHistory history; /* of everybody, when a candidate begins */
  SceneSensor *sensors;
  size_t athlete_count, sensor_count;
  double t;
  bool keeps_records;

  /* Of all athletes. */
  GArray *runs;       /* SceneRun */
  GArray *laps;       /* SceneLap */
  GArray *warnings;   /* SceneWarning */
  GString *phases;    /* of athlete 0: " 10 warmup 194 running" */
  GString *events;    /* of sensors: " 1 joined 0" */
  GString *story;     /* of athlete 0: " 10 started@0", what and what it is about */
  PlLinkState *links; /* of the sensors, as last told */
  PlFrame *frames;    /* the newest of each */
  unsigned *frame_counts;
  GArray *records; /* PlRecord, of athlete 0: those of the last run or candidate */
  unsigned seconds;
} Scene;

/* Each of `athletes` wears a strap and a footpod, in that order, which do not send yet; the
 * pods have counters. */
Scene *scene_new(size_t athletes);
/* The same, with sensors of the test's own; their athletes are below `athletes`. */
Scene *scene_new_with(size_t athletes, const SceneSensor *sensors, size_t count);
void scene_free(Scene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scene, scene_free)

/* Makes the engine; again after a restart, then nothing of before is known to it. */
void scene_start(Scene *scene);

/* Lets whole seconds pass. */
void scene_pass(Scene *scene, unsigned seconds);

/* Sets what the sensors of an athlete send, and lets it pass: a heart rate (NaN: the strap is
 * silent) and a speed (NaN: the pod is silent) with a cadence that goes with it. */
void scene_run(Scene *scene, int athlete, unsigned seconds, double heart_rate_bpm,
               double speed_m_s);

int64_t scene_us(double t);
double scene_s(int64_t t_us);
PlAthlete *scene_athlete(Scene *scene, int athlete);
/* The `number`th run event of that type of an athlete, from 0; fails the test without it. */
const SceneRun *scene_find_run(const Scene *scene, int athlete, PlRunEventType type,
                               unsigned number);
/* All warnings of one code of athlete 0: " 92 raised 132 cleared". */
char *scene_warnings(const Scene *scene, PlWarningCode code);
const SceneLap *scene_lap(const Scene *scene, unsigned number);
