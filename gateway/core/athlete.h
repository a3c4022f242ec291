/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/core/fusion.h"
#include "gateway/core/run.h"
