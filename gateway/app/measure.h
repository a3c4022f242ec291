/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"

/* Quantities for people, in their units.  The caller frees the text. */

/* "10.74 km", "6.67 mi". */
char *pl_measure_distance(double metres, PlUnits units);

/* "48:42", "1:02:03". */
char *pl_measure_time(double seconds);

/* "4:32 /km"; "-" below 0.5 m/s and for NaN. */
char *pl_measure_pace(double speed_m_s, PlUnits units);
