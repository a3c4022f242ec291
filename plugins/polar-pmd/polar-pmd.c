/* SPDX-License-Identifier: Apache-2.0 */
/* Polar Measurement Data service (PMD): acceleration of the H10 chest strap, of Verity Sense
 * and of OH1.  The strap's pod sits on the breastbone, so it is also a posture sensor.
 *
 * Two characteristics: commands and their answers pass through the control point fb005c81
 * (layout in control.c), data come from fb005c82 (frame.c; times of samples in clock.c).
 *
 *   READY --> SETTINGS --list--> START --success--> STREAM
 *                ^               |   ^                |
 *                |         already   | answer         | 5 s without a frame
 *                |               v   |                |
 *                |               STOP <---------------+
 *                |
 *   back-off ----+   entered when refused, without an answer for 30 s, when a write fails, and
 *                    when the sensor says that it has stopped by itself
 *
 * "already": a stream of an earlier link still runs, at a rate that nobody knows.
 *
 * A sensor whose stream is not stopped stays awake until its battery is empty, so STOP is
 * written before every disconnect.
 *
 * Sources: Polar's online_measurement.pdf of 2024; packets of H10 and Verity Sense. */
#include "gateway/core/driver.h"
#include "plugins/polar-pmd/clock.h"
#include "plugins/polar-pmd/control.h"
#include "plugins/polar-pmd/frame.h"

#include <math.h>
#include <string.h>

enum { CONTROL_POINT, DATA };

enum { TIMER = 0 };

enum {
  PARAMETERS_MAX = 256, /* of one answer, over all its parts; real ones need 27 */
  FAILURES_MAX = 7,     /* the back-off grows no further */
};

static const double gravity_m_s2 = 9.80665;
/* Fast enough for steps and posture; 200 Hz is for those who ask for it. */
static const double default_rate_hz = 100;
/* A runner's chest goes beyond 4 g, never beyond 8. */
static const uint32_t default_range_g = 8;
static const double limit_mg = 16000;   /* of any of these sensors */
static const double clip_share = 0.995; /* of the range: the sensor is at its end */

static const int64_t answer_us = 30 * 1000 * 1000; /* as Polar's own library */
static const int64_t silence_us = 5 * 1000 * 1000; /* the slowest sensor sends every 2 s */
static const int64_t back_off_us = 5 * 1000 * 1000;
static const int64_t back_off_max_us = 300 * 1000 * 1000;

typedef enum {
  PHASE_OFF,      /* no link, or about to lose it */
  PHASE_SETTINGS, /* asked what there is to choose from */
  PHASE_START,    /* asked to start */
  PHASE_STREAM,
  PHASE_STOP, /* asked to stop, to start afresh */
  PHASE_WAIT, /* backing off */
} Phase;

typedef struct {
  Phase phase;
  unsigned failures; /* in a row */
  bool restarted;    /* a stop has already been tried on this attempt */
  uint32_t wish[PL_PMD_SETTING_COUNT];
  PlPmdSettings chosen;
  double factor;
  PlPmdClock clock;
  size_t length; /* of the parameters collected so far */
  uint8_t parameters[PARAMETERS_MAX];
} Pmd;

_Static_assert(sizeof(Pmd) <= PL_DRIVER_STATE_MAX, "the session reserves no more");

static void
forget_stream(Pmd *pmd, double rate_hz) {
  pmd->factor = 1;
  pl_pmd_clock_start(&pmd->clock, rate_hz);
}

static void
command(Pmd *pmd, Phase phase, const uint8_t *bytes, size_t length, PlSink *sink) {
  pmd->phase = phase;
  pmd->length = 0;
  sink->write(sink, CONTROL_POINT, bytes, length);
  sink->timer(sink, TIMER, answer_us);
}

static void
ask_settings(Pmd *pmd, PlSink *sink) {
  static const uint8_t bytes[] = {PL_PMD_GET_SETTINGS, PL_PMD_ACCELERATION};
  pmd->restarted = false;
  command(pmd, PHASE_SETTINGS, bytes, sizeof bytes, sink);
}

