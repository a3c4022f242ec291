/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/summary.h"

#include "gateway/app/measure.h"

#include <math.h>
#include <string.h>

enum { TEXT_MAX = 255, MARKDOWN_MAX = 4096 };

static const double hour_s = 3600;
static const double spike_step = 1.10;
static const double well_covered = 0.8, barely_covered = 0.5;

char *
pl_summary_title(const PlSummaryContext *context, const PlRun *run) {
  g_autofree char *distance = pl_measure_distance(run->distance_m, context->units);
  g_autofree char *time = pl_measure_time(run->moving_s);
  if (run->distance_m < 1)
    return g_strdup(time);
  return g_strdup_printf("%s in %s", distance, time);
}

static double
mean(const PlRun *run, PlMetric metric) {
  return pl_tally_mean(&run->tally[metric]);
}

static char *
heart_text(const PlSummaryContext *context, const PlRun *run) {
  double average = mean(run, PL_METRIC_HEART_RATE);
  if (isnan(average))
    return NULL;
  return g_strdup_printf(context->language == PL_LANGUAGE_DE
                             ? "Herzfrequenz im Mittel %.0f, höchstens %.0f"
                             : "heart rate %.0f on average, %.0f at most",
                         average, run->tally[PL_METRIC_HEART_RATE].maximum);
}

static char *
cadence_text(const PlSummaryContext *context, const PlRun *run) {
  double average = mean(run, PL_METRIC_CADENCE);
  if (isnan(average))
    return NULL;
  return g_strdup_printf(context->language == PL_LANGUAGE_DE ? "%.0f Schritte je Minute"
                                                             : "%.0f steps a minute",
                         average);
}

/* Facts of the run, one a line; of char. */
static GPtrArray *
facts(const PlSummaryContext *context, const PlRun *run) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  if (run->distance_m >= 1 && run->moving_s > 0) {
    g_autofree char *pace = pl_measure_pace(run->distance_m / run->moving_s, context->units);
    g_autofree char *title = pl_summary_title(context, run);
    g_ptr_array_add(lines, g_strdup_printf("%s (%s)", title, pace));
  } else {
    g_ptr_array_add(lines, pl_summary_title(context, run));
  }
  char *heart = heart_text(context, run);
  if (heart != NULL)
    g_ptr_array_add(lines, heart);
  char *cadence = cadence_text(context, run);
  if (cadence != NULL)
    g_ptr_array_add(lines, cadence);
  return lines;
}

/* `text` cut to whole characters within `size` bytes. */
static void
member_text(PlJson *json, const char *key, const char *text, size_t size) {
  size_t length = strlen(text);
  while (length > size ||
         (length > 0 && length < strlen(text) && (text[length] & 0xc0) == 0x80))
    length--;
  g_autofree char *cut = g_strndup(text, length);
  pl_json_member_string(json, key, cut);
}

static void
texts(PlJson *json, const PlSummaryContext *context, const PlRun *run) {
  g_autofree char *title = pl_summary_title(context, run);
  g_autoptr(GPtrArray) lines = facts(context, run);
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GString) markdown = g_string_new(NULL);

  g_string_append_printf(markdown, "**%s**\n\n", title);
  for (guint i = 0; i < lines->len; i++) {
    g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)lines->pdata[i]);
    g_string_append_printf(markdown, "- %s\n", (char *)lines->pdata[i]);
  }
  g_string_append_c(text, '.');
  pl_json_member_string(json, "title", title);
  member_text(json, "text", text->str, TEXT_MAX);
  member_text(json, "markdown", markdown->str, MARKDOWN_MAX);
}

static void
metrics(PlJson *json, const PlRun *run) {
  for (int m = 0; m < PL_METRIC_COUNT; m++) {
    const PlMetricDef *def = &pl_metrics[m];
    const PlTally *tally = &run->tally[m];
    if (tally->weight_s <= 0 || def->aggregate != PL_AGGREGATE_MEAN)
      continue;
    pl_json_member_object(json, def->id);
    pl_json_member_number(json, "mean", pl_tally_mean(tally), def->decimals);
    pl_json_member_number(json, "max", tally->maximum, def->decimals);
    pl_json_member_number(json, "min", tally->minimum, def->decimals);
    pl_json_object_end(json);
  }
}

/* What the training impulse of a run has to be divided by where the heart rate was lost for a
 * part of it (H2); NaN when too much is missing for an estimate. */
static double
impulse_share(double coverage) {
  if (coverage >= well_covered)
    return 1;
  return coverage >= barely_covered ? coverage : NAN;
}

/* Training load of the heart: hrTSS is the impulse against that of an hour at threshold (H5).
 */
