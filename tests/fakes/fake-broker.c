/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, CONNECT = 0x10, PROTOCOL_LEVEL = 6 };

FakeBroker *
fake_broker_new(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  FakeBroker *self = g_new0(FakeBroker, 1);
  self->fd = -1;
  self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(self->listener, (struct sockaddr *)&address, size), ==, 0);
  g_assert_cmpint(getsockname(self->listener, (struct sockaddr *)&address, &size), ==, 0);
  g_assert_cmpint(listen(self->listener, 8), ==, 0);
  self->port = ntohs(address.sin_port);
  return self;
}

void
fake_broker_hang_up(FakeBroker *self) {
  if (self->fd >= 0)
    close(self->fd);
  self->fd = -1;
}

void
fake_broker_free(FakeBroker *self) {
  if (!self)
    return;
  fake_broker_hang_up(self);
  close(self->listener);
  g_free(self);
}

static void
wait_readable(int fd) {
  struct pollfd wanted = {.fd = fd, .events = POLLIN};
  g_assert_cmpint(poll(&wanted, 1, PATIENCE_MS), ==, 1);
}

void
fake_broker_accept(FakeBroker *self) {
  fake_broker_hang_up(self);
  wait_readable(self->listener);
  self->fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint(self->fd, >=, 0);
}

static bool
read_byte(FakeBroker *self, uint8_t *byte) {
  wait_readable(self->fd);
  return read(self->fd, byte, 1) == 1;
}

size_t
fake_broker_read(FakeBroker *self, uint8_t *packet, size_t size) {
  size_t length = 0, rest = 0;
  unsigned shift = 0;
  if (!read_byte(self, &packet[length++]))
    return 0;
  do {
    g_assert_cmpuint(shift, <, 28);
    if (!read_byte(self, &packet[length]))
      return 0;
    rest |= (size_t)(packet[length] & 127) << shift;
    shift += 7;
  } while (packet[length++] & 128);

  g_assert_cmpuint(length + rest, <=, size);
  for (size_t i = 0; i < rest; i++)
    if (!read_byte(self, &packet[length++]))
      return 0;
  return length;
}

int
fake_broker_expect_connect(FakeBroker *self) {
  uint8_t packet[1024];
  fake_broker_accept(self);
  g_assert_cmpuint(fake_broker_read(self, packet, sizeof packet), >, 2 + PROTOCOL_LEVEL);
  g_assert_cmpuint(packet[0], ==, CONNECT);
  /* The length of a CONNECT takes one byte up to 127, else two. */
  return packet[(packet[1] & 128 ? 3 : 2) + PROTOCOL_LEVEL];
}

bool
fake_broker_send_bytes(FakeBroker *self, const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  while (length > 0) {
    ssize_t n = send(self->fd, at, length, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

void
fake_broker_send(FakeBroker *self, const char *hex) {
  uint8_t bytes[1024];
  size_t length = 0;
  for (const char *at = hex; *at; at++) {
    if (*at == ' ')
      continue;
    g_assert_cmpuint(length, <, sizeof bytes);
    g_assert_true(g_ascii_isxdigit(at[0]) && g_ascii_isxdigit(at[1]));
    bytes[length++] = (uint8_t)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
    at++;
  }
  fake_broker_send_bytes(self, bytes, length);
}
