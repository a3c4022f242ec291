/* SPDX-License-Identifier: Apache-2.0 */

/* Timers are kept in a binary heap of the sessions' earliest ones, lists in both directions.
 * Heap and lists are made of numbers that stand in the sessions themselves, so that neither
 * needs memory of its own. */
#include "gateway/core/radio-private.h"

/* -- the heap -------------------------------------------------------------------------- */

static PlSession *
heap_at(const PlRadio *radio, size_t position) {
  return &radio->sessions[radio->sessions[position].heap_item];
}

static void
heap_put(PlRadio *radio, size_t position, PlSession *session) {
  radio->sessions[position].heap_item = pl_sensor_of(radio, session);
  session->heap_position = position;
}

static void
heap_rise(PlRadio *radio, PlSession *session) {
  size_t position = session->heap_position;
  while (position > 0) {
    PlSession *parent = heap_at(radio, (position - 1) / 2);
    if (parent->due_us <= session->due_us)
      break;
    heap_put(radio, position, parent);
    position = (position - 1) / 2;
  }
  heap_put(radio, position, session);
}

static void
heap_sink(PlRadio *radio, PlSession *session) {
  size_t position = session->heap_position;
  for (;;) {
    size_t child = 2 * position + 1;
    if (child >= radio->count)
      break;
    if (child + 1 < radio->count &&
        heap_at(radio, child + 1)->due_us < heap_at(radio, child)->due_us)
      child++;
    if (heap_at(radio, child)->due_us >= session->due_us)
      break;
    heap_put(radio, position, heap_at(radio, child));
    position = child;
  }
  heap_put(radio, position, session);
}

void
pl_queue_init(PlRadio *radio) {
  for (size_t i = 0; i < radio->count; i++)
    heap_put(radio, i, &radio->sessions[i]);
}

/* -- timers ---------------------------------------------------------------------------- */

static void
update_due(PlRadio *radio, PlSession *session) {
  int64_t due_us = PL_NEVER;
  for (unsigned i = 0; i < PL_TIMER_COUNT; i++)
    if (session->timers[i] < due_us)
      due_us = session->timers[i];
  int64_t old_us = session->due_us;
  session->due_us = due_us;
  if (due_us < old_us)
    heap_rise(radio, session);
  else if (due_us > old_us)
    heap_sink(radio, session);
}

void
pl_timer_set(PlRadio *radio, PlSession *session, unsigned timer, int64_t due_us) {
  if (session->timers[timer] == due_us)
    return;
  session->timers[timer] = due_us;
  update_due(radio, session);
}

void
pl_timer_stop_all(PlRadio *radio, PlSession *session) {
  for (unsigned i = 0; i < PL_TIMER_COUNT; i++)
    session->timers[i] = PL_NEVER;
  update_due(radio, session);
}

PlSession *
pl_timer_first(const PlRadio *radio) {
  return radio->count > 0 ? heap_at(radio, 0) : NULL;
}

void
pl_timer_shift(PlRadio *radio, int64_t by_us) {
  for (size_t i = 0; i < radio->count; i++) {
    PlSession *session = &radio->sessions[i];
    for (unsigned t = 0; t < PL_TIMER_COUNT; t++)
      if (session->timers[t] != PL_NEVER)
        session->timers[t] += by_us;
    if (session->due_us != PL_NEVER)
      session->due_us += by_us; /* all by the same: the order stays */
  }
}

/* -- lists ----------------------------------------------------------------------------- */

static int64_t
list_time(const PlSession *session, PlSessionListKind kind) {
  return kind == PL_LIST_HEARD ? session->heard_us : session->expected_us;
}

static PlSession *
session_at(const PlRadio *radio, int sensor) {
  return sensor == PL_NO_SENSOR ? NULL : &radio->sessions[sensor];
}

void
pl_list_init(PlSessionList *list) {
  *list = (PlSessionList){.first = PL_NO_SENSOR, .last = PL_NO_SENSOR};
}

void
pl_list_remove(PlRadio *radio, PlSession *session, PlSessionListKind kind) {
  PlSessionListEntry *entry = &session->lists[kind];
  if (!entry->list)
    return;
  PlSession *previous = session_at(radio, entry->previous);
  PlSession *next = session_at(radio, entry->next);
  if (previous)
    previous->lists[kind].next = entry->next;
  else
    entry->list->first = entry->next;
  if (next)
    next->lists[kind].previous = entry->previous;
  else
    entry->list->last = entry->previous;
  entry->list = NULL;
}

/* From the end, because nearly always the new one is the latest. */
void
pl_list_insert(PlRadio *radio, PlSession *session, PlSessionListKind kind,
               PlSessionList *list) {
  pl_list_remove(radio, session, kind);
  int sensor = pl_sensor_of(radio, session);
  PlSession *previous = pl_list_newest(radio, list);
  while (previous && list_time(previous, kind) > list_time(session, kind))
    previous = pl_list_older(radio, previous, kind);

  PlSessionListEntry *entry = &session->lists[kind];
  entry->list = list;
  entry->previous = previous ? pl_sensor_of(radio, previous) : PL_NO_SENSOR;
  entry->next = previous ? previous->lists[kind].next : list->first;
  PlSession *next = session_at(radio, entry->next);
  if (previous)
    previous->lists[kind].next = sensor;
  else
    list->first = sensor;
  if (next)
    next->lists[kind].previous = sensor;
  else
    list->last = sensor;
}

PlSession *
pl_list_newest(const PlRadio *radio, const PlSessionList *list) {
  return session_at(radio, list->last);
}

PlSession *
pl_list_older(const PlRadio *radio, const PlSession *session, PlSessionListKind kind) {
  return session_at(radio, session->lists[kind].previous);
}
