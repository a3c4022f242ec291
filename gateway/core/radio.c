/* SPDX-License-Identifier: Apache-2.0 */

/* The rules by which sensors are found, connected and kept, and their numbers.
 *
 * A sensor's link
 *
 *   ABSENT --heard--> SEEN --token--> CONNECTING --up--> RESOLVING --all found--> SUBSCRIBING
 *     --all answered--> STREAMING --silence--> STALE --still silent--> CLOSING --> BACKOFF -->
 * ABSENT
 *
 *   Connect() comes only after an advertisement of at most 3 s ago with at least -92 dBm: a
 *   request to an absent sensor takes 40 s in the kernel, takes the scanner of a Pi off the air
 *   and kills its Wi-Fi.  Twenty absent sensors cost no request at all.
 *
 *   Each adapter has one connect token: two pending requests confuse controllers, some for
 *   ever.  The token is free when the link is up or the request has been answered; after a
 *   cancelled request it is held for 0.5 s, in which BlueZ normally answers.
 *
 *   Nothing scans while a request is pending: StopDiscovery() is answered, or 2 s have passed,
 *   before Connect().  After a lost answer our own bookkeeping is believed, not BlueZ's.  The
 *   exception is a private address, whose object vanishes with the scan.
 *
 *   Times: CONNECTING 8 s from Connect(), RESOLVING 12 s from the link, 2 s for characteristics
 *   that are announced too late, SUBSCRIBING 10 s for each, CLOSING 5 s.  An answer to an
 *   attempt that was given up is known by its number and ignored; a link that comes up by it is
 *   ended.  A link that was found up, ours or not, is taken over at RESOLVING.
 *
 *   Characteristics are subscribed to one by one in the order of the drivers, so that a control
 *   point comes before its data, and nothing else is ever subscribed to: some pods misbehave.
 *   Where the configuration leaves the choice, fast ones get a socket; if that fails the sensor
 *   has signals from then on.
 *
 *   STALE: no data for the shortest `stale_us` of the drivers.  Once subscribe again, which is
 *   what monitors need after a deep sleep; after as long again, disconnect.  Where BlueZ
 * answered "in progress" to the subscription, 5 s are enough to doubt it.
 *
 * Delays before the next attempt, +-20 %
 *
 *   ended after more than 30 s of data           none: at the next advertisement
 *   aborted, or down before SUBSCRIBING ended    0.25 s, nine times in a row, then 30 s
 *   no answer, no services, less than 30 s       1, 2, 4, 8, 15, 30 s
 *   unknown to BlueZ                             must be heard again, then 4 s
 *   out of slots, by the look of it              4 s
 *   still in progress                            cancel, 1 s; three in a row reset the adapter
 *   adapter off                                  until it is on
 *   wants pairing                                60 s, five times
 *   flood                                        10 min, not even looked for
 *
 *   60 s of data wipe the slate clean.  Three links in a row without the expected
 *   characteristics, and the device is removed from BlueZ, whose cache may be wrong: at most
 *   once an hour.
 *
 * Who is next: those who have waited for 45 s; then sensors that have not failed twice; then
 * those of active runs; then who has been missing longest.
 *
 * Slots: 7 links on a built-in radio, 5 on a dongle, unless configured.  With five links up,
 * three aborts in a row of at least two sensors nearer than -75 dBm mean that the controller
 * has no more: no new link for 60 s, the old ones stay.
 *
 * Scanning, on each adapter by itself, because scans cost Wi-Fi on 2.4 GHz
 *
 *   HUNT     somebody has been missing for less than 10 min: 5 s on, 2.5 s off, so that who
 *            comes back is connected within 5 s of its first advertisement; beside fast sensors
 *            on a built-in radio 5 s on, 10.5 s off
 *   TRICKLE  missing for longer, or no slot is free: 5 s on, 25 s off
 *   USER     somebody looks for sensors: without pause, at most 60 s
 *   SQUAD    sensors are read from their advertisements: without pause
 *   OFF      nobody is missing
 *
 *   A pause ends early when there is a slot for a sensor that was heard less than 10 s ago and
 *   only has to be heard again.
 *   A scan that goes on begins anew after 3 s when there is a slot for a sensor that was heard
 *   in the last minute: BlueZ may tell of it only once in a scan.
 *   A run that becomes active, an adapter that comes back and a link that drops start the hunt
 *   anew.  Several adapters all scan; a sensor belongs to the one that its configuration names,
 *   else to the one that hears it, and moves to one that hears it 5 dB better, or at all;
 *   with a choice of adapters it is connected 0.5 s after it was heard at the earliest.
 *
 * Is the adapter deaf?  90 s, of which 60 s scanning, without an advertisement from anybody:
 * restart the scan; again: reset the adapter, 2 s off, 3 s on; again: report it as stuck and go
 * on every 5 min.  A scan that does not start is asked for again after 1 s, then with a reset,
 * then twice 1.5 s apart, then once a minute.  An adapter on which three Disconnect() in 10 min
 * had no effect is reset, too.  No reset while half of the sensors of active runs or more
 * stream on links of that adapter, none within 30 min of the last.
 *
 * Power: an adapter that is off is asked to be on after 1 s, then every 10 s for a minute, then
 * once a minute.
 *
 * Floods: four times the drivers' nominal rate, at least 8/s, with 2 s worth of burst; what is
 * over is dropped unread.  Over for 5 s: disconnect, and shut out for 10 min.
 *
 * A capture (`passive`) is played through the same code without requests: data imply a link,
 * silence makes it stale and, after as long again, absent.
 *
 * Time: timers run in the order of their times.  In a capture each sees its own time as now;
 * else now is when it really runs, because whatever is asked for is asked for then.  When the
 * process itself was late by more than 5 s (suspended, or the machine was), no sensor is to
 * blame: all timers move by as much. */
