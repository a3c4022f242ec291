/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/mount.h"

#include <string.h>

static const char *const names[PL_MOUNT_COUNT] = {
    [PL_MOUNT_CHEST] = "chest",
    [PL_MOUNT_UPPER_BACK] = "upper-back",
    [PL_MOUNT_SACRUM] = "sacrum",
    [PL_MOUNT_HEAD] = "head",
    [PL_MOUNT_LEFT_FOOT] = "left-foot",
    [PL_MOUNT_RIGHT_FOOT] = "right-foot",
    [PL_MOUNT_ARM] = "arm",
    [PL_MOUNT_WRIST] = "wrist",
    [PL_MOUNT_TREADMILL] = "treadmill",
};

const char *
pl_mount_name(PlMount mount) {
  return (unsigned)mount < PL_MOUNT_COUNT ? names[mount] : "?";
}

int
pl_mount_find(const char *name) {
  for (int i = 0; i < PL_MOUNT_COUNT; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}
