/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/radio/vhci.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <unistd.h>

enum { VENDOR_PACKET = 0xff, TYPE_PRIMARY = 0x00, ANSWER_SIZE = 4 };

static int
fail(int fd, const char *what, GError **error) {
  int code = errno;
  g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
              "/dev/vhci: cannot %s: %s (the module hci_vhci and root are needed)", what,
              g_strerror(code));
  if (fd >= 0)
    close(fd);
  return -1;
}

int
radio_vhci_open(unsigned *index, GError **error) {
  static const uint8_t request[] = {VENDOR_PACKET, TYPE_PRIMARY};
  uint8_t answer[ANSWER_SIZE];
  int fd = open("/dev/vhci", O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return fail(fd, "open", error);
  if (write(fd, request, sizeof request) != sizeof request)
    return fail(fd, "make a controller", error);
  if (read(fd, answer, sizeof answer) != sizeof answer || answer[0] != VENDOR_PACKET)
    return fail(fd, "learn the controller's index", error);
  *index = (unsigned)(answer[2] | answer[3] << 8);
  return fd;
}
