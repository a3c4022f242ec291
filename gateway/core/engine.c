/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/engine.h"

static const int64_t second_us = 1000000;
static const double asleep_below_m_s = 0.3;

/* The engine of a listener that is embedded in it. */
static PlEngine *
engine_of(PlRadioListener *listener) {
  return (PlEngine *)((char *)listener - offsetof(PlEngine, listener));
}

static void
on_sample(PlRadioListener *listener, int sensor, const PlSample *sample) {
  pl_sensor_input_add(&engine_of(listener)->memory.inputs[sensor], sample);
}

static void
on_state(PlRadioListener *listener, int sensor, const PlSensorState *state) {
  PlOutlet *outlet = engine_of(listener)->outlet;
  outlet->sensor(outlet, sensor, state);
}

static void
emit(PlRadioListener *listener, PlGatewayEventType type, int sensor, int adapter,
     int64_t t_us) {
  PlOutlet *outlet = engine_of(listener)->outlet;
  outlet->event(outlet, &(PlGatewayEvent){
                            .type = type,
                            .t_us = t_us,
                            .sensor = sensor,
                            .adapter = adapter,
                        });
}

static void
on_joined(PlRadioListener *listener, int sensor, int64_t t_us) {
  emit(listener, PL_EVENT_SENSOR_JOINED, sensor, PL_NO_ADAPTER, t_us);
}

static void
on_lost(PlRadioListener *listener, int sensor, int64_t t_us) {
  emit(listener, PL_EVENT_SENSOR_LOST, sensor, PL_NO_ADAPTER, t_us);
}

static void
on_flood(PlRadioListener *listener, int sensor, int64_t t_us) {
  emit(listener, PL_EVENT_FLOOD, sensor, PL_NO_ADAPTER, t_us);
}

static void
on_adapter_lost(PlRadioListener *listener, int adapter, int64_t t_us) {
  emit(listener, PL_EVENT_ADAPTER_LOST, PL_NO_SENSOR, adapter, t_us);
}

static void
on_adapter_reset(PlRadioListener *listener, int adapter, int64_t t_us) {
  emit(listener, PL_EVENT_ADAPTER_RESET, PL_NO_SENSOR, adapter, t_us);
}

static void
init_inputs(PlEngine *engine) {
  for (size_t i = 0; i < engine->config.sensor_count; i++) {
    const PlEngineSensor *sensor = &engine->config.sensors[i];
    PlCadence cadence;
    pl_cadence_init(&cadence, sensor->cadence_unit, sensor->cadence_learnt, sensor->name);
    pl_sensor_input_init(&engine->memory.inputs[i], sensor->mount, sensor->factor, &cadence);
  }
}

/* Groups the sensors by the athlete who wears them, in the order of the configuration. */
static void
group_inputs(PlEngine *engine) {
  PlEngineMemory *memory = &engine->memory;
  size_t at = 0;
  for (size_t a = 0; a < engine->config.athlete_count; a++) {
    memory->first_of[a] = at;
    for (size_t i = 0; i < engine->config.sensor_count; i++) {
      if (engine->config.sensors[i].athlete != (int)a)
        continue;
      memory->inputs_of[at] = &memory->inputs[i];
      memory->sensors_of[at++] = (int)i;
    }
  }
  memory->first_of[engine->config.athlete_count] = at;
}

void
pl_engine_init(PlEngine *engine, const PlEngineConfig *config, const PlEngineMemory *memory,
               PlLink *link, PlOutlet *outlet, int64_t now_us) {
  *engine = (PlEngine){
      .config = *config,
      .memory = *memory,
      .listener =
          {
              .sample = on_sample,
              .state = on_state,
              .joined = on_joined,
              .lost = on_lost,
              .flood = on_flood,
              .adapter_lost = on_adapter_lost,
              .adapter_reset = on_adapter_reset,
          },
      .outlet = outlet,
      .tick_us = now_us + second_us,
  };
  init_inputs(engine);
  group_inputs(engine);
  for (size_t a = 0; a < config->athlete_count; a++)
    pl_athlete_init(&memory->athletes[a], (int)a, &config->athletes[a], &config->run, outlet,
                    &engine->episodes, now_us);
  pl_radio_init(&engine->radio, memory->sessions, config->sensor_count, config->sessions,
                &config->radio, link, &engine->listener, now_us);
}

/* Whether a sensor has sent data in this run and is not heard now. */
static bool
fell_silent(const PlSensorState *state, const PlAthlete *athlete) {
  return state->link != PL_LINK_STATE_STREAMING && state->last_data_us != PL_NO_TIME &&
         state->last_data_us >= athlete->run.start_us;
}

/* The first sensor that should be heard and is not.  A pod that saw its runner stand has gone
 * to sleep; in a pause people take their straps off, or do not: that can not be told. */
static int
troubled_sensor(const PlEngine *engine, const PlAthlete *athlete) {
  const PlEngineMemory *memory = &engine->memory;
  int troubled = PL_NO_SENSOR;
  for (size_t i = memory->first_of[athlete->index]; i < memory->first_of[athlete->index + 1];
       i++) {
    int sensor = memory->sensors_of[i];
    const PlSensorInput *input = memory->inputs_of[i];
    if (!fell_silent(pl_radio_sensor(&engine->radio, sensor), athlete))
      continue;
    if (input->gives_footpod ? input->footpod.speed_m_s >= asleep_below_m_s : !athlete->paused)
      return sensor;
    if (!input->gives_footpod)
      troubled = PL_SENSOR_UNCERTAIN;
  }
  return troubled;
}

static void
step_athlete(PlEngine *engine, PlAthlete *athlete) {
  const PlEngineMemory *memory = &engine->memory;
  size_t first = memory->first_of[athlete->index];
  size_t count = memory->first_of[athlete->index + 1] - first;
  int troubled = troubled_sensor(engine, athlete);

  pl_athlete_step(athlete, engine->tick_us, memory->inputs_of + first, count, troubled);
  for (size_t i = first; i < first + count; i++)
    pl_radio_set_run_active(&engine->radio, memory->sensors_of[i], athlete->stage == PL_RUN_ON);
}

static void
end_second(PlEngine *engine) {
  for (size_t a = 0; a < engine->config.athlete_count; a++)
    step_athlete(engine, &engine->memory.athletes[a]);
  engine->outlet->second(engine->outlet, engine->tick_us);
  engine->tick_us += second_us;
}

void
pl_engine_advance(PlEngine *engine, int64_t now_us) {
  while (engine->tick_us <= now_us) {
    pl_radio_advance(&engine->radio, engine->tick_us);
    end_second(engine);
  }
  pl_radio_advance(&engine->radio, now_us);
}

void
pl_engine_handle(PlEngine *engine, const PlLinkEvent *event) {
  pl_engine_advance(engine, event->t_us);
  pl_radio_handle(&engine->radio, event);
}

int64_t
pl_engine_next_us(const PlEngine *engine) {
  int64_t radio_us = pl_radio_next_us(&engine->radio);
  return radio_us < engine->tick_us ? radio_us : engine->tick_us;
}

PlAthlete *
pl_engine_athlete(PlEngine *engine, int athlete) {
  return &engine->memory.athletes[athlete];
}
