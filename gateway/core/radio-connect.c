/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

enum { FAILED_OFTEN = 2, RSSI_FLOOR_DBM = -92, RSSI_HYSTERESIS_DB = 5 };

static const int64_t fresh_us = 3 * PL_SECOND;
static const int64_t seen_for_us = 60 * PL_SECOND;
static const int64_t comparing_us = 500000;
static const int64_t deaf_us = 10 * PL_SECOND;
static const int64_t connect_timeout_us = 8 * PL_SECOND;
static const int64_t release_after_us = 500000;
static const int64_t patience_us = 45 * PL_SECOND;

/* -- who is heard ---------------------------------------------------------------------- */

/* Whether the sensor should rather be served by the adapter that has just heard it. */
static bool
prefers(PlRadio *radio, const PlSession *session, int adapter, int rssi_dbm) {
  PlAdapter *present = pl_adapter_of(radio, session->adapter);
  PlAdapter *other = pl_adapter_of(radio, adapter);
  if (!other || session->adapter == adapter)
    return other != NULL;
  if (session->config->adapter != PL_NO_ADAPTER)
    return session->config->adapter == adapter;
  if (present && present->connecting == pl_sensor_of(radio, session))
    return false; /* an attempt that was given up may still be answered */
  if (!present || !pl_adapter_usable(present) || session->seen_us == PL_NO_TIME ||
      radio->now_us - session->seen_us > deaf_us)
    return true;
  bool full = pl_adapter_full(radio, present);
  if (full != pl_adapter_full(radio, other))
    return full;
  return rssi_dbm != 0 && session->state.rssi_dbm != 0 &&
         rssi_dbm > session->state.rssi_dbm + RSSI_HYSTERESIS_DB;
}

static bool
is_strong(const PlRadio *radio, int rssi_dbm) {
  int floor_dbm = radio->options.rssi_floor_dbm;
  return rssi_dbm == 0 || rssi_dbm >= (floor_dbm ? floor_dbm : RSSI_FLOOR_DBM);
}

void
pl_connect_listen(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (!adapter || session->heard_us == PL_NO_TIME || !pl_session_connects(session))
    return;
  pl_list_insert(radio, session, PL_LIST_HEARD, &adapter->heard);
  pl_radio_touch(radio, session->adapter);
}

static void
note_signal(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  session->seen_us = radio->now_us;
  session->private_address = event->private_address;
  if (event->rssi_dbm != 0)
    session->state.rssi_dbm = event->rssi_dbm;
  if (is_strong(radio, event->rssi_dbm)) {
    session->heard_us = radio->now_us;
    pl_connect_listen(radio, session);
  } else {
    session->heard_us = PL_NO_TIME;
    pl_list_remove(radio, session, PL_LIST_HEARD);
  }
}

static void
become_seen(PlRadio *radio, PlSession *session) {
  if (session->refound) {
    session->refound = false;
    pl_link_back_off(radio, session, PL_BACKOFF_PAUSE);
    return;
  }
  session->waiting_us = radio->now_us;
  pl_session_enter(radio, session, PL_PHASE_SEEN);
}

/* Advertisements of a sensor that has a link are ignored: they are not its own. */
void
pl_connect_advertisement(PlRadio *radio, const PlLinkEvent *event) {
  pl_scan_heard(radio, event->adapter);
  if (event->sensor < 0 || (size_t)event->sensor >= radio->count || radio->stopping)
    return;
  PlSession *session = &radio->sessions[event->sensor];
  bool listens = session->phase == PL_PHASE_ABSENT || session->phase == PL_PHASE_SEEN ||
                 session->phase == PL_PHASE_BACKOFF || !pl_session_connects(session);
  if (!listens || session->banned || !prefers(radio, session, event->adapter, event->rssi_dbm))
    return;
  session->adapter = event->adapter;
  note_signal(radio, session, event);
  if (session->phase == PL_PHASE_ABSENT)
    become_seen(radio, session);
  if (session->phase == PL_PHASE_SEEN)
    pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + seen_for_us);
  pl_session_publish_signal(radio, session);
}

/* -- who is next ----------------------------------------------------------------------- */

/* First who has waited for long; then who has not failed again and again; then who takes part
 * in a run; then who has been missing for longest. */
static bool
is_before(const PlRadio *radio, const PlSession *a, const PlSession *b) {
  bool a_late = radio->now_us - a->waiting_us > patience_us;
  bool b_late = radio->now_us - b->waiting_us > patience_us;
  if (a_late != b_late)
    return a_late;
  if (a_late && a->waiting_us != b->waiting_us)
    return a->waiting_us < b->waiting_us;
  bool a_failed = a->backoff.failures >= FAILED_OFTEN;
  bool b_failed = b->backoff.failures >= FAILED_OFTEN;
  if (a_failed != b_failed)
    return b_failed;
  if (a->run_active != b->run_active)
    return a->run_active;
  if (a->missing_us != b->missing_us)
    return a->missing_us < b->missing_us;
  return a < b;
}

static bool
are_several_usable(const PlRadio *radio) {
  unsigned usable = 0;
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    usable += pl_adapter_usable(&radio->adapters[i]);
  return usable > 1;
}