static void
heart_load(PlJson *json, const PlSummaryContext *context, const PlRun *run) {
  double coverage = pl_run_heart_coverage(run);
  if (coverage <= 0)
    return;
  double of_hour = pl_heart_trimp(context->heart, context->heart->threshold_bpm, hour_s);
  double share = impulse_share(coverage);
  pl_json_member_array(json, "zones_s");
  for (int z = 0; z < PL_ZONE_COUNT; z++)
    pl_json_number(json, run->zone_s[z], 0);
  pl_json_array_end(json);
  pl_json_member_number(json, "trimp", run->trimp / share, 1);
  pl_json_member_number(json, "trimp_edwards", run->trimp_edwards / share, 1);
  pl_json_member_number(json, "trimp_lucia", run->trimp_lucia / share, 1);
  if (of_hour > 0)
    pl_json_member_number(json, "hr_tss", 100 * run->trimp / share / of_hour, 1);
  pl_json_member_number(json, "efficiency_m_per_beat",
                        60 * mean(run, PL_METRIC_SPEED) / mean(run, PL_METRIC_HEART_RATE), 3);
}

static void
load(PlJson *json, const PlSummaryContext *context, const PlRun *run) {
  double longest_m = context->history.longest_30d_m;
  double outing_m = context->history.before_m + run->distance_m;
  pl_json_member_object(json, "load");
  pl_json_member_string(json, "spike_state", pl_spike_name(pl_spike_of(outing_m, longest_m)));
  pl_json_member_number(json, "longest_30d_m", longest_m, 1);
  if (!isnan(longest_m))
    pl_json_member_number(json, "next_run_limit_m", spike_step * fmax(longest_m, outing_m), 1);
  pl_json_object_end(json);
}

static void
laps(PlJson *json, const PlSummaryContext *context) {
  pl_json_member_array(json, "laps");
  for (guint i = 0; i < context->laps->len; i++) {
    const char *lap = context->laps->pdata[i];
    pl_json_raw(json, lap, strlen(lap));
  }
  pl_json_array_end(json);
}

static void
warnings(PlJson *json, const PlSummaryContext *context) {
  const PlWarningTotals *totals = context->warnings;
  pl_json_member_array(json, "warnings");
  for (int w = 0; w < PL_WARNING_COUNT; w++) {
    if (totals->count[w] == 0)
      continue;
    pl_json_object(json);
    pl_json_member_string(json, "code", pl_warnings[w].code);
    pl_json_member_unsigned(json, "count", totals->count[w]);
    pl_json_member_number(json, "first_s", totals->first_s[w], 0);
    pl_json_member_number(json, "seconds", totals->seconds[w], 0);
    pl_json_object_end(json);
  }
  pl_json_array_end(json);
}

static void
coverage(PlJson *json, const PlSummaryContext *context, const PlRun *run) {
  pl_json_member_object(json, "coverage");
  for (guint i = 0; i < context->sensors->len; i++) {
    const PlSensorShare *of = &g_array_index(context->sensors, PlSensorShare, i);
    pl_json_member_number(json, of->sensor, 100 * of->share, 1);
  }
  for (int m = 0; m < PL_METRIC_COUNT; m++)
    if (run->covered_s[m] > 0 && run->records_s > 0)
      pl_json_member_number(json, pl_metrics[m].id, 100 * run->covered_s[m] / run->records_s,
                            1);
  pl_json_object_end(json);
}

static void
advice(PlJson *json, const PlSummaryContext *context, const PlRun *run) {
  PlSpike spike =
      pl_spike_of(context->history.before_m + run->distance_m, context->history.longest_30d_m);
  pl_json_member_array(json, "advice");
  if (spike >= PL_SPIKE_SMALL) {
    pl_json_object(json);
    pl_json_member_string(json, "text",
                          context->language == PL_LANGUAGE_DE
                              ? "Das war weiter als zuletzt üblich. Der nächste Lauf darf "
                                "kürzer sein."
                              : "This was further than your last weeks. Let the next run be "
                                "shorter.");
    pl_json_member_string(json, "evidence", "moderate");
    pl_json_object_end(json);
  }
  pl_json_array_end(json);
}

void
pl_payload_summary(PlJson *json, const PlStamp *stamp, const PlSummaryContext *context,
                   const PlRun *run) {
  pl_json_object(json);
  pl_payload_stamp(json, stamp);
  pl_json_member_string(json, "run", context->run);
  pl_json_member_string(json, "athlete", context->athlete);
  pl_json_member_time(json, "start", context->start_ms);
  pl_json_member_time(json, "end", context->end_ms);
  pl_json_member_number(json, "moving_s", run->moving_s, 0);
  pl_json_member_number(json, "elapsed_s", run->elapsed_s, 0);
  pl_json_member_number(json, "distance_m", run->distance_m, 1);
  pl_json_member_number(json, "steps", run->steps, 0);
  pl_json_member_string(json, "shoe", context->shoe);
  metrics(json, run);
  heart_load(json, context, run);
  load(json, context, run);
  laps(json, context);
  warnings(json, context);
  coverage(json, context, run);
  texts(json, context, run);
  advice(json, context, run);
  pl_json_object_end(json);
}
