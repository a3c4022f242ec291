/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"

/* Surroundings that are the same everywhere: the host Track-Pi.local on 23 November 2026, with
 * the drivers heart-rate, running-speed-cadence, polar-pmd, alpha, beta and gamma. */
extern const PlConfigSurroundings fake_surroundings;

/* Reads one file from memory, under the name t.conf. */
PlConfig *fake_config_read(const char *text, PlProblems *problems);

/* The same, where nothing may be wrong. */
PlConfig *fake_config(const char *text);
