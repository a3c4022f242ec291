/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A chunk of records as the store holds it.  What decodes has to encode to the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t again[PL_RECORD_BYTES_MAX];
  PlRecord record;

  while (size > 0) {
    unsigned took = pl_record_decode(&record, data, (unsigned)size);
    if (took == 0)
      break;
    if (took > size || pl_record_encode(&record, again) != took ||
        memcmp(again, data, took) != 0)
      abort();
    data += took;
    size -= took;
  }
  return 0;
}
