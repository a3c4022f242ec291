/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway-private.h"

#include "gateway/app/control-path.h"
#include "gateway/app/exit.h"

#include "gateway/edge/capture.h"
#include "gateway/edge/clock.h"
#include "gateway/edge/notify.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
  HEALTH_S = 30,
  RETAIN_S = 3600,
  CLOCK_ROW_S = 600,
  READY_S = 10, /* without bluetoothd the daemon is ready all the same */
  STATUS_S = 5, /* for the service manager */
  WATCHDOG_S = 10,
};

static const int64_t stop_us = 8 * G_USEC_PER_SEC;
static const int64_t store_silence_us = 20 * G_USEC_PER_SEC,
                     mqtt_silence_us = 90 * G_USEC_PER_SEC;
static const int64_t step_us = G_USEC_PER_SEC / 10; /* smaller ones are slewing */
static const int64_t max_turn_us =
    G_USEC_PER_SEC; /* of engine time in one turn at full speed */

int64_t
pl_gateway_now_us(const PlGateway *self) {
  int64_t boot_us = pl_clock_boot_us();
  if (self->options.speed == 1)
    return boot_us;
  if (self->options.speed <= 0)
    return self->pipeline == NULL ? self->base_us : self->pipeline->engine.radio.now_us;
  return self->base_us + (int64_t)((double)(boot_us - self->base_us) * self->options.speed);
}

/* -- wire ------------------------------------------------------------------------------ */

static PlGateway *
gateway_of(PlWire *wire) {
  return (PlGateway *)((char *)wire - G_STRUCT_OFFSET(PlGateway, wire));
}

static uint64_t
wire_next_seq(PlWire *wire) {
  return pl_store_next_seq(gateway_of(wire)->store);
}

static void
wire_send(PlWire *wire, const PlOutMessage *message) {
  PlGateway *self = gateway_of(wire);
  PlWire *spool = pl_spool_wire(self->spool);
  spool->send(spool, message);
  if (message->topic == PL_TOPIC_ATHLETE_LIVE && self->options.speed == 1)
    pl_gateway_note_latency(
        self, (double)(pl_wall_us(&self->wall, pl_clock_boot_us()) - message->wall_us) * 1e-3);
  if (self->control == NULL || !pl_control_is_followed(self->control))
    return;
  g_autofree char *rest = pl_topic_name(message->topic, message->name);
  g_autofree char *line = g_strdup_printf(
      "{\"topic\":\"%s/%s\",\"payload\":%s,\"qos\":%u,\"retain\":%s}",
      self->config->mqtt.prefix, rest, message->payload, pl_topics[message->topic].qos,
      pl_topics[message->topic].retain ? "true" : "false");
  pl_control_broadcast(self->control, line);
}

/* -- time ------------------------------------------------------------------------------ */

static void
on_event(const PlLinkEvent *event, void *data) {
  PlGateway *self = data;
  if (self->recorder != NULL)
    pl_recorder_event(self->recorder, event);
  pl_engine_handle(&self->pipeline->engine, event);
  if (self->source->bluez != NULL)
    pl_gateway_schedule(self);
}

void
pl_gateway_schedule(PlGateway *self) {
  int64_t due_us =
      MIN(pl_engine_next_us(&self->pipeline->engine), self->source->due(self->source));
  double left_us = (double)(due_us - pl_gateway_now_us(self));
  if (self->options.speed <= 0)
    left_us = self->source_over ? G_USEC_PER_SEC : 0;
  else
    left_us /= self->options.speed;
  g_source_set_ready_time(self->timer,
                          g_get_monotonic_time() + (int64_t)CLAMP(left_us, 0, 60e6));
}

void
pl_gateway_stop(PlGateway *self, int code) {
  self->exit_code = code;
  self->stopping = true;
  g_main_loop_quit(self->loop);
}

/* A source that is over leaves the broker the time to take the last messages. */
static void
source_ended(PlGateway *self) {
  g_message("%s is over", self->source->name);
  self->source_over = true;
}

static void
check_recorder(PlGateway *self) {
  int64_t tick_us = self->pipeline->engine.tick_us;
  if (self->recorder != NULL && tick_us != self->recorded_us)
    pl_recorder_second(self->recorder);
  self->recorded_us = tick_us;
}

