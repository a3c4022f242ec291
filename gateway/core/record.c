/* SPDX-License-Identifier: Apache-2.0 */

/* The bytes of one record in the store.
 *
 *   head        1 byte   bits 0-2 gait, bit 3 confidences follow, bit 4 beats follow
 *   time        varint   zigzag, microseconds of boot time
 *   present     varint   bit n: field n has a number
 *   uncertain   varint   bit n: field n has a confidence below 1 (with bit 3 of head only)
 *   values      varint   zigzag of value * scale, one for each bit of `present`, lowest first
 *   confidences 1 byte   of 1/200, one for each bit of `uncertain`, lowest first
 *   beats       1 byte   how many, then two bytes each: RR interval in 1/1024 s, low byte first
 *                        (with bit 4 of head only)
 *
 * A varint holds seven bits a byte, lowest first, bit 7 set on all but the last.  There is one
 * way only to write a record: the decoder refuses any other, so a record that decodes encodes
 * to the same bytes again.  The fields have numbers of their own, so that new metrics may be
 * put anywhere in the list of metrics: fields are added at the end and never change. */

#include "gateway/core/bytes.h"
#include "gateway/core/frame.h"

#include <math.h>
#include <stddef.h>

enum {
  GAIT_BITS = 7,
  HAS_CONFIDENCE = 1 << 3,
  HAS_BEATS = 1 << 4,
  HEAD_BITS = GAIT_BITS | HAS_CONFIDENCE | HAS_BEATS,
  CONFIDENCE_ONE = 200,
  RR_UNIT_MAX = UINT16_MAX,
};

/* Beyond this a scaled value does not come back exactly through a double. */
static const int64_t scaled_max = (INT64_C(1) << 47) - 1;

/* What a record holds besides metrics. */
enum { OF_DISTANCE = PL_METRIC_COUNT, OF_STEPS, OF_COUNTER };

typedef struct {
  int of; /* a metric, or one of the three above */
  double scale;
} Field;

/* At least ten times finer than what is published.  Distance and steps are summed over hours,
 * so they are finer still.  What a footpod and a strap give comes first: seven bits are one
 * byte of `present`. */
