/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/status.h"

const char *
pl_status_name(PlStatus status) {
  static const char *const names[PL_STATUS_COUNT] = {
      [PL_OK] = "ok",
      [PL_TRAILING] = "trailing",
      [PL_SHORT] = "short",
      [PL_BAD_VALUE] = "bad-value",
      [PL_UNSUPPORTED] = "unsupported",
      [PL_UNEXPECTED] = "unexpected",
  };
  return (unsigned)status < PL_STATUS_COUNT ? names[status] : "?";
}
