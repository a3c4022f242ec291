/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake-bluez.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

/* A bluetoothd for the whole daemon: on the system bus of the environment, with one adapter and
 * a strap that advertises and, subscribed to, tells a heart rate of 60 every second.  Until it
 * is told to end. */

#define ADAPTER "/org/bluez/hci0"
#define STRAP   "C0:00:00:00:00:01"

enum { HEART_RATE_HANDLE = 0x11, RSSI_DBM = -60 };

typedef struct {
  FakeBluez *fake;
  char *strap, *heart_rate;
} Radio;

static gboolean
on_second(gpointer data) {
  static const guint8 packet[] = {0x00, 60};
  Radio *radio = data;
  if (!fake_bluez_get_bool(radio->fake, radio->strap, FAKE_DEVICE, "Connected"))
    fake_bluez_advertise(radio->fake, radio->strap, RSSI_DBM);
  else
    fake_bluez_notify(radio->fake, radio->heart_rate, packet, sizeof packet);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal(gpointer data) {
  g_main_loop_quit(data);
  return G_SOURCE_CONTINUE;
}

int
main(void) {
  const char *address = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
  if (address == NULL) {
    fputs("fake-bluetoothd: DBUS_SYSTEM_BUS_ADDRESS is not set\n", stderr);
    return 1;
  }
  g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
  g_autoptr(FakeBluez) fake = fake_bluez_new(address);
  fake_bluez_add_adapter(fake, ADAPTER, "00:11:22:33:44:55");
  g_autofree char *strap = fake_bluez_add_device(fake, ADAPTER, STRAP, "random");
  g_autofree char *heart_rate = fake_bluez_characteristic(strap, HEART_RATE_HANDLE);
  fake_bluez_give(fake, strap, HEART_RATE_HANDLE, "00002a37-0000-1000-8000-00805f9b34fb",
                  "notify");

  Radio radio = {fake, strap, heart_rate};
  g_timeout_add_seconds(1, on_second, &radio);
  g_unix_signal_add(SIGTERM, on_signal, loop);
  g_main_loop_run(loop);
  return 0;
}
