/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* A small source of random numbers (SplitMix64, Steele, Lea and Flood 2014): the same seed
 * gives the same numbers everywhere.  Good enough for noise, not for secrets. */
typedef struct {
  uint64_t state;
} PlRandom;

void pl_random_init(PlRandom *random, uint64_t seed);

/* 64 random bits. */
uint64_t pl_random_bits(PlRandom *random);

/* Evenly spread over [0, 1). */
double pl_random_uniform(PlRandom *random);

/* Normally distributed, mean 0 and standard deviation 1, cut off at 6.  Made of sums, without a
 * function of the mathematics library that might differ in its last digit. */
double pl_random_normal(PlRandom *random);
