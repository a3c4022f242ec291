/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/simulator.h"
#include "tests/fakes/simulator-gateway.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* The bytes say what the simulated runner did.  They are read here by a decoder of the test's
 * own, written from the descriptions of the protocols. */

typedef struct {
  int64_t t_us;
  double speed_m_s, cadence, length_m, distance_m, truth_m, truth_spm;
  bool running;
} Pace;

typedef struct {
  int64_t t_us;
  unsigned bpm;
} Heart;

typedef struct {
  uint64_t device_ns; /* of the last sample */
  int64_t t_us;
} Frame;

typedef struct {
  PlSimulator simulator;
  GArray *paces, *hearts, *frames;
  GArray *rr;      /* guint, 1/1024 s */
  GArray *samples; /* double[3], mG */
  GChecksum *all;
  int64_t t_us;
  unsigned disconnects;
} Run;

static void
read_heart(Run *run, const PlLinkEvent *event) {
  Heart heart = {event->t_us, event->data[1]};

  g_assert_cmpuint(event->length, >=, 2);
  g_assert_cmpuint(event->length % 2, ==, 0);
  g_assert_cmpuint(event->length, <=, 20);
  g_assert_cmphex(event->data[0], ==, event->length > 2 ? 0x10 : 0x00);
  for (size_t at = 2; at < event->length; at += 2) {
    guint rr = (guint)simulator_number(event->data + at, 2);
    g_assert_cmpuint(rr, >=, 246);  /* 240 ms */
    g_assert_cmpuint(rr, <=, 2048); /* 2000 ms */
    g_array_append_val(run->rr, rr);
  }
  g_array_append_val(run->hearts, heart);
}

static void
read_pace(Run *run, const PlLinkEvent *event) {
  const PlBody *body = pl_simulator_body(&run->simulator, 0);
  const uint8_t *data = event->data;

  g_assert_cmpuint(event->length, ==, 10);
  g_assert_cmphex(data[0] & ~4u, ==, 3);
  Pace pace = {
      .t_us = event->t_us,
      .speed_m_s = (double)simulator_number(data + 1, 2) / 256,
      .cadence = data[3],
      .length_m = (double)simulator_number(data + 4, 2) / 100,
      .distance_m = (double)simulator_number(data + 6, 4) / 10,
      .running = (data[0] & 4) != 0,
      .truth_m = body->distance_m,
      .truth_spm = body->cadence_spm,
  };
  g_array_append_val(run->paces, pace);
}

static void
read_frame(Run *run, const PlLinkEvent *event) {
  Frame frame = {simulator_number(event->data + 1, 8), event->t_us};

  g_assert_cmpuint(event->length, ==, 10 + 36 * 6);
  g_assert_cmpuint(event->data[0], ==, 2);
  g_assert_cmpuint(event->data[9], ==, 1);
  for (size_t at = 10; at < event->length; at += 6) {
    double sample[3];
    for (size_t axis = 0; axis < 3; axis++)
      sample[axis] = (int16_t)simulator_number(event->data + at + 2 * axis, 2);
    g_array_append_vals(run->samples, sample, 3);
  }
  g_array_append_val(run->frames, frame);
}

static void
see(void *data, const PlLinkEvent *event) {
  Run *run = data;

  g_assert_cmpint(event->t_us, >=, run->t_us);
  run->t_us = event->t_us;
  run->disconnects += event->type == PL_LINK_DISCONNECTED ? 1 : 0;
  if (event->type != PL_LINK_NOTIFICATION)
    return;
  g_checksum_update(run->all, (const guchar *)&event->t_us, sizeof event->t_us);
  g_checksum_update(run->all, event->data, (gssize)event->length);
  if (event->sensor >= PL_SIMULATOR_KINDS)
    return;
  if (pl_uuid_equal(&event->uuid, &uuid_heart_rate))
    read_heart(run, event);
  else if (pl_uuid_equal(&event->uuid, &uuid_rsc))
    read_pace(run, event);
  else if (pl_uuid_equal(&event->uuid, &uuid_pmd_data))
    read_frame(run, event);
}

