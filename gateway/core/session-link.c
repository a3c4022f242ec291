/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

#include <math.h>
#include <string.h>

enum { UNRESOLVED_MAX = 3 };

static const int64_t resolve_timeout_us = 12 * PL_SECOND;
static const int64_t close_timeout_us = 5 * PL_SECOND;
static const int64_t stop_timeout_us = 2 * PL_SECOND;
static const int64_t flood_ban_us = 10 * PL_MINUTE;
static const int64_t long_stream_us = 30 * PL_SECOND;
static const int64_t good_stream_us = 60 * PL_SECOND;
static const int64_t seen_for_us = 60 * PL_SECOND;
static const int64_t remove_again_us = 60 * PL_MINUTE;

/* -- the life of a link ---------------------------------------------------------------- */

static void
become_linked(PlRadio *radio, PlSession *session, bool ours) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  session->linked = true;
  session->ours = ours;
  session->seen_us = PL_NO_TIME;
  session->heard_us = PL_NO_TIME; /* what it advertised before counts no more */
  session->refound = false;
  pl_list_remove(radio, session, PL_LIST_HEARD);
  if (adapter) {
    adapter->state.links++;
    adapter->in_progress = 0;
    adapter->aborts = 0;
  }
}

/* Drivers, subscriptions and counters of a link that is down, or as good as. */
static void
end_stream(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  pl_timer_stop_all(radio, session);
  pl_operation_clear(radio, session);
  pl_driver_tell(radio, session, PL_DRIVER_GONE);
  memset(session->active, 0, sizeof session->active);
  memset(session->refused, 0, sizeof session->refused);
  memset(session->found, 0, sizeof session->found);
  session->subscribing = -1;
  session->state.rate_hz = NAN;
  session->state.loss_pct = NAN;
  if (session->fast && adapter)
    adapter->fast_links--;
  session->fast = false;
  pl_session_lost(radio, session);
}

static void
become_unlinked(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  if (adapter && session->linked)
    adapter->state.links--;
  session->linked = false;
  session->ours = false;
}

/* Whether this link is the one that we asked for; then the token is free. */
static bool
take_token(PlRadio *radio, PlSession *session) {
  PlAdapter *adapter = pl_adapter_of(radio, session->adapter);
  bool holder = adapter && adapter->connecting == pl_sensor_of(radio, session);
  bool sent = holder && adapter->connect_sent;
  if (holder)
    pl_connect_release(radio, session);
  return sent;
}

/* A link that came late, after we had given up, is ended: nobody would use it, and while it is
 * up the sensor is not heard. */
static bool
is_unwanted(const PlRadio *radio, const PlSession *session, unsigned attempt) {
  bool given_up = attempt != 0 && session->phase != PL_PHASE_CONNECTING;
  bool floods = session->banned && session->state.problem == PL_SENSOR_FLOODS;
  return given_up || floods || radio->stopping;
}

void
pl_link_up(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  bool older = event->attempt != 0 && session->phase == PL_PHASE_CONNECTING &&
               event->attempt != session->attempt;
  /* A link of a sensor that only advertises is somebody else's business. */
  if (older || !pl_session_connects(session))
    return;
  if (session->linked) {
    memset(session->found, 0, sizeof session->found); /* the services are told anew */
    return;
  }
  if (is_unwanted(radio, session, event->attempt)) {
    pl_connect_release(radio, session);
    if (event->attempt != 0 || !radio->stopping)
      radio->link->disconnect(radio->link, pl_sensor_of(radio, session));
    return;
  }
  bool ours = take_token(radio, session);
  if (pl_adapter_of(radio, event->adapter))
    session->adapter = event->adapter;
  session->banned = false;
  become_linked(radio, session, ours);
  session->resolved = false;
  if (radio->options.passive) {
    pl_gatt_streaming(radio, session);
    return;
  }
  pl_session_enter(radio, session, PL_PHASE_RESOLVING);
  pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + resolve_timeout_us);
}

static int64_t
streamed_us(const PlSession *session) {
  bool never = session->streaming_us == PL_NO_TIME ||
               session->state.last_data_us < session->streaming_us;
  return never ? 0 : session->state.last_data_us - session->streaming_us;
}

PlBackoffCause
pl_link_cause(const PlSession *session) {
  return streamed_us(session) > long_stream_us ? PL_BACKOFF_DROPPED : PL_BACKOFF_FAILED;
}

