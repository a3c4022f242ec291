/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-session.h"

#include <assert.h>
#include <dlfcn.h>
#include <mosquitto.h>
#include <setjmp.h>
#include <stdlib.h>

/* libmosquitto 2.0 has an assertion that one byte from a broker makes fail: on a property of
 * MQTT 5 that it does not know, it logs without a handle.  (2.1 has that mended.)  A broker, or
 * anybody between us and it, may not be able to end the daemon; so while the library reads, a
 * failed assertion is a malformed packet like any other.
 *
 * The function that a failed assertion calls is replaced for the whole program; everywhere else
 * it does what it always does.  Only assertions come here: what the C library finds out about
 * broken memory ends the process as before.  The library holds no lock while it reads
 * properties; the packet in question is lost to memory. */

/* Where to go on in this thread; NULL: not reading. */
static jmp_buf **
way_out(void) {
  static _Thread_local jmp_buf *buffer = NULL;
  return &buffer;
}

typedef void (*AssertFail)(const char *, const char *, unsigned, const char *);

void
__assert_fail(const char *assertion, const char *file, unsigned line, const char *function) {
  if (*way_out())
    longjmp(**way_out(), 1);

  AssertFail original = NULL;
  *(void **)&original = dlsym(RTLD_NEXT, "__assert_fail");
  if (original)
    original(assertion, file, line, function);
  abort();
}

int
pl_mqtt_guarded_read(struct mosquitto *handle, bool *failed) {
  jmp_buf buffer;
  *failed = false;
  if (setjmp(buffer) != 0) {
    *way_out() = NULL;
    *failed = true;
    return MOSQ_ERR_MALFORMED_PACKET;
  }
  *way_out() = &buffer;
  int rc = mosquitto_loop_read(handle, 1);
  *way_out() = NULL;
  return rc;
}
