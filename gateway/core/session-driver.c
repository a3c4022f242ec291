/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

#include <string.h>

static const int64_t operation_timeout_us = 35 * PL_SECOND;
static const int64_t busy_retry_us = 10000;
static const int64_t refused_after_us = 100000;
static const int64_t timer_least_us = 1000;
enum { BUSY_TRIES_MAX = 100 };

const PlDriver *
pl_driver_candidate(const PlRadio *radio, const PlSession *session, unsigned index) {
  if (session->config->drivers[0])
    return index < PL_SESSION_DRIVERS ? session->config->drivers[index] : NULL;
  return index < radio->options.driver_count ? radio->options.drivers[index] : NULL;
}

void
pl_driver_take(PlSession *session, unsigned slot, const PlDriver *driver) {
  if (session->drivers[slot] == driver)
    return;
  session->drivers[slot] = driver;
  driver->init(session->driver_state[slot].bytes, &session->config->options);
}

/* -- what drivers ask for ---------------------------------------------------------------- */

/* The sink that a driver sees: it knows whose it is. */
typedef struct {
  PlSink sink; /* first: a driver hands this back */
  PlRadio *radio;
  PlSession *session;
  unsigned slot;
  bool mute; /* nothing may be asked for: there is no link */
} DriverSink;

static void
take_sample(PlSink *sink, const PlSample *sample) {
  DriverSink *self = (DriverSink *)sink;
  PlRadio *radio = self->radio;
  radio->listener->sample(radio->listener, pl_sensor_of(radio, self->session), sample);
  if (sample->kind == PL_SAMPLE_BATTERY)
    pl_data_battery(radio, self->session, sample->battery_pct);
}

static bool
may_write(const PlRadio *radio, const PlSession *session) {
  bool ready = session->phase == PL_PHASE_STREAMING || session->phase == PL_PHASE_STALE ||
               session->phase == PL_PHASE_STOPPING;
  return session->linked && ready && !radio->options.passive;
}

static void
take_write(PlSink *sink, unsigned characteristic, const uint8_t *data, size_t length) {
  DriverSink *self = (DriverSink *)sink;
  PlSession *session = self->session;
  const PlDriver *driver = session->drivers[self->slot];
  if (self->mute || !may_write(self->radio, session) ||
      characteristic >= driver->characteristic_count)
    return;
  if (length > PL_DRIVER_WRITE_MAX || session->write_count == PL_SESSION_WRITES) {
    session->refused[self->slot] |= (uint8_t)(1u << characteristic);
    pl_timer_set(self->radio, session, PL_TIMER_REFUSED,
                 self->radio->now_us + refused_after_us);
    return;
  }
  unsigned last = (session->write_first + session->write_count) % PL_SESSION_WRITES;
  PlSessionWrite *write = &session->writes[last];
  write->slot = (uint8_t)self->slot;
  write->characteristic = (uint8_t)characteristic;
  write->length = (uint8_t)length;
  if (length > 0)
    memcpy(write->data, data, length);
  session->write_count++;
}

/* Never at once: a driver that asks again and again must not stop the clock. */
static void
take_timer(PlSink *sink, unsigned id, int64_t after_us) {
  DriverSink *self = (DriverSink *)sink;
  if (self->mute || id >= PL_DRIVER_TIMERS)
    return;
  if (after_us >= 0 && after_us < timer_least_us)
    after_us = timer_least_us;
  bool stop = after_us < 0 || after_us > PL_NEVER - self->radio->now_us;
  pl_timer_set(self->radio, self->session, PL_TIMER_DRIVER + self->slot * PL_DRIVER_TIMERS + id,
               stop ? PL_NEVER : self->radio->now_us + after_us);
}

static void
take_lost(PlSink *sink, unsigned packets) {
  DriverSink *self = (DriverSink *)sink;
  pl_data_dropped(self->radio, self->session, packets);
}

/* -- what drivers are told --------------------------------------------------------------- */

PlStatus
pl_driver_send(PlRadio *radio, PlSession *session, unsigned slot, const PlDriverEvent *event) {
  DriverSink sink = {.sink = {.sample = take_sample,
                              .write = take_write,
                              .timer = take_timer,
                              .lost = take_lost},
                     .radio = radio,
                     .session = session,
                     .slot = slot,
                     .mute = event->type == PL_DRIVER_GONE};
  return session->drivers[slot]->handle(session->driver_state[slot].bytes, event, &sink.sink);
}

void
pl_driver_tell(PlRadio *radio, PlSession *session, PlDriverEventType type) {
  PlDriverEvent event = {.type = type, .t_us = radio->now_us, .ok = true};
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++)
    if (session->active[i])
      (void)pl_driver_send(radio, session, i, &event);
  pl_operation_next(radio, session);
}

PlStatus
pl_driver_data(PlRadio *radio, PlSession *session, const PlLinkEvent *link_event) {
  PlStatus best = PL_UNEXPECTED;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && session->drivers[i]; i++) {
    int index = pl_driver_characteristic(session->drivers[i], &link_event->uuid);
    if (index < 0)
      continue;
    PlDriverEvent event = {.type = PL_DRIVER_DATA,
                           .t_us = radio->now_us,
                           .characteristic = (unsigned)index,
                           .ok = true,
                           .uuid = link_event->uuid,
                           .data = link_event->data,
                           .length = link_event->length};
    PlStatus status = pl_driver_send(radio, session, i, &event);
    if (status < best)
      best = status;
  }
  pl_operation_next(radio, session);
  return best;
}

