/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/drivers.h"
#include "plugins/simulator/simulator.h"

#include <glib.h>
#include <math.h>

/* The real drivers on the simulated sensors: everything that these say is understood. */

enum { TIMERS_MAX = 8 };

typedef struct {
  PlSink sink; /* first */
  const PlDriver *driver;
  PlSimulator *simulator;
  int sensor;
  gint64 now_us;
  unsigned answers; /* to subscriptions */
  bool ready;
  gint64 timer_us[TIMERS_MAX];
  guint status[PL_STATUS_COUNT];
  guint samples;
  PlSample last;
  guint64 state[PL_DRIVER_STATE_MAX / 8];
} Attached;

static void
take_sample(PlSink *sink, const PlSample *sample) {
  Attached *self = (Attached *)(void *)sink;
  self->samples++;
  self->last = *sample;
}

static void
take_write(PlSink *sink, unsigned characteristic, const uint8_t *data, size_t length) {
  Attached *self = (Attached *)(void *)sink;
  PlLink *link = pl_simulator_link(self->simulator);
  link->write(link, self->sensor, &self->driver->characteristics[characteristic].uuid, data,
              length);
}

static void
take_timer(PlSink *sink, unsigned id, int64_t after_us) {
  Attached *self = (Attached *)(void *)sink;
  g_assert_cmpuint(id, <, TIMERS_MAX);
  self->timer_us[id] = after_us < 0 ? INT64_MAX : self->now_us + after_us;
}

static void
attach(Attached *self, PlSimulator *simulator, int sensor, const char *driver) {
  const PlDriverOptions options = {0};

  *self = (Attached){
      .sink = {take_sample, take_write, take_timer},
      .driver = pl_driver_find(driver),
      .simulator = simulator,
      .sensor = sensor,
  };
  for (int i = 0; i < TIMERS_MAX; i++)
    self->timer_us[i] = INT64_MAX;
  g_assert_nonnull(self->driver);
  self->driver->init(self->state, &options);
}

static void
tell(Attached *self, PlDriverEvent event) {
  event.t_us = self->now_us;
  PlStatus status = self->driver->handle(self->state, &event, &self->sink);
  self->status[status]++;
}

static void
fire_timers(Attached *self) {
  for (unsigned i = 0; i < TIMERS_MAX; i++)
    if (self->timer_us[i] <= self->now_us) {
      self->timer_us[i] = INT64_MAX;
      tell(self, (PlDriverEvent){.type = PL_DRIVER_TIMER, .characteristic = i});
    }
}

static void
handle(Attached *self, const PlLinkEvent *event) {
  PlLink *link = pl_simulator_link(self->simulator);
  int index = pl_driver_characteristic(self->driver, &event->uuid);
  PlDriverEvent told = {
      .characteristic = (unsigned)index,
      .ok = event->ok,
      .data = event->data,
      .length = event->length,
  };

  self->now_us = event->t_us;
  fire_timers(self);
  if (event->sensor != self->sensor)
    return;
  if (event->type == PL_LINK_ADVERTISEMENT) {
    link->connect(link, self->sensor, 0, 1);
  } else if (event->type == PL_LINK_DISCONNECTED && self->ready) {
    self->answers = 0;
    self->ready = false;
    tell(self, (PlDriverEvent){.type = PL_DRIVER_GONE});
  } else if (event->type == PL_LINK_RESOLVED) {
    for (size_t i = 0; i < self->driver->characteristic_count; i++)
      if (self->driver->characteristics[i].flags & PL_CHARACTERISTIC_NOTIFY)
        link->subscribe(link, self->sensor, &self->driver->characteristics[i].uuid, false);
  } else if (event->type == PL_LINK_SUBSCRIBED && index >= 0) {
    self->answers++;
    self->ready = true;
    for (size_t i = self->answers; i < self->driver->characteristic_count; i++)
      if (self->driver->characteristics[i].flags & PL_CHARACTERISTIC_NOTIFY)
        self->ready = false;
    if (self->ready)
      tell(self, (PlDriverEvent){.type = PL_DRIVER_READY});
  } else if (index >= 0 && event->type == PL_LINK_NOTIFICATION) {
    told.type = PL_DRIVER_DATA;
    tell(self, told);
  } else if (index >= 0 && event->type == PL_LINK_WRITTEN) {
    told.type = PL_DRIVER_WRITTEN;
    tell(self, told);
  }
}

/* Plays a scenario to its end with one driver on one sensor. */
static void
play(Attached *self, const char *scenario, double minutes, int sensor, const char *driver) {
  const PlSimulatorOptions options = {
      .scenario = pl_simulator_find(scenario), .minutes = minutes, .seed = 4};
  g_autofree PlSimulator *simulator = g_new(PlSimulator, 1);
  PlLinkEvent event;

  pl_simulator_init(simulator, &options);
  attach(self, simulator, sensor, driver);
  PlLink *link = pl_simulator_link(simulator);
  link->scan(link, 0, true);
  while (pl_simulator_next(simulator, pl_simulator_duration(simulator), &event))
    handle(self, &event);
  for (int status = 0; status < PL_STATUS_COUNT; status++)
    if (status != PL_OK)
      g_assert_cmpuint(self->status[status], ==, 0);
}

static void
test_heart_rate(void) {
  g_autofree Attached *strap = g_new(Attached, 1);
  play(strap, "healthy", 10, 0, "heart-rate");
  g_assert_cmpuint(strap->samples, >, 590);
  g_assert_cmpint(strap->last.kind, ==, PL_SAMPLE_HEART);
  g_assert_cmpfloat(strap->last.heart.heart_rate_bpm, >, 60);
}

static void
test_footpod(void) {
  g_autofree Attached *pod = g_new(Attached, 1);
  play(pod, "healthy", 10, 1, "running-speed-cadence");
  g_assert_cmpuint(pod->samples, >, 590);
  g_assert_cmpint(pod->last.kind, ==, PL_SAMPLE_FOOTPOD);
  g_assert_cmpfloat(pod->last.footpod.speed_m_s, ==, 0); /* standing at the end */
}

/* The driver negotiates, starts and reads the stream; a hundred samples a second of about 1 g
 * on average. */
static void
test_acceleration(void) {
  g_autofree Attached *strap = g_new(Attached, 1);
  play(strap, "healthy", 10, 0, "polar-pmd");
  g_assert_cmpuint(strap->samples, >, 59700);
  g_assert_cmpint(strap->last.kind, ==, PL_SAMPLE_MOTION);
  const double *a = strap->last.motion.acceleration_m_s2;
  g_assert_cmpfloat_with_epsilon(sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]), 9.80665, 0.5);
}

/* After two minutes out of reach the stream is running already, is stopped and
 * started afresh. */
static void
test_dropout(void) {
  g_autofree Attached *strap = g_new(Attached, 1);
  play(strap, "dropout", 20, 0, "polar-pmd");
  g_assert_cmpuint(strap->samples, >, 107000);
  g_assert_cmpuint(strap->samples, <, 108000);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/simulator-drivers/heart-rate", test_heart_rate);
  g_test_add_func("/simulator-drivers/footpod", test_footpod);
  g_test_add_func("/simulator-drivers/acceleration", test_acceleration);
  g_test_add_func("/simulator-drivers/dropout", test_dropout);
  return g_test_run();
}
