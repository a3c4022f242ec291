/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/e2e/radio/sensor.h"

/* The peripheral's end of a link: for sensor.c only. */

void radio_link_init(RadioSensor *sensor);
void radio_link_clear(RadioSensor *sensor);

/* Ends the link; what was still to be sent is counted and noted as lost. */
void radio_link_drop(RadioSensor *sensor);

/* Sends what is due, in order; returns when the next is. */
int64_t radio_link_flush(RadioSensor *sensor, int64_t now);

/* The first characteristic of the sensor's own services that the central subscribed to, or
 * NULL. */
const RadioAttribute *radio_link_first_subscribed(const RadioSensor *sensor);
