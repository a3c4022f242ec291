/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/mount.h"

#include <glib.h>

/* As the manual of the configuration lists them. */
static const char *const names[] = {
    "chest",      "upper-back", "sacrum", "head",      "left-foot",
    "right-foot", "arm",        "wrist",  "treadmill",
};

static void
test_names(void) {
  g_assert_cmpint(PL_MOUNT_COUNT, ==, G_N_ELEMENTS(names));
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
    int mount = pl_mount_find(names[i]);
    g_assert_cmpint(mount, >=, 0);
    g_assert_cmpstr(pl_mount_name((PlMount)mount), ==, names[i]);
  }
}

static void
test_unknown(void) {
  g_assert_cmpint(pl_mount_find(""), ==, -1);
  g_assert_cmpint(pl_mount_find("Chest"), ==, -1);
  g_assert_cmpint(pl_mount_find("left-foot "), ==, -1);
  g_assert_cmpstr(pl_mount_name(PL_MOUNT_COUNT), ==, "?");
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mount/names", test_names);
  g_test_add_func("/mount/unknown", test_unknown);
  return g_test_run();
}