void
pl_driver_timer(PlRadio *radio, PlSession *session, unsigned timer) {
  unsigned slot = timer / PL_DRIVER_TIMERS;
  if (!session->drivers[slot])
    return;
  PlDriverEvent event = {.type = PL_DRIVER_TIMER,
                         .t_us = radio->now_us,
                         .characteristic = timer % PL_DRIVER_TIMERS,
                         .ok = true};
  (void)pl_driver_send(radio, session, slot, &event);
  pl_operation_next(radio, session);
}

static void
tell_written(PlRadio *radio, PlSession *session, unsigned slot, unsigned characteristic,
             bool ok) {
  if (!session->drivers[slot])
    return;
  PlDriverEvent event = {.type = PL_DRIVER_WRITTEN,
                         .t_us = radio->now_us,
                         .characteristic = characteristic,
                         .ok = ok};
  (void)pl_driver_send(radio, session, slot, &event);
}

void
pl_driver_refused(PlRadio *radio, PlSession *session) {
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++) {
    unsigned refused = session->refused[i];
    session->refused[i] = 0;
    for (unsigned c = 0; c < PL_DRIVER_CHARACTERISTICS; c++)
      if (refused & (1u << c))
        tell_written(radio, session, i, c, false);
  }
  pl_operation_next(radio, session);
}

/* -- reads and writes, one at a time ------------------------------------------------------ */

static const PlUuid *
operation_uuid(const PlSession *session) {
  if (session->operation == PL_OPERATION_READ)
    return &session->wanted[session->reading].characteristic->uuid;
  const PlSessionWrite *write = &session->writes[session->write_first];
  return &session->drivers[write->slot]->characteristics[write->characteristic].uuid;
}

static void
send_operation(PlRadio *radio, PlSession *session) {
  int sensor = pl_sensor_of(radio, session);
  pl_timer_set(radio, session, PL_TIMER_OPERATION, radio->now_us + operation_timeout_us);
  if (session->operation == PL_OPERATION_READ) {
    radio->link->read(radio->link, sensor, operation_uuid(session));
    return;
  }
  const PlSessionWrite *write = &session->writes[session->write_first];
  radio->link->write(radio->link, sensor, operation_uuid(session), write->data, write->length);
}

void
pl_operation_next(PlRadio *radio, PlSession *session) {
  if (session->operation != PL_OPERATION_NONE || !may_write(radio, session))
    return;
  session->operation_tries = 0;
  session->operation_busy = false;
  if (session->reads != 0) {
    session->reading = 0;
    while (!(session->reads & (UINT32_C(1) << session->reading)))
      session->reading++;
    session->reads &= ~(UINT32_C(1) << session->reading);
    session->operation = PL_OPERATION_READ;
  } else if (session->write_count > 0) {
    session->operation = PL_OPERATION_WRITE;
  } else {
    return;
  }
  send_operation(radio, session);
}

static void
finish_operation(PlRadio *radio, PlSession *session, bool ok) {
  PlSessionOperation operation = session->operation;
  session->operation = PL_OPERATION_NONE;
  pl_timer_set(radio, session, PL_TIMER_OPERATION, PL_NEVER);
  if (operation == PL_OPERATION_WRITE) {
    PlSessionWrite write = session->writes[session->write_first];
    session->write_first = (session->write_first + 1) % PL_SESSION_WRITES;
    session->write_count--;
    tell_written(radio, session, write.slot, write.characteristic, ok);
  }
  pl_operation_next(radio, session);
  pl_link_stop_if_quiet(radio, session);
}

void
pl_operation_answer(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  PlSessionOperation answered =
      event->type == PL_LINK_VALUE ? PL_OPERATION_READ : PL_OPERATION_WRITE;
  if (session->operation != answered || session->operation_busy ||
      !pl_uuid_equal(operation_uuid(session), &event->uuid))
    return;
  if (!event->ok && event->failure == PL_FAILURE_IN_PROGRESS &&
      session->operation_tries < BUSY_TRIES_MAX) {
    session->operation_tries++;
    session->operation_busy = true;
    pl_timer_set(radio, session, PL_TIMER_OPERATION, radio->now_us + busy_retry_us);
    return;
  }
  finish_operation(radio, session, event->ok);
}

void
pl_operation_expired(PlRadio *radio, PlSession *session) {
  if (session->operation == PL_OPERATION_NONE)
    return;
  if (session->operation_busy) {
    session->operation_busy = false;
    send_operation(radio, session);
    return;
  }
  finish_operation(radio, session, false);
}

void
pl_operation_clear(PlRadio *radio, PlSession *session) {
  session->operation = PL_OPERATION_NONE;
  session->operation_busy = false;
  session->reads = 0;
  session->write_first = 0;
  session->write_count = 0;
  pl_timer_set(radio, session, PL_TIMER_OPERATION, PL_NEVER);
}
