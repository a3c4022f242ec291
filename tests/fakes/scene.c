/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/scene.h"

#include "plugins/drivers.h"

#include <math.h>
#include <string.h>

static const int64_t second = 1000000;
static const int64_t beginning = 5000 * INT64_C(1000000); /* of boot time */

int64_t
scene_us(double t) {
  return beginning + llround(t * (double)second);
}

double
scene_s(int64_t t_us) {
  return (double)(t_us - beginning) / (double)second;
}

/* -- what comes out ------------------------------------------------------------------------ */

static Scene *
of(PlOutlet *outlet) {
  return (Scene *)outlet;
}

static void
on_frame(PlOutlet *outlet, const PlFrame *frame) {
  Scene *scene = of(outlet);
  scene->frames[frame->athlete] = *frame;
  scene->frame_counts[frame->athlete]++;
  g_assert_cmpint(frame->record.t_us, ==, scene->engine.tick_us);
  if (scene->keeps_records && frame->athlete == 0 && frame->recorded)
    g_array_append_val(scene->records, frame->record);
}

static void
on_second(PlOutlet *outlet, int64_t t_us) {
  of(outlet)->seconds++;
}

static void
on_warning(PlOutlet *outlet, const PlWarningEvent *event) {
  SceneWarning warning = {
      .t = scene_s(event->t_us), .since = scene_s(event->since_us), .event = *event};
  g_array_append_val(of(outlet)->warnings, warning);
}

static void
on_lap(PlOutlet *outlet, int athlete, const PlLap *lap) {
  Scene *scene = of(outlet);
  SceneLap entry = {.athlete = athlete, .t = scene->t, .lap = *lap};
  g_array_append_val(scene->laps, entry);
}

static void
on_run(PlOutlet *outlet, const PlRunEvent *event) {
  static const char *const names[] = {
      [PL_RUN_CANDIDATE] = "candidate", [PL_RUN_DISCARDED] = "discarded",
      [PL_RUN_STARTED] = "started",     [PL_RUN_PAUSED] = "paused",
      [PL_RUN_RESUMED] = "resumed",     [PL_RUN_FINISHED] = "finished",
  };
  Scene *scene = of(outlet);
  SceneRun entry = {.athlete = event->athlete,
                    .t = scene->t,
                    .about = scene_s(event->t_us),
                    .type = event->type};
  g_assert_true((event->run == NULL) ==
                (event->type == PL_RUN_CANDIDATE || event->type == PL_RUN_DISCARDED));
  if (event->run != NULL)
    entry.run = *event->run;
  g_array_append_val(scene->runs, entry);
  if (event->type == PL_RUN_CANDIDATE) {
    scene_athlete(scene, event->athlete)->history = scene->history;
    if (event->athlete == 0)
      g_array_set_size(scene->records, 0);
  }
  if (event->athlete == 0)
    g_string_append_printf(scene->story, " %g %s@%g", scene->t, names[event->type],
                           entry.about);
}

static void
on_phase(PlOutlet *outlet, int athlete, PlPhase phase, int64_t since_us) {
  Scene *scene = of(outlet);
  if (athlete == 0)
    g_string_append_printf(scene->phases, " %g %s", scene_s(since_us), pl_phase_name(phase));
}

static void
on_sensor(PlOutlet *outlet, int sensor, const PlSensorState *state) {
  of(outlet)->links[sensor] = state->link;
}

static void
on_event(PlOutlet *outlet, const PlGatewayEvent *event) {
  static const char *const names[] = {
      [PL_EVENT_SENSOR_JOINED] = "joined",
      [PL_EVENT_SENSOR_LOST] = "lost",
      [PL_EVENT_ADAPTER_LOST] = "adapter-lost",
      [PL_EVENT_ADAPTER_RESET] = "adapter-reset",
      [PL_EVENT_FLOOD] = "flood",
  };
  int who = event->sensor == PL_NO_SENSOR ? event->adapter : event->sensor;
  g_string_append_printf(of(outlet)->events, " %g %s %d", scene_s(event->t_us),
                         names[event->type], who);
}

/* -- making ---------------------------------------------------------------------------------
 */

static void
set_up(Scene *scene) {
  for (size_t a = 0; a < scene->athlete_count; a++) {
    PlAthleteSettings *settings = &scene->settings[a];
    settings->heart = (PlHeartSettings){
        .sex = PL_SEX_MALE,
        .age_years = 40,
        .max_heart_rate_bpm = 185,
        .resting_heart_rate_bpm = 55,
        .threshold_heart_rate_bpm = NAN,
    };
    for (int w = 0; w < PL_WARNING_COUNT; w++)
      settings->warnings[w] = pl_warnings[w].limits;
  }
  scene->run_settings = (PlRunSettings){
      .start_after_s = 10, .pause_after_s = 15, .end_after_s = 300, .lap_m = 1000};
  scene->history = (PlHistory){.longest_30d_m = NAN, .confidence = NAN};
}

