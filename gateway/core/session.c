/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/session.h"

#include "gateway/core/radio-private.h"

#include <math.h>
#include <string.h>

static const int64_t signal_again_us = 10 * PL_SECOND;

const char *
pl_link_state_name(PlLinkState state) {
  static const char *const names[PL_LINK_STATE_COUNT] = {
      [PL_LINK_STATE_ABSENT] = "absent",         [PL_LINK_STATE_SEEN] = "seen",
      [PL_LINK_STATE_CONNECTING] = "connecting", [PL_LINK_STATE_STREAMING] = "streaming",
      [PL_LINK_STATE_STALE] = "stale",           [PL_LINK_STATE_BACKOFF] = "backoff",
  };
  return (unsigned)state < PL_LINK_STATE_COUNT ? names[state] : "?";
}

static PlLinkState
link_state(PlSessionPhase phase) {
  switch (phase) {
  case PL_PHASE_ABSENT:
    return PL_LINK_STATE_ABSENT;
  case PL_PHASE_SEEN:
    return PL_LINK_STATE_SEEN;
  case PL_PHASE_CONNECTING:
  case PL_PHASE_RESOLVING:
  case PL_PHASE_SUBSCRIBING:
    return PL_LINK_STATE_CONNECTING;
  case PL_PHASE_STREAMING:
  case PL_PHASE_STOPPING:
    return PL_LINK_STATE_STREAMING;
  case PL_PHASE_STALE:
    return PL_LINK_STATE_STALE;
  case PL_PHASE_CLOSING:
  case PL_PHASE_BACKOFF:
    break;
  }
  return PL_LINK_STATE_BACKOFF;
}

/* -- the beginning --------------------------------------------------------------------- */

void
pl_session_init(PlRadio *radio, PlSession *session, const PlSessionConfig *config) {
  /* The state of drivers and the queue of writes are left alone: pages that nobody touches cost
   * nothing. */
  memset(session, 0, offsetof(PlSession, writes));
  session->config = config;
  session->state = (PlSensorState){.since_us = radio->now_us,
                                   .battery_pct = NAN,
                                   .rate_hz = NAN,
                                   .loss_pct = NAN,
                                   .last_data_us = PL_NO_TIME};
  session->adapter = PL_NO_ADAPTER;
  session->seen_us = PL_NO_TIME;
  session->heard_us = PL_NO_TIME;
  session->streaming_us = PL_NO_TIME;
  session->missing_us = radio->now_us;
  session->expected_us = radio->now_us;
  session->removable_us = radio->now_us;
  session->reported_us = radio->now_us;
  session->bucket = (PlSessionBucket){.tokens = INFINITY, .over_since_us = PL_NO_TIME};
  session->subscribing = -1;
  session->due_us = PL_NEVER;
  for (unsigned i = 0; i < PL_TIMER_COUNT; i++)
    session->timers[i] = PL_NEVER;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && config->drivers[i]; i++)
    pl_driver_take(session, i, config->drivers[i]);
}

/* -- what is published ----------------------------------------------------------------- */

void
pl_session_publish(PlRadio *radio, PlSession *session) {
  session->reported_us = radio->now_us;
  radio->listener->state(radio->listener, pl_sensor_of(radio, session), &session->state);
}

void
pl_session_publish_signal(PlRadio *radio, PlSession *session) {
  if (radio->now_us - session->reported_us >= signal_again_us)
    pl_session_publish(radio, session);
}

void
pl_session_set_problem(PlRadio *radio, PlSession *session, PlSensorProblem problem) {
  if (session->state.problem == problem)
    return;
  session->state.problem = problem;
  pl_session_publish(radio, session);
}

bool
pl_session_is_missing(const PlSession *session) {
  return (session->phase == PL_PHASE_ABSENT || session->phase == PL_PHASE_SEEN ||
          session->phase == PL_PHASE_BACKOFF) &&
         !session->banned;
}

static void
update_missing(PlRadio *radio, PlSession *session) {
  bool missing = pl_session_is_missing(session);
  int wish = session->config->adapter;
  bool listed = session->lists[PL_LIST_MISSING].list != NULL;
  if (missing == listed)
    return;
  if (missing)
    pl_list_insert(radio, session, PL_LIST_MISSING,
                   &radio->missing[pl_adapter_of(radio, wish) ? wish : PL_ADAPTER_MAX]);
  else
    pl_list_remove(radio, session, PL_LIST_MISSING);
  pl_radio_touch(radio, wish);
}

void
pl_session_enter(PlRadio *radio, PlSession *session, PlSessionPhase phase) {
  bool was_broadcast = session->phase == PL_PHASE_STREAMING && !pl_session_connects(session);
  bool is_broadcast = phase == PL_PHASE_STREAMING && !pl_session_connects(session);
  radio->broadcasting += (unsigned)is_broadcast - (unsigned)was_broadcast;
  session->phase = phase;
  update_missing(radio, session);
  pl_radio_touch(radio, session->adapter);
  if (session->state.link == link_state(phase))
    return;
  session->state.link = link_state(phase);
  session->state.since_us = radio->now_us;
  pl_session_publish(radio, session);
}

bool
pl_session_connects(const PlSession *session) {
  const PlSessionConfig *config = session->config;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && config->drivers[i]; i++)
    if (config->drivers[i]->characteristic_count > 0)
      return true;
  return !config->drivers[0];
}

void
pl_session_lost(PlRadio *radio, PlSession *session) {
  if (!session->present)
    return;
  session->present = false;
  session->missing_us = radio->now_us;
  session->expected_us = radio->now_us;
  radio->listener->lost(radio->listener, pl_sensor_of(radio, session), radio->now_us);
}

/* -- timers ---------------------------------------------------------------------------- */

static void
phase_expired(PlRadio *radio, PlSession *session) {
  switch (session->phase) {
  case PL_PHASE_ABSENT:
    break;
  case PL_PHASE_SEEN:
    pl_session_enter(radio, session, PL_PHASE_ABSENT);
    break;
  case PL_PHASE_CONNECTING:
    pl_connect_expired(radio, session);
    break;
  case PL_PHASE_RESOLVING:
    pl_gatt_resolve_expired(radio, session);
    break;
  case PL_PHASE_SUBSCRIBING:
    pl_gatt_subscribe_expired(radio, session);
    break;
  case PL_PHASE_STREAMING:
    break;
  case PL_PHASE_STALE:
    pl_gatt_stale_expired(radio, session);
    break;
  case PL_PHASE_STOPPING:
    pl_operation_clear(radio, session); /* long enough */
    pl_link_stop_if_quiet(radio, session);
    break;
  case PL_PHASE_CLOSING:
    pl_link_close_expired(radio, session);
    break;
  case PL_PHASE_BACKOFF:
    pl_link_back_off_over(radio, session);
    break;
  }
}

void
pl_session_timer(PlRadio *radio, PlSession *session, PlSessionTimer timer) {
  pl_timer_set(radio, session, timer, PL_NEVER);
  if (timer >= PL_TIMER_DRIVER) {
    pl_driver_timer(radio, session, timer - PL_TIMER_DRIVER);
    return;
  }
  if (timer == PL_TIMER_PHASE)
    phase_expired(radio, session);
  else if (timer == PL_TIMER_SILENCE)
    pl_gatt_listen(radio, session);
  else if (timer == PL_TIMER_OPERATION)
    pl_operation_expired(radio, session);
  else if (timer == PL_TIMER_REPORT)
    pl_data_report(radio, session);
  else
    pl_driver_refused(radio, session);
}
