/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/e2e/radio/advertising.h"
#include "tests/e2e/radio/att.h"
#include "tests/e2e/radio/gatt.h"
#include "tests/e2e/radio/journal.h"
#include "tests/e2e/radio/l2cap.h"

/* A simulated peripheral: what it advertises, its attributes, its one link, and the faults that
 * it has been told to show.  Times are CLOCK_BOOTTIME microseconds; RADIO_NEVER is no time. */

#define RADIO_NEVER INT64_MAX

typedef struct RadioSensor RadioSensor;

/* A family of sensors.  Functions that a family has no use for are NULL. */
typedef struct {
  const char *kind;
  const char *default_name;
  size_t state_size;
  void (*init)(RadioSensor *sensor);
  void (*clear)(RadioSensor *sensor);
  /* Adds services and characteristics to sensor->gatt. */
  void (*build_gatt)(RadioSensor *sensor);
  /* Fills sensor->advertising (its name is there already). */
  void (*build_advertising)(RadioSensor *sensor);
  /* Sends what is due; returns when it wants to be called again. */
  int64_t (*run)(RadioSensor *sensor, int64_t now);
  /* Takes an option; false when there is no such key or the value is bad. */
  bool (*set)(RadioSensor *sensor, const char *key, const char *value);
  /* As in RadioAtt. */
  uint8_t (*written)(RadioSensor *sensor, const RadioAttribute *attribute, const uint8_t *value,
                     size_t length);
} RadioProfile;

/* Gives a PDU of a fixed channel to the air. */
typedef void (*RadioTransmit)(void *user, const RadioSensor *sensor, uint16_t channel,
                              const uint8_t *payload, size_t length);

typedef struct {
  bool up;
  uint16_t handle;
  int64_t supervision_us;
  int64_t fails_at; /* when a link that never came about is given up; 0: it is a good one */
  RadioReassembly reassembly;
  GQueue *outgoing;         /* of Outgoing: held back by distance or by a delay */
  GQueue *indications;      /* of GBytes: PDUs that wait for the confirmation before them */
  bool awaits_confirmation; /* one indication may be outstanding */
} RadioLink;

typedef struct {
  bool silent;                /* links up, sends no value */
  bool ghost;                 /* advertises, but nobody is there to connect to */
  uint8_t refuse;             /* HCI error of every connection; 0: accepts */
  bool refuse_late;           /* ... as most chips do: a link first, which fails soon after */
  int64_t discovery_delay_us; /* of each reply to a discovery request; RADIO_NEVER: no reply */
  bool in_range;
  int64_t out_of_range_since;
  int64_t lap_us; /* 0: does not walk */
  int64_t lap_out_us;
  int64_t lap_start;
  int64_t flood_step_us; /* 0: does not flood */
  int64_t flood_next;
  int64_t flood_end;
} RadioFaults;

typedef struct {
  uint16_t first_handle; /* of the sensor's own services; 0: where there is room */
  unsigned filler;       /* characteristics nobody wants */
  GPtrArray *removed;    /* of PlUuid: services left out */
} RadioTable;

struct RadioSensor {
  char *id;
  char *name; /* as advertised */
  const RadioProfile *profile;
  void *state; /* profile->state_size bytes, zeroed before init */
  RadioJournal *journal;
  uint8_t address[6]; /* as in its text form */
  bool address_random;
  RadioGatt *gatt;
  RadioTable table;
  RadioAtt att;

  RadioAdvertising advertising;
  RadioAdvertisingData advertisement;
  RadioAdvertisingData scan_response;
  bool advertises;
  int64_t advertising_interval_us;
  int64_t next_advertisement;
  bool reported; /* since scanning began: for the filter of duplicates */
  int8_t rssi;

  uint8_t battery_pct;
  bool battery_changed;
  GQueue *responses; /* of Response: what the sensor sends after it has answered a write */
  int64_t period_us; /* of the profile's values */
  int64_t next_value;
  RadioLink link;
  RadioFaults faults;
  RadioTransmit transmit;
  void *transmit_user;
  unsigned sent;
  unsigned lost;
};

/* The address is "AA:BB:CC:DD:EE:FF".  NULL when it is malformed. */
RadioSensor *radio_sensor_new(const RadioProfile *profile, const char *id, const char *address,
                              RadioJournal *journal);
void radio_sensor_free(RadioSensor *sensor);

/* Options that every sensor has, then those of its family. */
bool radio_sensor_set(RadioSensor *sensor, const char *key, const char *value);

/* Builds the advertisement anew; its data may have changed. */
void radio_sensor_refresh_advertising(RadioSensor *sensor);

/* Sends what is due of values, delayed replies and floods; returns when to be called again. */
int64_t radio_sensor_run(RadioSensor *sensor, int64_t now);

void radio_sensor_set_range(RadioSensor *sensor, bool in_range, int64_t now);

/* Begins (a new attribute table where one was asked for) and ends a link. */
void radio_sensor_link_up(RadioSensor *sensor, uint16_t handle, int64_t supervision_us);
void radio_sensor_link_down(RadioSensor *sensor);

/* One fragment from the central. */
void radio_sensor_receive(RadioSensor *sensor, bool first, const uint8_t *data, size_t length,
                          int64_t now);

/* A value, as a notification or indication, whichever the central asked for.  False when it did
 * not ask, there is no link, or the sensor is silent. */
bool radio_sensor_send_value(RadioSensor *sensor, const PlUuid *uuid, const void *value,
                             size_t length, int64_t now);

/* Any bytes on a channel, however wrong. */
void radio_sensor_send_raw(RadioSensor *sensor, uint16_t channel, const void *payload,
                           size_t length, int64_t now);

/* Sends a value as soon as the write that is being handled has been answered. */
void radio_sensor_respond(RadioSensor *sensor, const PlUuid *uuid, const void *value,
                          size_t length);

/* Whether the central has subscribed to the characteristic. */
bool radio_sensor_subscribed(const RadioSensor *sensor, const PlUuid *uuid);

/* Tells a subscribed central that the whole table may have changed, and changes it. */
void radio_sensor_change_table(RadioSensor *sensor, int64_t now);