static const Field fields[] = {
    {PL_METRIC_HEART_RATE, 1e2},
    {PL_METRIC_SPEED, 1e4},
    {PL_METRIC_CADENCE, 1e2},
    {OF_DISTANCE, 1e5},
    {OF_STEPS, 1e4},
    {OF_COUNTER, 1e2},
    {PL_METRIC_STEP_LENGTH, 1e4},
    {PL_METRIC_POWER, 1e2},
    {PL_METRIC_INCLINE, 1e2},
    {PL_METRIC_RMSSD, 1e2},
    {PL_METRIC_DFA_ALPHA1, 1e4},
    {PL_METRIC_RESPIRATION, 1e2},
    {PL_METRIC_GROUND_CONTACT, 1e2},
    {PL_METRIC_FLIGHT, 1e2},
    {PL_METRIC_DUTY_FACTOR, 1e4},
    {PL_METRIC_VERTICAL_OSCILLATION, 1e2},
    {PL_METRIC_VERTICAL_RATIO, 1e3},
    {PL_METRIC_BALANCE_LEFT, 1e3},
    {PL_METRIC_PEAK_FORCE, 1e4},
    {PL_METRIC_IMPACT, 1e4},
    {PL_METRIC_LEG_STIFFNESS, 1e4},
    {PL_METRIC_TRUNK_LEAN, 1e2},
    {PL_METRIC_LATERAL_LEAN, 1e2},
    {PL_METRIC_PELVIC_TILT, 1e2},
    {PL_METRIC_PELVIC_DROP, 1e2},
    {PL_METRIC_PELVIC_ROLL, 1e2},
    {PL_METRIC_PELVIC_ROTATION, 1e2},
    {PL_METRIC_LUMBAR_FLEXION, 1e2},
    {PL_METRIC_HEAD_PITCH, 1e2},
    {PL_METRIC_SHOULDER_ROUNDING, 1e2},
    {PL_METRIC_SWAY_RATIO, 1e4},
    {PL_METRIC_FORM_DRIFT, 1e2},
    {PL_METRIC_MECHANICAL_LOAD, 1e3},
    {PL_METRIC_DECOUPLING, 1e3},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

_Static_assert((int)PL_GAIT_COUNT - 1 <= (int)GAIT_BITS, "the gait has three bits");
_Static_assert(FIELD_COUNT <= 63, "fields are bits of one number");
_Static_assert(PL_FRAME_RR_MAX <= UINT8_MAX, "beats are counted in one byte");
_Static_assert(1 + 10 + 2 * 9 + FIELD_COUNT * (7 + 1) + 1 + 2 * PL_FRAME_RR_MAX <=
                   PL_RECORD_BYTES_MAX,
               "the longest record fits");

const char *
pl_gait_name(PlGait gait) {
  static const char *const names[PL_GAIT_COUNT] = {
      [PL_GAIT_UNKNOWN] = "unknown",
      [PL_GAIT_STAND] = "stand",
      [PL_GAIT_WALK] = "walk",
      [PL_GAIT_RUN] = "run",
  };
  return (unsigned)gait < PL_GAIT_COUNT ? names[gait] : "?";
}

const char *
pl_phase_name(PlPhase phase) {
  static const char *const names[PL_PHASE_COUNT] = {
      [PL_PHASE_IDLE] = "idle",       [PL_PHASE_CALIBRATING] = "calibrating",
      [PL_PHASE_WARMUP] = "warmup",   [PL_PHASE_RUNNING] = "running",
      [PL_PHASE_WALKING] = "walking", [PL_PHASE_PAUSED] = "paused",
      [PL_PHASE_ENDED] = "ended",
  };
  return (unsigned)phase < PL_PHASE_COUNT ? names[phase] : "?";
}

double
pl_pace_s_per_km(double speed_m_s) {
  return speed_m_s >= 0.5 ? 1000 / speed_m_s : NAN;
}

bool
pl_record_keeps(PlMetric metric) {
  for (unsigned i = 0; i < FIELD_COUNT; i++)
    if (fields[i].of == (int)metric)
      return true;
  return false;
}

void
pl_record_clear(PlRecord *record) {
  *record = (PlRecord){.gait = PL_GAIT_UNKNOWN, .counter_m = NAN};
  for (unsigned m = 0; m < PL_METRIC_COUNT; m++)
    record->value[m] = NAN;
}

static double
field_get(const PlRecord *record, int of) {
  switch (of) {
  case OF_DISTANCE:
    return record->distance_m;
  case OF_STEPS:
    return record->steps;
  case OF_COUNTER:
    return record->counter_m;
  default:
    return record->value[of];
  }
}

static void
field_set(PlRecord *record, int of, double value) {
  switch (of) {
  case OF_DISTANCE:
    record->distance_m = value;
    break;
  case OF_STEPS:
    record->steps = value;
    break;
  case OF_COUNTER:
    record->counter_m = value;
    break;
  default:
    record->value[of] = value;
    record->confidence[of] = 1;
  }
}

static uint64_t
zigzag(int64_t value) {
  return value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
}

static int64_t
unzigzag(uint64_t value) {
  int64_t half = (int64_t)(value >> 1);
  return value & 1 ? -half - 1 : half;
}

static uint8_t *
put_varint(uint8_t *out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    *out++ = (uint8_t)(value | 0x80);
  *out++ = (uint8_t)value;
  return out;
}

static uint64_t
get_varint(PlReader *in) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = pl_reader_u8(in);
    bool too_long = byte == 0 && shift > 0;
    bool too_large = shift == 63 && byte > 1;
    if (in->failed || too_long || too_large)
      break;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  in->failed = true;
  return 0;
}

/* False for what is not a number and for what no sensor gives: it is stored as unknown. */
static bool
scale_field(const PlRecord *record, const Field *field, int64_t *scaled) {
  double value = round(field_get(record, field->of) * field->scale);
  if (!(fabs(value) <= (double)scaled_max))
    return false;
  *scaled = (int64_t)value;
  return true;
}

/* The confidence of a field in 1/200; the three that are no metric have none of their own. */
static unsigned
confidence_units(const PlRecord *record, const Field *field) {
  if (field->of >= PL_METRIC_COUNT)
    return CONFIDENCE_ONE;
  double units = round((double)record->confidence[field->of] * CONFIDENCE_ONE);
  if (!(units > 0))
    return 0;
  return units < CONFIDENCE_ONE ? (unsigned)units : CONFIDENCE_ONE;
}