static PlSession *
choose(const PlRadio *radio, PlAdapter *adapter) {
  PlSession *best = NULL;
  /* Where several adapters could serve a sensor, each gets the time to hear it. */
  bool compare = are_several_usable(radio);
  PlSession *session = pl_list_newest(radio, &adapter->heard);
  while (session && radio->now_us - session->heard_us <= fresh_us) {
    if (session->phase == PL_PHASE_SEEN) {
      bool chosen = !compare || session->config->adapter != PL_NO_ADAPTER;
      int64_t at_us = session->waiting_us + (chosen ? 0 : comparing_us);
      pl_adapter_wake_at(radio, adapter, at_us);
      if (at_us <= radio->now_us && (!best || is_before(radio, session, best)))
        best = session;
    }
    session = pl_list_older(radio, session, PL_LIST_HEARD);
  }
  return best;
}

void
pl_connect_next(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  if (adapter->connecting != PL_NO_SENSOR) {
    bool given_up = radio->sessions[adapter->connecting].phase != PL_PHASE_CONNECTING;
    if (!given_up || radio->now_us < adapter->release_us) {
      if (given_up)
        pl_adapter_wake_at(radio, adapter, adapter->release_us);
      return;
    }
    adapter->connecting = PL_NO_SENSOR;
  }
  if (radio->stopping || pl_adapter_full(radio, adapter))
    return;
  PlSession *session = choose(radio, adapter);
  if (!session)
    return;
  adapter->connecting = pl_sensor_of(radio, session);
  adapter->connect_sent = false;
  if (++session->attempt == 0)
    session->attempt = 1; /* 0 is that of links that were found up */
  pl_list_remove(radio, session, PL_LIST_HEARD);
  pl_timer_set(radio, session, PL_TIMER_PHASE, PL_NEVER);
  pl_session_enter(radio, session, PL_PHASE_CONNECTING);
  if (session->private_address)
    pl_connect_send(radio, index);
}

void
pl_connect_send(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  if (adapter->connecting == PL_NO_SENSOR || adapter->connect_sent)
    return;
  PlSession *session = &radio->sessions[adapter->connecting];
  adapter->connect_sent = true;
  pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + connect_timeout_us);
  radio->link->connect(radio->link, adapter->connecting, index, session->attempt);
}

/* -- how an attempt ends --------------------------------------------------------------- */

void
pl_connect_release(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (!adapter || adapter->connecting != pl_sensor_of(radio, session))
    return;
  adapter->connecting = PL_NO_SENSOR;
  pl_radio_touch(radio, session->adapter);
}

/* The token stays taken until BlueZ has answered, so that two attempts never overlap; but an
 * answer that does not come is not waited for. */
void
pl_connect_cancel(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (!adapter || adapter->connecting != pl_sensor_of(radio, session))
    return;
  if (!adapter->connect_sent) {
    pl_connect_release(radio, session);
    return;
  }
  adapter->release_us = radio->now_us + release_after_us;
  radio->link->disconnect(radio->link, adapter->connecting);
  pl_radio_touch(radio, session->adapter);
}

void
pl_connect_expired(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (adapter)
    adapter->in_progress = 0;
  pl_connect_cancel(radio, session);
  pl_link_back_off(radio, session, PL_BACKOFF_FAILED);
}

static PlBackoffCause
judge(PlRadio *radio, PlAdapter *adapter, const PlSession *session, PlFailure failure) {
  if (failure == PL_FAILURE_ABORTED)
    return pl_adapter_aborted(radio, adapter, session) ? PL_BACKOFF_PAUSE
                                                       : PL_BACKOFF_TRANSIENT;
  if (failure == PL_FAILURE_IN_PROGRESS)
    return PL_BACKOFF_IN_PROGRESS;
  if (failure == PL_FAILURE_NOT_READY)
    return PL_BACKOFF_PAUSE;
  if (failure == PL_FAILURE_AUTHENTICATION)
    return PL_BACKOFF_AUTHENTICATION;
  return PL_BACKOFF_FAILED;
}

static void
attempt_failed(PlRadio *radio, PlSession *session, PlFailure failure) {
  PlAdapter *adapter = &radio->adapters[session->adapter];
  if (failure == PL_FAILURE_IN_PROGRESS) {
    adapter->in_progress++;
    pl_connect_cancel(radio, session);
  } else {
    adapter->in_progress = 0;
    pl_connect_release(radio, session);
  }
  if (failure == PL_FAILURE_UNKNOWN_OBJECT)
    pl_link_not_found(radio, session);
  else
    pl_link_back_off(radio, session, judge(radio, adapter, session, failure));
}

/* An answer to an attempt that was given up only frees the token. */
void
pl_connect_failed(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (!adapter || event->attempt != session->attempt)
    return;
  bool asked = adapter->connecting == pl_sensor_of(radio, session) && adapter->connect_sent;
  if (session->phase == PL_PHASE_CONNECTING) {
    if (asked)
      attempt_failed(radio, session, event->failure);
  } else if (session->phase == PL_PHASE_RESOLVING || session->phase == PL_PHASE_SUBSCRIBING) {
    pl_link_close(radio, session, PL_BACKOFF_TRANSIENT);
  } else {
    pl_connect_release(radio, session);
  }
}
