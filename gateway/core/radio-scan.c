/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

enum {
  START_ATTEMPTS = 4,
  START_RESET_AT = 2,
  LEVEL_RESET = 2,
  LEVEL_STUCK = 3,
};

static const int64_t start_timeout_us = 15 * PL_SECOND;
static const int64_t stop_timeout_us = 2 * PL_SECOND;
static const int64_t start_first_retry_us = 1 * PL_SECOND;
static const int64_t start_retry_us = 1500000;
static const int64_t start_slow_retry_us = 60 * PL_SECOND;

static const int64_t hunt_for_us = 10 * PL_MINUTE;
static const int64_t eager_us = 10 * PL_SECOND;
static const int64_t renew_us = 3 * PL_SECOND;

static const int64_t deaf_time_us = 90 * PL_SECOND;
static const int64_t deaf_scan_us = 60 * PL_SECOND;
static const int64_t stuck_retry_us = 5 * PL_MINUTE;

/* -- the policy ------------------------------------------------------------------------ */

/* The missing sensor that was expected last, of those that this adapter may serve. */
static const PlSession *
last_expected(const PlRadio *radio, int index) {
  const PlSession *own = pl_list_newest(radio, &radio->missing[index]);
  const PlSession *any = pl_list_newest(radio, &radio->missing[PL_ADAPTER_MAX]);
  if (!own || !any)
    return own ? own : any;
  return own->expected_us > any->expected_us ? own : any;
}

static PlScanMode
choose_mode(const PlRadio *radio, PlAdapter *adapter) {
  int index = (int)(adapter - radio->adapters);
  if (radio->stopping)
    return PL_SCAN_MODE_OFF;
  if (radio->user_scan_us > radio->now_us) {
    pl_adapter_wake_at(radio, adapter, radio->user_scan_us);
    return PL_SCAN_MODE_USER;
  }
  if (radio->broadcasting > 0)
    return PL_SCAN_MODE_SQUAD;
  const PlSession *expected = last_expected(radio, index);
  if (!expected)
    return PL_SCAN_MODE_OFF;
  if (pl_adapter_full(radio, adapter))
    return PL_SCAN_MODE_TRICKLE;
  int64_t end_us = expected->expected_us + hunt_for_us;
  pl_adapter_wake_at(radio, adapter, end_us);
  return end_us > radio->now_us ? PL_SCAN_MODE_HUNT : PL_SCAN_MODE_TRICKLE;
}

/* How long to scan, and how long to pause. */
static void
choose_turn(const PlAdapter *adapter, int64_t *on_us, int64_t *off_us) {
  if (adapter->mode == PL_SCAN_MODE_TRICKLE) {
    *on_us = 5 * PL_SECOND;
    *off_us = 25 * PL_SECOND;
  } else if (adapter->state.builtin && adapter->fast_links > 0) {
    *on_us = 5 * PL_SECOND;
    *off_us = 10500000;
  } else {
    *on_us = 5 * PL_SECOND;
    *off_us = 2500000;
  }
}

/* Somebody who was here a moment ago could be connected, and only has to be heard again. */
static bool
somebody_waits(const PlRadio *radio, const PlAdapter *adapter, int64_t since_us) {
  const PlSession *session = pl_list_newest(radio, &adapter->heard);
  while (session && radio->now_us - session->heard_us <= since_us) {
    if (session->phase == PL_PHASE_SEEN)
      return true;
    session = pl_list_older(radio, session, PL_LIST_HEARD);
  }
  return false;
}

static void
set_mode(PlRadio *radio, PlAdapter *adapter, PlScanMode mode) {
  if (mode > adapter->mode)
    adapter->cycle_us = radio->now_us;
  if (adapter->mode == PL_SCAN_MODE_OFF) {
    adapter->silent_since_us = radio->now_us;
    adapter->silent_us = 0;
  }
  adapter->mode = mode;
}

/* Whether the policy wants to scan now. */
static bool
is_turn_to_scan(PlRadio *radio, PlAdapter *adapter) {
  PlScanMode mode = choose_mode(radio, adapter);
  if (mode != adapter->mode)
    set_mode(radio, adapter, mode);
  if (mode == PL_SCAN_MODE_OFF)
    return false;
  if (mode == PL_SCAN_MODE_USER || mode == PL_SCAN_MODE_SQUAD)
    return true;

  int64_t on_us, off_us;
  choose_turn(adapter, &on_us, &off_us);
  int64_t position_us = radio->now_us - adapter->cycle_us;
  bool over = position_us >= on_us + off_us;
  bool cut_short = position_us >= on_us && !pl_adapter_full(radio, adapter) &&
                   somebody_waits(radio, adapter, eager_us);
  if (over || cut_short) {
    adapter->cycle_us = radio->now_us;
    position_us = 0;
  }
  pl_adapter_wake_at(radio, adapter, adapter->cycle_us + on_us);
  pl_adapter_wake_at(radio, adapter, adapter->cycle_us + on_us + off_us);
  return position_us < on_us;
}

