/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/radio-private.h"

#include <math.h>

static const int64_t window_us = 10 * PL_SECOND;
static const int64_t flood_after_us = 5 * PL_SECOND;
static const double least_limit_hz = 8;
static const double limit_factor = 4;
static const double burst_s = 2;

/* -- too fast -------------------------------------------------------------------------- */

static double
limit_hz(const PlSession *session) {
  double nominal_hz = 0;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && session->drivers[i]; i++)
    nominal_hz += session->drivers[i]->nominal_rate_hz;
  return fmax(least_limit_hz, limit_factor * nominal_hz);
}

/* Whether the packet may be looked at.  A sensor is over the limit until the bucket is half
 * full again, and a flood when it has been so for long. */
static bool
pass_bucket(PlRadio *radio, PlSession *session) {
  PlSessionBucket *bucket = &session->bucket;
  double limit = limit_hz(session);
  double elapsed_s = (double)(radio->now_us - bucket->filled_us) / (double)PL_SECOND;
  bucket->tokens = fmin(burst_s * limit, bucket->tokens + elapsed_s * limit);
  bucket->filled_us = radio->now_us;
  if (bucket->tokens >= burst_s * limit / 2)
    bucket->over_since_us = PL_NO_TIME;
  if (bucket->tokens >= 1) {
    bucket->tokens -= 1;
    return true;
  }
  session->state.limited++;
  if (bucket->over_since_us == PL_NO_TIME)
    bucket->over_since_us = radio->now_us;
  if (radio->now_us - bucket->over_since_us >= flood_after_us && !radio->options.passive) {
    bucket->over_since_us = PL_NO_TIME;
    pl_link_flood(radio, session);
  }
  return false;
}

/* -- packets --------------------------------------------------------------------------- */

static void
count(PlRadio *radio, PlSession *session, PlStatus status) {
  session->state.status[status]++;
  session->state.last_data_us = radio->now_us;
  if (session->phase == PL_PHASE_STALE) {
    pl_timer_set(radio, session, PL_TIMER_PHASE, PL_NEVER);
    pl_session_enter(radio, session, PL_PHASE_STREAMING);
    pl_gatt_listen(radio, session);
  }
  if (session->present)
    return;
  session->present = true;
  radio->listener->joined(radio->listener, pl_sensor_of(radio, session), radio->now_us);
}

/* In a capture that names no drivers they are found by the characteristic that data come from.
 */
static void
find_driver(PlRadio *radio, PlSession *session, const PlUuid *uuid) {
  if (!radio->options.passive || session->config->drivers[0])
    return;
  unsigned slot = 0;
  for (; slot < PL_SESSION_DRIVERS && session->drivers[slot]; slot++)
    if (pl_driver_characteristic(session->drivers[slot], uuid) >= 0)
      return;
  for (size_t i = 0; i < radio->options.driver_count && slot < PL_SESSION_DRIVERS; i++)
    if (pl_driver_characteristic(radio->options.drivers[i], uuid) >= 0) {
      pl_driver_take(session, slot, radio->options.drivers[i]);
      pl_gatt_streaming(radio, session);
      return;
    }
}

void
pl_data_notification(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  if (radio->options.passive && !session->linked)
    pl_link_up(radio, session, event);
  if (!session->linked || session->phase == PL_PHASE_CLOSING)
    return;
  find_driver(radio, session, &event->uuid);
  session->state.received++;
  session->window_received++;
  if (!pass_bucket(radio, session))
    return;
  if (event->length > PL_VALUE_MAX) {
    session->state.status[PL_UNSUPPORTED]++;
    return;
  }
  PlStatus status = pl_driver_data(radio, session, event);
  count(radio, session, status);
}

void
pl_data_value(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  if (!session->linked || session->phase == PL_PHASE_CLOSING)
    return;
  if (event->ok && event->length <= PL_VALUE_MAX)
    (void)pl_driver_data(radio, session, event);
  pl_operation_answer(radio, session, event);
}

static PlStatus
tell_broadcast(PlRadio *radio, PlSession *session, const PlLinkEvent *link_event) {
  bool service = link_event->type == PL_LINK_SERVICE_DATA;
  PlDriverEvent event = {.type = service ? PL_DRIVER_SERVICE_DATA : PL_DRIVER_ADVERTISEMENT,
                         .t_us = radio->now_us,
                         .ok = true,
                         .company = link_event->company,
                         .uuid = link_event->uuid,
                         .data = link_event->data,
                         .length = link_event->length};
  PlStatus best = PL_UNEXPECTED;
  for (unsigned i = 0; i < PL_SESSION_DRIVERS && session->drivers[i]; i++) {
    PlStatus status = pl_driver_send(radio, session, i, &event);
    if (status < best)
      best = status;
  }
  return best;
}

/* Data by advertisement keeps a sensor alive only if it has no other: what a strap says while
 * it is connected to nobody is no link. */
void
pl_data_broadcast(PlRadio *radio, PlSession *session, const PlLinkEvent *event) {
  if (session->linked || session->banned || radio->stopping || event->length > PL_VALUE_MAX)
    return;
  bool counts = !pl_session_connects(session);
  if (counts && !pass_bucket(radio, session))
    return;
  PlStatus status = tell_broadcast(radio, session, event);
  if (!counts || status == PL_UNEXPECTED)
    return;
  session->state.received++;
  if (session->phase != PL_PHASE_STREAMING)
    pl_gatt_streaming(radio, session);
  session->window_received++;
  count(radio, session, status);
}

void
pl_data_dropped(PlRadio *radio, PlSession *session, unsigned packets) {
  session->counts_lost = true;
  session->state.lost += packets;
  session->window_lost += packets;
}

void
pl_data_battery(PlRadio *radio, PlSession *session, double battery_pct) {
  if (!(battery_pct >= 0 && battery_pct <= 100) || session->state.battery_pct == battery_pct)
    return;
  session->state.battery_pct = battery_pct;
  pl_session_publish(radio, session);
}

/* -- rates ----------------------------------------------------------------------------- */

void
pl_data_start_window(PlRadio *radio, PlSession *session) {
  for (unsigned i = 0; i < PL_SESSION_DRIVERS; i++)
    session->counts_lost |= session->active[i] && session->drivers[i]->counts_lost;
  session->window_us = radio->now_us;
  session->window_received = 0;
  session->window_lost = 0;
  pl_timer_set(radio, session, PL_TIMER_REPORT, radio->now_us + window_us);
}

void
pl_data_report(PlRadio *radio, PlSession *session) {
  double elapsed_s = (double)(radio->now_us - session->window_us) / (double)PL_SECOND;
  double sent = (double)session->window_received + (double)session->window_lost;
  session->state.rate_hz = session->window_received / elapsed_s;
  session->state.loss_pct =
      session->counts_lost && sent > 0 ? 100 * session->window_lost / sent : NAN;
  pl_data_start_window(radio, session);
  pl_session_publish(radio, session);
}
