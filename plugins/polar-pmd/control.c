/* SPDX-License-Identifier: Apache-2.0 */
/* Command:   CC MM [settings]
 * Response:  F0 CC MM SS [OO] [settings]
 *
 *   C command
 *   M measurement
 *   S result; what follows means something only when it is 0
 *   O 1: the settings go on in a further response with the same header
 *
 * Settings:  II NN value * N, then the next
 *
 *   I 0 rate in Hz, 1 resolution in bits, 2 range in g, 3 range in milli-g, 4 channels,
 *     5 conversion factor, 6 security of stored recordings
 *   N number of values: all that can be chosen in a response to GET_SETTINGS, 1 in a command
 */
#include "plugins/polar-pmd/control.h"

#include "gateway/core/bytes.h"
#include "plugins/polar-pmd/frame.h"

#include <math.h>

enum { SETTING_FACTOR = 5, SETTING_SECURITY = 6, SETTING_KINDS };

static const uint8_t value_bytes[SETTING_KINDS] = {
    [PL_PMD_RATE] = 2,        [PL_PMD_RESOLUTION] = 2, [PL_PMD_RANGE] = 2,
    [PL_PMD_MILLI_RANGE] = 4, [PL_PMD_CHANNELS] = 1,   [SETTING_FACTOR] = 4,
    [SETTING_SECURITY] = 16,
};

PlStatus
pl_pmd_response(PlPmdResponse *response, const uint8_t *data, size_t length) {
  PlReader r = pl_reader(data, length);
  if (pl_reader_u8(&r) != PL_PMD_RESPONSE)
    return r.failed ? PL_SHORT : PL_UNEXPECTED;
  response->command = pl_reader_u8(&r);
  response->measurement = pl_reader_u8(&r);
  response->result = pl_reader_u8(&r);
  response->more = false;
  response->parameters = data;
  response->length = 0;
  if (r.failed)
    return PL_SHORT;
  if (response->result != PL_PMD_SUCCESS || pl_reader_left(&r) == 0)
    return PL_OK;
  response->more = pl_reader_u8(&r) != 0;
  response->parameters = data + r.position;
  response->length = pl_reader_left(&r);
  return PL_OK;
}

/* Whether `value` suits `wish` better than `best` does. */
static bool
is_nearer(uint32_t value, uint32_t best, uint32_t wish) {
  uint32_t distance = value > wish ? value - wish : wish - value;
  uint32_t best_distance = best > wish ? best - wish : wish - best;
  return distance < best_distance || (distance == best_distance && value > best);
}

/* Zero is no choice: neither a rate, a range nor a number of channels. */
static void
choose_from(PlPmdSettings *chosen, PlReader *r, unsigned setting, unsigned count,
            uint32_t wish) {
  for (unsigned i = 0; i < count; i++) {
    uint32_t value = (uint32_t)pl_reader_le(r, value_bytes[setting]);
    if (value == 0)
      continue;
    if (!chosen->offered[setting] || is_nearer(value, chosen->value[setting], wish))
      chosen->value[setting] = value;
    chosen->offered[setting] = true;
  }
}

static void
read_factor(PlPmdSettings *chosen, PlReader *r, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    double factor = (double)pl_reader_f32(r);
    if (isfinite(factor) && factor > 0)
      chosen->factor = factor;
  }
}

static void
read_setting(PlPmdSettings *chosen, PlReader *r, unsigned setting, unsigned count,
             const uint32_t wish[PL_PMD_SETTING_COUNT]) {
  if (setting == SETTING_FACTOR)
    read_factor(chosen, r, count);
  else if (setting < PL_PMD_SETTING_COUNT)
    choose_from(chosen, r, setting, count, wish[setting]);
  else
    r->position += (size_t)count * value_bytes[setting];
}

PlStatus
pl_pmd_choose(PlPmdSettings *chosen, const uint8_t *parameters, size_t length,
              const uint32_t wish[PL_PMD_SETTING_COUNT]) {
  PlReader r = pl_reader(parameters, length);

  *chosen = (PlPmdSettings){.factor = NAN};
  while (pl_reader_left(&r) > 0) {
    unsigned setting = pl_reader_u8(&r);
    unsigned count = pl_reader_u8(&r);
    if (setting >= SETTING_KINDS)
      return PL_UNSUPPORTED;
    if (r.failed || (size_t)count * value_bytes[setting] > pl_reader_left(&r))
      return PL_SHORT;
    read_setting(chosen, &r, setting, count, wish);
  }
  return PL_OK;
}

size_t
pl_pmd_start_request(const PlPmdSettings *chosen, uint8_t request[PL_PMD_REQUEST_MAX]) {
  /* Byte for byte as in Polar's own examples, of which the chest strap's has another order than
   * the armband's, the one with channels. */
  static const uint8_t strap[] = {PL_PMD_RANGE, PL_PMD_RATE, PL_PMD_RESOLUTION,
                                  PL_PMD_MILLI_RANGE};
  static const uint8_t armband[] = {PL_PMD_RATE, PL_PMD_RESOLUTION, PL_PMD_RANGE,
                                    PL_PMD_MILLI_RANGE, PL_PMD_CHANNELS};
  bool has_channels = chosen->offered[PL_PMD_CHANNELS];
  const uint8_t *order = has_channels ? armband : strap;
  size_t count = has_channels ? sizeof armband : sizeof strap;
  size_t length = 0;

  request[length++] = PL_PMD_START;
  request[length++] = PL_PMD_ACCELERATION;
  for (size_t i = 0; i < count; i++) {
    unsigned setting = order[i];
    if (!chosen->offered[setting])
      continue;
    request[length++] = (uint8_t)setting;
    request[length++] = 1;
    for (unsigned byte = 0; byte < value_bytes[setting]; byte++)
      request[length++] = (uint8_t)(chosen->value[setting] >> (8 * byte));
  }
  return length;
}
