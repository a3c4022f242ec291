/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/load.h"

#include <math.h>

enum { SPAN_DAYS = 30, FALLBACK_DAYS = 90, KNOWN_DAYS = 14 };

static const int64_t joined_us = 30 * 60 * INT64_C(1000000);
static const double fallback_share = 0.5, fallback_min_m = 3000, fallback_confidence = 0.4;

const char *
pl_spike_name(PlSpike spike) {
  static const char *const names[] = {"unknown", "reference", "small", "moderate", "large"};
  return names[spike];
}

PlSpike
pl_spike_of(double distance_m, double longest_m) {
  double share = distance_m / longest_m;
  if (!(longest_m > 0) || isnan(share))
    return PL_SPIKE_UNKNOWN;
  if (share <= 1.10)
    return PL_SPIKE_REFERENCE;
  if (share <= 1.30)
    return PL_SPIKE_SMALL;
  return share <= 2.00 ? PL_SPIKE_MODERATE : PL_SPIKE_LARGE;
}

/* Goes through the runs of an athlete, oldest first.  Those with less than half an hour between
 * them are one outing: somebody stopped for a coffee. */
typedef struct {
  const GArray *spans; /* of PlStoredSpan */
  guint at;
} Outings;

static bool
next_outing(Outings *outings, PlStoredSpan *outing) {
  if (outings->at == outings->spans->len)
    return false;
  *outing = g_array_index(outings->spans, PlStoredSpan, outings->at++);
  while (outings->at < outings->spans->len) {
    const PlStoredSpan *next = &g_array_index(outings->spans, PlStoredSpan, outings->at);
    if (next->start_us - outing->end_us >= joined_us)
      break;
    outing->end_us = MAX(outing->end_us, next->end_us);
    outing->distance_m += next->distance_m;
    outings->at++;
  }
  return true;
}

/* Of the outings that began in [from, to); NaN: none. */
static double
longest_of(const GArray *spans, int64_t from_us, int64_t to_us) {
  Outings outings = {.spans = spans};
  PlStoredSpan outing;
  double longest_m = NAN;
  while (next_outing(&outings, &outing))
    if (outing.start_us >= from_us && outing.start_us < to_us)
      longest_m = fmax(longest_m, outing.distance_m); /* fmax passes over NaN */
  return longest_m;
}

/* The outing that a run at `wall_us` goes on with, `distance_m` 0: none. */
static PlStoredSpan
outing_before(const GArray *spans, int64_t wall_us) {
  Outings outings = {.spans = spans};
  PlStoredSpan outing, last = {.start_us = wall_us, .end_us = wall_us};
  while (next_outing(&outings, &outing))
    if (wall_us - outing.end_us < joined_us)
      last = outing;
  return last;
}

static bool
is_known(PlStore *store, const char *athlete, const PlWall *wall, int64_t wall_us) {
  int64_t first_us = 0;
  return pl_store_first_run(store, athlete, &first_us, NULL) && first_us != 0 &&
         first_us <= pl_wall_midnight_us(wall, wall_us, KNOWN_DAYS);
}

PlHistory
pl_load_history(PlStore *store, const char *athlete, const PlWall *wall, int64_t wall_us) {
  PlHistory history = {.longest_30d_m = NAN, .confidence = NAN};
  int64_t fallback_us = pl_wall_midnight_us(wall, wall_us, FALLBACK_DAYS);
  g_autoptr(GArray) spans = pl_store_spans(store, athlete, fallback_us, wall_us, NULL);

  if (spans == NULL || !is_known(store, athlete, wall, wall_us))
    return history;
  PlStoredSpan before = outing_before(spans, wall_us);
  int64_t until_us = MIN(pl_wall_midnight_us(wall, wall_us, 0), before.start_us);
  history.before_m = before.distance_m;
  history.longest_30d_m =
      longest_of(spans, pl_wall_midnight_us(wall, wall_us, SPAN_DAYS), until_us);
  history.confidence = 1;
  if (!isnan(history.longest_30d_m))
    return history;
  double longest_m = longest_of(spans, fallback_us, until_us);
  history.longest_30d_m =
      fmax(isnan(longest_m) ? 0 : longest_m * fallback_share, fallback_min_m);
  history.confidence = fallback_confidence;
  return history;
}
