/* SPDX-License-Identifier: Apache-2.0 */
/* Published packets with their meaning, from <data>/packets/vectors.jsonl; the directory is
 * named by PLUMBLINE_DATA.  Skipped where there is none. */
#include "plugins/drivers.h"
#include "tests/fakes/recording-sink.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static double
number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

static void
check_heart(const Recorder *recorder, PlStatus status, const json_t *expected) {
  double bpm = number(expected, "hr");
  json_t *contact = json_object_get(expected, "contact");
  json_t *intervals = json_object_get(expected, "rr_1024");
  bool plausible = bpm == 0 || (bpm >= 25 && bpm <= 250);
  unsigned kept = 0;

  g_assert_cmpuint(recorder->sample_count, ==, 1);
  const PlHeartSample *heart = &recorder->samples[0].heart;
  g_assert_cmpint(heart->contact, ==,
                  json_is_true(contact)    ? PL_CONTACT_YES
                  : json_is_false(contact) ? PL_CONTACT_NO
                                           : PL_CONTACT_UNKNOWN);
  if (plausible && bpm > 0 && heart->contact != PL_CONTACT_NO)
    g_assert_cmpfloat(heart->heart_rate_bpm, ==, bpm);
  else
    g_assert_true(isnan(heart->heart_rate_bpm));
  for (size_t i = 0; i < json_array_size(intervals); i++) {
    double ms = json_number_value(json_array_get(intervals, i)) * 1000 / 1024;
    if (ms >= 240 && ms <= 4000)
      g_assert_cmpfloat(heart->rr_ms[kept++], ==, ms);
    else
      plausible = false;
  }
  g_assert_cmpuint(heart->rr_count, ==, kept);
  g_assert_cmpint(status, ==, plausible ? PL_OK : PL_BAD_VALUE);
}

static void
assert_field(double value, double expected) {
  if (isnan(expected))
    g_assert_true(isnan(value));
  else
    g_assert_cmpfloat_with_epsilon(value, expected, 1e-9);
}

static void
check_footpod(const Recorder *recorder, PlStatus status, const json_t *expected) {
  g_assert_cmpint(status, ==, PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, 1);
  const PlFootpodSample *footpod = &recorder->samples[0].footpod;
  assert_field(footpod->speed_m_s, number(expected, "speed_raw_256") / 256);
  assert_field(footpod->cadence_raw, number(expected, "cadence"));
  assert_field(footpod->stride_length_m, number(expected, "stride_length_cm") / 100);
  assert_field(footpod->distance_m, number(expected, "total_distance_dm") / 10);
  g_assert_cmpint(footpod->running, ==, json_is_true(json_object_get(expected, "running")));
}

static void
check_motion(const Recorder *recorder, PlStatus status, const json_t *expected) {
  json_t *samples = json_object_get(expected, "samples");

  if (number(expected, "type") != 2) {
    g_assert_cmpint(status, ==, PL_UNSUPPORTED);
    g_assert_cmpuint(recorder->sample_count, ==, 0);
    return;
  }
  g_assert_cmpint(status, ==, PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, json_array_size(samples));
  for (unsigned i = 0; i < recorder->sample_count; i++)
    for (unsigned axis = 0; axis < 3; axis++) {
      double mg = json_number_value(json_array_get(json_array_get(samples, i), axis));
      g_assert_cmpfloat_with_epsilon(recorder->samples[i].motion.acceleration_m_s2[axis],
                                     mg / 1000 * 9.80665, 1e-9);
    }
  g_assert_cmpint(recorder->samples[recorder->sample_count - 1].t_sensor_us, ==,
                  json_integer_value(json_object_get(expected, "timestamp_ns_of_last_sample")) /
                      1000);
}

/* Answers of the control point: the start of another program, and another sensor's settings. */
static void
check_control_point(const Recorder *recorder, PlStatus status, const json_t *expected) {
  g_assert_cmpint(status, ==, PL_UNEXPECTED);
  g_assert_cmpuint(recorder->sample_count, ==, 0);
  g_assert_cmpuint(recorder->write_count, ==, 0);
}

typedef struct {
  const char *uuid;
  const char *driver;
  unsigned characteristic;
  void (*check)(const Recorder *recorder, PlStatus status, const json_t *expected);
} Kind;

static const Kind kinds[] = {
    {"2A37", "heart-rate", 0, check_heart},
    {"2A53", "running-speed-cadence", 0, check_footpod},
    {"fb005c81-02e7-f387-1cad-8acd2d8df0c8", "polar-pmd", 0, check_control_point},
    {"fb005c82-02e7-f387-1cad-8acd2d8df0c8", "polar-pmd", 1, check_motion},
};

typedef struct {
  const Kind *kind;
  json_t *vector;
} Vector;

static void
vector_free(void *data) {
  Vector *vector = data;
  json_decref(vector->vector);
  g_free(vector);
}

static void
test_vector(const void *data) {
  const Vector *vector = data;
  const Kind *kind = vector->kind;
  g_autoptr(Recorder) recorder = recorder_new(pl_driver_find(kind->driver), NULL);
  const char *hex = json_string_value(json_object_get(vector->vector, "hex"));

  PlStatus status = recorder_data(recorder, kind->characteristic, hex);
  kind->check(recorder, status, json_object_get(vector->vector, "expected"));
}

static const Kind *
kind_of(const json_t *vector) {
  const char *uuid = json_string_value(json_object_get(vector, "uuid"));
  for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (strcmp(kinds[i].uuid, uuid) == 0 && pl_driver_find(kinds[i].driver))
      return &kinds[i];
  return NULL;
}

static void
add_vector(const char *line) {
  json_t *json = json_loads(line, 0, NULL);
  g_assert_nonnull(json);
  const Kind *kind = kind_of(json);
  if (!kind) {
    json_decref(json);
    return;
  }
  Vector *vector = g_new(Vector, 1);
  *vector = (Vector){kind, json};
  g_autofree char *path =
      g_strdup_printf("/plugins/vectors/%s", json_string_value(json_object_get(json, "id")));
  g_test_add_data_func_full(path, vector, test_vector, vector_free);
}

/* A file of the recordings: in PLUMBLINE_DATA, or beside the source tree. */
static char *
data_file(const char *folder, const char *name) {
  const char *directory = g_getenv("PLUMBLINE_DATA");
  if (directory)
    return g_build_filename(directory, folder, name, NULL);
  return g_test_build_filename(G_TEST_DIST, "..", "shared", "data", folder, name, NULL);
}

static void
test_none(void) {
  g_test_skip("no recordings; PLUMBLINE_DATA names their directory");
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_autofree char *path = data_file("packets", "vectors.jsonl");
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL)) {
    g_test_add_func("/plugins/vectors/none", test_none);
    return g_test_run();
  }
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++)
    if (**line)
      add_vector(*line);
  return g_test_run();
}
