/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/load.h"

#include <math.h>

enum { SPAN_DAYS = 30, FALLBACK_DAYS = 90, KNOWN_DAYS = 14 };

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

PlHistory
pl_load_history(PlStore *store, const char *athlete, const PlWall *wall, int64_t wall_us) {
  PlHistory history = {.longest_30d_m = NAN, .confidence = NAN};
  int64_t today_us = pl_wall_midnight_us(wall, wall_us, 0);
  int64_t first_us = 0;
  double longest_m = NAN;

  if (!pl_store_first_run(store, athlete, &first_us, NULL) || first_us == 0 ||
      first_us > pl_wall_midnight_us(wall, wall_us, KNOWN_DAYS))
    return history;
  if (!pl_store_longest_run(store, athlete, pl_wall_midnight_us(wall, wall_us, SPAN_DAYS),
                            today_us, &longest_m, NULL))
    return history;
  history.longest_30d_m = longest_m;
  history.confidence = 1;
  if (!isnan(longest_m))
    return history;
  if (!pl_store_longest_run(store, athlete, pl_wall_midnight_us(wall, wall_us, FALLBACK_DAYS),
                            today_us, &longest_m, NULL))
    return history;
  history.longest_30d_m =
      fmax(isnan(longest_m) ? 0 : longest_m * fallback_share, fallback_min_m);
  history.confidence = fallback_confidence;
  return history;
}