void
pl_link_close(PlRadio *radio, PlSession *session, PlBackoffCause cause) {
  session->cause = cause;
  end_stream(radio, session);
  pl_session_enter(radio, session, PL_PHASE_CLOSING);
  pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + close_timeout_us);
  radio->link->disconnect(radio->link, pl_sensor_of(radio, session));
}

static void
wait_banned(PlRadio *radio, PlSession *session, int64_t for_us) {
  session->banned = true;
  session->streaming_us = PL_NO_TIME;
  pl_list_remove(radio, session, PL_LIST_HEARD);
  pl_session_enter(radio, session, PL_PHASE_BACKOFF);
  pl_timer_set(radio, session, PL_TIMER_PHASE,
               for_us == PL_BACKOFF_FOREVER ? PL_NEVER : radio->now_us + for_us);
}

void
pl_link_back_off(PlRadio *radio, PlSession *session, PlBackoffCause cause) {
  if (streamed_us(session) >= good_stream_us)
    session->backoff = (PlBackoff){0};
  session->streaming_us = PL_NO_TIME;
  if (radio->stopping || radio->options.passive) {
    pl_session_enter(radio, session, PL_PHASE_ABSENT);
    return;
  }
  if (cause == PL_BACKOFF_AUTHENTICATION)
    pl_session_set_problem(radio, session, PL_SENSOR_NEEDS_PAIRING);
  int64_t delay_us = pl_backoff_delay(&session->backoff, cause, &radio->random);
  if (delay_us == PL_BACKOFF_FOREVER) {
    wait_banned(radio, session, delay_us);
    return;
  }
  pl_timer_set(radio, session, PL_TIMER_PHASE,
               delay_us == 0 ? PL_NEVER : radio->now_us + delay_us);
  pl_session_enter(radio, session, delay_us == 0 ? PL_PHASE_ABSENT : PL_PHASE_BACKOFF);
  pl_connect_listen(radio, session);
}

void
pl_link_not_found(PlRadio *radio, PlSession *session) {
  session->refound = true;
  session->heard_us = PL_NO_TIME;
  session->seen_us = PL_NO_TIME;
  pl_list_remove(radio, session, PL_LIST_HEARD);
  pl_timer_set(radio, session, PL_TIMER_PHASE, PL_NEVER);
  pl_session_enter(radio, session, PL_PHASE_ABSENT);
}

/* BlueZ keeps what it knows of a sensor's characteristics, even when it is wrong. */
static void
maybe_remove(PlRadio *radio, PlSession *session) {
  if (session->unresolved < UNRESOLVED_MAX || radio->now_us < session->removable_us)
    return;
  session->unresolved = 0;
  session->removable_us = radio->now_us + remove_again_us;
  radio->link->remove(radio->link, pl_sensor_of(radio, session));
}

static void
finish_closing(PlRadio *radio, PlSession *session) {
  become_unlinked(radio, session);
  if (session->state.problem == PL_SENSOR_FLOODS && !radio->stopping) {
    wait_banned(radio, session, flood_ban_us);
    return;
  }
  maybe_remove(radio, session);
  pl_link_back_off(radio, session, session->cause);
  pl_scan_at_once(radio, session->config->adapter);
}

void
pl_link_close_expired(PlRadio *radio, PlSession *session) {
  pl_adapter_suspect(radio, session->adapter);
  if (session->phase == PL_PHASE_CLOSING) /* the adapter has not been reset */
    finish_closing(radio, session);
}

void
pl_link_flood(PlRadio *radio, PlSession *session) {
  pl_session_set_problem(radio, session, PL_SENSOR_FLOODS);
  radio->listener->flood(radio->listener, pl_sensor_of(radio, session), radio->now_us);
  if (session->linked) {
    pl_link_close(radio, session, PL_BACKOFF_FAILED);
    return;
  }
  end_stream(radio, session);
  wait_banned(radio, session, flood_ban_us);
}

