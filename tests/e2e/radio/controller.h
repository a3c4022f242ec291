/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/e2e/radio/sensor.h"

/* A Bluetooth LE controller with its peripherals, as the host sees it through H4 packets (Core
 * Specification 5.3, Vol 4, Parts A and E).  Pure: packets and times come in, packets go out.
 */

typedef void (*RadioHostSend)(void *user, const uint8_t *packet, size_t length);

typedef struct {
  uint8_t type; /* 0 public, 1 random */
  uint8_t address[6];
} RadioPeer;

typedef struct {
  bool enabled;
  bool active;
  bool accept_list_only;
  bool filter_duplicates;
} RadioScan;

typedef struct {
  bool pending;
  bool use_accept_list;
  RadioPeer peer;
  uint16_t interval; /* 1.25 ms */
  uint16_t latency;
  uint16_t supervision; /* 10 ms */
} RadioInitiator;

typedef struct {
  RadioHostSend send;
  void *user;
  RadioJournal *journal;
  GPtrArray *sensors;  /* of RadioSensor, owned */
  uint8_t address[6];  /* as in its text form */
  GArray *accept_list; /* of RadioPeer */
  RadioScan scan;
  RadioInitiator initiator;
  uint16_t next_handle;
  unsigned link_limit;
  uint8_t link_limit_error;
  unsigned strangers_per_s; /* advertisements of passers-by, each from a new address */
  int64_t next_stranger;
  GRand *random; /* seeded the same in every run */
} RadioController;

RadioController *radio_controller_new(const uint8_t address[6], RadioHostSend send, void *user,
                                      RadioJournal *journal);
void radio_controller_free(RadioController *controller);

/* Takes the sensor over. */
void radio_controller_add(RadioController *controller, RadioSensor *sensor, int64_t now);
RadioSensor *radio_controller_find(const RadioController *controller, const char *id);

/* Any bytes from the host, one H4 packet. */
void radio_controller_receive(RadioController *controller, const uint8_t *packet, size_t length,
                              int64_t now);

/* Advertises, connects, drops and sends what is due; returns when to be called again. */
int64_t radio_controller_run(RadioController *controller, int64_t now);

/* Ends a sensor's link and tells the host why; nothing happens without a link. */
void radio_controller_drop(RadioController *controller, RadioSensor *sensor, uint8_t reason);

/* Back to the state after power-on; all links are gone and the host is not told. */
void radio_controller_reset(RadioController *controller);

unsigned radio_controller_links(const RadioController *controller);
