/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/source.h"

#include "gateway/edge/error.h"

#include "plugins/simulator/simulator.h"

static const char default_scenario[] = "healthy";

typedef struct {
  PlSource source;
  PlLink link; /* numbers of the configuration become those of the simulator, and back */
  PlSimulator simulator;
  PlSourceFeed feed;
  void *data;
  int from_config[PL_SIMULATOR_SENSORS_MAX * 4];
  int to_config[PL_SIMULATOR_SENSORS_MAX];
  size_t config_count;
} Simulation;

static const PlScenario *
find(const char *scenario) {
  return pl_simulator_find(scenario == NULL ? default_scenario : scenario);
}

static char *
unknown_scenario(const char *name) {
  GString *text = g_string_new(NULL);
  size_t count;
  const PlScenario *all = pl_simulator_scenarios(&count);
  g_string_append_printf(text, "there is no scenario \"%s\"; there are:", name);
  for (size_t i = 0; i < count; i++)
    g_string_append_printf(text, " %s", all[i].name);
  return g_string_free(text, FALSE);
}

/* The athlete who plays runner `runner`: that of the configuration, else a new one. */
static char *
athlete_of(const PlConfig *base, unsigned runner) {
  if (base != NULL && runner < base->athlete_count)
    return g_strdup(base->athletes[runner].id);
  return g_strdup_printf("r%u", runner + 1);
}

char *
pl_source_simulate_configuration(const char *scenario, const PlConfig *base, GError **error) {
  PlSimulatorOptions options = {.scenario = find(scenario)};
  if (options.scenario == NULL) {
    g_autofree char *why = unknown_scenario(scenario);
    g_set_error_literal(error, PL_ERROR, PL_ERROR_DATA, why);
    return NULL;
  }
  g_autofree PlSimulator *simulator = g_new0(PlSimulator, 1);
  pl_simulator_init(simulator, &options);
  GString *text = g_string_new(NULL);
  /* A radio that is not there has room for everybody, unless told otherwise. */
  if (base == NULL || base->bluetooth.max_links == 0)
    g_string_append_printf(text, "[bluetooth]\nmax-links = %u\n",
                           pl_simulator_sensor_count(simulator));
  for (unsigned i = 0; i < pl_simulator_sensor_count(simulator); i++) {
    PlSimulatorSensor sensor;
    pl_simulator_sensor(simulator, i, &sensor);
    g_autofree char *athlete = athlete_of(base, sensor.runner);
    if (i % PL_SIMULATOR_KINDS == 0 &&
        (base == NULL || pl_config_find_athlete(base, athlete) < 0))
      g_string_append_printf(text, "[athlete %s]\n", athlete);
    if (base == NULL || pl_config_find_sensor(base, sensor.id) < 0)
      g_string_append_printf(text, "[sensor %s]\naddress = %s\nathlete = %s\nmount = %s\n",
                             sensor.id, sensor.address, athlete, sensor.mount);
  }
  return g_string_free(text, FALSE);
}

static Simulation *
simulation_of(PlLink *link) {
  return (Simulation *)((char *)link - G_STRUCT_OFFSET(Simulation, link));
}

static int
simulated(const Simulation *self, int sensor) {
  return (size_t)sensor < self->config_count ? self->from_config[sensor] : -1;
}

static void
on_power(PlLink *link, int adapter, bool on) {
  PlLink *inner = pl_simulator_link(&simulation_of(link)->simulator);
  inner->power(inner, adapter, on);
}

static void
on_scan(PlLink *link, int adapter, bool on) {
  PlLink *inner = pl_simulator_link(&simulation_of(link)->simulator);
  inner->scan(inner, adapter, on);
}

static void
on_connect(PlLink *link, int sensor, int adapter, unsigned attempt) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->connect(inner, simulated(self, sensor), adapter, attempt);
}

static void
on_disconnect(PlLink *link, int sensor) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->disconnect(inner, simulated(self, sensor));
}

static void
on_remove(PlLink *link, int sensor) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->remove(inner, simulated(self, sensor));
}

static void
on_subscribe(PlLink *link, int sensor, const PlUuid *uuid, bool acquire) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->subscribe(inner, simulated(self, sensor), uuid, acquire);
}

static void
on_unsubscribe(PlLink *link, int sensor, const PlUuid *uuid) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->unsubscribe(inner, simulated(self, sensor), uuid);
}

static void
on_read(PlLink *link, int sensor, const PlUuid *uuid) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->read(inner, simulated(self, sensor), uuid);
}

static void
on_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data, size_t length) {
  Simulation *self = simulation_of(link);
  PlLink *inner = pl_simulator_link(&self->simulator);
  if (simulated(self, sensor) >= 0)
    inner->write(inner, simulated(self, sensor), uuid, data, length);
}

static bool
run(PlSource *source, int64_t now_us, GError **error) {
  Simulation *self = (Simulation *)source;
  PlLinkEvent event;
  (void)error;
  while (pl_simulator_next(&self->simulator, now_us, &event)) {
    if (event.sensor >= 0)
      event.sensor = self->to_config[event.sensor];
    self->feed(&event, self->data);
  }
  return !pl_simulator_finished(&self->simulator);
}

static int64_t
due(const PlSource *source) {
  return pl_simulator_due(&((const Simulation *)source)->simulator);
}

static void
attach(PlSource *source, const PlConfig *config, PlPipeline *pipeline) {
  Simulation *self = (Simulation *)source;
  (void)pipeline;
  self->config_count = MIN(config->sensor_count, G_N_ELEMENTS(self->from_config));
  for (size_t i = 0; i < self->config_count; i++)
    self->from_config[i] = -1;
  for (unsigned i = 0; i < pl_simulator_sensor_count(&self->simulator); i++) {
    PlSimulatorSensor sensor;
    pl_simulator_sensor(&self->simulator, i, &sensor);
    int index = pl_config_find_sensor(config, sensor.id);
    self->to_config[i] = index;
    if (index >= 0 && (size_t)index < self->config_count)
      self->from_config[index] = (int)i;
  }
  pl_simulator_tell_again(&self->simulator);
}

static void
source_free(PlSource *source) {
  g_free(source);
}

PlSource *
pl_source_simulate_new(const char *scenario, bool repeat, int64_t start_us, PlSourceFeed feed,
                       void *data) {
  Simulation *self = g_new0(Simulation, 1);
  PlSimulatorOptions options = {
      .scenario = find(scenario),
      .seed = 1,
      .repeat = repeat,
      .start_us = start_us,
  };
  self->source = (PlSource){
      .name = "simulate",
      .link = &self->link,
      .run = run,
      .due = due,
      .attach = attach,
      .free = source_free,
  };
  self->link = (PlLink){
      .power = on_power,
      .scan = on_scan,
      .connect = on_connect,
      .disconnect = on_disconnect,
      .remove = on_remove,
      .subscribe = on_subscribe,
      .unsubscribe = on_unsubscribe,
      .read = on_read,
      .write = on_write,
  };
  self->feed = feed;
  self->data = data;
  pl_simulator_init(&self->simulator, &options);
  return &self->source;
}
