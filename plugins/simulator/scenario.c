/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/simulator/scenario.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const PlSegment healthy[] = {
    {PL_GAIT_STAND, .seconds = 20},     {PL_GAIT_WALK, 1.4, .seconds = 60},
    {PL_GAIT_RUN, 2.6, .seconds = 180}, {PL_GAIT_RUN, 3.0, .stretchable = true},
    {PL_GAIT_RUN, 2.5, .seconds = 60},  {PL_GAIT_WALK, 1.4, .seconds = 60},
    {PL_GAIT_STAND, .seconds = 30},
};

static const PlSegment easy[] = {
    {PL_GAIT_STAND, .seconds = 20},          {PL_GAIT_WALK, 1.3, .seconds = 30},
    {PL_GAIT_RUN, 2.5, .stretchable = true}, {PL_GAIT_WALK, 1.3, .seconds = 60},
    {PL_GAIT_STAND, .seconds = 30},
};

static const PlSegment interval[] = {
    {PL_GAIT_STAND, .seconds = 20},          {PL_GAIT_WALK, 1.4, .seconds = 30},
    {PL_GAIT_RUN, 2.7, .stretchable = true}, {PL_GAIT_RUN, 4.2, .metres = 1000},
    {PL_GAIT_WALK, 1.4, .seconds = 120},     {PL_GAIT_RUN, 4.2, .metres = 1000},
    {PL_GAIT_WALK, 1.4, .seconds = 120},     {PL_GAIT_RUN, 4.2, .metres = 1000},
    {PL_GAIT_WALK, 1.4, .seconds = 120},     {PL_GAIT_RUN, 4.2, .metres = 1000},
    {PL_GAIT_WALK, 1.4, .seconds = 120},     {PL_GAIT_RUN, 2.5, .seconds = 240},
    {PL_GAIT_WALK, 1.4, .seconds = 60},      {PL_GAIT_STAND, .seconds = 30},
};

static const PlSegment walk[] = {
    {PL_GAIT_STAND, .seconds = 20},
    {PL_GAIT_WALK, 1.5, .stretchable = true},
    {PL_GAIT_STAND, .seconds = 30},
};

static const PlSegment steady[] = {
    {PL_GAIT_STAND, .seconds = 20},          {PL_GAIT_WALK, 1.4, .seconds = 30},
    {PL_GAIT_RUN, 2.9, .stretchable = true}, {PL_GAIT_WALK, 1.4, .seconds = 60},
    {PL_GAIT_STAND, .seconds = 30},
};

static const PlSegment quick[] = {
    {PL_GAIT_STAND, .seconds = 5},
    {PL_GAIT_RUN, 2.8, .stretchable = true},
    {PL_GAIT_STAND, .seconds = 30},
};

static const PlScenario scenarios[] = {
    {"healthy", "a relaxed run with warm-up and cool-down", 30, 1, healthy, COUNT(healthy)},
    {"easy", "slow and even from start to end", 40, 1, easy, COUNT(easy)},
    {"interval", "4 x 1000 m, walking in between", 45, 1, interval, COUNT(interval)},
    {"walk", "a brisk walk, never a run", 30, 1, walk, COUNT(walk)},
    {"long", "two hours and twenty kilometres", 120, 1, steady, COUNT(steady)},
    {"dropout",
     "the strap is out of reach for a while and returns",
     20,
     1,
     healthy,
     COUNT(healthy),
     {PL_SIMULATOR_STRAP, 0.5, 0.6}},
    {"squad", "six runners at once", 30, 6, healthy, COUNT(healthy)},
    {"quick", "off at once, to see everything in a few minutes", 3, 1, quick, COUNT(quick)},
};

const PlScenario *
pl_simulator_scenarios(size_t *count) {
  *count = COUNT(scenarios);
  return scenarios;
}

const PlScenario *
pl_simulator_find(const char *name) {
  for (size_t i = 0; i < COUNT(scenarios); i++)
    if (strcmp(scenarios[i].name, name) == 0)
      return &scenarios[i];
  return NULL;
}
