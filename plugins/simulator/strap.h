/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/simulator/body.h"
#include "plugins/simulator/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A chest strap in the manner of a Polar H10: heart rate with RR intervals, and acceleration by
 * the Polar Measurement Data service.  Only bytes; links and times are in simulator.c. */

enum {
  PL_STRAP_FRAME_SAMPLES = 36,
  PL_STRAP_FRAME_SIZE = 10 + 6 * PL_STRAP_FRAME_SAMPLES,
  PL_STRAP_HEART_SIZE = 2 + 2 * 9,
  PL_STRAP_ANSWER_SIZE = 32,
  PL_STRAP_FEATURES_SIZE = 17,
  PL_STRAP_MANUFACTURER_SIZE = 4,
};

typedef struct {
  unsigned rate_hz; /* of the accelerometer; 0: no stream.  A lost link does not stop it. */
  unsigned range_g;
  unsigned samples; /* in the frame that is being filled */
  uint8_t filling[PL_STRAP_FRAME_SIZE];
  uint8_t frame[PL_STRAP_FRAME_SIZE]; /* the last one that was full */
  uint64_t boot_ns;                   /* its clock when the simulation began */
  unsigned rr_sum;                    /* of the last beats, for the rate that is shown */
  unsigned rr_count;
  uint16_t rr[5];
  unsigned advertisements;
  PlRandom random;
} PlStrap;

void pl_strap_init(PlStrap *strap, uint64_t seed);

/* To be called with each tick of the body. */
void pl_strap_tick(PlStrap *strap, const PlBody *body);

/* When the frame that is being filled will be full, in the body's time; INT64_MAX without a
 * stream. */
int64_t pl_strap_frame_full_us(const PlStrap *strap, const PlBody *body);

/* Heart Rate Measurement (2A37) with the beats since the last; the length. */
size_t pl_strap_heart(PlStrap *strap, PlBody *body, uint8_t value[PL_STRAP_HEART_SIZE]);

/* What the control point answers to a command; the length. */
size_t pl_strap_command(PlStrap *strap, const uint8_t *command, size_t length,
                        uint8_t answer[PL_STRAP_ANSWER_SIZE]);

/* What reading the control point gives. */
void pl_strap_features(uint8_t value[PL_STRAP_FEATURES_SIZE]);

/* Manufacturer data of the next advertisement, without the company. */
void pl_strap_manufacturer(PlStrap *strap, const PlBody *body,
                           uint8_t value[PL_STRAP_MANUFACTURER_SIZE]);
