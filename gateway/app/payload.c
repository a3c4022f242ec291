/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/payload.h"

#include "gateway/app/text.h"

#include <math.h>

enum { VERSION = 1 };

void
pl_payload_stamp(PlJson *json, const PlStamp *stamp) {
  pl_json_member_integer(json, "v", VERSION);
  pl_json_member_time(json, "time", stamp->wall_ms);
  pl_json_member_unsigned(json, "seq", stamp->seq);
  pl_json_member_string(json, "gateway", stamp->gateway);
  pl_json_member_string(json, "clock", stamp->synced ? "synced" : "unsynced");
}

static void
metric_member(PlJson *json, PlMetric metric, double value) {
  pl_json_member_number(json, pl_metrics[metric].id, value, pl_metrics[metric].decimals);
}

static bool
is_published(const PlRecord *record, int metric) {
  return !isnan(record->value[metric]) && record->confidence[metric] > 0;
}

static void
live_run(PlJson *json, const char *run, const PlFrame *frame) {
  if (!frame->in_run)
    return;
  pl_json_member_string(json, "run", run);
  pl_json_member_number(json, "elapsed_s", frame->elapsed_s, 0);
  pl_json_member_number(json, "moving_s", frame->moving_s, 0);
  pl_json_member_number(json, "distance_m", frame->distance_m, 1);
  pl_json_member_number(json, "steps", frame->steps, 0);
}

static void
live_beats(PlJson *json, const PlRecord *record) {
  if (record->rr_count == 0)
    return;
  pl_json_member_array(json, "rr_ms");
  for (unsigned i = 0; i < record->rr_count; i++)
    pl_json_number(json, record->rr_ms[i], 3);
  pl_json_array_end(json);
}

static void
live_confidence(PlJson *json, const PlRecord *record) {
  pl_json_member_object(json, "confidence");
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (is_published(record, m) && record->confidence[m] < 1)
      pl_json_member_number(json, pl_metrics[m].id, (double)record->confidence[m], 3);
  pl_json_object_end(json);
}

static void
live_missing(PlJson *json, const PlFrame *frame) {
  pl_json_member_object(json, "missing");
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (frame->missing[m] != PL_MISSING_NOT)
      pl_json_member_string(json, pl_metrics[m].id, pl_missing_name(frame->missing[m]));
  pl_json_object_end(json);
}

static void
warning_codes(PlJson *json, const char *key, uint64_t active) {
  pl_json_member_array(json, key);
  for (int w = 0; w < PL_WARNING_COUNT; w++)
    if (active & UINT64_C(1) << w)
      pl_json_string(json, pl_warnings[w].code);
  pl_json_array_end(json);
}

void
pl_payload_live(PlJson *json, const PlStamp *stamp, const char *athlete, const char *run,
                const PlFrame *frame) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "athlete", athlete);
  pl_json_member_string(json, "phase", pl_phase_name(frame->phase));
  live_run(json, run, frame);
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (is_published(&frame->record, m))
      metric_member(json, (PlMetric)m, frame->record.value[m]);
  live_beats(json, &frame->record);
  live_confidence(json, &frame->record);
  live_missing(json, frame);
  warning_codes(json, "warnings", frame->warnings);
  pl_json_object_end(json);
}

void
pl_payload_warning(PlJson *json, const PlStamp *stamp, const PlWarningContext *context,
                   const PlWarningEvent *event) {
  const PlWarningDef *def = &pl_warnings[event->code];
  PlWarningText text;

  pl_text_warning(event, context->language, &text);
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "athlete", context->athlete);
  pl_json_member_string(json, "run", context->run);
  pl_json_member_string(json, "id", context->id);
  pl_json_member_string(json, "code", def->code);
  pl_json_member_string(json, "state", pl_warning_state_name(event->state));
  pl_json_member_string(json, "severity", pl_severity_name(def->severity));
  pl_json_member_string(json, "title", text.title);
  pl_json_member_string(json, "advice", *text.advice == '\0' ? NULL : text.advice);
  if (def->unit != NULL) {
    pl_json_member_number(json, "value", event->value, def->decimals);
    pl_json_member_string(json, "unit", def->unit);
    pl_json_member_number(json, "baseline", event->baseline, def->decimals);
    pl_json_member_number(json, "limit", event->limit, def->decimals);
    pl_json_member_number(json, "z", event->z, 3);
  }
  pl_json_member_time(json, "since", context->since_ms);
  pl_json_member_string(json, "evidence", pl_evidence_name(def->evidence));
  pl_json_member_number(json, "confidence", event->confidence, 3);
  pl_json_member_array(json, "inputs");
  for (size_t i = 0; context->inputs[i] != NULL; i++)
    pl_json_string(json, context->inputs[i]);
  pl_json_array_end(json);
  pl_json_object_end(json);
}

