/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* A virtual Bluetooth controller of the Linux kernel (/dev/vhci): each write and read is one H4
 * packet. */

enum { RADIO_VHCI_PACKET_MAX = 2048 };

/* Makes a new hciN and returns the descriptor that plays it, or -1 with an error. */
int radio_vhci_open(unsigned *index, GError **error);
