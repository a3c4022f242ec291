/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/polar-pmd/control.h"
#include "tests/plugins/polar-pmd-talk.h"

#include <math.h>

/* The timer is due: the next attempt begins with the question for settings. */
static void
assert_retries_after(Recorder *recorder, int64_t after_us) {
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder->timer_us[0], ==, after_us);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, ASK_SETTINGS);
}

static void
test_start_strap(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_data(recorder, DATA, FRAME), ==, PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, 2);
  g_assert_cmpint(recorder->timer_us[0], ==, 5 * second_us);
}

static void
test_start_rates(void) {
  static const struct {
    double wish;
    const char *start;
  } cases[] = {{0, H10_START},
               {100, H10_START},
               {200, H10_START_200},
               {1000, H10_START_200},
               {25, H10_START_25},
               {1, H10_START_25},
               {74, "02 02 02 01 08 00 00 01 32 00 01 01 10 00"},
               {75, H10_START},
               {NAN, H10_START},
               {-5, H10_START},
               {1e300, H10_START_200},
               {150, H10_START_200}};

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Recorder) recorder = new_recorder(cases[i].wish);
    ready(recorder);
    answer(recorder, H10_SETTINGS, cases[i].start);
  }
}

/* The list in two parts, cut in the middle of an entry. */
static void
test_settings_in_parts(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "f0 01 02 00 01 00 04 19 00 32"), ==,
                  PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  answer(recorder, "f0 01 02 00 00 00 64 00 c8 00 01 01 10 00 02 03 02 00 04 00 08 00",
         H10_START);
}

/* More is announced and never comes. */
static void
test_settings_part_missing(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "f0 01 02 00 01"), ==, PL_OK);
  g_assert_cmpint(recorder->timer_us[0], ==, 30 * second_us);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_OK);
  assert_retries_after(recorder, 5 * second_us);
  answer(recorder, H10_SETTINGS, H10_START);
}

/* Parts without end fill the buffer and no more. */
static void
test_settings_endless(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  for (unsigned i = 0; i < 1000; i++)
    g_assert_cmpint(
        recorder_data(recorder, CONTROL_POINT, "f0 01 02 00 01 00 03 19 00 32 00 64 00"), ==,
        i < 32 ? PL_OK : PL_SHORT);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "f0 01 02 00 00 01 01 10 00"), ==,
                  PL_SHORT);
  recorder_assert_written(recorder, CONTROL_POINT, "02 02 00 01 64 00");
}

static void
test_settings_cut(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  g_assert_cmpint(
      recorder_data(recorder, CONTROL_POINT, "f0 01 02 00 00 00 01 64 00 01 05 10 00"), ==,
      PL_SHORT);
  recorder_assert_written(recorder, CONTROL_POINT, "02 02 00 01 64 00");
}

static void
test_settings_without_rate(void) {
  static const struct {
    const char *hex;
    PlStatus status;
  } cases[] = {
      {"f0 01 02 00 00 00 05 19 00", PL_SHORT},
      {"f0 01 02 00 00", PL_OK},
      {"f0 01 02 00", PL_OK},
      {"f0 01 02 00 00 00 01 00 00", PL_OK},
      {"f0 01 02 00 00 63 01 00", PL_UNSUPPORTED},
      {"f0 01 02 00 00 01 01 10 00", PL_OK},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Recorder) recorder = new_recorder(0);
    ready(recorder);
    g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, cases[i].hex), ==, cases[i].status);
    assert_retries_after(recorder, 5 * second_us);
  }
}

/* A stream of an earlier link still runs: it is stopped and started as we want it. */
static void
test_already_running(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  answer(recorder, H10_SETTINGS, H10_START);
  answer(recorder, ALREADY, STOP);
  g_assert_cmpint(recorder_data(recorder, DATA, FRAME), ==, PL_OK);
  g_assert_cmpuint(recorder->sample_count, ==, 2);
  answer(recorder, STOPPED, H10_START);
  started(recorder, H10_STARTED);
}

/* It says the same again: no endless loop. */
static void
test_already_running_twice(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  answer(recorder, H10_SETTINGS, H10_START);
  answer(recorder, ALREADY, STOP);
  answer(recorder, "f0 03 02 0c", H10_START);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, ALREADY), ==, PL_UNEXPECTED);
  assert_retries_after(recorder, 5 * second_us);
  answer(recorder, H10_SETTINGS, H10_START);
  answer(recorder, ALREADY, STOP);
}