Scene *
scene_new_with(size_t athletes, const SceneSensor *sensors, size_t count) {
  Scene *scene = g_new0(Scene, 1);
  scene->athlete_count = athletes;
  scene->sensor_count = count;
  scene->sensors = g_memdup2(sensors, count * sizeof *sensors);
  scene->sessions = g_new0(PlSessionConfig, count);
  scene->engine_sensors = g_new0(PlEngineSensor, count);
  scene->settings = g_new0(PlAthleteSettings, athletes);
  scene->memory = (PlEngineMemory){
      .sessions = g_new0(PlSession, count),
      .inputs = g_new0(PlSensorInput, count),
      .inputs_of = g_new0(PlSensorInput *, count),
      .sensors_of = g_new0(int, count),
      .first_of = g_new0(size_t, athletes + 1),
      .athletes = g_new0(PlAthlete, athletes),
  };
  scene->runs = g_array_new(FALSE, FALSE, sizeof(SceneRun));
  scene->laps = g_array_new(FALSE, FALSE, sizeof(SceneLap));
  scene->warnings = g_array_new(FALSE, FALSE, sizeof(SceneWarning));
  scene->records = g_array_new(FALSE, FALSE, sizeof(PlRecord));
  scene->phases = g_string_new(NULL);
  scene->story = g_string_new(NULL);
  scene->events = g_string_new(NULL);
  scene->links = g_new0(PlLinkState, count);
  scene->frames = g_new0(PlFrame, athletes);
  scene->frame_counts = g_new0(unsigned, athletes);
  set_up(scene);
  return scene;
}

Scene *
scene_new(size_t athletes) {
  g_autofree SceneSensor *sensors = g_new0(SceneSensor, 2 * athletes);
  for (size_t a = 0; a < athletes; a++) {
    sensors[2 * a] = (SceneSensor){.kind = SCENE_STRAP, .athlete = (int)a, .beats = 2};
    sensors[2 * a + 1] = (SceneSensor){.kind = SCENE_FOOTPOD, .athlete = (int)a};
  }
  return scene_new_with(athletes, sensors, 2 * athletes);
}

void
scene_free(Scene *scene) {
  g_free(scene->sensors);
  g_free(scene->sessions);
  g_free(scene->engine_sensors);
  g_free(scene->settings);
  g_free(scene->memory.sessions);
  g_free(scene->memory.inputs);
  g_free(scene->memory.inputs_of);
  g_free(scene->memory.sensors_of);
  g_free(scene->memory.first_of);
  g_free(scene->memory.athletes);
  g_array_unref(scene->runs);
  g_array_unref(scene->laps);
  g_array_unref(scene->warnings);
  g_array_unref(scene->records);
  g_string_free(scene->phases, TRUE);
  g_string_free(scene->story, TRUE);
  g_string_free(scene->events, TRUE);
  g_free(scene->links);
  g_free(scene->frames);
  g_free(scene->frame_counts);
  g_free(scene);
}

static PlMount
mount_of(SceneKind kind) {
  static const PlMount mounts[] = {
      [SCENE_STRAP] = PL_MOUNT_CHEST,
      [SCENE_BAND] = PL_MOUNT_WRIST,
      [SCENE_FOOTPOD] = PL_MOUNT_LEFT_FOOT,
      [SCENE_TREADMILL] = PL_MOUNT_TREADMILL,
  };
  return mounts[kind];
}

static bool
has_heart(const SceneSensor *sensor) {
  return sensor->kind == SCENE_STRAP || sensor->kind == SCENE_BAND;
}

void
scene_start(Scene *scene) {
  for (size_t i = 0; i < scene->sensor_count; i++) {
    const SceneSensor *sensor = &scene->sensors[i];
    scene->sessions[i] = (PlSessionConfig){.adapter = PL_NO_ADAPTER};
    scene->sessions[i].drivers[0] =
        pl_driver_find(has_heart(sensor) ? "heart-rate" : "running-speed-cadence");
    scene->engine_sensors[i] = (PlEngineSensor){
        .athlete = sensor->athlete,
        .mount = mount_of(sensor->kind),
        .factor = 1,
        .cadence_learnt = sensor->learnt,
    };
  }
  scene->outlet = (PlOutlet){.frame = on_frame,
                             .second = on_second,
                             .warning = on_warning,
                             .lap = on_lap,
                             .run = on_run,
                             .phase = on_phase,
                             .sensor = on_sensor,
                             .event = on_event};
  PlEngineConfig config = {.sensor_count = scene->sensor_count,
                           .athlete_count = scene->athlete_count,
                           .sessions = scene->sessions,
                           .sensors = scene->engine_sensors,
                           .athletes = scene->settings,
                           .run = scene->run_settings,
                           .radio = {.passive = true}};
  pl_engine_init(&scene->engine, &config, &scene->memory, NULL, &scene->outlet,
                 scene_us(scene->t));
}

/* -- bytes -----------------------------------------------------------------------------------
 */

