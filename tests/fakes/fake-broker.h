/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The broker's side of a connection, byte by byte, for answers that no broker would give.  All
 * calls wait, and fail the test when nothing happens within ten seconds. */

typedef struct {
  int listener;
  int port; /* of 127.0.0.1 */
  int fd;   /* of the connection; -1: none */
} FakeBroker;

FakeBroker *fake_broker_new(void);
void fake_broker_free(FakeBroker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeBroker, fake_broker_free)

/* Waits for the next connection; an old one is closed. */
void fake_broker_accept(FakeBroker *broker);

/* Reads the next whole packet; returns its length, 0 at the end of the connection. */
size_t fake_broker_read(FakeBroker *broker, uint8_t *packet, size_t size);

/* Accepts, reads the CONNECT, and gives its protocol level: 4 or 5. */
int fake_broker_expect_connect(FakeBroker *broker);

/* Bytes as hexadecimal digits, with spaces where wanted. */
void fake_broker_send(FakeBroker *broker, const char *hex);

/* False when the other side has had enough. */
bool fake_broker_send_bytes(FakeBroker *broker, const void *bytes, size_t length);

void fake_broker_hang_up(FakeBroker *broker);