static Run *
run_scenario(const PlSimulatorOptions *options, unsigned rate_hz) {
  Run *run = g_new0(Run, 1);
  SimulatorGateway gateway = {
      .simulator = &run->simulator, .rate_hz = rate_hz, .see = see, .data = run};

  run->paces = g_array_new(FALSE, FALSE, sizeof(Pace));
  run->hearts = g_array_new(FALSE, FALSE, sizeof(Heart));
  run->frames = g_array_new(FALSE, FALSE, sizeof(Frame));
  run->rr = g_array_new(FALSE, FALSE, sizeof(guint));
  run->samples = g_array_new(FALSE, FALSE, sizeof(double));
  run->all = g_checksum_new(G_CHECKSUM_SHA256);
  pl_simulator_init(&run->simulator, options);
  simulator_gateway_run(&gateway, options->start_us + pl_simulator_duration(&run->simulator));
  return run;
}

static Run *
run_named(const char *name, double minutes, unsigned rate_hz) {
  const PlSimulatorOptions options = {
      .scenario = pl_simulator_find(name), .minutes = minutes, .seed = 5};
  return run_scenario(&options, rate_hz);
}

static void
run_free(Run *run) {
  g_array_unref(run->paces);
  g_array_unref(run->hearts);
  g_array_unref(run->frames);
  g_array_unref(run->rr);
  g_array_unref(run->samples);
  g_checksum_free(run->all);
  g_free(run);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

static Pace *
pace_at(const Run *run, double share) {
  guint i = (guint)((run->paces->len - 1) * share);
  return &g_array_index(run->paces, Pace, i);
}

/* No beat is lost and none is made up: intervals add up to the time. */
static void
test_beats(void) {
  g_autoptr(Run) run = run_named("healthy", 30, 0);
  double sum_s = 0;

  for (guint i = 0; i < run->rr->len; i++)
    sum_s += g_array_index(run->rr, guint, i) / 1024.0;
  const Heart *first = &g_array_index(run->hearts, Heart, 0);
  const Heart *last = &g_array_index(run->hearts, Heart, run->hearts->len - 1);
  double span_s = (double)(last->t_us - first->t_us) / 1e6;
  /* Before the first and after the last there is at most a second and a beat. */
  g_assert_cmpfloat_with_epsilon(sum_s, span_s, 2.0);
  g_assert_cmpuint(run->hearts->len, >, 1790);
  g_assert_cmpuint(run->hearts->len, <, 1802);
  /* Rest, effort and recovery. */
  unsigned middle = g_array_index(run->hearts, Heart, run->hearts->len / 2).bpm;
  g_assert_cmpuint(first->bpm, <, 85);
  g_assert_cmpuint(middle, >, 125);
  g_assert_cmpuint(middle, <, 155);
  g_assert_cmpuint(last->bpm, <, middle - 25);
}

/* The rate that is shown is that of the beats. */
static void
test_heart_rate(void) {
  g_autoptr(Run) run = run_named("interval", 45, 0);
  double shown = 0, beats = 0;

  for (guint i = 0; i < run->hearts->len; i++)
    shown += g_array_index(run->hearts, Heart, i).bpm / 60.0;
  beats = run->rr->len;
  g_assert_cmpfloat_with_epsilon(shown / beats, 1, 0.01);
}

static void
test_distance(void) {
  g_autoptr(Run) run = run_named("healthy", 30, 0);
  double sum_m = 0, lost_m = 0;
  const Pace *first = pace_at(run, 0), *last = pace_at(run, 1);

  for (guint i = 1; i < run->paces->len; i++) {
    const Pace *pace = &g_array_index(run->paces, Pace, i);
    double dt_s = (double)(pace->t_us - (pace - 1)->t_us) / 1e6;
    sum_m += pace->speed_m_s * dt_s;
    lost_m += 0.5 / 256 * dt_s; /* half a unit of speed */
    g_assert_cmpfloat(pace->distance_m, >=, (pace - 1)->distance_m);
  }
  double counted_m = last->distance_m - first->distance_m;
  g_assert_cmpfloat_with_epsilon(counted_m, last->truth_m - first->truth_m, 0.11);
  g_assert_cmpfloat_with_epsilon(sum_m, counted_m, lost_m + 0.2);
  /* Half an hour at some 2.8 m/s. */
  g_assert_cmpfloat(counted_m, >, 4000);
  g_assert_cmpfloat(counted_m, <, 5500);
}

/* Strides by default, and then a length of a stride; steps when asked for. */
static void
test_cadence(void) {
  for (int steps = 0; steps <= 1; steps++) {
    const PlSimulatorOptions options = {.scenario = pl_simulator_find("easy"),
                                        .minutes = 10,
                                        .seed = 9,
                                        .footpod_steps = steps == 1};
    g_autoptr(Run) run = run_scenario(&options, 0);
    unsigned unit = steps == 1 ? 1 : 2;
    for (double share = 0.3; share < 0.8; share += 0.05) {
      const Pace *pace = pace_at(run, share);
      g_assert_cmpfloat_with_epsilon(pace->cadence * unit, pace->truth_spm, 0.5 * unit + 1e-9);
      g_assert_cmpfloat_with_epsilon(pace->cadence * pace->length_m / 60, pace->speed_m_s,
                                     0.05);
      g_assert_cmpfloat(pace->truth_spm, >, 145);
      g_assert_cmpfloat(pace->truth_spm, <, 185);
      g_assert_true(pace->running);
    }
  }
}

static void
test_walk(void) {
  g_autoptr(Run) run = run_named("walk", 20, 0);

  for (guint i = 0; i < run->paces->len; i++) {
    const Pace *pace = &g_array_index(run->paces, Pace, i);
    g_assert_false(pace->running);
    g_assert_cmpfloat(pace->cadence * 2, <, 130);
    g_assert_cmpfloat(pace->speed_m_s, <, 1.9);
  }
  g_assert_cmpfloat(pace_at(run, 0.5)->speed_m_s, >, 1.2);
}

/* Four fast kilometres with walks in between. */
static void
test_interval(void) {
  g_autoptr(Run) run = run_named("interval", 45, 0);
  unsigned fast = 0;
  double start_m = 0;
  bool inside = false;

  for (guint i = 0; i < run->paces->len; i++) {
    const Pace *pace = &g_array_index(run->paces, Pace, i);
    bool now = pace->speed_m_s > 3.3;
    if (now && !inside)
      start_m = pace->distance_m;
    if (!now && inside) {
      fast++;
      g_assert_cmpfloat(pace->distance_m - start_m, >, 930);
      g_assert_cmpfloat(pace->distance_m - start_m, <, 1060);
    }
    inside = now;
  }
  g_assert_cmpuint(fast, ==, 4);
}

static void
mean_of(const Run *run, guint from, guint count, double mean[3]) {
  memset(mean, 0, 3 * sizeof(double));
  for (guint i = from; i < from + count; i++)
    for (guint axis = 0; axis < 3; axis++)
      mean[axis] += g_array_index(run->samples, double, 3 * i + axis) / count;
}

/* Standing and running, the mean of what is felt is the weight; when running it comes in steps
 * with flights between them. */
static void
test_acceleration(void) {
  g_autoptr(Run) run = run_named("healthy", 20, 100);
  guint samples = run->samples->len / 3, middle = samples / 2;
  double mean[3], up[3];
  unsigned landings = 0, flights = 0;
  bool high = false;

  mean_of(run, 100, 1000, up); /* the first seconds are spent standing */
  double g = sqrt(up[0] * up[0] + up[1] * up[1] + up[2] * up[2]);
  g_assert_cmpfloat_with_epsilon(g, 1000, 3);
  mean_of(run, middle, 6000, mean);
  double along = (mean[0] * up[0] + mean[1] * up[1] + mean[2] * up[2]) / g;
  g_assert_cmpfloat_with_epsilon(along, 1000, 15);
  /* The trunk leans forward: between 3 and 11 degrees from the standing posture. */
  double length = sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]);
  double lean_deg = acos(along / length) * 180 / G_PI;
  g_assert_cmpfloat(lean_deg, >, 3);
  g_assert_cmpfloat(lean_deg, <, 11);

  double lowest = 0;
  for (guint i = middle; i < middle + 6000; i++) {
    const double *a = &g_array_index(run->samples, double, 3 * i);
    double vertical = (a[0] * up[0] + a[1] * up[1] + a[2] * up[2]) / g;
    if (vertical > 1200 && !high) {
      landings++;
      flights += lowest < 300 ? 1 : 0;
      lowest = 1000;
    }
    high = vertical > 1200 || (high && vertical > 600);
    lowest = fmin(lowest, vertical);
  }
  /* A minute of samples: as many landings as the pod says steps. */
  g_assert_cmpfloat_with_epsilon(landings, pace_at(run, 0.5)->truth_spm, 3);
  g_assert_cmpuint(flights, >=, landings - 1);
}

