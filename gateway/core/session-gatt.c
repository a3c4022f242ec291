/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

static const int64_t resolve_timeout_us = 12 * PL_SECOND;
static const int64_t late_objects_us = 2 * PL_SECOND;
static const int64_t subscribe_timeout_us = 10 * PL_SECOND;
static const int64_t proof_of_life_us = 5 * PL_SECOND;
static const double fast_hz = 20;

/* -- which drivers the sensor has what they need for ------------------------------------- */

static bool
is_complete(const PlDriver *driver, uint8_t found) {
  for (unsigned i = 0; i < driver->characteristic_count; i++) {
    bool optional = driver->characteristics[i].flags & PL_CHARACTERISTIC_OPTIONAL;
    if (!optional && !(found & (1u << i)))
      return false;
  }
  return found != 0;
}

/* The configuration says which: if some lack something, `partial` makes do with the others. */
static bool
select_configured(PlSession *session, bool partial) {
  bool all = true, any = false;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && session->drivers[i]; i++) {
    const PlDriver *driver = session->drivers[i];
    if (driver->characteristic_count == 0)
      continue;
    session->active[i] = is_complete(driver, session->found[i]);
    all &= session->active[i];
    any |= session->active[i];
  }
  return any && (all || partial);
}

static bool
select_from_table(const PlRadio *radio, PlSession *session) {
  unsigned slot = 0;
  for (unsigned i = 0; i < PL_SESSION_CANDIDATES && slot < PL_SESSION_DRIVERS; i++) {
    const PlDriver *driver = pl_driver_candidate(radio, session, i);
    if (!driver)
      break;
    if (!is_complete(driver, session->found[i]))
      continue;
    pl_driver_take(session, slot, driver);
    session->active[slot++] = true;
  }
  for (unsigned i = slot; i < PL_SESSION_DRIVERS; i++) {
    session->drivers[i] = NULL;
    session->active[i] = false;
  }
  return slot > 0;
}

static unsigned
found_by(const PlRadio *radio, const PlSession *session, const PlDriver *driver) {
  for (unsigned i = 0; i < PL_SESSION_CANDIDATES; i++)
    if (pl_driver_candidate(radio, session, i) == driver)
      return session->found[i];
  return 0;
}

static void
want(PlSession *session, const PlCharacteristic *characteristic) {
  const unsigned ours = PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_READ;
  if (!(characteristic->flags & ours))
    return;
  for (unsigned i = 0; i < session->wanted_count; i++) {
    PlSessionCharacteristic *wanted = &session->wanted[i];
    if (!pl_uuid_equal(&wanted->characteristic->uuid, &characteristic->uuid))
      continue;
    unsigned optional = wanted->flags & characteristic->flags & PL_CHARACTERISTIC_OPTIONAL;
    wanted->flags |= characteristic->flags;
    wanted->flags = (wanted->flags & ~(unsigned)PL_CHARACTERISTIC_OPTIONAL) | optional;
    return;
  }
  session->wanted[session->wanted_count++] = (PlSessionCharacteristic){
      .characteristic = characteristic, .flags = characteristic->flags};
}

/* The union of what the active drivers want and the sensor has, in the drivers' order: a
 * control point that a driver names first is subscribed to first. */
static void
collect_wanted(const PlRadio *radio, PlSession *session) {
  session->wanted_count = 0;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && session->drivers[i]; i++) {
    const PlDriver *driver = session->drivers[i];
    unsigned found = found_by(radio, session, driver);
    for (unsigned c = 0; session->active[i] && c < driver->characteristic_count; c++)
      if (found & (1u << c))
        want(session, &driver->characteristics[c]);
  }
}

/* -- subscriptions, one at a time --------------------------------------------------------- */

static void
request(PlRadio *radio, PlSession *session) {
  PlSessionCharacteristic *wanted = &session->wanted[session->subscribing];
  const PlUuid *uuid = &wanted->characteristic->uuid;
  int sensor = pl_sensor_of(radio, session);
  PlNotify notify = session->config->notify;
  wanted->acquire = !session->acquire_failed &&
                    (notify == PL_NOTIFY_ACQUIRE ||
                     (notify == PL_NOTIFY_AUTO && (wanted->flags & PL_CHARACTERISTIC_FAST)));
  if (session->resubscribing)
    radio->link->unsubscribe(radio->link, sensor, uuid);
  if (session->phase == PL_PHASE_SUBSCRIBING)
    pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + subscribe_timeout_us);
  radio->link->subscribe(radio->link, sensor, uuid, wanted->acquire);
}