void
pl_payload_warnings(PlJson *json, const PlStamp *stamp, uint64_t active) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  warning_codes(json, "active", active);
  pl_json_object_end(json);
}

void
pl_payload_lap_members(PlJson *json, const PlLap *lap, int64_t start_ms) {
  pl_json_member_unsigned(json, "number", lap->number);
  pl_json_member_time(json, "start", start_ms);
  pl_json_member_number(json, "elapsed_s", lap->elapsed_s, 0);
  pl_json_member_number(json, "moving_s", lap->moving_s, 0);
  pl_json_member_number(json, "distance_m", lap->distance_m, 1);
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (pl_metrics[m].aggregate == PL_AGGREGATE_MEAN)
      metric_member(json, (PlMetric)m, pl_tally_mean(&lap->tally[m]));
}

void
pl_payload_lap(PlJson *json, const PlStamp *stamp, const char *athlete, const char *run,
               const PlLap *lap, int64_t start_ms) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "athlete", athlete);
  pl_json_member_string(json, "run", run);
  pl_payload_lap_members(json, lap, start_ms);
  pl_json_object_end(json);
}

void
pl_payload_sensor(PlJson *json, const PlStamp *stamp, const PlSensorContext *context,
                  const PlSensorState *state) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "link", pl_link_state_name(state->link));
  pl_json_member_string(json, "athlete", context->athlete);
  pl_json_member_number(json, "battery_pct", state->battery_pct, 0);
  if (state->rssi_dbm != 0)
    pl_json_member_integer(json, "rssi_dbm", state->rssi_dbm);
  if (state->link == PL_LINK_STATE_STREAMING) {
    pl_json_member_number(json, "rate_hz", state->rate_hz, 1);
    pl_json_member_number(json, "loss_pct", state->loss_pct, 1);
  }
  pl_json_member_string(json, "model", context->model);
  pl_json_member_string(json, "firmware", context->firmware);
  pl_json_object_end(json);
}

void
pl_payload_athlete(PlJson *json, const PlStamp *stamp, PlPhase phase, const char *run,
                   int64_t since_ms, const char *const *sensors, size_t sensor_count) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "phase", pl_phase_name(phase));
  pl_json_member_string(json, "run", run);
  pl_json_member_time(json, "since", since_ms);
  pl_json_member_array(json, "sensors");
  for (size_t i = 0; i < sensor_count; i++)
    pl_json_string(json, sensors[i]);
  pl_json_array_end(json);
  pl_json_object_end(json);
}

void
pl_payload_event(PlJson *json, const PlStamp *stamp, const char *code, const char *athlete,
                 const char *run, const char *sensor, const char *text) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "code", code);
  pl_json_member_string(json, "athlete", athlete);
  pl_json_member_string(json, "run", run);
  pl_json_member_string(json, "sensor", sensor);
  pl_json_member_string(json, "text", text);
  pl_json_object_end(json);
}

unsigned
pl_payload_attention(const PlFrame *frame) {
  unsigned attention = 0;
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (frame->missing[m] == PL_MISSING_STALE && frame->in_run)
      attention = 1;
  for (int w = 0; w < PL_WARNING_COUNT; w++)
    if (frame->warnings & UINT64_C(1) << w && pl_warnings[w].severity + 1u > attention)
      attention = pl_warnings[w].severity + 1u;
  return attention;
}

void
pl_payload_board_row(PlJson *json, const char *athlete, const PlFrame *frame,
                     unsigned attention, double age_s) {
  static const PlMetric shown[] = {PL_METRIC_HEART_RATE, PL_METRIC_HEART_ZONE, PL_METRIC_SPEED};
  pl_json_object(json);
  pl_json_member_string(json, "athlete", athlete);
  pl_json_member_string(json, "phase", pl_phase_name(frame->phase));
  for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
    if (is_published(&frame->record, shown[i]))
      metric_member(json, shown[i], frame->record.value[shown[i]]);
  if (frame->in_run)
    pl_json_member_number(json, "distance_m", frame->distance_m, 1);
  warning_codes(json, "warnings", frame->warnings);
  pl_json_member_unsigned(json, "attention", attention);
  pl_json_member_number(json, "age_s", age_s, 0);
  pl_json_object_end(json);
}
