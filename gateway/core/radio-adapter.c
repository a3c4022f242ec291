/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

#include <string.h>

enum {
  LINKS_BUILTIN = 7,
  LINKS_DONGLE = 5,
  POWER_QUICK_ATTEMPTS = 6,
  IN_PROGRESS_MAX = 3,
  ABORTS_MAX = 3,
  ABORT_LINKS_MIN = 5,
  ABORT_NEAR_DBM = -75,
};

static const int64_t power_first_us = 1 * PL_SECOND;
static const int64_t power_quick_us = 10 * PL_SECOND;
static const int64_t power_slow_us = 60 * PL_SECOND;
static const int64_t reset_off_us = 2 * PL_SECOND;
static const int64_t reset_on_us = 3 * PL_SECOND;
static const int64_t reset_again_us = 30 * PL_MINUTE;
static const int64_t suspicion_window_us = 10 * PL_MINUTE;
static const int64_t exhausted_for_us = 60 * PL_SECOND;

void
pl_adapter_init(PlAdapter *adapter) {
  memset(adapter, 0, sizeof *adapter);
  adapter->wake_us = PL_NEVER;
  adapter->connecting = PL_NO_SENSOR;
  adapter->last_reset_us = PL_NO_TIME;
  for (unsigned i = 0; i < PL_SUSPICIONS; i++)
    adapter->suspicions_us[i] = PL_NO_TIME;
  pl_list_init(&adapter->heard);
}

bool
pl_adapter_usable(const PlAdapter *adapter) {
  return adapter->state.present && adapter->state.powered && adapter->reset == PL_RESET_NONE;
}

bool
pl_adapter_full(const PlRadio *radio, const PlAdapter *adapter) {
  return adapter->state.links >= adapter->state.max_links ||
         adapter->exhausted_us > radio->now_us;
}

void
pl_adapter_wake_at(const PlRadio *radio, PlAdapter *adapter, int64_t t_us) {
  if (t_us > radio->now_us && t_us < adapter->wake_us)
    adapter->wake_us = t_us;
}

/* -- coming and going ------------------------------------------------------------------ */

/* Sensors could not be heard until now: from here on it is worth looking for them. */
static void
expect_all(PlRadio *radio) {
  for (size_t i = 0; i < radio->count; i++) {
    PlSession *session = &radio->sessions[i];
    if (!pl_session_is_missing(session))
      continue;
    session->expected_us = radio->now_us;
    pl_list_insert(radio, session, PL_LIST_MISSING, session->lists[PL_LIST_MISSING].list);
  }
}

/* Nothing that the adapter carried is left. */
static void
forget_everything(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  for (size_t i = 0; i < radio->count; i++)
    if (radio->sessions[i].adapter == index)
      pl_link_forget(radio, &radio->sessions[i]);
  adapter->state.links = 0;
  adapter->fast_links = 0;
  adapter->connecting = PL_NO_SENSOR;
  adapter->in_progress = 0;
  adapter->aborts = 0;
  pl_scan_ended(adapter);
  pl_radio_touch(radio, index);
}

/* It went by itself: what was held against it is void. */
static void
forgive(PlAdapter *adapter) {
  adapter->scan_failures = 0;
  adapter->level = 0;
  adapter->exhausted_us = 0;
  adapter->state.stuck = false;
  adapter->state.slots_exhausted = false;
  adapter->power_attempts = 0;
}

static void
become_usable(PlRadio *radio, PlAdapter *adapter) {
  expect_all(radio);
  pl_scan_start_over(radio, adapter);
}

static void
lose_power(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  forget_everything(radio, index);
  if (adapter->reset != PL_RESET_NONE)
    return;
  forgive(adapter);
  adapter->power_us = radio->now_us + power_first_us;
  radio->listener->adapter_lost(radio->listener, index, radio->now_us);
}

static unsigned
max_links(const PlRadio *radio, bool builtin) {
  if (radio->options.max_links > 0)
    return radio->options.max_links;
  return builtin ? LINKS_BUILTIN : LINKS_DONGLE;
}

void
pl_adapter_event(PlRadio *radio, const PlLinkEvent *event) {
  PlAdapter *adapter = pl_adapter_of(radio, event->adapter);
  if (!adapter)
    return;
  bool was_present = adapter->state.present;
  bool was_powered = adapter->state.powered;
  adapter->state.present = true;
  adapter->state.powered = event->powered;
  adapter->state.builtin = event->builtin;
  adapter->state.max_links = max_links(radio, event->builtin);
  pl_radio_touch(radio, event->adapter);
  if (!was_present)
    adapter->power_us = radio->now_us + power_first_us;
  if (was_present && was_powered && !event->powered)
    lose_power(radio, event->adapter);
  else if (event->powered && !(was_present && was_powered))
    become_usable(radio, adapter);
}

void
pl_adapter_gone(PlRadio *radio, int index) {
  PlAdapter *adapter = pl_adapter_of(radio, index);
  if (!adapter || !adapter->state.present)
    return;
  bool was_lost = !adapter->state.powered && adapter->reset == PL_RESET_NONE;
  adapter->state.present = false;
  adapter->state.powered = false;
  adapter->reset = PL_RESET_NONE;
  forgive(adapter);
  forget_everything(radio, index);
  if (!was_lost)
    radio->listener->adapter_lost(radio->listener, index, radio->now_us);
}