/* Never while a Connect() is on its way or about to be.  A private address is the exception:
 * its object would vanish with the scan, so whatever holds goes on. */
static bool
wants_scan(PlRadio *radio, PlAdapter *adapter) {
  bool turn = is_turn_to_scan(radio, adapter);
  /* The end of a turn does not hide that the scan has never begun. */
  bool starting = adapter->scan == PL_SCAN_STARTING && adapter->mode != PL_SCAN_MODE_OFF;
  if (adapter->connecting == PL_NO_SENSOR)
    return turn || starting;
  const PlSession *session = &radio->sessions[adapter->connecting];
  return session->private_address && session->phase == PL_PHASE_CONNECTING &&
         (adapter->scan == PL_SCAN_RUNNING || adapter->scan == PL_SCAN_STARTING);
}

void
pl_scan_at_once(PlRadio *radio, int index) {
  for (int i = 0; i < PL_ADAPTER_MAX; i++) {
    if (index != PL_NO_ADAPTER && index != i)
      continue;
    radio->adapters[i].cycle_us = radio->now_us;
    pl_radio_touch(radio, i);
  }
}

/* -- bookkeeping ----------------------------------------------------------------------- */

static void
count_silence(const PlRadio *radio, PlAdapter *adapter) {
  adapter->silent_us += radio->now_us - adapter->listening_us;
  adapter->listening_us = radio->now_us;
}

static void
start_scan(PlRadio *radio, PlAdapter *adapter) {
  adapter->scan = PL_SCAN_STARTING;
  adapter->scan_deadline_us = radio->now_us + start_timeout_us;
  radio->link->scan(radio->link, (int)(adapter - radio->adapters), true);
}

static void
stop_scan(PlRadio *radio, PlAdapter *adapter) {
  if (adapter->scan == PL_SCAN_RUNNING)
    count_silence(radio, adapter);
  adapter->scan = PL_SCAN_STOPPING;
  adapter->scan_deadline_us = radio->now_us + stop_timeout_us;
  radio->link->scan(radio->link, (int)(adapter - radio->adapters), false);
}

static void
scan_runs(PlRadio *radio, PlAdapter *adapter) {
  adapter->scan = PL_SCAN_RUNNING;
  adapter->state.scanning = true;
  adapter->scan_since_us = radio->now_us;
  adapter->listening_us = radio->now_us;
  adapter->scan_failures = 0;
  adapter->state.stuck = adapter->level >= LEVEL_STUCK;
}

void
pl_scan_ended(PlAdapter *adapter) {
  adapter->scan = PL_SCAN_IDLE;
  adapter->state.scanning = false;
}

/* Four attempts, with a reset at the second; then one a minute. */
static void
start_failed(PlRadio *radio, PlAdapter *adapter, PlFailure failure) {
  pl_scan_ended(adapter);
  adapter->scan_failures++;
  /* An unknown adapter is one that is being set up: a reset would not help. */
  bool set_up = failure == PL_FAILURE_UNKNOWN_OBJECT;
  if (adapter->scan_failures >= START_ATTEMPTS) {
    adapter->state.stuck = true;
    adapter->scan_retry_us = radio->now_us + start_slow_retry_us;
  } else {
    bool soon = adapter->scan_failures == 1 && !set_up;
    adapter->scan_retry_us = radio->now_us + (soon ? start_first_retry_us : start_retry_us);
  }
  if (adapter->scan_failures == START_RESET_AT && !set_up)
    (void)pl_adapter_reset(radio, (int)(adapter - radio->adapters));
  /* It may scan all the same: then it has to stop before anything else. */
  bool unclear = failure == PL_FAILURE_IN_PROGRESS || failure == PL_FAILURE_TIMEOUT;
  if (unclear && adapter->reset == PL_RESET_NONE)
    stop_scan(radio, adapter);
}

/* The answer to stopping ends the scan whatever it says: BlueZ has dropped our session, and
 * what it tells of scanning may stay true for ever.  Only a late answer to starting is told
 * apart. */
void
pl_scan_answer(PlRadio *radio, const PlLinkEvent *event) {
  PlAdapter *adapter = pl_adapter_of(radio, event->adapter);
  if (!adapter || !pl_adapter_usable(adapter) || radio->options.passive)
    return;
  bool runs = event->ok && event->scanning;
  switch (adapter->scan) {
  case PL_SCAN_IDLE:
    if (runs)
      stop_scan(radio, adapter); /* an answer given up: if still wanted, it starts again */
    break;
  case PL_SCAN_STARTING:
    if (runs)
      scan_runs(radio, adapter);
    else
      start_failed(radio, adapter, event->failure);
    break;
  case PL_SCAN_RUNNING:
    if (!event->scanning) {
      count_silence(radio, adapter);
      pl_scan_ended(adapter);
      adapter->scan_retry_us = radio->now_us + start_first_retry_us;
    }
    break;
  case PL_SCAN_STOPPING:
    if (!runs)
      pl_scan_ended(adapter);
    break;
  }
  pl_radio_touch(radio, event->adapter);
}

