/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* Heart-rate zones and training impulse (science.md H1-H5). */

enum { PL_ZONE_COUNT = 6 }; /* 0 below zone 1; 1 to 5 */

typedef enum { PL_SEX_UNKNOWN, PL_SEX_FEMALE, PL_SEX_MALE } PlSex;
typedef enum { PL_EFFORT_FREE, PL_EFFORT_EASY } PlEffort;
typedef enum { PL_ZONES_AUTO, PL_ZONES_MAX, PL_ZONES_RESERVE, PL_ZONES_THRESHOLD } PlZoneScheme;

/* What is known of a person; NaN where the configuration says nothing. */
typedef struct {
  PlSex sex;
  double age_years;
  double max_heart_rate_bpm, resting_heart_rate_bpm, threshold_heart_rate_bpm;
  PlEffort effort;
  PlZoneScheme zones;
} PlHeartSettings;

/* The same with the gaps filled in by formula, and the limits worked out. */
typedef struct {
  PlSex sex;
  double maximum_bpm, resting_bpm, threshold_bpm;
  bool maximum_estimated, resting_estimated, threshold_estimated;
  double zone_floor_bpm[PL_ZONE_COUNT]; /* lower bound of zones 1..5; [0] is 0 */
  double cap_bpm;                       /* above it, heart-rate-cap */
  double zone_confidence;               /* 0.4 with an estimated maximum */
} PlHeartProfile;

/* False, and the profile of an unknown adult, when maximum <= resting. */
bool pl_heart_profile(PlHeartProfile *profile, const PlHeartSettings *settings);

/* 0..5; the lower bound belongs to the zone. */
int pl_heart_zone(const PlHeartProfile *profile, double heart_rate_bpm);

/* Banister's training impulse of `seconds` at this heart rate (H2, sex specific). */
double pl_heart_trimp(const PlHeartProfile *profile, double heart_rate_bpm, double seconds);
