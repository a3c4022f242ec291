/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config-problems.h"
#include "gateway/core/athlete.h"
#include "gateway/core/driver.h"
#include "gateway/core/heart.h"
#include "gateway/core/mount.h"
#include "gateway/core/session.h"
#include "gateway/core/warning.h"
#include "gateway/edge/mqtt.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The configuration: `plumbline.conf` and `conf.d/` + `*.conf` beside it, read in the order of
 * their names.  Within one file a key or a group that stands twice is an error; a later file
 * may set a key of an earlier one anew and add keys to its groups.
 *
 * A configuration never changes once it is read.  Every string belongs to it. */

#define PL_CONFIG_FILE "/etc/plumbline/plumbline.conf"

enum {
  PL_ID_SIZE = 33,                /* an id with its NUL */
  PL_CONFIG_FILE_MAX = 64 * 1024, /* bytes */
  PL_CONFIG_FILES_MAX = 256,      /* in conf.d */
  PL_CONFIG_ADAPTER_SENSORS = 64, /* sensors for each adapter */
  PL_CONFIG_SENSORS_MAX = 4096,   /* over all adapters and gateways */
  PL_CONFIG_NOBODY = -1,          /* no athlete */
  PL_ADDRESS_SIZE = 18,           /* "AA:BB:CC:DD:EE:FF", always in capitals */
};

typedef enum { PL_ROLE_STANDALONE, PL_ROLE_EDGE, PL_ROLE_FUSION } PlRole;
typedef enum { PL_LANGUAGE_EN, PL_LANGUAGE_DE } PlLanguage;
typedef enum { PL_UNITS_METRIC, PL_UNITS_IMPERIAL } PlUnits;
typedef enum { PL_COMMANDS_AUTO, PL_COMMANDS_YES, PL_COMMANDS_NO } PlCommands;
typedef enum { PL_SHARE_NONE, PL_SHARE_PAIN } PlShare;
typedef enum { PL_TRUTH_UNKNOWN, PL_TRUTH_NO, PL_TRUTH_YES } PlTruth;

typedef struct {
  const char *name;
  PlRole role;
  PlLanguage language;
  PlUnits units;
  const char *timezone; /* NULL: the system's */
  const char *emergency_number;
  const char *names_file; /* NULL: none; its names are with the athletes */
} PlConfigGateway;

typedef struct {
  PlMqttConfig connection; /* without client id and will */
  const char *prefix, *discovery_prefix;
  bool home_assistant, home_assistant_names;
  PlCommands commands; /* see pl_config_takes_commands() */
} PlConfigMqtt;

typedef struct {
  const char *const *adapters; /* addresses, NULL-terminated; NULL: any */
  size_t adapter_count;        /* 0: any */
  int max_links;               /* an adapter; 0: auto */
} PlConfigBluetooth;

typedef struct {
  const char *directory;
  int keep_samples_days, keep_raw_days;
  int outbox_mib;
  bool capture;
} PlConfigStorage;

/* Numbers that are not given are NaN. */
typedef struct {
  const char *id;
  const char *name; /* from the names file; NULL without one */
  PlSex sex;
  int born_year, born_month, born_day; /* 0: not given */
  double mass_kg, height_cm;
  double max_heart_rate_bpm, resting_heart_rate_bpm, threshold_heart_rate_bpm;
  double threshold_speed_m_s;
  PlTruth novice;
  PlEffort effort;
  PlZoneScheme zones;
  PlShare share;
} PlConfigAthlete;

typedef struct {
  const char *id;
  const char *address;
  const char *address_type; /* "auto", "public" or "random" */
  int athlete;              /* index, or PL_CONFIG_NOBODY */
  PlMount mount;            /* PL_MOUNT_COUNT: not given */
  const PlDriver *drivers[PL_SESSION_DRIVERS];
  size_t driver_count; /* 0: auto */
  PlNotify notify;
  double factor;
  bool experimental;
} PlConfigSensor;

typedef struct {
  const char *id;
  int athlete; /* index, or PL_CONFIG_NOBODY when there is no athlete at all */
  double notice_km, replace_km;
  bool is_default;
} PlConfigShoe;