static void
start(Pmd *pmd, PlSink *sink) {
  uint8_t request[PL_PMD_REQUEST_MAX];
  size_t length = pl_pmd_start_request(&pmd->chosen, request);
  command(pmd, PHASE_START, request, length, sink);
}

static void
stop(Pmd *pmd, PlSink *sink) {
  static const uint8_t bytes[] = {PL_PMD_STOP, PL_PMD_ACCELERATION};
  command(pmd, PHASE_STOP, bytes, sizeof bytes, sink);
}

/* Tries again later: 5 s, doubling up to 5 minutes. */
static void
back_off(Pmd *pmd, PlSink *sink) {
  int64_t after_us = back_off_us << pmd->failures;

  if (pmd->failures < FAILURES_MAX)
    pmd->failures++;
  pmd->phase = PHASE_WAIT;
  sink->timer(sink, TIMER, after_us < back_off_max_us ? after_us : back_off_max_us);
}

static PlStatus
on_settings(Pmd *pmd, PlSink *sink) {
  PlStatus status = pl_pmd_choose(&pmd->chosen, pmd->parameters, pmd->length, pmd->wish);
  if (pmd->chosen.offered[PL_PMD_RATE])
    start(pmd, sink);
  else
    back_off(pmd, sink);
  return status;
}

static PlStatus
on_started(Pmd *pmd, PlSink *sink) {
  PlPmdSettings answer = {.factor = NAN};
  PlStatus status = PL_OK;

  /* The strap answers with one reserved byte, which is no list. */
  if (pmd->length > 1)
    status = pl_pmd_choose(&answer, pmd->parameters, pmd->length, pmd->wish);
  forget_stream(pmd, pmd->chosen.value[PL_PMD_RATE]);
  if (!isnan(answer.factor))
    pmd->factor = answer.factor;
  pmd->phase = PHASE_STREAM;
  sink->timer(sink, TIMER, silence_us);
  return status;
}

static PlStatus
on_refused(Pmd *pmd, unsigned result, PlSink *sink) {
  if (pmd->phase == PHASE_START && result == PL_PMD_ALREADY && !pmd->restarted) {
    pmd->restarted = true;
    stop(pmd, sink);
    return PL_OK;
  }
  back_off(pmd, sink);
  return PL_UNEXPECTED;
}

/* False when not all of it fits. */
static bool
collect(Pmd *pmd, const PlPmdResponse *response) {
  size_t room = sizeof pmd->parameters - pmd->length;
  size_t length = response->length < room ? response->length : room;
  if (length > 0)
    memcpy(pmd->parameters + pmd->length, response->parameters, length);
  pmd->length += length;
  return length == response->length;
}

static unsigned
awaited_command(const Pmd *pmd) {
  switch (pmd->phase) {
  case PHASE_SETTINGS:
    return PL_PMD_GET_SETTINGS;
  case PHASE_START:
    return PL_PMD_START;
  case PHASE_STOP:
    return PL_PMD_STOP;
  case PHASE_OFF:
  case PHASE_STREAM:
  case PHASE_WAIT:
    break;
  }
  return 0;
}

static PlStatus
on_response(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  PlPmdResponse response;
  PlStatus status = pl_pmd_response(&response, event->data, event->length);
  if (status != PL_OK)
    return status;
  if (pmd->phase == PHASE_OFF && response.command == PL_PMD_STOP)
    return PL_OK;
  /* Answers to other programs' commands come here too, and late ones to our own. */
  if (response.command != awaited_command(pmd) || response.measurement != PL_PMD_ACCELERATION)
    return PL_UNEXPECTED;
  if (pmd->phase == PHASE_STOP) {
    start(pmd, sink);
    return PL_OK;
  }
  if (response.result != PL_PMD_SUCCESS)
    return on_refused(pmd, response.result, sink);
  bool whole = collect(pmd, &response);
  if (response.more)
    sink->timer(sink, TIMER, answer_us);
  else
    status = pmd->phase == PHASE_SETTINGS ? on_settings(pmd, sink) : on_started(pmd, sink);
  return whole ? status : PL_SHORT;
}