#include "gateway/core/radio.h"

#include "gateway/core/radio-private.h"

static const int64_t late_us = 5 * PL_SECOND;
static const int64_t user_scan_max_us = 60 * PL_SECOND;
/* Beyond, sums of times could overflow. */
static const int64_t time_max_us = INT64_MAX / 4;

void
pl_radio_init(PlRadio *radio, PlSession *sessions, size_t count, const PlSessionConfig *configs,
              const PlRadioOptions *options, PlLink *link, PlRadioListener *listener,
              int64_t now_us) {
  *radio = (PlRadio){.sessions = sessions,
                     .count = count,
                     .options = *options,
                     .link = link,
                     .listener = listener,
                     .now_us = now_us,
                     .random = options->seed ? options->seed : 1,
                     .user_scan_us = now_us};
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    pl_adapter_init(&radio->adapters[i]);
  for (int i = 0; i <= PL_ADAPTER_MAX; i++)
    pl_list_init(&radio->missing[i]);
  for (size_t i = 0; i < count; i++)
    pl_session_init(radio, &sessions[i], &configs[i]);
  pl_queue_init(radio);
  for (size_t i = 0; i < count; i++)
    pl_session_enter(radio, &sessions[i], PL_PHASE_ABSENT);
}

/* -- time ------------------------------------------------------------------------------ */

void
pl_radio_touch(PlRadio *radio, int adapter) {
  if (adapter < 0 || adapter >= PL_ADAPTER_MAX)
    radio->changed |= (1u << PL_ADAPTER_MAX) - 1;
  else
    radio->changed |= 1u << adapter;
}

/* Looks at the adapters that something has happened to, until nothing happens any more. */
static void
settle(PlRadio *radio) {
  while (radio->changed != 0)
    for (int i = 0; i < PL_ADAPTER_MAX; i++) {
      unsigned bit = 1u << i;
      if (!(radio->changed & bit))
        continue;
      radio->changed &= ~bit;
      pl_adapter_update(radio, i);
    }
}

int64_t
pl_radio_next_us(const PlRadio *radio) {
  const PlSession *first = pl_timer_first(radio);
  int64_t next_us = first ? first->due_us : PL_NEVER;
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    if (radio->adapters[i].wake_us < next_us)
      next_us = radio->adapters[i].wake_us;
  return next_us;
}

static void
run_timer(PlRadio *radio, PlSession *session) {
  unsigned timer = 0;
  while (session->timers[timer] != session->due_us)
    timer++;
  pl_session_timer(radio, session, timer);
}

/* Everything that is due at the same time, sensors first. */
static void
run_due(PlRadio *radio) {
  PlSession *first = pl_timer_first(radio);
  if (first && first->due_us <= radio->now_us)
    run_timer(radio, first);
  else
    for (int i = 0; i < PL_ADAPTER_MAX; i++)
      if (radio->adapters[i].wake_us <= radio->now_us)
        pl_radio_touch(radio, i);
  settle(radio);
}

static void
forgive_lateness(PlRadio *radio, int64_t by_us) {
  pl_timer_shift(radio, by_us);
  for (size_t i = 0; i < radio->count; i++) {
    PlSession *session = &radio->sessions[i];
    if (session->state.last_data_us > session->quiet_us)
      session->quiet_us = session->state.last_data_us + 1;
    session->quiet_us += by_us;
  }
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    PlAdapter *adapter = &radio->adapters[i];
    adapter->listening_us += by_us;
    adapter->silent_since_us += by_us;
    adapter->scan_deadline_us += by_us;
  }
}

void
pl_radio_advance(PlRadio *radio, int64_t now_us) {
  if (now_us > time_max_us)
    now_us = time_max_us;
  int64_t next_us = pl_radio_next_us(radio);
  if (!radio->options.passive) {
    if (next_us < now_us && now_us - next_us > late_us)
      forgive_lateness(radio, now_us - next_us);
    if (now_us > radio->now_us)
      radio->now_us = now_us;
  }
  for (;;) {
    next_us = pl_radio_next_us(radio);
    if (next_us > now_us)
      break;
    if (next_us > radio->now_us)
      radio->now_us = next_us;
    run_due(radio);
  }
  if (now_us > radio->now_us)
    radio->now_us = now_us;
}