void
pl_scan_start_over(PlRadio *radio, PlAdapter *adapter) {
  pl_scan_ended(adapter);
  adapter->mode = PL_SCAN_MODE_OFF;
  adapter->scan_retry_us = radio->now_us;
  adapter->silent_us = 0;
  adapter->silent_since_us = radio->now_us;
}

/* -- is the adapter deaf? -------------------------------------------------------------- */

void
pl_scan_heard(PlRadio *radio, int index) {
  PlAdapter *adapter = pl_adapter_of(radio, index);
  if (!adapter)
    return;
  adapter->silent_us = 0;
  adapter->silent_since_us = radio->now_us;
  adapter->listening_us = radio->now_us;
  if (adapter->level == 0)
    return;
  adapter->level = 0;
  adapter->state.stuck = adapter->scan_failures >= START_ATTEMPTS;
}

/* When a running scan will have heard nobody for too long. */
static int64_t
deaf_at(const PlAdapter *adapter) {
  int64_t patience_us = adapter->level >= LEVEL_STUCK ? stuck_retry_us : deaf_time_us;
  int64_t by_time_us = adapter->silent_since_us + patience_us;
  int64_t by_scan_us = adapter->listening_us + deaf_scan_us - adapter->silent_us;
  return by_time_us > by_scan_us ? by_time_us : by_scan_us;
}

static void
climb_ladder(PlRadio *radio, PlAdapter *adapter) {
  if (adapter->level < LEVEL_STUCK)
    adapter->level++;
  adapter->silent_since_us = radio->now_us;
  adapter->state.stuck |= adapter->level == LEVEL_STUCK;
  if (adapter->level >= LEVEL_RESET &&
      pl_adapter_reset(radio, (int)(adapter - radio->adapters)))
    return;
  stop_scan(radio, adapter); /* and the turn, which goes on, starts it again */
  adapter->silent_us = 0;
}

static void
watch(PlRadio *radio, PlAdapter *adapter) {
  if (adapter->scan != PL_SCAN_RUNNING)
    return;
  if (deaf_at(adapter) <= radio->now_us)
    climb_ladder(radio, adapter);
  else
    pl_adapter_wake_at(radio, adapter, deaf_at(adapter));
}

/* BlueZ tells of an advertisement when something about it is new.  One that is like the last,
 * down to its strength, is told once in a scan: a sensor that was heard while it had to wait,
 * and advertises on, is heard again only by another scan. */
static void
renew(PlRadio *radio, PlAdapter *adapter) {
  if (adapter->scan != PL_SCAN_RUNNING || adapter->connecting != PL_NO_SENSOR ||
      pl_adapter_full(radio, adapter) || !somebody_waits(radio, adapter, PL_MINUTE))
    return;
  int64_t at_us = adapter->scan_since_us + renew_us;
  if (at_us <= radio->now_us)
    stop_scan(radio, adapter); /* and the turn, which goes on, starts it again */
  else
    pl_adapter_wake_at(radio, adapter, at_us);
}

/* -- all of it ------------------------------------------------------------------------- */

static void
check_deadline(PlRadio *radio, PlAdapter *adapter) {
  bool over = radio->now_us >= adapter->scan_deadline_us;
  if (adapter->scan == PL_SCAN_STOPPING && over)
    pl_scan_ended(adapter);
  else if (adapter->scan == PL_SCAN_STARTING && over)
    start_failed(radio, adapter, PL_FAILURE_TIMEOUT);
}

void
pl_scan_update(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  watch(radio, adapter);
  check_deadline(radio, adapter);
  if (!pl_adapter_usable(adapter))
    return;
  renew(radio, adapter);
  bool wanted = wants_scan(radio, adapter);
  bool active = adapter->scan == PL_SCAN_RUNNING || adapter->scan == PL_SCAN_STARTING;
  if (adapter->scan == PL_SCAN_IDLE && wanted && radio->now_us >= adapter->scan_retry_us)
    start_scan(radio, adapter);
  else if (active && !wanted)
    stop_scan(radio, adapter);

  if (adapter->scan == PL_SCAN_STARTING || adapter->scan == PL_SCAN_STOPPING)
    pl_adapter_wake_at(radio, adapter, adapter->scan_deadline_us);
  else if (adapter->scan == PL_SCAN_IDLE && wanted)
    pl_adapter_wake_at(radio, adapter, adapter->scan_retry_us);
  if (adapter->scan == PL_SCAN_IDLE)
    pl_connect_send(radio, index);
}