/* The sensor has ended measurements by itself: taken off, put on its charger, another master.
 */
static PlStatus
on_stopped(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  if (event->length < 2)
    return PL_SHORT;
  for (size_t i = 1; i < event->length; i++)
    if (event->data[i] == PL_PMD_ACCELERATION && pmd->phase == PHASE_STREAM)
      back_off(pmd, sink);
  return PL_OK;
}

static PlStatus
on_control_point(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  if (event->length == 0)
    return PL_SHORT;
  switch (event->data[0]) {
  case PL_PMD_RESPONSE:
    return on_response(pmd, event, sink);
  case PL_PMD_STOPPED:
    return on_stopped(pmd, event, sink);
  case PL_PMD_FEATURES: /* the list of settings tells more */
    return PL_OK;
  default:
    return PL_UNSUPPORTED;
  }
}

/* False when it is beyond what any of these sensors can measure. */
static bool
take_motion(const Pmd *pmd, const PlPmdFrame *frame, unsigned i, PlMotionSample *motion) {
  uint32_t range_g =
      pmd->chosen.offered[PL_PMD_RANGE] ? pmd->chosen.value[PL_PMD_RANGE] : default_range_g;
  motion->clipped = false;
  for (unsigned axis = 0; axis < PL_PMD_AXES; axis++) {
    double mg = frame->value[i][axis] * frame->scale_mg;
    if (fabs(mg) > limit_mg)
      return false;
    if (fabs(mg) >= clip_share * 1000 * range_g)
      motion->clipped = true;
    motion->acceleration_m_s2[axis] = mg / 1000 * gravity_m_s2;
  }
  return true;
}

/* False when samples were dropped. */
static bool
emit(Pmd *pmd, const PlPmdFrame *frame, int64_t received_us, PlSink *sink) {
  unsigned lost;
  double step_ns =
      pl_pmd_clock_step(&pmd->clock, frame->last_ns, frame->span, received_us, &lost);
  PlSample sample = {.kind = PL_SAMPLE_MOTION,
                     .motion = {.angular_rate_rad_s = {NAN, NAN, NAN}}};
  bool plausible = true;

  if (lost > 0 && sink->lost)
    sink->lost(sink, lost);
  for (unsigned i = 0; i < frame->count; i++) {
    int64_t before_ns = (int64_t)((frame->span - 1 - i) * step_ns);
    sample.t_us = received_us - before_ns / 1000;
    sample.t_sensor_us = (frame->last_ns - before_ns) / 1000;
    if (take_motion(pmd, frame, i, &sample.motion))
      sink->sample(sink, &sample);
    else
      plausible = false;
  }
  return plausible;
}

/* Frames are taken in any phase: they come when a capture is played, and when a stream of an
 * earlier link still runs. */
static PlStatus
on_data(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  PlPmdFrame frame;
  PlStatus status = pl_pmd_frame(&frame, event->data, event->length, pmd->factor);
  if (frame.count == 0)
    return status;
  if (pmd->phase == PHASE_STREAM) {
    pmd->failures = 0;
    sink->timer(sink, TIMER, silence_us);
  }
  bool plausible = emit(pmd, &frame, event->t_us, sink);
  return plausible || status == PL_SHORT ? status : PL_BAD_VALUE;
}

static PlStatus
on_written(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  if (event->characteristic != CONTROL_POINT)
    return PL_UNEXPECTED;
  if (!event->ok && awaited_command(pmd) != 0)
    back_off(pmd, sink);
  return PL_OK;
}

static PlStatus
on_timer(Pmd *pmd, const PlDriverEvent *event, PlSink *sink) {
  if (event->characteristic != TIMER || pmd->phase == PHASE_OFF)
    return PL_UNEXPECTED;
  if (pmd->phase == PHASE_WAIT)
    ask_settings(pmd, sink);
  else if (pmd->phase == PHASE_STREAM)
    stop(pmd, sink);
  else
    back_off(pmd, sink);
  return PL_OK;
}

