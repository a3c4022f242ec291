/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/payload.h"

/* Words for people: plain, short, kind; change is reported, risk is not claimed. */

enum { PL_LANGUAGE_COUNT = PL_LANGUAGE_DE + 1 };

enum { PL_ADVICE_SIZE = 192 };

typedef struct {
  const char *title;
  char advice[PL_ADVICE_SIZE]; /* one cue; "" without one */
} PlWarningText;

/* What an event means and what to do about it. */
void pl_text_warning(const PlWarningEvent *event, PlLanguage language, PlWarningText *text);

/* "Intended use": the paragraph that stands wherever the product introduces itself. */
const char *pl_text_intended_use(PlLanguage language);