void
pl_link_down(PlRadio *radio, PlSession *session) {
  if (!session->linked) {
    if (session->phase != PL_PHASE_CONNECTING)
      pl_connect_release(radio, session);
    return;
  }
  if (session->phase == PL_PHASE_CLOSING) {
    finish_closing(radio, session);
    return;
  }
  bool streamed = session->phase == PL_PHASE_STREAMING || session->phase == PL_PHASE_STALE;
  session->state.drops++;
  end_stream(radio, session);
  become_unlinked(radio, session);
  /* A link that ends before it was of use was never really there. */
  pl_link_back_off(radio, session, streamed ? pl_link_cause(session) : PL_BACKOFF_TRANSIENT);
  pl_scan_at_once(radio, session->config->adapter);
}

void
pl_link_removed(PlRadio *radio, PlSession *session) {
  if (session->linked) {
    pl_link_down(radio, session);
  } else if (session->phase == PL_PHASE_CONNECTING) {
    pl_connect_release(radio, session);
    pl_link_not_found(radio, session);
    return;
  }
  session->heard_us = PL_NO_TIME;
  pl_list_remove(radio, session, PL_LIST_HEARD);
  if (session->phase == PL_PHASE_SEEN) {
    pl_timer_set(radio, session, PL_TIMER_PHASE, PL_NEVER);
    pl_session_enter(radio, session, PL_PHASE_ABSENT);
  }
}

/* A ban holds whatever happens to the adapter. */
void
pl_link_forget(PlRadio *radio, PlSession *session) {
  pl_connect_release(radio, session);
  if (session->linked && session->phase != PL_PHASE_CLOSING && session->phase != PL_PHASE_STALE)
    session->state.drops++;
  if (session->linked || session->phase == PL_PHASE_STREAMING) {
    end_stream(radio, session);
    become_unlinked(radio, session);
  }
  pl_list_remove(radio, session, PL_LIST_HEARD);
  session->adapter = PL_NO_ADAPTER;
  session->heard_us = PL_NO_TIME;
  session->seen_us = PL_NO_TIME;
  session->streaming_us = PL_NO_TIME;
  if (session->banned)
    return;
  pl_timer_stop_all(radio, session);
  if (session->state.problem == PL_SENSOR_FLOODS)
    wait_banned(radio, session, flood_ban_us);
  else
    pl_session_enter(radio, session, PL_PHASE_ABSENT);
}

void
pl_link_back_off_over(PlRadio *radio, PlSession *session) {
  bool floods = session->state.problem == PL_SENSOR_FLOODS;
  session->banned = false;
  bool seen = session->seen_us != PL_NO_TIME &&
              radio->now_us - session->seen_us < seen_for_us && !floods;
  session->waiting_us = radio->now_us;
  if (seen)
    pl_timer_set(radio, session, PL_TIMER_PHASE, session->seen_us + seen_for_us);
  pl_session_enter(radio, session, seen ? PL_PHASE_SEEN : PL_PHASE_ABSENT);
  if (floods)
    pl_session_set_problem(radio, session, PL_SENSOR_FINE);
}

/* -- stopping -------------------------------------------------------------------------- */

void
pl_link_stop_if_quiet(PlRadio *radio, PlSession *session) {
  if (session->phase != PL_PHASE_STOPPING || session->operation != PL_OPERATION_NONE ||
      session->write_count > 0)
    return;
  if (session->ours) {
    pl_link_close(radio, session, PL_BACKOFF_DROPPED);
    return;
  }
  end_stream(radio, session);
  become_unlinked(radio, session);
  pl_session_enter(radio, session, PL_PHASE_ABSENT);
}

void
pl_link_stop(PlRadio *radio, PlSession *session) {
  bool streams = session->phase == PL_PHASE_STREAMING || session->phase == PL_PHASE_STALE;
  if (session->phase == PL_PHASE_CLOSING)
    return;
  if (session->linked) {
    pl_timer_stop_all(radio, session);
    session->reads = 0;
    pl_session_enter(radio, session, PL_PHASE_STOPPING);
    pl_timer_set(radio, session, PL_TIMER_PHASE, radio->now_us + stop_timeout_us);
    if (streams)
      pl_driver_tell(radio, session, PL_DRIVER_STOP);
    pl_link_stop_if_quiet(radio, session);
    return;
  }
  if (session->phase == PL_PHASE_CONNECTING)
    pl_connect_cancel(radio, session);
  if (session->phase == PL_PHASE_STREAMING)
    end_stream(radio, session);
  pl_timer_stop_all(radio, session);
  session->banned = false;
  pl_session_enter(radio, session, PL_PHASE_ABSENT);
}