/* One frame follows the other: 36 samples of the strap's own clock. */
static void
test_frames(void) {
  static const unsigned rates[] = {25, 50, 100, 200};

  for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
    g_autoptr(Run) run = run_named("healthy", 3, rates[i]);
    double frame_ns = 36e9 / rates[i];
    g_assert_cmpfloat(run->frames->len, >, 175 * rates[i] / 36.0 - 2);
    for (guint j = 1; j < run->frames->len; j++) {
      const Frame *frame = &g_array_index(run->frames, Frame, j);
      double step_ns = (double)(frame->device_ns - (frame - 1)->device_ns);
      g_assert_cmpfloat_with_epsilon(step_ns / frame_ns, 1, 1e-4);
      double arrived_ns = (double)(frame->t_us - (frame - 1)->t_us) * 1000;
      g_assert_cmpfloat_with_epsilon(arrived_ns, frame_ns, 40e6);
    }
    /* After a change of battery an H10 counts from 2019-01-01. */
    g_assert_cmpuint(g_array_index(run->frames, Frame, 0).device_ns, >,
                     G_GUINT64_CONSTANT(599616000000000000));
  }
}

static char *
digest(const char *name, uint64_t seed, int64_t start_us) {
  const PlSimulatorOptions options = {
      .scenario = pl_simulator_find(name), .minutes = 4, .seed = seed, .start_us = start_us};
  g_autoptr(Run) run = run_scenario(&options, 100);
  return g_strdup(g_checksum_get_string(run->all));
}