/* What one [warning ...] group says; pl_config_warning_limits() puts them together. */
typedef struct {
  int code;    /* of PlWarningCode; -1: a line of the digest */
  int digest;  /* the line of the digest, or -1 */
  int athlete; /* PL_CONFIG_NOBODY: for everybody */
  PlTruth enabled;
  double enter, exit, hold_s, clear_s, cooldown_s; /* NaN: not given */
} PlConfigWarning;

typedef struct {
  PlConfigGateway gateway;
  PlConfigMqtt mqtt;
  PlConfigBluetooth bluetooth;
  PlConfigStorage storage;
  PlRunSettings run;
  PlConfigAthlete *athletes;
  size_t athlete_count;
  PlConfigSensor *sensors;
  size_t sensor_count;
  PlConfigShoe *shoes;
  size_t shoe_count;
  PlConfigWarning *warnings;
  size_t warning_count;
  struct PlConfigTree *tree; /* where everything comes from */
} PlConfig;

/* What a configuration depends on beside its files. */
typedef struct {
  const char *host_name;
  const char *state_directory; /* default of `storage directory` */
  int year, month, day;        /* today */
  bool without_radio;          /* sensors need no adapter of this machine, as in a replay */
  bool without_broker; /* the files that [mqtt] names are not looked at, as in a program that
                        * makes no connection and may not read secrets */
  const PlDriver *const *drivers;
  size_t driver_count;
} PlConfigSurroundings;

/* Those of this process.  Strings live as long as it. */
void pl_config_surroundings(PlConfigSurroundings *surroundings);

/* The bytes of one file. */
typedef struct {
  const char *name;
  const char *bytes;
  size_t length;
} PlConfigSource;

/* Reads `path` and the files in `conf.d` beside it, and checks the files that they name.  NULL,
 * and at least one problem, when anything is wrong; no other configuration is touched. */
PlConfig *pl_config_load(const char *path, const PlConfigSurroundings *surroundings,
                         PlProblems *problems);

/* The same with `extra` (may be NULL) read after the files; `path` may be NULL: no files. */
PlConfig *pl_config_load_with(const char *path, const PlConfigSource *extra,
                              const PlConfigSurroundings *surroundings, PlProblems *problems);

/* The same from memory, without a look at any file; with no source at all, the defaults. */
PlConfig *pl_config_parse(const PlConfigSource *sources, size_t count,
                          const PlConfigSurroundings *surroundings, PlProblems *problems);

/* NULL is fine. */
void pl_config_free(PlConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlConfig, pl_config_free)

/* The index of that id, or -1. */
int pl_config_find_athlete(const PlConfig *self, const char *id);
int pl_config_find_sensor(const PlConfig *self, const char *id);
int pl_config_find_shoe(const PlConfig *self, const char *id);

/* 1 to 32 of a-z, 0-9 and -. */
bool pl_config_is_id(const char *text);

/* Whether commands over MQTT are carried out: `auto` is no for a broker elsewhere without TLS.
 */
bool pl_config_takes_commands(const PlConfig *self);

/* Thresholds of a warning for one athlete, or for everybody with PL_CONFIG_NOBODY. */
PlWarningLimits pl_config_warning_limits(const PlConfig *self, PlWarningCode code, int athlete);

/* Whether that line ("rest-day") may stand in an athlete's digest. */
bool pl_config_digest_enabled(const PlConfig *self, const char *code, int athlete);

/* What the engine wants to know of an athlete at that time (Unix milliseconds).  Somebody of
 * whom only the year is known is born in the middle of it. */
void pl_config_athlete_settings(const PlConfig *self, int athlete, int64_t unix_ms,
                                PlAthleteSettings *settings);

/* One key as it holds. */
typedef struct {
  const char *group; /* "athlete r1" */
  const char *key;
  const char *value; /* NULL: not set and without a default */
  const char *file;  /* NULL: the default */
  unsigned line;     /* 0: not from a line */
} PlConfigItem;

typedef void (*PlConfigItemFunc)(const PlConfigItem *item, void *data);

/* Every key of every group, in the order of the manual. */
void pl_config_foreach(const PlConfig *self, PlConfigItemFunc func, void *data);

/* The same as a key file that reads back to the same configuration, each key below a comment
 * that says where it is from.  The caller frees it. */
char *pl_config_show(const PlConfig *self);
