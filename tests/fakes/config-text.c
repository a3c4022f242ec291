/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <string.h>

static const PlDriver heart_rate = {.id = "heart-rate"};
static const PlDriver cadence = {.id = "running-speed-cadence"};
static const PlDriver polar = {.id = "polar-pmd"};
static const PlDriver alpha = {.id = "alpha"};
static const PlDriver beta = {.id = "beta"};
static const PlDriver gamma_driver = {.id = "gamma"};
static const PlDriver *const drivers[] = {
    &heart_rate, &cadence, &polar, &alpha, &beta, &gamma_driver,
};

const PlConfigSurroundings fake_surroundings = {
    .host_name = "Track-Pi.local",
    .state_directory = "/var/lib/somewhere",
    .year = 2026,
    .month = 11,
    .day = 23,
    .drivers = drivers,
    .driver_count = G_N_ELEMENTS(drivers),
};

PlConfig *
fake_config_read(const char *text, PlProblems *problems) {
  PlConfigSource source = {.name = "t.conf", .bytes = text, .length = strlen(text)};
  return pl_config_parse(&source, 1, &fake_surroundings, problems);
}

PlConfig *
fake_config(const char *text) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  PlConfig *config = fake_config_read(text, problems);
  g_autofree char *found = pl_problems_text(problems);
  g_assert_cmpstr(found, ==, "");
  g_assert_nonnull(config);
  return config;
}
