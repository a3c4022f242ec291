/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where on the body a sensor is worn, as in the configuration. */
typedef enum {
  PL_MOUNT_CHEST,
  PL_MOUNT_UPPER_BACK,
  PL_MOUNT_SACRUM,
  PL_MOUNT_HEAD,
  PL_MOUNT_LEFT_FOOT,
  PL_MOUNT_RIGHT_FOOT,
  PL_MOUNT_ARM,
  PL_MOUNT_WRIST,
  PL_MOUNT_TREADMILL,
  PL_MOUNT_COUNT
} PlMount;

/* "upper-back", ... */
const char *pl_mount_name(PlMount mount);

/* The mount of that name, or -1. */
int pl_mount_find(const char *name);
