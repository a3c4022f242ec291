/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/text.h"

#include <glib.h>
#include <string.h>

typedef struct {
  const char *title, *advice;
} Words;

/* One row a warning that can be raised today, in the order of the languages. */
typedef struct {
  PlWarningCode code;
  Words words[PL_LANGUAGE_COUNT];
} Row;

/* clang-format off */
static const Row rows[] = {
  {PL_WARNING_HEART_RATE_CAP,
   {{"Above today's effort", "Ease off until breathing is comfortable again."},
    {"Über der heutigen Anstrengung", "Langsamer, bis das Atmen wieder leichtfällt."}}},
  {PL_WARNING_SENSOR_PROBLEM,
   {{"A sensor has fallen silent", "Check that it sits well; the run goes on without it."},
    {"Ein Sensor ist verstummt", "Sitz prüfen; der Lauf geht ohne ihn weiter."}}},
};

/* Instead of an advice once a warning is cleared. */
static const char *const over[PL_LANGUAGE_COUNT] = {
  "This is over; there is nothing to do.",
  "Das ist vorbei; es ist nichts zu tun.",
};

/* By how far the longest run of 30 days is passed: still ahead, then up to 30 %, up to 100 %
 * and further.  "#" is by how many percent, in the last row how often it was run. */
enum { SPIKE_LEVELS = 4 };
static const Words spike[SPIKE_LEVELS][PL_LANGUAGE_COUNT] = {
  {{"Soon past your longest run", "You will soon be # % past your longest run of 30 days. Turning home keeps the step small."},
   {"Bald weiter als dein längster Lauf", "Bald bist du # % über deinem längsten Lauf der letzten 30 Tage. Umkehren hält den Schritt klein."}},
  {{"Past your longest run", "You are # % past your longest run of 30 days. Ending soon keeps the step small."},
   {"Weiter als dein längster Lauf", "Du bist # % über deinem längsten Lauf der letzten 30 Tage. Bald aufzuhören hält den Schritt klein."}},
  {{"Well past your longest run", "You are # % past your longest run of 30 days. Ending now keeps the step moderate."},
   {"Deutlich weiter als dein längster Lauf", "Du bist # % über deinem längsten Lauf der letzten 30 Tage. Jetzt aufzuhören hält den Schritt mäßig."}},
  {{"Far past your longest run", "You are at # times your longest run of 30 days. This is a good place to stop."},
   {"Viel weiter als dein längster Lauf", "Du bist beim #-Fachen deines längsten Laufs der letzten 30 Tage. Hier ist ein guter Ort zum Aufhören."}},
};

/* The same for somebody who has not run for 30 days and is compared with a careful beginning. */
static const Words base[PL_LANGUAGE_COUNT] = {
  {"Far enough for a new beginning", "After a month without a run, short ones come first. Ending soon keeps the step small."},
  {"Weit genug für einen neuen Anfang", "Nach einem Monat ohne Lauf kommen erst kurze. Bald aufzuhören hält den Schritt klein."},
};
/* clang-format on */

static const double small_share = 1.30, moderate_share = 2.00, share_tolerance = 1e-3;

/* 0 while the limit is ahead, else by the share that it is of the longest run. */
static int
spike_level(const PlWarningEvent *event, double share) {
  if (event->ahead)
    return 0;
  if (share < small_share - share_tolerance)
    return 1;
  return share < moderate_share - share_tolerance ? 2 : SPIKE_LEVELS - 1;
}

/* `advice` with `number` in the place of its "#". */
static void
set_advice(PlWarningText *text, const char *advice, const char *number) {
  const char *hole = strchr(advice, '#');
  if (hole == NULL)
    g_strlcpy(text->advice, advice, sizeof text->advice);
  else
    g_snprintf(text->advice, sizeof text->advice, "%.*s%s%s", (int)(hole - advice), advice,
               number, hole + 1);
}

static void
spike_text(const PlWarningEvent *event, PlLanguage language, PlWarningText *text) {
  double share = event->limit / event->baseline;
  int level = spike_level(event, share);
  bool in_times = level == SPIKE_LEVELS - 1;
  const Words *words = event->confidence < 1 ? &base[language] : &spike[level][language];
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd(number, sizeof number, in_times ? "%.3g" : "%.0f",
                  in_times ? share : 100 * (share - 1));
  text->title = words->title;
  set_advice(text, words->advice, number);
}

static const Words *
find(PlWarningCode code, PlLanguage language) {
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].code == code)
      return &rows[i].words[language];
  return NULL;
}

void
pl_text_warning(const PlWarningEvent *event, PlLanguage language, PlWarningText *text) {
  const Words *words = find(event->code, language);
  *text = (PlWarningText){.title = pl_warnings[event->code].code};
  if (event->code == PL_WARNING_DISTANCE_SPIKE) {
    spike_text(event, language, text);
  } else if (words != NULL) {
    text->title = words->title;
    set_advice(text, words->advice, NULL);
  }
  if (event->state == PL_WARNING_CLEARED)
    set_advice(text, over[language], NULL);
}

const char *
pl_text_intended_use(PlLanguage language) {
  static const char *const texts[PL_LANGUAGE_COUNT] = {
      "Plumbline is a training log and feedback tool for healthy adults. It does not diagnose, "
      "treat, predict or prevent injury or disease, and does not replace advice from a "
      "professional.",
      "Plumbline ist ein Trainingstagebuch mit Rückmeldung für gesunde Erwachsene. Es stellt "
      "keine Diagnosen, behandelt nicht, sagt Verletzungen und Krankheiten weder voraus noch "
      "beugt es ihnen vor, und es ersetzt keinen fachlichen Rat.",
  };
  return texts[language];
}
