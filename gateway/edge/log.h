/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Log lines on standard error, one a message: with the priority of the journal in front
 * ("<6>text") when a service manager reads them, as plain text on a terminal.  What is said at
 * debug level appears when G_MESSAGES_DEBUG names its domain, or is "all". */
void pl_log_init(void);