static void
test_refused(void) {
  static const char *const cases[] = {"f0 01 02 02", "f0 01 02 03 00", "f0 01 02 0d 00 01",
                                      "f0 01 02 ff"};

  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Recorder) recorder = new_recorder(0);
    ready(recorder);
    g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, cases[i]), ==, PL_UNEXPECTED);
    assert_retries_after(recorder, 5 * second_us);
  }
}

static void
test_back_off_doubles(void) {
  static const int64_t waits_s[] = {5, 10, 20, 40, 80, 160, 300, 300, 300, 300};
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  for (unsigned i = 0; i < G_N_ELEMENTS(waits_s); i++) {
    g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_OK);
    assert_retries_after(recorder, waits_s[i] * second_us);
  }
  /* one frame, and all is forgiven */
  answer(recorder, H10_SETTINGS, H10_START);
  started(recorder, H10_STARTED);
  g_assert_cmpint(recorder_data(recorder, DATA, FRAME), ==, PL_OK);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "01 02"), ==, PL_OK);
  assert_retries_after(recorder, 5 * second_us);
}

static void
test_write_failed(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  g_assert_cmpint(
      recorder_send(recorder, &(PlDriverEvent){.type = PL_DRIVER_WRITTEN, .ok = true}), ==,
      PL_OK);
  g_assert_cmpint(recorder->timer_us[0], ==, 30 * second_us);
  g_assert_cmpint(
      recorder_send(recorder, &(PlDriverEvent){.type = PL_DRIVER_WRITTEN, .ok = false}), ==,
      PL_OK);
  assert_retries_after(recorder, 5 * second_us);
  g_assert_cmpint(recorder_send(recorder, &(PlDriverEvent){.type = PL_DRIVER_WRITTEN,
                                                           .characteristic = DATA}),
                  ==, PL_UNEXPECTED);
}

/* Frames stop without a word: stop, start. */
static void
test_silence(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, STOP);
  answer(recorder, STOPPED, H10_START);
  started(recorder, H10_STARTED);
}

/* The sensor says that it has stopped. */
static void
test_notice(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "01"), ==, PL_SHORT);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "01 00 01"), ==, PL_OK);
  g_assert_cmpint(recorder->timer_us[0], ==, 5 * second_us);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, STOP); /* that was not about us: silence */
  answer(recorder, STOPPED, H10_START);
  started(recorder, H10_STARTED);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, "01 00 02 02"), ==, PL_OK);
  assert_retries_after(recorder, 5 * second_us);
}

static void
test_stop(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_STOP), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, STOP);
  g_assert_cmpint(recorder->timer_us[0], ==, -1);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, STOPPED), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_GONE), ==, PL_OK);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_STOP), ==, PL_OK);
  g_assert_cmpuint(recorder->write_count, ==, 0);
}

/* Also before it streams: an earlier stream may run. */
static void
test_stop_early(void) {
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_STOP), ==, PL_OK);
  recorder_assert_written(recorder, CONTROL_POINT, STOP);
  g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, H10_SETTINGS), ==, PL_UNEXPECTED);
  g_assert_cmpuint(recorder->write_count, ==, 0);
}

static void
test_link_lost(void) {
  g_autoptr(Recorder) recorder = new_streaming();

  g_assert_cmpint(recorder_data(recorder, DATA, FRAME), ==, PL_OK);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_GONE), ==, PL_OK);
  g_assert_cmpint(recorder->timer_us[0], ==, -1);
  g_assert_cmpint(recorder_event(recorder, PL_DRIVER_TIMER), ==, PL_UNEXPECTED);
  recorder->t_us += 100 * second_us;
  ready(recorder);
  answer(recorder, H10_SETTINGS, H10_START);
  started(recorder, H10_STARTED);
  /* the gap between two links is no loss */
  g_assert_cmpint(
      recorder_data(recorder, DATA, "02 00 e8 76 48 17 00 00 00 01 f7 ff ff ff e7 03"), ==,
      PL_OK);
  g_assert_cmpuint(recorder->lost, ==, 0);
}