/* -- events ---------------------------------------------------------------------------- */

static void
handle_sensor(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  switch (event->type) {
  case PL_LINK_CONNECTED:
    pl_link_up(radio, session, event);
    break;
  case PL_LINK_CONNECT_FAILED:
    pl_connect_failed(radio, session, event);
    break;
  case PL_LINK_DISCONNECTED:
    pl_link_down(radio, session);
    break;
  case PL_LINK_REMOVED:
    pl_link_removed(radio, session);
    break;
  case PL_LINK_CHARACTERISTIC:
    pl_gatt_characteristic(radio, session, &event->uuid);
    break;
  case PL_LINK_RESOLVED:
    pl_gatt_resolved(radio, session);
    break;
  case PL_LINK_SUBSCRIBED:
    pl_gatt_subscribed(radio, session, event);
    break;
  case PL_LINK_NOTIFICATION:
    pl_data_notification(radio, session, event);
    break;
  case PL_LINK_VALUE:
    pl_data_value(radio, session, event);
    break;
  case PL_LINK_WRITTEN:
    pl_operation_answer(radio, session, event);
    break;
  case PL_LINK_MANUFACTURER:
  case PL_LINK_SERVICE_DATA:
    pl_data_broadcast(radio, session, event);
    break;
  case PL_LINK_BATTERY:
    pl_data_battery(radio, session, event->battery_pct);
    break;
  case PL_LINK_DROPPED:
    pl_data_dropped(radio, session, event->count);
    break;
  case PL_LINK_ADAPTER:
  case PL_LINK_ADAPTER_GONE:
  case PL_LINK_SERVICE_LOST:
  case PL_LINK_SCAN:
  case PL_LINK_ADVERTISEMENT:
    break;
  }
}

static void
handle_adapter(PlRadio *radio, const PlLinkEvent *event) {
  if (event->type == PL_LINK_ADAPTER)
    pl_adapter_event(radio, event);
  else if (event->type == PL_LINK_ADAPTER_GONE)
    pl_adapter_gone(radio, event->adapter);
  else if (event->type == PL_LINK_SERVICE_LOST)
    pl_adapter_service_lost(radio);
  else if (event->type == PL_LINK_SCAN)
    pl_scan_answer(radio, event);
  else if (event->type == PL_LINK_ADVERTISEMENT)
    pl_connect_advertisement(radio, event);
}

void
pl_radio_handle(PlRadio *radio, const PlLinkEvent *event) {
  pl_radio_advance(radio, event->t_us);
  handle_adapter(radio, event);
  if (event->sensor >= 0 && (size_t)event->sensor < radio->count)
    handle_sensor(radio, &radio->sessions[event->sensor], event);
  settle(radio);
}

/* -- wishes ---------------------------------------------------------------------------- */

void
pl_radio_set_run_active(PlRadio *radio, int sensor, bool active) {
  PlSession *session = &radio->sessions[sensor];
  if (session->run_active == active)
    return;
  session->run_active = active;
  if (active) {
    session->quiet_us = radio->now_us;
    session->expected_us = radio->now_us;
    if (session->lists[PL_LIST_MISSING].list)
      pl_list_insert(radio, session, PL_LIST_MISSING, session->lists[PL_LIST_MISSING].list);
  }
  pl_gatt_listen(radio, session);
  pl_radio_touch(radio, session->config->adapter);
  settle(radio);
}

void
pl_radio_user_scan(PlRadio *radio, int64_t until_us) {
  int64_t longest_us = radio->now_us + user_scan_max_us;
  radio->user_scan_us = until_us < longest_us ? until_us : longest_us;
  pl_radio_touch(radio, PL_NO_ADAPTER);
  settle(radio);
}

void
pl_radio_stop(PlRadio *radio) {
  if (radio->stopping)
    return;
  radio->stopping = true;
  for (size_t i = 0; i < radio->count; i++)
    pl_link_stop(radio, &radio->sessions[i]);
  pl_radio_touch(radio, PL_NO_ADAPTER);
  settle(radio);
}

bool
pl_radio_stopped(const PlRadio *radio) {
  if (!radio->stopping)
    return false;
  for (size_t i = 0; i < radio->count; i++)
    if (radio->sessions[i].phase != PL_PHASE_ABSENT)
      return false;
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    if (radio->adapters[i].scan != PL_SCAN_IDLE)
      return false;
  return true;
}

/* -- what is known --------------------------------------------------------------------- */

const PlSensorState *
pl_radio_sensor(const PlRadio *radio, int sensor) {
  return &radio->sessions[sensor].state;
}

const PlAdapterState *
pl_radio_adapter(const PlRadio *radio, int adapter) {
  return &radio->adapters[adapter].state;
}
