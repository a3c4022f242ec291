/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/simulator-gateway.h"

#include <string.h>

#define POLAR(x)                                                                               \
  {                                                                                            \
    {                                                                                          \
      0xfb, 0x00, 0x5c, (x), 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd, 0x2d, 0x8d, 0xf0, \
          0xc8                                                                                 \
    }                                                                                          \
  }

const PlUuid uuid_heart_rate = PL_UUID16(0x2a37);
const PlUuid uuid_rsc = PL_UUID16(0x2a53);
const PlUuid uuid_pmd_control = POLAR(0x81);
const PlUuid uuid_pmd_data = POLAR(0x82);

uint64_t
simulator_number(const uint8_t *data, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++)
    value += (uint64_t)data[i] << (8 * i);
  return value;
}

static void
act(SimulatorGateway *gateway, const PlLinkEvent *event) {
  PlLink *link = pl_simulator_link(gateway->simulator);
  const uint8_t start[] = {2, 2, 2, 1, 8, 0, 0, 1, (uint8_t)gateway->rate_hz, 0, 1, 1, 16, 0};

  if (event->type == PL_LINK_ADAPTER && event->powered)
    link->scan(link, 0, true);
  else if (event->type == PL_LINK_ADVERTISEMENT && !gateway->busy[event->sensor]) {
    gateway->busy[event->sensor] = true;
    link->connect(link, event->sensor, 0, 7);
  } else if (event->type == PL_LINK_DISCONNECTED || event->type == PL_LINK_CONNECT_FAILED)
    gateway->busy[event->sensor] = false;
  else if (event->type == PL_LINK_CHARACTERISTIC)
    link->subscribe(link, event->sensor, &event->uuid, false);
  else if (event->type == PL_LINK_SUBSCRIBED && gateway->rate_hz != 0 &&
           pl_uuid_equal(&event->uuid, &uuid_pmd_data))
    link->write(link, event->sensor, &uuid_pmd_control, start, sizeof start);
}

void
simulator_gateway_run(SimulatorGateway *gateway, int64_t until_us) {
  PlLinkEvent event;

  while (pl_simulator_next(gateway->simulator, until_us, &event)) {
    act(gateway, &event);
    if (gateway->see != NULL)
      gateway->see(gateway->data, &event);
  }
}
