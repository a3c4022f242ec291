/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/random.h"

void
pl_random_init(PlRandom *random, uint64_t seed) {
  random->state = seed;
}

uint64_t
pl_random_bits(PlRandom *random) {
  random->state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = random->state;
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

double
pl_random_uniform(PlRandom *random) {
  return (double)(pl_random_bits(random) >> 11) * 0x1p-53;
}

/* The sum of twelve uniform numbers has variance 1; sixteen bits of each are plenty. */
double
pl_random_normal(PlRandom *random) {
  uint32_t sum = 0;
  for (int i = 0; i < 3; i++) {
    uint64_t bits = pl_random_bits(random);
    for (int j = 0; j < 4; j++, bits >>= 16)
      sum += (uint32_t)(bits & 0xffff);
  }
  return (sum + 6.0) / 65536.0 - 6.0;
}
