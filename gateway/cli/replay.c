/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/replay.h"
#include "gateway/app/speed.h"
#include "gateway/cli/cli.h"
#include "gateway/edge/clock.h"

#include <string.h>

enum { OUTPUT_BUFFER = 1 << 16 };

/* Everything of one replay. */
typedef struct {
  PlCliOptions options;
  PlCaptureReader *reader;
  PlConfig *config;
  PlStore *store;
  PlPipeline *pipeline;
  PlReplay *replay;
  PlPrinter printer;
  PlWall wall;
  double speed; /* times real time; 0: as fast as it goes */
} Play;

static PlConfig *
load_config(Play *play) {
  const PlCaptureHeader *header = pl_capture_reader_header(play->reader);
  PlConfigSurroundings surroundings;
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) base = NULL;

  pl_config_surroundings(&surroundings);
  surroundings.host_name = "replay"; /* the same bytes on every machine */
  surroundings.without_broker = surroundings.without_radio = true;
  if (play->options.config_path != NULL) {
    base = pl_config_load(play->options.config_path, &surroundings, problems);
    if (base == NULL) {
      g_autofree char *text = pl_problems_text(problems);
      fputs(text, stderr);
      return NULL;
    }
  }
  g_autofree char *text = pl_replay_configuration(header, base);
  PlConfigSource extra = {.name = "capture", .bytes = text, .length = strlen(text)};
  PlConfig *config =
      pl_config_load_with(play->options.config_path, &extra, &surroundings, problems);
  if (config == NULL) {
    g_autofree char *why = pl_problems_text(problems);
    fputs(why, stderr);
  }
  return config;
}

static int
open_all(Play *play, const char *path) {
  g_autoptr(GError) error = NULL;
  play->reader = pl_capture_reader_open(path, &error);
  if (play->reader == NULL) {
    pl_cli_error("%s", error->message);
    return error->domain == G_FILE_ERROR ? PL_EXIT_FAILED : PL_EXIT_DATA;
  }
  play->config = load_config(play);
  if (play->config == NULL)
    return PL_EXIT_CONFIG;
  play->store = pl_store_open(&(PlStoreOptions){.mode = PL_STORE_SYNCHRONOUS,
                                                .directory = play->options.state_dir,
                                                .boot_id = "replay"},
                              &error);
  if (play->store == NULL) {
    pl_cli_error("%s", error->message);
    return PL_EXIT_FAILED;
  }
  const PlCaptureHeader *header = pl_capture_reader_header(play->reader);
  play->wall = (PlWall){
      .offset_us = header->start_ms * 1000,
      .synced = true,
      .zone = pl_replay_zone(header),
  };
  pl_printer_init(&play->printer, stdout, play->config->mqtt.prefix);
  play->pipeline = pl_pipeline_new(&(PlPipelineParts){.config = play->config,
                                                      .store = play->store,
                                                      .wire = &play->printer.wire,
                                                      .wall = &play->wall,
                                                      .link = pl_replay_link(),
                                                      .passive = true},
                                   0);
  play->replay = pl_replay_new(play->reader, play->config, play->pipeline, 0);
  return PL_EXIT_OK;
}

/* At a speed, waits for each event until its time has come. */
static PlReplayResult
play_all(Play *play, GError **error) {
  int64_t began_us = pl_clock_boot_us();
  if (play->speed <= 0)
    return pl_replay_run(play->replay, INT64_MAX, error);
  while (true) {
    int64_t now_us = (int64_t)((double)(pl_clock_boot_us() - began_us) * play->speed);
    PlReplayResult result = pl_replay_run(play->replay, now_us, error);
    if (result != PL_REPLAY_MORE)
      return result; /* nothing comes after the end, however late it is by now */
    pl_engine_advance(&play->pipeline->engine,
                      MAX(now_us, play->pipeline->engine.radio.now_us));
    fflush(stdout);
    g_usleep((gulong)CLAMP(1e6 / play->speed / 20, 1000, 50000));
  }
}

static void
clear(Play *play) {
  pl_replay_free(play->replay);
  pl_pipeline_free(play->pipeline);
  pl_store_close(play->store);
  pl_config_free(play->config);
  pl_capture_reader_free(play->reader);
  pl_printer_clear(&play->printer);
  g_clear_pointer(&play->wall.zone, g_time_zone_unref);
  pl_cli_clear(&play->options);
}

static int
run(Play *play, const char *path) {
  g_autoptr(GError) error = NULL;
  int code = open_all(play, path);
  if (code != PL_EXIT_OK)
    return code;
  if (play_all(play, &error) == PL_REPLAY_ERROR) {
    fflush(stdout);
    pl_cli_error("%s", error->message);
    return PL_EXIT_DATA;
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    pl_cli_error("standard output: %s", g_strerror(errno));
    return PL_EXIT_FAILED;
  }
  const char *warning = pl_capture_reader_warning(play->reader);
  if (warning != NULL)
    pl_cli_error("%s", warning);
  return PL_EXIT_OK;
}

int
pl_command_replay(int argc, char **argv) {
  Play play = {0};
  char *speed = NULL;
  static char buffer[OUTPUT_BUFFER];
  const GOptionEntry entries[] = {
      {"speed", 0, 0, G_OPTION_ARG_STRING, &speed, "times real time, or max (default)",
       "max|N"},
      G_OPTION_ENTRY_NULL,
  };
  int code = PL_EXIT_USAGE;

  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  if (pl_cli_parse(&argc, &argv, "FILE",
                   "Plays a capture through the whole program and prints what it would have "
                   "published,\none message a line.  FILE may be - for standard input.",
                   entries, &play.options)) {
    if (argc != 2)
      pl_cli_error("replay takes one capture; see plumbline replay --help");
    else if (!pl_speed_parse(speed, 0, &play.speed))
      pl_cli_error("--speed: expected max or a number above 0, got \"%s\"", speed);
    else
      code = run(&play, argv[1]);
  }
  clear(&play);
  g_free(speed);
  return code;
}
