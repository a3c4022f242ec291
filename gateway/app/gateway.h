/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/source.h"

/* The daemon: owns every part, starts them in their order, runs the main loop, stops them. */

typedef struct {
  const char *config_path; /* NULL: the defaults */
  const char *state_dir;   /* NULL: as configured */
  PlSourceKind source;
  const char *argument; /* scenario or capture; NULL: none */
  double speed;         /* times real time, for simulate and replay; 0: as fast as it goes */
} PlGatewayOptions;

/* Returns the exit code of the process. */
int pl_gateway_run(const PlGatewayOptions *options);

/* The configuration as the daemon would use it: sensors of the simulator or of a capture are
 * added.  NULL when something is wrong with it, and then `problems` holds everything that is,
 * line by line; the caller frees it. */
PlConfig *pl_gateway_config(const PlGatewayOptions *options, PlCaptureReader *reader,
                            char **problems);
