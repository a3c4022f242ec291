/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Exit codes of both programs (those of sysexits.h). */
enum {
  PL_EXIT_OK = 0,
  PL_EXIT_FAILED = 1,
  PL_EXIT_USAGE = 64,
  PL_EXIT_DATA = 65,
  PL_EXIT_UNAVAILABLE = 69,
  PL_EXIT_TRY_AGAIN = 75,
  PL_EXIT_PERMISSION = 77,
  PL_EXIT_CONFIG = 78,
};
