/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/link.h"
#include "gateway/core/sample.h"
#include "gateway/core/session.h"

/* The state machines of all sensors and adapters: who is looked for, who is connected next,
 * when to give up, when to try again.  Pure: events and the time come in, requests go out
 * through PlLink.  The rules and their numbers, with the reasons, stand at the top of radio.c.
 */

typedef struct PlRadioListener PlRadioListener;
struct PlRadioListener {
  void (*sample)(PlRadioListener *listener, int sensor, const PlSample *sample);
  /* The link state, battery, signal or device information changed; rates and counters alone
   * come at most every 10 s. */
  void (*state)(PlRadioListener *listener, int sensor, const PlSensorState *state);
  void (*joined)(PlRadioListener *listener, int sensor, int64_t t_us);
  void (*lost)(PlRadioListener *listener, int sensor, int64_t t_us);
  void (*flood)(PlRadioListener *listener, int sensor, int64_t t_us);
  void (*adapter_lost)(PlRadioListener *listener, int adapter, int64_t t_us);
  void (*adapter_reset)(PlRadioListener *listener, int adapter, int64_t t_us);
};

typedef struct {
  unsigned max_links; /* on one adapter; 0: 7 on a built-in radio, 5 on a dongle */
  int rssi_floor_dbm; /* weaker advertisements are no reason to connect; 0: -92 */
  bool passive;       /* a capture is played: data arrives without our connecting */
} PlRadioOptions;

typedef struct PlRadio PlRadio;
