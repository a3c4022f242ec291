/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/simulator/simulator.h"

/* The sensors' attribute tables, and the queues of what they are about to say. */

typedef enum {
  PL_SIMULATOR_HEART_RATE,
  PL_SIMULATOR_BODY_LOCATION,
  PL_SIMULATOR_PMD_CONTROL,
  PL_SIMULATOR_PMD_DATA,
  PL_SIMULATOR_RSC,
  PL_SIMULATOR_RSC_FEATURE,
  PL_SIMULATOR_RSC_LOCATION,
  PL_SIMULATOR_CHARACTERISTICS
} PlSimulatorCharacteristic;

/* The characteristic of that UUID on that kind of sensor, or -1. */
int pl_simulator_characteristic(PlSimulatorKind kind, const PlUuid *uuid);

bool pl_simulator_has(PlSimulatorKind kind, PlSimulatorCharacteristic characteristic);
const PlUuid *pl_simulator_uuid(PlSimulatorCharacteristic characteristic);
bool pl_simulator_can_notify(PlSimulatorCharacteristic characteristic);

/* The value of a characteristic that can be read; its length, 0: it can not. */
size_t pl_simulator_read(PlSimulatorCharacteristic characteristic,
                         uint8_t value[PL_STRAP_ANSWER_SIZE]);

void pl_simulator_describe(PlSimulatorKind kind, unsigned runner, unsigned runners,
                           PlSimulatorSensor *description);

/* Adds an answer, not earlier than the one before it.  One that finds the queue full is lost,
 * as when somebody floods a sensor. */
void pl_simulator_queue_add(PlSimulatorQueue *queue, const PlSimulatorAnswer *answer);
void pl_simulator_queue_clear(PlSimulatorQueue *queue);
/* The first answer, or NULL. */
const PlSimulatorAnswer *pl_simulator_queue_first(const PlSimulatorQueue *queue);
void pl_simulator_queue_drop_first(PlSimulatorQueue *queue);

/* What simulator.c and requests.c share. */

/* Fills in the requests of the link. */
void pl_simulator_init_requests(PlLink *link);

/* Whether a sensor is in reach at a time. */
bool pl_simulator_present(const PlSimulator *simulator, const PlSimulatorDevice *device,
                          int64_t t_us);

/* Brings the runner of a sensor up to the present. */
PlSimulatorRunner *pl_simulator_advance(PlSimulator *simulator,
                                        const PlSimulatorDevice *device);

/* Starts and stops the timers that the state of the sensor asks for. */
void pl_simulator_set_timers(PlSimulator *simulator, PlSimulatorDevice *device);

/* Says something after `delay_us` (and not earlier than what is waiting already). */
void pl_simulator_answer(const PlSimulator *simulator, PlSimulatorQueue *queue,
                         PlSimulatorAnswer answer, int64_t delay_us);

/* Ends the link of a sensor, or the attempt to make one, after `delay_us`. */
void pl_simulator_drop(PlSimulator *simulator, PlSimulatorDevice *device, int64_t delay_us);
