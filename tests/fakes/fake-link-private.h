/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/fakes/fake-link.h"

/* fake-link.c: what the radio asks for and says.  fake-world.c: what happens, and time. */

typedef enum {
  FAKE_QUEUED_EVENT,
  FAKE_QUEUED_ADVERTISEMENT,
  FAKE_QUEUED_NOTIFICATION,
  FAKE_QUEUED_STRANGER,
} FakeQueuedKind;

typedef struct {
  int64_t t_us;
  guint64 serial;
  FakeQueuedKind kind;
  unsigned link_number; /* of the sensor when it was queued; 0: whatever happens to the link */
  PlLinkEvent event;
} FakeQueued;

void fake_wire(Fake *fake);
void fake_queue(Fake *fake, double after, FakeQueuedKind kind, unsigned link_number,
                PlLinkEvent event);
/* Whatever happens to the link until then. */
void fake_answer(Fake *fake, double after, PlLinkEvent event);
PlLinkEvent fake_sensor_event(const Fake *fake, PlLinkEventType type, int sensor);
void fake_stop_scanning(Fake *fake, FakeAdapter *adapter);
