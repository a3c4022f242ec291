/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* Heart-rate zones and training impulse; heart.c names the sources of the formulas. */

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
  bool age_known;                       /* an estimate of the maximum rests on the age */
  double zone_floor_bpm[PL_ZONE_COUNT]; /* lower bounds; [0] is 0 */
  double zone_confidence;               /* below 1 where the zones hang on an estimate */
  double trimp_confidence;              /* the same of the training impulse */
  double cap_bpm;                       /* heart-rate-cap above it */
  double cap_confidence;
} PlHeartProfile;

/* False, and the profile of a person of whom nothing is known, when maximum <= resting. */
bool pl_heart_profile(PlHeartProfile *profile, const PlHeartSettings *settings);

/* 0..5; the lower bound belongs to the zone. */
int pl_heart_zone(const PlHeartProfile *profile, double heart_rate_bpm);

/* Banister's training impulse of `seconds` at this heart rate.  Of a person whose sex is not
 * known, with the coefficients for men, the smaller ones. */
double pl_heart_trimp(const PlHeartProfile *profile, double heart_rate_bpm, double seconds);

/* One strap or band: plausible values only, and the beats that have not been handed on yet. */
enum { PL_BEATS_MAX = 128 };

typedef struct {
  double heart_rate_bpm; /* NaN: none yet, or no reading */
  double confidence;
  int64_t t_us;          /* of the last packet with a reading */
  int64_t packet_us;     /* of the last packet */
  int64_t hold_until_us; /* a jump is being doubted until then */
  bool contact_lost;
  bool has_beats; /* it sends RR: a strap, not an optical band */
  unsigned beat_first, beat_count;
  float beat_ms[PL_BEATS_MAX];
  unsigned beats_lost; /* more came than could be handed on */
} PlHeartInput;

void pl_heart_input_init(PlHeartInput *input);
void pl_heart_input_add(PlHeartInput *input, int64_t t_us, const PlHeartSample *sample);

/* Takes up to `room` beats, oldest first; how many. */
unsigned pl_heart_input_take_beats(PlHeartInput *input, double *rr_ms, unsigned room);
