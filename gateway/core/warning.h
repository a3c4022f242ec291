/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The warnings, by falling priority. */
typedef enum {
  PL_WARNING_RED_FLAG,
  PL_WARNING_PAIN_STOP,
  PL_WARNING_DISTANCE_SPIKE,
  PL_WARNING_SENSOR_PROBLEM,
  PL_WARNING_FORM_FADING,
  PL_WARNING_TRUNK_LEAN_DRIFT,
  PL_WARNING_LUMBAR_ROUNDING,
  PL_WARNING_LUMBAR_ARCHING,
  PL_WARNING_PELVIC_DROP,
  PL_WARNING_TRUNK_LEAN,
  PL_WARNING_TRUNK_LEAN_BACK,
  PL_WARNING_SIDE_LEAN,
  PL_WARNING_CADENCE_DROP,
  PL_WARNING_IMPACT_RISE,
  PL_WARNING_SWAY_RISE,
  PL_WARNING_HEART_RATE_CAP,
  PL_WARNING_HEART_DRIFT,
  PL_WARNING_EFFORT_HIGH,
  PL_WARNING_HEAD_DOWN,
  PL_WARNING_SHOULDER_ROUNDING,
  PL_WARNING_COUNT
} PlWarningCode;

typedef enum {
  PL_SEVERITY_INFO,
  PL_SEVERITY_WATCH,
  PL_SEVERITY_ACT,
  PL_SEVERITY_CRITICAL
} PlSeverity;

typedef enum {
  PL_EVIDENCE_CONVENTION,
  PL_EVIDENCE_WEAK,
  PL_EVIDENCE_MODERATE,
  PL_EVIDENCE_STRONG,
} PlEvidence;

typedef enum {
  PL_WARNING_RAISED,
  PL_WARNING_CLEARED,
  PL_WARNING_SUPPRESSED,
  PL_WARNING_ACKNOWLEDGED,
} PlWarningState;

/* Thresholds; times in seconds.  NaN where the code has no such threshold, or a person's own
 * value takes its place. */
typedef struct {
  bool enabled;
  double enter, exit;
  double hold_s, clear_s, cooldown_s;
} PlWarningLimits;

typedef struct {
  const char *code; /* "distance-spike" */
  const char *unit; /* "m"; NULL without a value */
  unsigned decimals;
  PlSeverity severity;
  PlEvidence evidence;
  PlWarningLimits limits;
} PlWarningDef;

extern const PlWarningDef pl_warnings[PL_WARNING_COUNT];

/* The warning of that code, or -1. */
int pl_warning_find(const char *code);

const char *pl_severity_name(PlSeverity severity);
const char *pl_evidence_name(PlEvidence evidence);
const char *pl_warning_state_name(PlWarningState state);

/* The state of that name, or -1. */
int pl_warning_state_find(const char *name);

/* One transition of one warning. */
typedef struct {
  int athlete;
  int sensor; /* whose fault it is; -1: nobody's */
  bool ahead; /* the limit is not reached yet: a notice */
  PlWarningCode code;
  PlWarningState state;
  unsigned
      episode; /* counts up through the life of the engine: one id for raised and cleared */
  int64_t t_us;
  int64_t since_us;                             /* when the episode began */
  double value, baseline, limit, z, confidence; /* NaN where there is none */
} PlWarningEvent;

/* The machine of one warning: on after `hold` seconds at or above enter, off after `clear`
 * seconds below exit; a value that is not known freezes it and restarts the hold.
 */
typedef struct {
  bool on;
  double held_s, cleared_s;
  int64_t last_emitted_us;
} PlWarningMachine;

void pl_warning_machine_init(PlWarningMachine *machine);

/* One second with `value` (NaN: not known).  True when a transition has to be announced, then
 * `state` says which: raised, suppressed (inside the cooldown) or cleared. */
bool pl_warning_machine_step(PlWarningMachine *machine, const PlWarningLimits *limits,
                             double value, int64_t t_us, PlWarningState *state);