static size_t
heart_packet(SceneSensor *sensor, uint8_t *bytes) {
  bool strap = sensor->kind == SCENE_STRAP && !sensor->contact_lost;
  unsigned beats = strap ? sensor->beats : 0;
  size_t length = 0;
  bytes[length++] =
      (uint8_t)((beats > 0 ? 0x10 : 0) | 0x04 | (sensor->contact_lost ? 0 : 0x02));
  bytes[length++] = (uint8_t)sensor->heart_rate_bpm;
  for (unsigned i = 0; i < beats; i++) {
    unsigned raw = 307 + sensor->beats_sent++ % 700;
    bytes[length++] = (uint8_t)raw;
    bytes[length++] = (uint8_t)(raw >> 8);
  }
  return length;
}

static size_t
footpod_packet(const SceneSensor *sensor, uint8_t *bytes) {
  bool counter = !isnan(sensor->counter_m);
  uint32_t decimetres = counter ? (uint32_t)llround(sensor->counter_m * 10) : 0;
  unsigned speed = (unsigned)lround(sensor->speed_m_s * 256);
  size_t length = 0;
  bytes[length++] = (uint8_t)((counter ? 0x02 : 0) | (sensor->running ? 0x04 : 0));
  bytes[length++] = (uint8_t)speed;
  bytes[length++] = (uint8_t)(speed >> 8);
  bytes[length++] = (uint8_t)sensor->cadence;
  for (int i = 0; counter && i < 4; i++)
    bytes[length++] = (uint8_t)(decimetres >> 8 * i);
  return length;
}

static void
send(Scene *scene, size_t index) {
  SceneSensor *sensor = &scene->sensors[index];
  bool heart = has_heart(sensor);
  uint8_t bytes[32];
  size_t length = heart ? heart_packet(sensor, bytes) : footpod_packet(sensor, bytes);
  PlLinkEvent event = {
      .type = PL_LINK_NOTIFICATION,
      .t_us = scene_us(scene->t + 0.5),
      .adapter = PL_NO_ADAPTER,
      .sensor = (int)index,
      .ok = true,
      .uuid = heart ? (PlUuid)PL_UUID16(0x2a37) : (PlUuid)PL_UUID16(0x2a53),
      .data = bytes,
      .length = length,
  };
  sensor->sent++;
  pl_engine_handle(&scene->engine, &event);
}

void
scene_pass(Scene *scene, unsigned seconds) {
  for (unsigned s = 0; s < seconds; s++) {
    for (size_t i = 0; i < scene->sensor_count; i++) {
      SceneSensor *sensor = &scene->sensors[i];
      sensor->counter_m += sensor->speed_m_s; /* heard or not */
      if (sensor->sends)
        send(scene, i);
    }
    scene->t++;
    pl_engine_advance(&scene->engine, scene_us(scene->t));
  }
}

void
scene_run(Scene *scene, int athlete, unsigned seconds, double heart_rate_bpm,
          double speed_m_s) {
  for (size_t i = 0; i < scene->sensor_count; i++) {
    SceneSensor *sensor = &scene->sensors[i];
    if (sensor->athlete != athlete)
      continue;
    if (has_heart(sensor)) {
      sensor->sends = !isnan(heart_rate_bpm);
      sensor->heart_rate_bpm = heart_rate_bpm;
      continue;
    }
    sensor->sends = !isnan(speed_m_s);
    if (!sensor->sends)
      continue; /* whoever wears it goes on as before */
    sensor->speed_m_s = speed_m_s;
    sensor->running = speed_m_s >= 2;
    sensor->cadence = speed_m_s >= 2 ? 170 : speed_m_s > 0 ? 110 : 0;
  }
  scene_pass(scene, seconds);
}

/* -- looking ---------------------------------------------------------------------------------
 */

PlAthlete *
scene_athlete(Scene *scene, int athlete) {
  return pl_engine_athlete(&scene->engine, athlete);
}

const SceneRun *
scene_find_run(const Scene *scene, int athlete, PlRunEventType type, unsigned number) {
  for (guint i = 0; i < scene->runs->len; i++) {
    const SceneRun *run = &g_array_index(scene->runs, SceneRun, i);
    if (run->athlete == athlete && run->type == type && number-- == 0)
      return run;
  }
  g_error("there is no such run event");
}

char *
scene_warnings(const Scene *scene, PlWarningCode code) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < scene->warnings->len; i++) {
    const SceneWarning *warning = &g_array_index(scene->warnings, SceneWarning, i);
    if (warning->event.code == code && warning->event.athlete == 0)
      g_string_append_printf(text, " %g %s", warning->t,
                             pl_warning_state_name(warning->event.state));
  }
  return g_string_free(text, FALSE);
}

const SceneLap *
scene_lap(const Scene *scene, unsigned number) {
  g_assert_cmpuint(number, <, scene->laps->len);
  return &g_array_index(scene->laps, SceneLap, number);
}