/* Writes the beats; one that no heart makes (64 s and more, or no number) is left out. */
static uint8_t *
put_beats(uint8_t *out, const PlRecord *record) {
  uint8_t *count = out++;
  *count = 0;
  for (unsigned i = 0; i < record->rr_count && i < PL_FRAME_RR_MAX; i++) {
    double units = round(record->rr_ms[i] * 1024 / 1000);
    if (!(units >= 0 && units <= RR_UNIT_MAX))
      continue;
    unsigned rr = (unsigned)units;
    *out++ = (uint8_t)rr;
    *out++ = (uint8_t)(rr >> 8);
    ++*count;
  }
  return *count > 0 ? out : count;
}

unsigned
pl_record_encode(const PlRecord *record, uint8_t bytes[PL_RECORD_BYTES_MAX]) {
  int64_t scaled[FIELD_COUNT];
  uint64_t present = 0, uncertain = 0;

  for (unsigned i = 0; i < FIELD_COUNT; i++) {
    if (!scale_field(record, &fields[i], &scaled[i]))
      continue;
    present |= UINT64_C(1) << i;
    if (confidence_units(record, &fields[i]) < CONFIDENCE_ONE)
      uncertain |= UINT64_C(1) << i;
  }
  bytes[0] = (unsigned)record->gait < PL_GAIT_COUNT ? (uint8_t)record->gait : PL_GAIT_UNKNOWN;
  uint8_t *out = put_varint(bytes + 1, zigzag(record->t_us));
  out = put_varint(out, present);
  if (uncertain) {
    bytes[0] |= HAS_CONFIDENCE;
    out = put_varint(out, uncertain);
  }
  for (unsigned i = 0; i < FIELD_COUNT; i++)
    if (present >> i & 1)
      out = put_varint(out, zigzag(scaled[i]));
  for (unsigned i = 0; i < FIELD_COUNT; i++)
    if (uncertain >> i & 1)
      *out++ = (uint8_t)confidence_units(record, &fields[i]);
  uint8_t *end = put_beats(out, record);
  if (end > out)
    bytes[0] |= HAS_BEATS;
  return (unsigned)(end - bytes);
}

static void
get_values(PlReader *in, PlRecord *record, uint64_t present) {
  record->distance_m = record->steps = NAN;
  for (unsigned i = 0; i < FIELD_COUNT; i++) {
    if (!(present >> i & 1))
      continue;
    int64_t scaled = unzigzag(get_varint(in));
    if (scaled < -scaled_max || scaled > scaled_max)
      in->failed = true;
    field_set(record, fields[i].of, (double)scaled / fields[i].scale);
  }
}

static void
get_confidences(PlReader *in, PlRecord *record, uint64_t uncertain) {
  for (unsigned i = 0; i < FIELD_COUNT; i++) {
    if (!(uncertain >> i & 1))
      continue;
    unsigned units = pl_reader_u8(in);
    if (units >= CONFIDENCE_ONE || fields[i].of >= PL_METRIC_COUNT)
      in->failed = true;
    else
      record->confidence[fields[i].of] = (float)units / CONFIDENCE_ONE;
  }
}

static void
get_beats(PlReader *in, PlRecord *record) {
  unsigned count = pl_reader_u8(in);
  if (count == 0 || count > PL_FRAME_RR_MAX)
    in->failed = true;
  for (unsigned i = 0; i < count && !in->failed; i++)
    record->rr_ms[i] = pl_reader_u16(in) * 1000.0 / 1024;
  record->rr_count = in->failed ? 0 : count;
}

unsigned
pl_record_decode(PlRecord *record, const uint8_t *bytes, unsigned length) {
  PlReader in = pl_reader(bytes, length);
  PlRecord read;

  pl_record_clear(&read);
  unsigned head = pl_reader_u8(&in);
  if ((head & ~(unsigned)HEAD_BITS) != 0 || (head & GAIT_BITS) >= PL_GAIT_COUNT)
    return 0;
  read.gait = (PlGait)(head & GAIT_BITS);
  read.t_us = unzigzag(get_varint(&in));
  uint64_t present = get_varint(&in);
  uint64_t uncertain = head & HAS_CONFIDENCE ? get_varint(&in) : 0;
  if (present >> FIELD_COUNT || uncertain & ~present || (head & HAS_CONFIDENCE && !uncertain))
    return 0;
  get_values(&in, &read, present);
  get_confidences(&in, &read, uncertain);
  if (head & HAS_BEATS)
    get_beats(&in, &read);
  if (in.failed)
    return 0;
  *record = read;
  return (unsigned)in.position;
}
