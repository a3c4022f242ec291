/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* Running Speed and Cadence has one field "cadence", 1/min, in which some sensors send steps
 * and others strides (two steps), and one field "stride length" with the same trouble.  Nothing
 * in the packets says which.  This finds out, sensor by sensor; how stands in cadence.c. */

typedef enum {
  PL_CADENCE_AUTO, /* find out */
  PL_CADENCE_STEPS,
  PL_CADENCE_STRIDES,
} PlCadenceUnit;

/* Everything that is known of one sensor; plain data. */
typedef struct {
  PlCadenceUnit fixed;  /* by configuration; nothing is learnt then */
  PlCadenceUnit latch;  /* what it is taken to be; AUTO: not known yet */
  bool proven;          /* by votes that can not be wrong */
  PlCadenceUnit streak; /* what the last votes were for */
  unsigned votes;       /* in a row */
  unsigned proofs;      /* of these, such as can not be wrong */
} PlCadence;

/* `configured`: AUTO to find out.  `stored`: what pl_cadence_learnt() gave on an earlier day.
 * `name`: as advertised, may be NULL; some are known to send the one or the other. */
void pl_cadence_init(PlCadence *cadence, PlCadenceUnit configured, PlCadenceUnit stored,
                     const char *name);

/* Learns from one packet and returns its steps a minute, NaN when `raw` is.  The others may be
 * NaN: speed in m/s and length in m as sent, and the step rate that a motion sensor on the body
 * measured meanwhile, which settles it. */
double pl_cadence_steps(PlCadence *cadence, double raw, double speed_m_s, double length_m,
                        double motion_spm);

/* The length of a step in m.  `steps` is what pl_cadence_steps() made of `raw`.  NaN when
 * nothing tells, or when the length as sent fits neither a step nor a stride. */
double pl_cadence_step_length(double raw, double steps, double speed_m_s, double length_m);

/* What is worth storing for the next time; AUTO while nothing is proven. */
PlCadenceUnit pl_cadence_learnt(const PlCadence *cadence);
