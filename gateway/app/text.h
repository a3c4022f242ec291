/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/payload.h"

/* Words for people: plain, short, kind; change is reported, risk is not claimed. */

enum { PL_LANGUAGE_COUNT = PL_LANGUAGE_DE + 1 };

typedef struct {
  const char *title;
  const char *advice; /* one cue */
} PlWarningText;

PlWarningText pl_text_warning(const PlWarningEvent *event, PlLanguage language);

/* "Intended use": the paragraph that stands wherever the product introduces itself. */
const char *pl_text_intended_use(PlLanguage language);
