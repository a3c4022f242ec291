/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/warning.h"

#include "gateway/core/sample.h"

#include <math.h>
#include <string.h>

#define NONE NAN

/* Thresholds are in the unit of the value where it is compared with a fixed number, and a
 * change or a factor against the runner's own baseline for the warnings of form; NaN where a
 * person's own limit takes the place. */
/* clang-format off */
const PlWarningDef pl_warnings[PL_WARNING_COUNT] = {
  /*                                code                  unit     dec  severity              evidence                   enabled enter  exit  hold clear cooldown */
  [PL_WARNING_RED_FLAG]          = {"red-flag",           NULL,    0, PL_SEVERITY_CRITICAL, PL_EVIDENCE_CONVENTION, {true, NONE,  NONE,   0,   0,    0}},
  [PL_WARNING_PAIN_STOP]         = {"pain-stop",          "score", 0, PL_SEVERITY_CRITICAL, PL_EVIDENCE_CONVENTION, {true, 6,     NONE,   0,   0,  300}},
  [PL_WARNING_DISTANCE_SPIKE]    = {"distance-spike",     "m",     1, PL_SEVERITY_ACT,      PL_EVIDENCE_MODERATE,   {true, 1.10,  NONE,   0,   0,    0}},
  [PL_WARNING_SENSOR_PROBLEM]    = {"sensor-problem",     NULL,    0, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, NONE,  NONE,  10,  10,  300}},
  [PL_WARNING_FORM_FADING]       = {"form-fading",        "count", 0, PL_SEVERITY_ACT,      PL_EVIDENCE_WEAK,       {true, 2,     2,      0,   0,  300}},
  [PL_WARNING_TRUNK_LEAN_DRIFT]  = {"trunk-lean-drift",   "deg",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 4,     2.5,   30,  20,  300}},
  [PL_WARNING_LUMBAR_ROUNDING]   = {"lumbar-rounding",    "deg",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 5,     3,     30,  20,  300}},
  [PL_WARNING_LUMBAR_ARCHING]    = {"lumbar-arching",     "deg",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 5,     3,     30,  20,  300}},
  [PL_WARNING_PELVIC_DROP]       = {"pelvic-drop",        "deg",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 3,     2,     45,  30,  300}},
  [PL_WARNING_TRUNK_LEAN]        = {"trunk-lean",         "deg",   1, PL_SEVERITY_INFO,     PL_EVIDENCE_WEAK,       {true, 15,    12,    60,  30,  600}},
  [PL_WARNING_TRUNK_LEAN_BACK]   = {"trunk-lean-back",    "deg",   1, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, 3,     1,     60,  30,  600}},
  [PL_WARNING_SIDE_LEAN]         = {"side-lean",          "deg",   1, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, 3,     2,     60,  30,  600}},
  [PL_WARNING_CADENCE_DROP]      = {"cadence-drop",       "spm",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 0.95,  0.97,  60,  30,  600}},
  [PL_WARNING_IMPACT_RISE]       = {"impact-rise",        "g",     3, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 1.10,  1.07,  60,  30,  600}},
  [PL_WARNING_SWAY_RISE]         = {"sway-rise",          "ratio", 3, PL_SEVERITY_WATCH,    PL_EVIDENCE_WEAK,       {true, 1.20,  1.13,  60,  30,  600}},
  [PL_WARNING_HEART_RATE_CAP]    = {"heart-rate-cap",     "bpm",   1, PL_SEVERITY_WATCH,    PL_EVIDENCE_CONVENTION, {true, NONE,  NONE,  60,  30,  300}},
  [PL_WARNING_HEART_DRIFT]       = {"heart-drift",        "%",     1, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, 5,     4,    120,   0,    0}},
  [PL_WARNING_EFFORT_HIGH]       = {"effort-high",        "ratio", 3, PL_SEVERITY_INFO,     PL_EVIDENCE_WEAK,       {true, 0.50,  0.55, 120,  60,  600}},
  [PL_WARNING_HEAD_DOWN]         = {"head-down",          "deg",   1, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, 20,    14,    20,  10,  600}},
  [PL_WARNING_SHOULDER_ROUNDING] = {"shoulder-rounding",  "deg",   1, PL_SEVERITY_INFO,     PL_EVIDENCE_CONVENTION, {true, 6,     4,     60,  30,  600}},
};
/* clang-format on */

int
pl_warning_find(const char *code) {
  for (int i = 0; i < PL_WARNING_COUNT; i++)
    if (strcmp(pl_warnings[i].code, code) == 0)
      return i;
  return -1;
}

const char *
pl_severity_name(PlSeverity severity) {
  static const char *const names[] = {"info", "watch", "act", "critical"};
  return (unsigned)severity <= PL_SEVERITY_CRITICAL ? names[severity] : "?";
}

const char *
pl_evidence_name(PlEvidence evidence) {
  static const char *const names[] = {"convention", "weak", "moderate", "strong"};
  return (unsigned)evidence <= PL_EVIDENCE_STRONG ? names[evidence] : "?";
}

static const char *const state_names[] = {"raised", "cleared", "suppressed", "acknowledged"};

const char *
pl_warning_state_name(PlWarningState state) {
  return (unsigned)state <= PL_WARNING_ACKNOWLEDGED ? state_names[state] : "?";
}

int
pl_warning_state_find(const char *name) {
  for (int i = 0; i <= PL_WARNING_ACKNOWLEDGED; i++)
    if (strcmp(state_names[i], name) == 0)
      return i;
  return -1;
}

void
pl_warning_machine_init(PlWarningMachine *machine) {
  *machine = (PlWarningMachine){.last_emitted_us = PL_NO_TIME};
}

static bool
cooling_down(const PlWarningMachine *machine, const PlWarningLimits *limits, int64_t t_us) {
  return machine->last_emitted_us != PL_NO_TIME &&
         (double)(t_us - machine->last_emitted_us) < limits->cooldown_s * 1e6;
}

static bool
switch_on(PlWarningMachine *machine, const PlWarningLimits *limits, int64_t t_us,
          PlWarningState *state) {
  machine->on = true;
  machine->cleared_s = 0;
  *state = cooling_down(machine, limits, t_us) ? PL_WARNING_SUPPRESSED : PL_WARNING_RAISED;
  if (*state == PL_WARNING_RAISED)
    machine->last_emitted_us = t_us;
  return true;
}

bool
pl_warning_machine_step(PlWarningMachine *machine, const PlWarningLimits *limits, double value,
                        int64_t t_us, PlWarningState *state) {
  if (isnan(value)) {
    machine->held_s = 0;
    return false;
  }
  if (!machine->on) {
    machine->held_s = value >= limits->enter ? machine->held_s + 1 : 0;
    if (machine->held_s == 0 || machine->held_s < limits->hold_s)
      return false;
    machine->held_s = 0;
    return switch_on(machine, limits, t_us, state);
  }
  machine->cleared_s = value < limits->exit ? machine->cleared_s + 1 : 0;
  if (machine->cleared_s == 0 || machine->cleared_s < limits->clear_s)
    return false;
  machine->on = false;
  *state = PL_WARNING_CLEARED;
  return true;
}