static void
test_strangers(void) {
  static const struct {
    const char *hex;
    PlStatus status;
  } cases[] = {
      {"", PL_SHORT},
      {"f0 02", PL_SHORT},
      {"f0 01 02", PL_SHORT},
      {"f0 02 02 00 00", PL_UNEXPECTED}, /* we did not ask for that */
      {"f0 01 00 00 00", PL_UNEXPECTED}, /* another program's question, about ECG */
      {"f0 01 06 07 00", PL_UNEXPECTED}, /* gyroscope */
      {"0f 05 00 00 00 00", PL_OK},      /* features */
      {"77", PL_UNSUPPORTED},
  };
  g_autoptr(Recorder) recorder = new_recorder(0);

  ready(recorder);
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(recorder_data(recorder, CONTROL_POINT, cases[i].hex), ==, cases[i].status);
    g_assert_cmpuint(recorder->write_count, ==, 0);
  }
  answer(recorder, H10_SETTINGS, H10_START);
}

static void
test_choose(void) {
  static const uint32_t wish[PL_PMD_SETTING_COUNT] = {100, 16, 8, 8000, 3};
  /* rates 52 and 148, equally far; milli-range 4000 and 8000; factors 2, not a number,
   * infinite, 0 and -1; stored recordings' key; channels; an unknown setting */
  static const char hex[] =
      "00 02 34 00 94 00  03 02 a0 0f 00 00 40 1f 00 00  05 01 00 00 00 40 "
      "05 04 00 00 c0 7f 00 00 80 7f 00 00 00 00 00 00 80 bf "
      "06 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  04 01 03  07 01 00";
  PlPmdSettings chosen;
  uint8_t request[PL_PMD_REQUEST_MAX];
  size_t length, expected_length;
  g_autofree uint8_t *bytes = bytes_of_hex(hex, &length);
  g_autofree uint8_t *expected =
      bytes_of_hex("02 02 00 01 94 00 03 01 40 1f 00 00 04 01 03", &expected_length);

  g_assert_cmpint(pl_pmd_choose(&chosen, bytes, length, wish), ==, PL_UNSUPPORTED);
  g_assert_cmpfloat(chosen.factor, ==, 2);
  g_assert_false(chosen.offered[PL_PMD_RESOLUTION]);
  g_assert_cmpint(pl_pmd_choose(&chosen, bytes, 1, wish), ==, PL_SHORT);
  g_assert_cmpint(pl_pmd_choose(&chosen, bytes, length, wish), ==, PL_UNSUPPORTED);
  length = pl_pmd_start_request(&chosen, request);
  g_assert_cmpmem(request, length, expected, expected_length);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plugins/polar-pmd/start/strap", test_start_strap);
  g_test_add_func("/plugins/polar-pmd/start/rates", test_start_rates);
  g_test_add_func("/plugins/polar-pmd/start/already-running", test_already_running);
  g_test_add_func("/plugins/polar-pmd/start/already-running-twice", test_already_running_twice);
  g_test_add_func("/plugins/polar-pmd/start/refused", test_refused);
  g_test_add_func("/plugins/polar-pmd/start/back-off-doubles", test_back_off_doubles);
  g_test_add_func("/plugins/polar-pmd/start/write-failed", test_write_failed);
  g_test_add_func("/plugins/polar-pmd/settings/in-parts", test_settings_in_parts);
  g_test_add_func("/plugins/polar-pmd/settings/part-missing", test_settings_part_missing);
  g_test_add_func("/plugins/polar-pmd/settings/endless", test_settings_endless);
  g_test_add_func("/plugins/polar-pmd/settings/cut", test_settings_cut);
  g_test_add_func("/plugins/polar-pmd/settings/without-rate", test_settings_without_rate);
  g_test_add_func("/plugins/polar-pmd/settings/choose", test_choose);
  g_test_add_func("/plugins/polar-pmd/silence", test_silence);
  g_test_add_func("/plugins/polar-pmd/notice", test_notice);
  g_test_add_func("/plugins/polar-pmd/stop", test_stop);
  g_test_add_func("/plugins/polar-pmd/stop-early", test_stop_early);
  g_test_add_func("/plugins/polar-pmd/link-lost", test_link_lost);
  g_test_add_func("/plugins/polar-pmd/strangers", test_strangers);
  return g_test_run();
}
