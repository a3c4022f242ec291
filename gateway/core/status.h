/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Why a packet gave nothing, or less than it could.  Bad radio data is normal: it is counted
 * for each sensor and reason, never logged one by one and never asserted. */
typedef enum {
  PL_OK,          /* all of it was understood */
  PL_TRAILING,    /* understood; extra bytes at the end were ignored */
  PL_SHORT,       /* an announced field does not fit; what did fit was kept */
  PL_BAD_VALUE,   /* understood, but beyond the plausibility limits: not used */
  PL_UNSUPPORTED, /* a frame or type that the driver does not know */
  PL_UNEXPECTED,  /* not for this driver, or not now */
  PL_STATUS_COUNT
} PlStatus;

/* A short lower-case name, for counters ("ok", "trailing", ...). */
const char *pl_status_name(PlStatus status);