/* Sensors of a capture have no adapter, so all of them are told. */
void
pl_adapter_service_lost(PlRadio *radio) {
  for (int i = 0; i < PL_ADAPTER_MAX; i++)
    pl_adapter_gone(radio, i);
  for (size_t i = 0; i < radio->count; i++)
    pl_link_forget(radio, &radio->sessions[i]);
}

/* -- power ----------------------------------------------------------------------------- */

/* Where other links are up, a reset is worth it only if at least half of the sensors of the
 * active runs are missing. */
static bool
reset_would_harm(const PlRadio *radio, const PlAdapter *adapter) {
  unsigned needed = 0, missing = 0;
  if (adapter->state.links == 0)
    return false;
  for (size_t i = 0; i < radio->count; i++) {
    needed += radio->sessions[i].run_active;
    missing += radio->sessions[i].run_active && !radio->sessions[i].present;
  }
  return 2 * missing < needed;
}

bool
pl_adapter_reset(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  bool again = adapter->last_reset_us != PL_NO_TIME;
  if (!pl_adapter_usable(adapter) || reset_would_harm(radio, adapter) ||
      (again && radio->now_us - adapter->last_reset_us < reset_again_us))
    return false;
  adapter->last_reset_us = radio->now_us;
  adapter->reset = PL_RESET_OFF;
  adapter->reset_us = radio->now_us + reset_off_us;
  adapter->state.resets++;
  forget_everything(radio, index);
  radio->link->power(radio->link, index, false);
  radio->listener->adapter_reset(radio->listener, index, radio->now_us);
  return true;
}

/* True while it goes on. */
static bool
continue_reset(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  if (adapter->reset == PL_RESET_OFF && radio->now_us >= adapter->reset_us) {
    adapter->reset = PL_RESET_ON;
    adapter->reset_us = radio->now_us + reset_on_us;
    radio->link->power(radio->link, index, true);
  } else if (adapter->reset == PL_RESET_ON && radio->now_us >= adapter->reset_us) {
    adapter->reset = PL_RESET_NONE;
    adapter->power_attempts = 0;
    adapter->power_us = radio->now_us;
    if (adapter->state.powered)
      become_usable(radio, adapter);
  }
  pl_adapter_wake_at(radio, adapter, adapter->reset_us);
  return adapter->reset != PL_RESET_NONE;
}

static void
ask_for_power(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  if (radio->options.respect_power_off)
    return;
  if (radio->now_us >= adapter->power_us) {
    adapter->power_attempts++;
    bool quick = adapter->power_attempts < POWER_QUICK_ATTEMPTS;
    adapter->power_us = radio->now_us + (quick ? power_quick_us : power_slow_us);
    radio->link->power(radio->link, index, true);
  }
  pl_adapter_wake_at(radio, adapter, adapter->power_us);
}

/* -- slots and suspicions -------------------------------------------------------------- */

bool
pl_adapter_aborted(PlRadio *radio, PlAdapter *adapter, const PlSession *session) {
  int sensor = pl_sensor_of(radio, session);
  if (adapter->state.links < ABORT_LINKS_MIN || session->state.rssi_dbm == 0 ||
      session->state.rssi_dbm <= ABORT_NEAR_DBM)
    return false;
  if (adapter->aborts++ == 0) {
    adapter->abort_sensor = sensor;
    adapter->aborts_of_several = false;
  }
  adapter->aborts_of_several |= adapter->abort_sensor != sensor;
  if (adapter->aborts >= ABORTS_MAX && adapter->aborts_of_several) {
    adapter->aborts = 0;
    adapter->state.slots_exhausted = true;
    adapter->exhausted_us = radio->now_us + exhausted_for_us;
  }
  return true;
}

void
pl_adapter_suspect(PlRadio *radio, int index) {
  PlAdapter *adapter = pl_adapter_of(radio, index);
  if (!adapter)
    return;
  adapter->suspicions_us[adapter->suspicion] = radio->now_us;
  adapter->suspicion = (adapter->suspicion + 1) % PL_SUSPICIONS;
  /* The oldest of the three, this one included, is the next to be overwritten. */
  int64_t oldest_us = adapter->suspicions_us[adapter->suspicion];
  if (oldest_us != PL_NO_TIME && radio->now_us - oldest_us <= suspicion_window_us)
    (void)pl_adapter_reset(radio, index);
}

static void
update_slots(PlRadio *radio, PlAdapter *adapter) {
  if (adapter->state.slots_exhausted && radio->now_us >= adapter->exhausted_us)
    adapter->state.slots_exhausted = false;
  pl_adapter_wake_at(radio, adapter, adapter->exhausted_us);
  if (adapter->in_progress >= IN_PROGRESS_MAX) {
    adapter->in_progress = 0;
    (void)pl_adapter_reset(radio, (int)(adapter - radio->adapters));
  }
}

/* -- all of it ------------------------------------------------------------------------- */

void
pl_adapter_update(PlRadio *radio, int index) {
  PlAdapter *adapter = &radio->adapters[index];
  adapter->wake_us = PL_NEVER;
  if (!adapter->state.present || radio->options.passive)
    return;
  if (adapter->reset != PL_RESET_NONE && continue_reset(radio, index))
    return;
  if (!adapter->state.powered) {
    ask_for_power(radio, index);
    return;
  }
  update_slots(radio, adapter);
  if (!pl_adapter_usable(adapter))
    return; /* it has just been reset, and is looked at again */
  pl_connect_next(radio, index);
  pl_scan_update(radio, index);
}