static void
test_deterministic(void) {
  size_t count;
  const PlScenario *scenarios = pl_simulator_scenarios(&count);

  for (size_t i = 0; i < count; i++) {
    g_autofree char *one = digest(scenarios[i].name, 1, 0);
    g_autofree char *again = digest(scenarios[i].name, 1, 0);
    g_autofree char *other = digest(scenarios[i].name, 2, 0);
    g_assert_cmpstr(one, ==, again);
    g_assert_cmpstr(one, !=, other);
  }
}

/* Whatever the length asked for, it is kept, and something of everything is in it. */
static void
test_minutes(void) {
  static const double minutes[] = {1, 3, 10, 60};
  size_t count;
  const PlScenario *scenarios = pl_simulator_scenarios(&count);

  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < G_N_ELEMENTS(minutes); j++) {
      g_autoptr(Run) run = run_named(scenarios[i].name, minutes[j], 0);
      g_assert_cmpint(run->t_us, ==, (int64_t)(minutes[j] * 60e6));
      g_assert_true(pl_simulator_finished(&run->simulator));
      g_assert_cmpfloat(pace_at(run, 1)->truth_m, >, 20 * minutes[j]);
      if (minutes[j] >= 10) /* it ends standing, unless all is cut to seconds */
        g_assert_cmpfloat(pace_at(run, 1)->speed_m_s, ==, 0);
      g_assert_cmpuint(run->disconnects, >=, run->simulator.sensor_count);
    }
}

/* The strap is away for two minutes out of twenty, and everything goes on after that. */
static void
test_dropout(void) {
  g_autoptr(Run) run = run_named("dropout", 20, 100);
  int64_t longest_us = 0;

  for (guint i = 1; i < run->hearts->len; i++) {
    const Heart *heart = &g_array_index(run->hearts, Heart, i);
    longest_us = MAX(longest_us, heart->t_us - (heart - 1)->t_us);
  }
  g_assert_cmpint(longest_us, >, 120 * G_USEC_PER_SEC);
  g_assert_cmpint(longest_us, <, 124 * G_USEC_PER_SEC);
  g_assert_cmpuint(run->disconnects, ==, 3);
  g_assert_cmpuint(run->paces->len, >, 1190);
}

/* Each runner of a squad is somebody else. */
static void
test_squad(void) {
  g_autoptr(Run) run = run_named("squad", 10, 100);

  g_assert_cmpuint(pl_simulator_sensor_count(&run->simulator), ==, 12);
  for (unsigned i = 1; i < 6; i++)
    g_assert_cmpfloat(fabs(pl_simulator_body(&run->simulator, i)->distance_m -
                           pl_simulator_body(&run->simulator, i - 1)->distance_m),
                      >, 0.5);
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/simulator/beats", test_beats);
  g_test_add_func("/simulator/heart-rate", test_heart_rate);
  g_test_add_func("/simulator/distance", test_distance);
  g_test_add_func("/simulator/cadence", test_cadence);
  g_test_add_func("/simulator/walk", test_walk);
  g_test_add_func("/simulator/interval", test_interval);
  g_test_add_func("/simulator/acceleration", test_acceleration);
  g_test_add_func("/simulator/frames", test_frames);
  g_test_add_func("/simulator/deterministic", test_deterministic);
  g_test_add_func("/simulator/minutes", test_minutes);
  g_test_add_func("/simulator/dropout", test_dropout);
  g_test_add_func("/simulator/squad", test_squad);
  return g_test_run();
}
