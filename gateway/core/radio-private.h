/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/radio.h"

/* What the files of the radio share:
 *   radio.c            the rules, events, time
 *   radio-queue.c      timers and sorted lists of sessions
 *   radio-adapter.c    adapters: power, resets, slots
 *   radio-scan.c       when to scan, and whether the adapter is deaf
 *   radio-connect.c    who is heard, who is connected next, how an attempt ends
 *   session.c          phases, timers, what is published
 *   session-link.c     the life of a link: up, closing, down, back-off
 *   session-gatt.c     characteristics, subscriptions, silence
 *   session-data.c     packets, counters, floods
 *   session-driver.c   drivers and what they ask for: writes, reads, timers
 *   backoff.c          the table of delays */

#define PL_NEVER  INT64_MAX
#define PL_SECOND INT64_C(1000000)
#define PL_MINUTE (60 * PL_SECOND)

static inline int
pl_sensor_of(const PlRadio *radio, const PlSession *session) {
  return (int)(session - radio->sessions);
}

/* The adapter of that number, or NULL where there is none. */
static inline PlAdapter *
pl_adapter_of(PlRadio *radio, int adapter) {
  return adapter >= 0 && adapter < PL_ADAPTER_MAX ? &radio->adapters[adapter] : NULL;
}

/* -- radio.c --------------------------------------------------------------------------- */

/* Something has changed that the adapter's next step may depend on; PL_NO_ADAPTER: on all. */
void pl_radio_touch(PlRadio *radio, int adapter);

/* -- radio-queue.c --------------------------------------------------------------------- */

void pl_queue_init(PlRadio *radio);
/* PL_NEVER stops the timer. */
void pl_timer_set(PlRadio *radio, PlSession *session, unsigned timer, int64_t due_us);
void pl_timer_stop_all(PlRadio *radio, PlSession *session);
/* The session whose timer is due first, or NULL. */
PlSession *pl_timer_first(const PlRadio *radio);
/* Moves all timers. */
void pl_timer_shift(PlRadio *radio, int64_t by_us);

void pl_list_init(PlSessionList *list);
/* Puts the session into the list at the place that its time says, out of the one it was in. */
void pl_list_insert(PlRadio *radio, PlSession *session, PlSessionListKind kind,
                    PlSessionList *list);
void pl_list_remove(PlRadio *radio, PlSession *session, PlSessionListKind kind);
/* The one with the latest time, and the one before; NULL at the end. */
PlSession *pl_list_newest(const PlRadio *radio, const PlSessionList *list);
PlSession *pl_list_older(const PlRadio *radio, const PlSession *session,
                         PlSessionListKind kind);

/* -- radio-adapter.c ------------------------------------------------------------------- */

void pl_adapter_init(PlAdapter *adapter);
void pl_adapter_event(PlRadio *radio, const PlLinkEvent *event);
void pl_adapter_gone(PlRadio *radio, int adapter);
void pl_adapter_service_lost(PlRadio *radio);
/* Does what is due on the adapter, and notes when to come back. */
void pl_adapter_update(PlRadio *radio, int adapter);
void pl_adapter_wake_at(const PlRadio *radio, PlAdapter *adapter, int64_t t_us);
bool pl_adapter_usable(const PlAdapter *adapter);
/* No further link may be asked for now. */
bool pl_adapter_full(const PlRadio *radio, const PlAdapter *adapter);
/* Switches it off and on again, unless that would do more harm than good just now. */
bool pl_adapter_reset(PlRadio *radio, int adapter);
/* A link did not end although we asked for it. */
void pl_adapter_suspect(PlRadio *radio, int adapter);
/* A sensor that is near was aborted.  True: the adapter seems to be out of slots. */
bool pl_adapter_aborted(PlRadio *radio, PlAdapter *adapter, const PlSession *session);

/* -- radio-scan.c ---------------------------------------------------------------------- */

void pl_scan_update(PlRadio *radio, int adapter);
void pl_scan_answer(PlRadio *radio, const PlLinkEvent *event);
/* Somebody was heard. */
void pl_scan_heard(PlRadio *radio, int adapter);
/* The adapter is there and on; nothing is known of it. */
void pl_scan_start_over(PlRadio *radio, PlAdapter *adapter);
/* The scan has ended with the adapter. */
void pl_scan_ended(PlAdapter *adapter);
/* Listen now, without waiting for the end of a pause. */
void pl_scan_at_once(PlRadio *radio, int adapter);

/* -- radio-connect.c ------------------------------------------------------------------- */