static void
on_gone(Pmd *pmd, PlSink *sink) {
  pmd->phase = PHASE_OFF;
  pmd->failures = 0;
  forget_stream(pmd, 0);
  sink->timer(sink, TIMER, -1);
}

static void
on_stop(Pmd *pmd, PlSink *sink) {
  if (pmd->phase == PHASE_OFF)
    return;
  stop(pmd, sink);
  sink->timer(sink, TIMER, -1);
  pmd->phase = PHASE_OFF;
}

static PlStatus
handle(void *state, const PlDriverEvent *event, PlSink *sink) {
  Pmd *pmd = state;

  switch (event->type) {
  case PL_DRIVER_READY:
    on_gone(pmd, sink);
    ask_settings(pmd, sink);
    return PL_OK;
  case PL_DRIVER_GONE:
    on_gone(pmd, sink);
    return PL_OK;
  case PL_DRIVER_STOP:
    on_stop(pmd, sink);
    return PL_OK;
  case PL_DRIVER_DATA:
    if (event->characteristic == CONTROL_POINT)
      return on_control_point(pmd, event, sink);
    return event->characteristic == DATA ? on_data(pmd, event, sink) : PL_UNEXPECTED;
  case PL_DRIVER_WRITTEN:
    return on_written(pmd, event, sink);
  case PL_DRIVER_TIMER:
    return on_timer(pmd, event, sink);
  case PL_DRIVER_ADVERTISEMENT:
  case PL_DRIVER_SERVICE_DATA:
    break;
  }
  return PL_UNEXPECTED;
}

static void
init(void *state, const PlDriverOptions *options) {
  Pmd *pmd = state;
  double rate_hz = options->rate_hz > 0 ? options->rate_hz : default_rate_hz;

  *pmd = (Pmd){
      .phase = PHASE_OFF,
      .wish = {[PL_PMD_RATE] = (uint32_t)fmin(rate_hz, UINT16_MAX),
               [PL_PMD_RESOLUTION] = 16,
               [PL_PMD_RANGE] = default_range_g,
               [PL_PMD_MILLI_RANGE] = default_range_g * 1000,
               [PL_PMD_CHANNELS] = PL_PMD_AXES},
  };
  forget_stream(pmd, 0);
}

#define POLAR_PMD(x)                                                                           \
  {                                                                                            \
    {                                                                                          \
      0xfb, 0x00, 0x5c, (x), 0x02, 0xe7, 0xf3, 0x87, 0x1c, 0xad, 0x8a, 0xcd, 0x2d, 0x8d, 0xf0, \
          0xc8                                                                                 \
    }                                                                                          \
  }

/* Optional: a strap that lacks them, or refuses them to whom it does not know, is still a
 * heart-rate strap. */
static const PlCharacteristic characteristics[] = {
    [CONTROL_POINT] = {.service = POLAR_PMD(0x80),
                       .uuid = POLAR_PMD(0x81),
                       .flags = PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_WRITE |
                                PL_CHARACTERISTIC_OPTIONAL},
    [DATA] = {.service = POLAR_PMD(0x80),
              .uuid = POLAR_PMD(0x82),
              .flags = PL_CHARACTERISTIC_NOTIFY | PL_CHARACTERISTIC_OPTIONAL},
};

/* The service is not advertised, so the names help a scan. */
static const PlMatch matches[] = {
    {.has_service = true, .service = POLAR_PMD(0x80)},
    {.name_prefix = "Polar H10 "},
    {.name_prefix = "Polar Sense "},
    {.name_prefix = "Polar OH1 "},
};

const PlDriver pl_driver_polar_pmd = {
    .abi = PL_DRIVER_ABI,
    .id = "polar-pmd",
    .name = "Polar chest strap or armband, acceleration (Polar Measurement Data)",
    .matches = matches,
    .match_count = sizeof matches / sizeof matches[0],
    .characteristics = characteristics,
    .characteristic_count = sizeof characteristics / sizeof characteristics[0],
    .nominal_rate_hz = 3,
    .stale_us = 10 * 1000 * 1000,
    .counts_lost = true,
    .state_size = sizeof(Pmd),
    .init = init,
    .handle = handle,
};
