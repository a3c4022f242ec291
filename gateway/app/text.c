/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/text.h"

#include <math.h>

/* One row a warning that can be raised today, in the order of the languages. */
typedef struct {
  PlWarningCode code;
  PlWarningText text[PL_LANGUAGE_COUNT];
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

/* By how far the longest run of 30 days is passed: ahead, then 10, 30 and 100 %. */
static const PlWarningText spike[][PL_LANGUAGE_COUNT] = {
  {{"Soon past your longest run", "In 500 m you are 10 % past your longest run of 30 days. Turning home keeps the step small."},
   {"Bald weiter als dein längster Lauf", "In 500 m bist du 10 % über deinem längsten Lauf der letzten 30 Tage. Umkehren hält den Schritt klein."}},
  {{"Past your longest run", "You are 10 % past your longest run of 30 days. Ending soon keeps the step small."},
   {"Weiter als dein längster Lauf", "Du bist 10 % über deinem längsten Lauf der letzten 30 Tage. Bald aufzuhören hält den Schritt klein."}},
  {{"Well past your longest run", "You are 30 % past your longest run of 30 days. Ending now keeps the step moderate."},
   {"Deutlich weiter als dein längster Lauf", "Du bist 30 % über deinem längsten Lauf der letzten 30 Tage. Jetzt aufzuhören hält den Schritt mäßig."}},
  {{"Twice your longest run", "You are at twice your longest run of 30 days. This is a good place to stop."},
   {"Doppelt so weit wie dein längster Lauf", "Du bist doppelt so weit wie dein längster Lauf der letzten 30 Tage. Hier ist ein guter Ort zum Aufhören."}},
};
/* clang-format on */

static PlWarningText
spike_text(const PlWarningEvent *event, PlLanguage language) {
  double share = event->limit / event->baseline;
  if (event->value < event->limit)
    return spike[0][language];
  return spike[share >= 1.999 ? 3 : share >= 1.299 ? 2 : 1][language];
}

PlWarningText
pl_text_warning(const PlWarningEvent *event, PlLanguage language) {
  if (event->code == PL_WARNING_DISTANCE_SPIKE)
    return spike_text(event, language);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].code == event->code)
      return rows[i].text[language];
  return (PlWarningText){pl_warnings[event->code].code, NULL};
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