static void
subscribe_from(PlRadio *radio, PlSession *session, unsigned index) {
  while (index < session->wanted_count &&
         !(session->wanted[index].flags & PL_CHARACTERISTIC_NOTIFY))
    index++;
  if (index < session->wanted_count) {
    session->subscribing = (int)index;
    request(radio, session);
    return;
  }
  session->subscribing = -1;
  if (session->phase == PL_PHASE_SUBSCRIBING)
    pl_gatt_streaming(radio, session);
  else
    pl_driver_tell(radio, session, PL_DRIVER_READY);
}

static void
start_subscribing(PlRadio *radio, PlSession *session) {
  collect_wanted(radio, session);
  session->grown = false;
  session->resubscribing = false;
  session->first_silent_us = 0;
  pl_session_enter(radio, session, PL_PHASE_SUBSCRIBING);
  subscribe_from(radio, session, 0);
}

/* "In progress" means that BlueZ has kept our subscription from an earlier link: as good as
 * done, but only data will prove it. */
void
pl_gatt_subscribed(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  if (session->subscribing < 0)
    return;
  PlSessionCharacteristic *wanted = &session->wanted[session->subscribing];
  if (!pl_uuid_equal(&wanted->characteristic->uuid, &event->uuid))
    return;
  bool kept = !event->ok && !wanted->acquire && event->failure == PL_FAILURE_IN_PROGRESS;
  if (kept)
    session->first_silent_us = proof_of_life_us;
  if (event->ok || kept) {
    subscribe_from(radio, session, (unsigned)session->subscribing + 1);
  } else if (wanted->acquire) {
    session->acquire_failed = true;
    request(radio, session);
  } else if ((wanted->flags & PL_CHARACTERISTIC_OPTIONAL) ||
             session->phase != PL_PHASE_SUBSCRIBING) {
    subscribe_from(radio, session, (unsigned)session->subscribing + 1);
  } else {
    pl_link_close(radio, session,
                  event->failure == PL_FAILURE_AUTHENTICATION ? PL_BACKOFF_AUTHENTICATION
                                                              : PL_BACKOFF_FAILED);
  }
}

/* A socket that does not come in time may still come, or crash bluetoothd: from now on this
 * sensor has none. */
void
pl_gatt_subscribe_expired(PlRadio *radio, PlSession *session) {
  if (session->subscribing >= 0 && session->wanted[session->subscribing].acquire)
    session->acquire_failed = true;
  pl_link_close(radio, session, PL_BACKOFF_FAILED);
}

/* -- resolving --------------------------------------------------------------------------- */

static bool
try_to_subscribe(PlRadio *radio, PlSession *session, bool partial) {
  bool selected = session->config->drivers[0] ? select_configured(session, partial)
                                              : select_from_table(radio, session);
  if (selected)
    start_subscribing(radio, session);
  return selected;
}

void
pl_gatt_characteristic(PlRadio *radio, PlSession *session, const PlUuid *uuid) {
  for (unsigned i = 0; i < PL_SESSION_CANDIDATES; i++) {
    const PlDriver *driver = pl_driver_candidate(radio, session, i);
    if (!driver)
      break;
    int index = pl_driver_characteristic(driver, uuid);
    uint8_t bit = index >= 0 ? (uint8_t)(1u << index) : 0;
    session->grown |= (session->found[i] & bit) != bit;
    session->found[i] |= bit;
  }
  if (session->phase == PL_PHASE_RESOLVING && session->resolved)
    (void)try_to_subscribe(radio, session, false);
}

/* A sensor that streams has services that it had not before: all begins again on this link. */
static void
resolve_again(PlRadio *radio, PlSession *session) {
  pl_timer_stop_all(radio, session);
  pl_operation_clear(radio, session);
  pl_driver_tell(radio, session, PL_DRIVER_GONE);
  session->subscribing = -1;
  pl_session_enter(radio, session, PL_PHASE_RESOLVING);
  pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + resolve_timeout_us);
}

void
pl_gatt_resolved(PlRadio *radio, PlSession *session) {
  if (!session->linked || radio->options.passive)
    return;
  bool subscribed = session->phase == PL_PHASE_SUBSCRIBING ||
                    session->phase == PL_PHASE_STREAMING || session->phase == PL_PHASE_STALE;
  if (subscribed && session->grown)
    resolve_again(radio, session);
  if (session->phase != PL_PHASE_RESOLVING)
    return;
  session->resolved = true;
  if (try_to_subscribe(radio, session, false))
    return;
  int64_t late_us = radio->now_us + late_objects_us;
  if (late_us < session->timers[PL_TIMER_PHASE])
    pl_timer_set(radio, session, PL_TIMER_PHASE, late_us);
}