void pl_connect_advertisement(PlRadio *radio, const PlLinkEvent *event);
/* Gives the token to the next sensor. */
void pl_connect_next(PlRadio *radio, int adapter);
/* The scan has ended: asks for the link. */
void pl_connect_send(PlRadio *radio, int adapter);
void pl_connect_failed(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_connect_expired(PlRadio *radio, PlSession *session);
/* The attempt is not wanted any more. */
void pl_connect_cancel(PlRadio *radio, PlSession *session);
/* The token is free. */
void pl_connect_release(PlRadio *radio, PlSession *session);
/* Puts the session where the choice finds it, if it was heard. */
void pl_connect_listen(PlRadio *radio, PlSession *session);

/* -- session.c ------------------------------------------------------------------------- */

void pl_session_init(PlRadio *radio, PlSession *session, const PlSessionConfig *config);
/* Changes the phase and everything that hangs on it, but no timer. */
void pl_session_enter(PlRadio *radio, PlSession *session, PlSessionPhase phase);
void pl_session_publish(PlRadio *radio, PlSession *session);
void pl_session_set_problem(PlRadio *radio, PlSession *session, PlSensorProblem problem);
/* The same for its signal alone, which changes with every advertisement: seldom. */
void pl_session_publish_signal(PlRadio *radio, PlSession *session);
/* True unless all its drivers only listen to advertisements. */
bool pl_session_connects(const PlSession *session);
/* It would be connected if it were heard. */
bool pl_session_is_missing(const PlSession *session);
void pl_session_lost(PlRadio *radio, PlSession *session);
void pl_session_timer(PlRadio *radio, PlSession *session, PlSessionTimer timer);

/* -- session-link.c -------------------------------------------------------------------- */

void pl_link_up(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
/* Ends the link; when it is down the sensor waits as `cause` demands. */
void pl_link_close(PlRadio *radio, PlSession *session, PlBackoffCause cause);
void pl_link_down(PlRadio *radio, PlSession *session);
void pl_link_removed(PlRadio *radio, PlSession *session);
/* There is no link; the sensor waits. */
void pl_link_back_off(PlRadio *radio, PlSession *session, PlBackoffCause cause);
/* BlueZ does not know it any more: it has to be heard again. */
void pl_link_not_found(PlRadio *radio, PlSession *session);
/* What carried it is gone. */
void pl_link_forget(PlRadio *radio, PlSession *session);
/* What the end of this stream means for the next attempt. */
PlBackoffCause pl_link_cause(const PlSession *session);
void pl_link_stop(PlRadio *radio, PlSession *session);
/* Nothing is left to be written: go. */
void pl_link_stop_if_quiet(PlRadio *radio, PlSession *session);
void pl_link_close_expired(PlRadio *radio, PlSession *session);
void pl_link_back_off_over(PlRadio *radio, PlSession *session);
/* Shuts it out for a while. */
void pl_link_flood(PlRadio *radio, PlSession *session);

/* -- session-gatt.c -------------------------------------------------------------------- */

void pl_gatt_characteristic(PlRadio *radio, PlSession *session, const PlUuid *uuid);
void pl_gatt_resolved(PlRadio *radio, PlSession *session);
void pl_gatt_resolve_expired(PlRadio *radio, PlSession *session);
void pl_gatt_subscribed(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_gatt_subscribe_expired(PlRadio *radio, PlSession *session);
/* It streams from now on, whatever carries its data. */
void pl_gatt_streaming(PlRadio *radio, PlSession *session);
/* Sets the timer of silence anew, or finds that there has been enough of it. */
void pl_gatt_listen(PlRadio *radio, PlSession *session);
void pl_gatt_stale_expired(PlRadio *radio, PlSession *session);

/* -- session-data.c -------------------------------------------------------------------- */

void pl_data_notification(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_data_value(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
/* Manufacturer or service data. */
void pl_data_broadcast(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_data_dropped(PlRadio *radio, PlSession *session, unsigned count);
void pl_data_battery(PlRadio *radio, PlSession *session, double battery_pct);
void pl_data_start_window(PlRadio *radio, PlSession *session);
void pl_data_report(PlRadio *radio, PlSession *session);

/* -- session-driver.c ------------------------------------------------------------------ */

/* The drivers to choose from; NULL past the last. */
const PlDriver *pl_driver_candidate(const PlRadio *radio, const PlSession *session,
                                    unsigned index);
/* Gives the driver a slot with fresh state, unless it has that slot already. */
void pl_driver_take(PlSession *session, unsigned slot, const PlDriver *driver);
PlStatus pl_driver_send(PlRadio *radio, PlSession *session, unsigned slot,
                        const PlDriverEvent *event);
/* An event without data, to all that are active. */
void pl_driver_tell(PlRadio *radio, PlSession *session, PlDriverEventType type);
/* Sends data of a characteristic to those that know it; the best of what they say. */
PlStatus pl_driver_data(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_driver_timer(PlRadio *radio, PlSession *session, unsigned timer);
void pl_driver_refused(PlRadio *radio, PlSession *session);

/* Starts the next read or write. */
void pl_operation_next(PlRadio *radio, PlSession *session);
void pl_operation_answer(PlRadio *radio, PlSession *session, const PlLinkEvent *event);
void pl_operation_expired(PlRadio *radio, PlSession *session);
void pl_operation_clear(PlRadio *radio, PlSession *session);
