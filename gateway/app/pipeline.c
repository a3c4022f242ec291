/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/pipeline.h"

#include "plugins/drivers.h"

#include <string.h>

static void
read_sensors(PlPipeline *self, const PlConfig *config, PlStore *store) {
  for (size_t i = 0; i < config->sensor_count; i++) {
    const PlConfigSensor *sensor = &config->sensors[i];
    g_autofree char *key = g_strconcat("cadence-unit ", sensor->address, NULL);
    g_autofree char *learnt = pl_store_get(store, key);
    self->sensors[i] = (PlEngineSensor){
        .athlete = sensor->athlete,
        .mount = sensor->mount,
        .factor = sensor->factor,
        .cadence_learnt = g_strcmp0(learnt, "steps") == 0     ? PL_CADENCE_STEPS
                          : g_strcmp0(learnt, "strides") == 0 ? PL_CADENCE_STRIDES
                                                              : PL_CADENCE_AUTO,
    };
    self->sessions[i] = (PlSessionConfig){.notify = sensor->notify, .adapter = PL_NO_ADAPTER};
    memcpy(self->sessions[i].drivers, sensor->drivers, sizeof sensor->drivers);
  }
}

static void
read_athletes(PlPipeline *self, const PlConfig *config, const PlWall *wall, int64_t now_us) {
  for (size_t a = 0; a < config->athlete_count; a++)
    pl_config_athlete_settings(config, (int)a, pl_wall_ms(wall, now_us), &self->athletes[a]);
}

static void
allocate(PlPipeline *self, size_t sensors, size_t athletes) {
  self->sessions = g_new0(PlSessionConfig, sensors);
  self->sensors = g_new0(PlEngineSensor, sensors);
  self->athletes = g_new0(PlAthleteSettings, athletes);
  self->memory = (PlEngineMemory){
      .sessions = g_new0(PlSession, sensors),
      .inputs = g_new0(PlSensorInput, sensors),
      .inputs_of = g_new0(PlSensorInput *, sensors),
      .sensors_of = g_new0(int, sensors),
      .first_of = g_new0(size_t, athletes + 1),
      .athletes = g_new0(PlAthlete, athletes),
  };
}

PlPipeline *
pl_pipeline_new(const PlPipelineParts *parts, int64_t now_us) {
  const PlConfig *config = parts->config;
  PlPipeline *self = g_new0(PlPipeline, 1);

  allocate(self, config->sensor_count, config->athlete_count);
  read_sensors(self, config, parts->store);
  read_athletes(self, config, parts->wall, now_us);
  self->ledger = pl_ledger_new(&(PlLedgerParts){
      .config = config,
      .store = parts->store,
      .wire = parts->wire,
      .wall = parts->wall,
  });
  PlEngineConfig engine = {
      .sensor_count = config->sensor_count,
      .athlete_count = config->athlete_count,
      .sessions = self->sessions,
      .sensors = self->sensors,
      .athletes = self->athletes,
      .run = config->run,
      .radio =
          {
              .max_links = (unsigned)config->bluetooth.max_links,
              .passive = parts->passive,
              .seed = parts->seed,
              .drivers = pl_drivers,
              .driver_count = pl_driver_count,
          },
  };
  pl_engine_init(&self->engine, &engine, &self->memory, parts->link,
                 pl_ledger_outlet(self->ledger), now_us);
  pl_ledger_attach(self->ledger, &self->engine, parts->boot_id, now_us);
  return self;
}

void
pl_pipeline_free(PlPipeline *self) {
  if (self == NULL)
    return;
  pl_ledger_free(self->ledger);
  g_free(self->sessions);
  g_free(self->sensors);
  g_free(self->athletes);
  g_free(self->memory.sessions);
  g_free(self->memory.inputs);
  g_free(self->memory.inputs_of);
  g_free(self->memory.sensors_of);
  g_free(self->memory.first_of);
  g_free(self->memory.athletes);
  g_free(self);
}

void
pl_pipeline_finish(PlPipeline *self, int64_t t_us) {
  for (size_t a = 0; a < self->engine.config.athlete_count; a++)
    pl_athlete_end(&self->memory.athletes[a], t_us);
}

bool
pl_pipeline_busy(const PlPipeline *self) {
  for (size_t a = 0; a < self->engine.config.athlete_count; a++)
    if (self->memory.athletes[a].stage != PL_RUN_NONE)
      return true;
  return false;
}

bool
pl_pipeline_command(PlPipeline *self, const char *command, int athlete, int64_t t_us) {
  PlAthlete *who = pl_engine_athlete(&self->engine, athlete);
  if (strcmp(command, "run-start") == 0)
    return pl_athlete_start(who, t_us);
  if (strcmp(command, "run-stop") == 0)
    return pl_athlete_stop(who, t_us);
  if (strcmp(command, "run-pause") == 0)
    return pl_athlete_pause(who, t_us);
  if (strcmp(command, "run-resume") == 0)
    return pl_athlete_resume(who, t_us);
  if (strcmp(command, "lap") == 0)
    return pl_athlete_lap(who);
  return false;
}
