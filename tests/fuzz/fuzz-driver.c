/* SPDX-License-Identifier: Apache-2.0 */
/* One driver, named by FUZZ_DRIVER, under any sequence of events.  The input:
 *
 *   RR  TT CC DD LL LL data  TT CC DD LL LL data  ...
 *
 *   R wished rate, Hz; 0 none
 *   T type of the event; the types repeat every 8
 *   C characteristic or timer, modulo one more than there are; b7 is `ok`
 *   D time since the event before, 1/16 s
 *   L length of the data, at most what is left and what GATT allows
 */
#include "gateway/core/bytes.h"
#include "plugins/drivers.h"
#include "tests/fakes/strict-sink.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
next_event(PlReader *r, const PlDriver *driver, PlDriverEvent *event) {
  event->type = (PlDriverEventType)(pl_reader_u8(r) % (PL_DRIVER_SERVICE_DATA + 1));
  uint8_t index = pl_reader_u8(r);
  event->characteristic = (index & 0x7f) % (unsigned)(driver->characteristic_count + 1);
  event->ok = index & 0x80;
  event->t_us += pl_reader_u8(r) * INT64_C(62500);
  size_t length = pl_reader_u16(r) % (PL_VALUE_MAX + 1);
  if (r->failed)
    return false;
  event->length = length < pl_reader_left(r) ? length : pl_reader_left(r);
  event->data = r->data + r->position;
  r->position += event->length;
  return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const PlDriver *driver = pl_driver_find(FUZZ_DRIVER);
  PlReader r = pl_reader(data, size);
  PlDriverOptions options = {.rate_hz = pl_reader_u8(&r)};
  PlDriverEvent event = {0};
  void *state = malloc(driver->state_size);
  StrictSink strict;

  strict_sink_init(&strict, driver);
  driver->init(state, &options);
  while (next_event(&r, driver, &event))
    strict_sink_send(&strict, state, &event);
  free(state);
  return 0;
}
