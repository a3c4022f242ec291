/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* AcquireNotify gives a SOCK_SEQPACKET socket: one packet, one notification.  BlueZ throws
 * packets away when the socket is full (278 of them), so it is read at once, but not so long
 * that one sensor stops the others. */

enum {
  READS_PER_DISPATCH = 64,
  READS_TO_DRAIN = 1024, /* more than a socket holds */
  BUFFER_SIZE = 1024,    /* above PL_VALUE_MAX: what does not fit is too long in any case */
};

typedef enum { READ_ONE, READ_EMPTY, READ_END } ReadResult;

/* An empty notification and the end of the stream both read as 0 bytes.  It is the end when the
 * other side has hung up and no byte is left behind it; empty ones at the very end go with it.
 */
static bool
is_end(int fd) {
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  int left = 0;

  if (poll(&poller, 1, 0) < 0 || !(poller.revents & (POLLHUP | POLLERR)))
    return false;
  return ioctl(fd, FIONREAD, &left) < 0 || left == 0;
}

static ReadResult
read_one(PlBluezCharacteristic *characteristic) {
  uint8_t buffer[BUFFER_SIZE];
  int fd = characteristic->fd;

  ssize_t length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR))
    return READ_EMPTY;
  if (length < 0 || (length == 0 && is_end(fd)))
    return READ_END;
  pl_bluez_notify(characteristic, buffer, (size_t)length);
  return READ_ONE;
}

static ReadResult
read_some(PlBluezCharacteristic *characteristic, int limit) {
  ReadResult result = READ_ONE;

  /* The handler may unsubscribe at any packet. */
  for (int i = 0; i < limit && result == READ_ONE && characteristic->fd >= 0; i++)
    result = read_one(characteristic);
  return result;
}

/* The end says only that BlueZ has closed its side; what became of the link comes by signal. */
static gboolean
on_readable(gint fd, GIOCondition condition, gpointer data) {
  PlBluezCharacteristic *characteristic = data;

  if (read_some(characteristic, READS_PER_DISPATCH) == READ_END) {
    pl_bluez_socket_close(characteristic);
    characteristic->subscription = PL_BLUEZ_IDLE;
  }
  return G_SOURCE_CONTINUE; /* closing has removed the source */
}

void
pl_bluez_socket_open(PlBluezCharacteristic *characteristic, int fd) {
  pl_bluez_socket_close(characteristic);
  characteristic->fd = fd;
  characteristic->fd_source =
      g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, characteristic);
}

void
pl_bluez_socket_drain(PlBluezCharacteristic *characteristic) {
  read_some(characteristic, READS_TO_DRAIN);
}

void
pl_bluez_socket_close(PlBluezCharacteristic *characteristic) {
  g_clear_handle_id(&characteristic->fd_source, g_source_remove);
  if (characteristic->fd >= 0)
    close(characteristic->fd);
  characteristic->fd = -1;
}