static gboolean
on_timer(void *data) {
  PlGateway *self = data;
  g_autoptr(GError) error = NULL;
  int64_t now_us = pl_gateway_now_us(self);

  if (self->options.speed <= 0 && !self->source_over)
    now_us += max_turn_us;
  if (self->source->run != NULL && !self->source_over &&
      !self->source->run(self->source, now_us, &error)) {
    if (error != NULL) {
      g_critical("%s", error->message);
      pl_gateway_stop(self, PL_EXIT_DATA);
    }
    source_ended(self);
  }
  if (!self->source_over || self->options.speed == 1)
    pl_engine_advance(&self->pipeline->engine,
                      MAX(now_us, self->pipeline->engine.radio.now_us));
  check_recorder(self);
  if (self->stopping && (pl_radio_stopped(&self->pipeline->engine.radio) ||
                         pl_clock_boot_us() >= self->stop_deadline_us))
    g_main_loop_quit(self->loop);
  pl_gateway_schedule(self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch(GSource *source, GSourceFunc callback, void *data) {
  (void)source;
  return callback(data);
}

static GSourceFuncs timer_funcs = {.dispatch = dispatch};

/* -- every second ---------------------------------------------------------------------- */

static void
write_clock_row(PlGateway *self, PlClockKind kind) {
  int64_t now_us = pl_clock_boot_us();
  pl_store_clock(self->store, kind,
                 &(PlStoreTime){
                     .boot_us = now_us,
                     .wall_us = pl_wall_us(&self->wall, now_us),
                     .synced = self->wall.synced,
                 });
}

/* The wall clock of a machine without a battery jumps when the network tells the time. */
static void
check_clock(PlGateway *self) {
  if (self->options.speed != 1 || self->options.source == PL_SOURCE_REPLAY)
    return;
  int64_t offset_us = pl_clock_wall_offset_us();
  bool synced = pl_clock_synced() || pl_timedate_synced(self->timedate);
  int64_t moved_us = offset_us - self->wall.offset_us;
  if (ABS(moved_us) > step_us) {
    g_autofree char *text =
        g_strdup_printf("the clock was set by %.1f s", (double)moved_us * 1e-6);
    self->wall.offset_us = offset_us;
    write_clock_row(self, PL_CLOCK_SET);
    pl_ledger_event(self->pipeline->ledger, "clock-step", pl_gateway_now_us(self), text);
  }
  self->wall.offset_us = offset_us;
  if (synced == self->wall.synced)
    return;
  self->wall.synced = synced;
  pl_mqtt_set_clock_synced(self->mqtt, synced);
  if (synced)
    write_clock_row(self, PL_CLOCK_SYNC);
}

static void
check_ready(PlGateway *self) {
  bool bluetooth = self->source->bluez != NULL;
  if (self->ready)
    return;
  if (bluetooth && pl_bluez_state(self->source->bluez) != PL_BLUEZ_UP &&
      self->seconds < READY_S)
    return;
  self->ready = true;
  pl_notify_ready();
}

/* The watchdog hears of us only while every thread gives a sign of life. */
static void
feed_watchdog(PlGateway *self) {
  PlStoreHealth store;
  int64_t now_us = pl_clock_boot_us();
  pl_store_health(self->store, &store);
  if (now_us - store.heartbeat_us < store_silence_us &&
      now_us - pl_mqtt_heartbeat_us(self->mqtt) < mqtt_silence_us)
    pl_notify_watchdog();
}

static void
check_spool(PlGateway *self) {
  if (!self->spooling || !pl_spool_drained(self->spool))
    return;
  self->spooling = false;
  pl_ledger_event(self->pipeline->ledger, "spool-end", pl_gateway_now_us(self), NULL);
}

static void
retain(PlGateway *self) {
  int64_t wall_us = pl_wall_us(&self->wall, pl_gateway_now_us(self));
  if (!self->wall.synced)
    return;
  pl_store_retain(self->store, wall_us);
  pl_recorder_retain(self->config->storage.directory,
                     (unsigned)self->config->storage.keep_raw_days, wall_us);
}

static gboolean
on_second(void *data) {
  PlGateway *self = data;
  self->seconds++;
  check_clock(self);
  check_ready(self);
  check_spool(self);
  pl_gateway_log_problems(self);
  if (self->seconds == self->announce_at)
    pl_ledger_announce(self->pipeline->ledger);
  if (self->seconds % HEALTH_S == 0)
    pl_gateway_send_health(self);
  if (self->seconds % STATUS_S == 0) {
    g_autofree char *line = pl_gateway_status_line(self);
    pl_notify_status(line);
  }
  if (self->seconds % WATCHDOG_S == 0)
    feed_watchdog(self);
  if (self->seconds % CLOCK_ROW_S == 0)
    write_clock_row(self, PL_CLOCK_PERIODIC);
  if (self->seconds % RETAIN_S == 1)
    retain(self);
  return G_SOURCE_CONTINUE;
}

/* -- parts ----------------------------------------------------------------------------- */

static void
on_bus_closed(void *data) {
  PlGateway *self = data;
  g_critical("the system bus is gone; the service manager starts the gateway again");
  pl_gateway_stop(self, PL_EXIT_FAILED);
}

static void
on_informed(int sensor, void *data) {
  PlGateway *self = data;
  const PlBluezInfo *info = pl_bluez_info(self->source->bluez, sensor);
  if (info != NULL && self->pipeline != NULL)
    pl_ledger_inform(self->pipeline->ledger, sensor, info->model, info->firmware);
}

PlPipeline *
pl_gateway_make_pipeline(PlGateway *self) {
  return pl_pipeline_new(
      &(PlPipelineParts){
          .config = self->config,
          .store = self->store,
          .wire = &self->wire,
          .wall = &self->wall,
          .link = self->source->link,
          .boot_id = self->options.source == PL_SOURCE_REPLAY ? NULL : self->boot_id,
          .passive = self->options.source == PL_SOURCE_REPLAY,
          .seed = (uint32_t)g_get_real_time(),
      },
      pl_gateway_now_us(self));
}

static GTimeZone *
zone_of(const PlConfig *config) {
  GTimeZone *zone = config->gateway.timezone == NULL
                        ? NULL
                        : g_time_zone_new_identifier(config->gateway.timezone);
  return zone != NULL ? zone : g_time_zone_new_local();
}

void
pl_gateway_make_recorder(PlGateway *self) {
  if (self->config->storage.capture)
    self->recorder = pl_recorder_new(self->config, self->config->storage.directory,
                                     self->pipeline->ledger, &self->wall);
}

/* -- start and stop -------------------------------------------------------------------- */

static gboolean
on_terminate(void *data) {
  PlGateway *self = data;
  if (self->stopping) /* twice: at once */
    g_main_loop_quit(self->loop);
  self->stopping = true;
  self->stop_deadline_us = pl_clock_boot_us() + stop_us;
  pl_notify_stopping();
  pl_radio_stop(&self->pipeline->engine.radio);
  if (pl_radio_stopped(&self->pipeline->engine.radio))
    g_main_loop_quit(self->loop);
  pl_gateway_schedule(self);
  return G_SOURCE_CONTINUE;
}

static bool
open_source(PlGateway *self, PlCaptureReader *reader) {
  self->base_us = pl_clock_boot_us();
  switch (self->options.source) {
  case PL_SOURCE_BLUETOOTH:
    self->source =
        pl_source_bluez_new(self->config, on_event, on_bus_closed, on_informed, self);
    break;
  case PL_SOURCE_SIMULATE:
    self->source = pl_source_simulate_new(self->options.argument, self->options.speed > 0,
                                          self->base_us, on_event, self);
    break;
  case PL_SOURCE_REPLAY:
    self->wall.offset_us = pl_capture_reader_header(reader)->start_ms * 1000 - self->base_us;
    self->source = pl_source_replay_new(reader, self->base_us);
    break;
  }
  return self->source != NULL;
}

static bool
open_store(PlGateway *self, GError **error) {
  PlStoreOptions options = {
      .mode = PL_STORE_THREADED,
      .directory = self->config->storage.directory,
      .boot_id = self->boot_id,
      .keep_samples_days = (unsigned)self->config->storage.keep_samples_days,
      .outbox_mib = (unsigned)self->config->storage.outbox_mib,
  };
  self->store = pl_store_open(&options, error);
  return self->store != NULL;
}

static void
open_control(PlGateway *self) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = pl_control_path(self->config->storage.directory);
  self->control = pl_control_new(path, pl_gateway_control, self, &error);
  if (self->control == NULL)
    g_warning("%s; the command line can not reach the daemon", error->message);
}

static void
add_timers(PlGateway *self) {
  self->timer = g_source_new(&timer_funcs, sizeof(GSource));
  g_source_set_callback(self->timer, on_timer, self, NULL);
  g_source_attach(self->timer, NULL);
  self->second_source = g_timeout_add_seconds(1, on_second, self);
  self->signal_sources[0] = g_unix_signal_add(SIGTERM, on_terminate, self);
  self->signal_sources[1] = g_unix_signal_add(SIGINT, on_terminate, self);
  self->signal_sources[2] = g_unix_signal_add(SIGHUP, pl_gateway_reload, self);
  pl_gateway_schedule(self);
}

static int
failure(const GError *error) {
  g_printerr("plumblined: %s\n", error->message);
  return g_error_matches(error, PL_STORE_ERROR, PL_STORE_ERROR_NEWER) ? PL_EXIT_CONFIG
                                                                      : PL_EXIT_FAILED;
}

static int
open_all(PlGateway *self, PlCaptureReader *reader) {
  g_autoptr(GError) error = NULL;
  if (self->boot_id == NULL) {
    g_printerr("plumblined: there is no boot id; set PLUMBLINE_BOOT_ID\n");
    return PL_EXIT_CONFIG;
  }
  if (!open_store(self, &error))
    return failure(error);
  self->spool = pl_spool_new(self->config->mqtt.prefix, self->store);
  open_source(self, reader);
  self->pipeline = pl_gateway_make_pipeline(self);
  if (!pl_gateway_open_mqtt(self, &error)) {
    g_printerr("plumblined: %s\n", error->message);
    return PL_EXIT_CONFIG;
  }
  self->source->attach(self->source, self->config, self->pipeline);
  pl_gateway_make_recorder(self);
  open_control(self);
  write_clock_row(self, PL_CLOCK_START);
  add_timers(self);
  return PL_EXIT_OK;
}

static void
close_all(PlGateway *self) {
  for (size_t i = 0; i < G_N_ELEMENTS(self->signal_sources); i++)
    g_clear_handle_id(&self->signal_sources[i], g_source_remove);
  g_clear_handle_id(&self->second_source, g_source_remove);
  pl_gateway_end_scan(self);
  if (self->timer != NULL) {
    g_source_destroy(self->timer);
    g_source_unref(self->timer);
  }
  /* Messages may still come: whoever they pass finds nobody there. */
  g_clear_pointer(&self->control, pl_control_free);
  g_clear_pointer(&self->recorder, pl_recorder_free);
  if (self->store != NULL)
    pl_store_flush(self->store, PL_GATEWAY_FLUSH_US, NULL);
  if (self->mqtt != NULL)
    pl_mqtt_stop(self->mqtt, PL_GATEWAY_FAREWELL_US);
  pl_mqtt_free(self->mqtt);
  pl_pipeline_free(self->pipeline);
  if (self->source != NULL)
    self->source->free(self->source);
  pl_timedate_free(self->timedate);
  pl_spool_free(self->spool);
  pl_store_close(self->store);
  pl_config_free(self->config);
  g_clear_pointer(&self->wall.zone, g_time_zone_unref);
  g_clear_pointer(&self->loop, g_main_loop_unref);
  g_clear_pointer(&self->problems, g_hash_table_unref);
  g_free(self->boot_id);
  g_free(self->client_id);
  g_free(self->will_topic);
}

static void
init(PlGateway *self, const PlGatewayOptions *options) {
  *self = (PlGateway){
      .options = *options,
      .wire = {.next_seq = wire_next_seq, .send = wire_send},
      .started_us = pl_clock_boot_us(),
      .boot_id = pl_clock_boot_id(),
      .loop = g_main_loop_new(NULL, FALSE),
      .wall = {.offset_us = pl_clock_wall_offset_us(), .synced = pl_clock_synced()},
      .timedate = pl_timedate_new(NULL),
  };
}

int
pl_gateway_run(const PlGatewayOptions *options) {
  g_autofree PlGateway *self = g_new0(PlGateway, 1);
  g_autoptr(GError) error = NULL;
  g_autofree char *problems = NULL;
  PlCaptureReader *reader = NULL;

  if (options->source == PL_SOURCE_REPLAY) {
    reader = pl_capture_reader_open(options->argument, &error);
    if (reader == NULL) {
      g_printerr("plumblined: %s\n", error->message);
      return error->domain == G_FILE_ERROR ? PL_EXIT_FAILED : PL_EXIT_DATA;
    }
  }
  init(self, options);
  self->config = pl_gateway_config(options, reader, &problems);
  if (self->config == NULL) {
    fputs(problems, stderr);
    close_all(self);
    return PL_EXIT_CONFIG;
  }
  self->wall.zone = zone_of(self->config);
  self->exit_code = open_all(self, reader);
  if (self->exit_code == PL_EXIT_OK)
    g_main_loop_run(self->loop);
  int code = self->exit_code;
  close_all(self);
  return code;
}
