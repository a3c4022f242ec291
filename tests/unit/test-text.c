/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/text.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static PlWarningEvent
spike(double value, double limit, double baseline) {
  return (PlWarningEvent){.code = PL_WARNING_DISTANCE_SPIKE,
                          .state = PL_WARNING_RAISED,
                          .value = value,
                          .limit = limit,
                          .baseline = baseline,
                          .ahead = value < limit,
                          .confidence = 1};
}

static PlWarningText
text_of(const PlWarningEvent *event, PlLanguage language) {
  PlWarningText text;
  pl_text_warning(event, language, &text);
  return text;
}

static void
test_spike(void) {
  static const struct {
    double value, limit;
    const char *title, *advice;
  } cases[] = {
      {12700, 13200, "Soon past your longest run",
       "You will soon be 10 % past your longest run of 30 days. Turning home keeps the step "
       "small."},
      {13200, 13200, "Past your longest run",
       "You are 10 % past your longest run of 30 days. Ending soon keeps the step small."},
      {15600, 15600, "Well past your longest run",
       "You are 30 % past your longest run of 30 days. Ending now keeps the step moderate."},
      {24000, 24000, "Far past your longest run",
       "You are at 2 times your longest run of 30 days. This is a good place to stop."},
      /* whatever was configured */
      {13900, 14400, "Soon past your longest run",
       "You will soon be 20 % past your longest run of 30 days. Turning home keeps the step "
       "small."},
      {14400, 14400, "Past your longest run",
       "You are 20 % past your longest run of 30 days. Ending soon keeps the step small."},
      {18000, 18000, "Well past your longest run",
       "You are 50 % past your longest run of 30 days. Ending now keeps the step moderate."},
      {30000, 30000, "Far past your longest run",
       "You are at 2.5 times your longest run of 30 days. This is a good place to stop."},
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
    PlWarningEvent event = spike(cases[i].value, cases[i].limit, 12000);
    PlWarningText text = text_of(&event, PL_LANGUAGE_EN);
    g_assert_cmpstr(text.title, ==, cases[i].title);
    g_assert_cmpstr(text.advice, ==, cases[i].advice);
  }
}

/* There is no longest run of 30 days to speak of. */
static void
test_spike_after_a_break(void) {
  PlWarningEvent event = spike(4400, 4400, 4000);
  event.confidence = 0.4;
  for (int language = 0; language < PL_LANGUAGE_COUNT; language++) {
    PlWarningText text = text_of(&event, (PlLanguage)language);
    g_assert_null(strstr(text.advice, "30"));
    g_assert_null(strchr(text.advice, '#'));
  }
}

/* Over is over, under the name that it had, whatever the distance is by now. */
static void
test_cleared(void) {
  PlWarningEvent event = spike(12700, 13200, 12000);
  event.state = PL_WARNING_CLEARED;
  event.value = 13300;
  PlWarningText text = text_of(&event, PL_LANGUAGE_EN);
  g_assert_cmpstr(text.title, ==, "Soon past your longest run");
  g_assert_null(strstr(text.advice, "%"));
  event = (PlWarningEvent){.code = PL_WARNING_HEART_RATE_CAP, .state = PL_WARNING_CLEARED};
  g_assert_cmpstr(text_of(&event, PL_LANGUAGE_EN).title, ==, "Above today's effort");
  g_assert_cmpstr(text_of(&event, PL_LANGUAGE_EN).advice, ==, text.advice);
  event.state = PL_WARNING_SUPPRESSED;
  g_assert_cmpstr(text_of(&event, PL_LANGUAGE_EN).advice, !=, text.advice);
}

/* Every warning has a name, and whatever it says fits, is whole and is UTF-8. */
static void
test_all(void) {
  for (int code = 0; code < PL_WARNING_COUNT; code++)
    for (int language = 0; language < PL_LANGUAGE_COUNT; language++)
      for (int state = 0; state <= PL_WARNING_ACKNOWLEDGED; state++) {
        PlWarningEvent event = spike(99999999, 99999999, 12345);
        event.code = (PlWarningCode)code;
        event.state = (PlWarningState)state;
        PlWarningText text = text_of(&event, (PlLanguage)language);
        g_assert_true(*text.title != '\0');
        g_assert_cmpuint(strlen(text.title), <=, 60);
        g_assert_true(g_utf8_validate(text.advice, -1, NULL));
        g_assert_cmpuint(strlen(text.advice), <, PL_ADVICE_SIZE - 1);
        if (*text.advice != '\0')
          g_assert_true(g_str_has_suffix(text.advice, "."));
      }
}

static void
test_languages(void) {
  PlWarningEvent event = spike(13200, 13200, 12000);
  PlWarningText text = text_of(&event, PL_LANGUAGE_DE);
  g_assert_true(g_str_has_prefix(text.advice, "Du bist 10 % über deinem längsten Lauf"));
  g_assert_nonnull(strstr(pl_text_intended_use(PL_LANGUAGE_EN), "does not diagnose"));
  g_assert_cmpstr(pl_text_intended_use(PL_LANGUAGE_DE), !=,
                  pl_text_intended_use(PL_LANGUAGE_EN));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/text/spike", test_spike);
  g_test_add_func("/text/spike-after-a-break", test_spike_after_a_break);
  g_test_add_func("/text/cleared", test_cleared);
  g_test_add_func("/text/all", test_all);
  g_test_add_func("/text/languages", test_languages);
  return g_test_run();
}
