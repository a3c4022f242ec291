/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/driver.h"

int
pl_driver_characteristic(const PlDriver *driver, const PlUuid *uuid) {
  for (size_t i = 0; i < driver->characteristic_count; i++)
    if (pl_uuid_equal(&driver->characteristics[i].uuid, uuid))
      return (int)i;
  return -1;
}