void
pl_gatt_resolve_expired(PlRadio *radio, PlSession *session) {
  if (session->resolved && try_to_subscribe(radio, session, true))
    return;
  session->unresolved++;
  pl_session_set_problem(radio, session, PL_SENSOR_INCOMPLETE);
  pl_link_close(radio, session, PL_BACKOFF_FAILED);
}

/* -- streaming and silence ---------------------------------------------------------------- */

static void
activate_all(PlSession *session) {
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++)
    session->active[i] = session->drivers[i] != NULL;
}

static void
note_fast(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  bool fast = false;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++)
    fast |= session->active[i] && session->drivers[i]->nominal_rate_hz >= fast_hz;
  if (!adapter || !session->linked || fast == session->fast)
    return;
  session->fast = fast;
  if (fast)
    adapter->fast_links++;
  else
    adapter->fast_links--;
}

void
pl_gatt_streaming(PlRadio *radio, PlSession *session) {
  if (!session->linked || radio->options.passive)
    activate_all(session);
  if (session->streaming_us == PL_NO_TIME)
    session->streaming_us = radio->now_us;
  session->quiet_us = radio->now_us;
  session->unresolved = 0;
  pl_backoff_connected(&session->backoff);
  note_fast(radio, session);
  session->reads = 0;
  for (unsigned i = 0; session->linked && i < session->wanted_count; i++)
    if ((session->wanted[i].flags & PL_CHARACTERISTIC_READ) &&
        !(session->wanted[i].flags & PL_CHARACTERISTIC_NOTIFY))
      session->reads |= UINT32_C(1) << i;

  pl_timer_set(radio, session, PL_TIMER_PHASE, PL_NEVER);
  pl_session_enter(radio, session, PL_PHASE_STREAMING);
  pl_session_set_problem(radio, session, PL_SENSOR_FINE);
  pl_data_start_window(radio, session);
  pl_gatt_listen(radio, session);
  pl_driver_tell(radio, session, PL_DRIVER_READY);
  pl_operation_next(radio, session);
}

/* The silence that makes the link suspect; 0: none does. */
static int64_t
stale_us(const PlSession *session) {
  int64_t shortest_us = 0;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++) {
    const PlDriver *driver = session->drivers[i];
    if (!session->active[i] || driver->stale_us <= 0 ||
        (driver->silent_at_rest && !session->run_active))
      continue;
    if (shortest_us == 0 || driver->stale_us < shortest_us)
      shortest_us = driver->stale_us;
  }
  return shortest_us;
}

/* The remedy of monitors that wake up: subscribe again.  If that does not help, the link goes.
 */
static void
become_stale(PlRadio *radio, PlSession *session) {
  pl_session_lost(radio, session);
  if (!session->linked) {
    pl_link_forget(radio, session);
    return;
  }
  pl_session_enter(radio, session, PL_PHASE_STALE);
  pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + stale_us(session));
  if (radio->options.passive)
    return;
  pl_operation_clear(radio, session);
  pl_driver_tell(radio, session, PL_DRIVER_GONE);
  session->resubscribing = true;
  subscribe_from(radio, session, 0);
}

void
pl_gatt_stale_expired(PlRadio *radio, PlSession *session) {
  if (radio->options.passive)
    pl_link_forget(radio, session);
  else
    pl_link_close(radio, session, pl_link_cause(session));
}

void
pl_gatt_listen(PlRadio *radio, PlSession *session) {
  int64_t limit_us = stale_us(session);
  if (session->phase != PL_PHASE_STREAMING || limit_us == 0) {
    pl_timer_set(radio, session, PL_TIMER_SILENCE, PL_NEVER);
    return;
  }
  bool heard = session->state.last_data_us != PL_NO_TIME &&
               session->state.last_data_us >= session->quiet_us;
  if (!heard && session->first_silent_us > 0 && session->first_silent_us < limit_us)
    limit_us = session->first_silent_us;
  int64_t due_us = (heard ? session->state.last_data_us : session->quiet_us) + limit_us;
  if (due_us > radio->now_us)
    pl_timer_set(radio, session, PL_TIMER_SILENCE, due_us);
  else
    become_stale(radio, session);
}
