/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where the daemon listens for the command line: `control` in $RUNTIME_DIRECTORY when a service
 * manager gave one, else in the state directory.  Free it. */
char *pl_control_path(const char *state_directory);

/* Where a client looks: in the state directory first, then at the service's usual place. */
char *pl_control_find(const char *state_directory);
