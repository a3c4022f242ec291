# SPDX-License-Identifier: Apache-2.0
"""A small client of BlueZ, so that the radio can be judged without the daemon under test."""

import sys

try:
    import gi
except ImportError:
    print("1..0 # SKIP python3-gi is missing")
    sys.exit(0)

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from testbed import boottime, wait_for  # noqa: E402

BASE = "-0000-1000-8000-00805f9b34fb"

MANAGER_XML = """<node><interface name="org.freedesktop.DBus.ObjectManager">
<method name="GetManagedObjects"><arg type="a{oa{sa{sv}}}" direction="out"/></method>
</interface></node>"""


def full_uuid(uuid):
    return f"0000{uuid}{BASE}" if len(uuid) == 4 else uuid


class Error(Exception):
    """A D-Bus error: `name` and `message`."""

    def __init__(self, error):
        self.name = Gio.DBusError.get_remote_error(error) or ""
        Gio.DBusError.strip_remote_error(error)
        self.message = error.message
        super().__init__(f"{self.name}: {self.message}")


class Pending:
    """A call on its way."""

    def __init__(self):
        self.done = False
        self.error = None

    def finish(self, bus, result):
        try:
            bus.call_finish(result)
        except GLib.Error as error:
            self.error = Error(error)
        self.done = True


class Bluez:
    """Mirrors nothing: every question goes to BlueZ.  Signals are collected as they come."""

    def __init__(self):
        self.context = GLib.MainContext.default()
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        self.values = []  # (boottime, path, bytes) of every notification
        self.bus.signal_subscribe("org.bluez", "org.freedesktop.DBus.Properties",
                                  "PropertiesChanged", None, None, Gio.DBusSignalFlags.NONE,
                                  self._on_properties)

    def _on_properties(self, _bus, _sender, path, _interface, _signal, parameters):
        interface, changed, _invalidated = parameters.unpack()
        if interface == "org.bluez.GattCharacteristic1" and "Value" in changed:
            self.values.append((boottime(), path, bytes(changed["Value"])))

    def pump(self):
        """Takes what has arrived, for a while only: under emulation it may come faster."""
        end = boottime() + 0.3
        while self.context.pending() and boottime() < end:
            self.context.iteration(False)

    def wait(self, condition, what, timeout=30):
        def step():
            self.pump()
            return condition()

        return wait_for(step, what, timeout, 0.02)

    def call(self, path, interface, method, arguments=None, timeout=60):
        try:
            reply = self.bus.call_sync("org.bluez", path, interface, method, arguments, None,
                                       Gio.DBusCallFlags.NONE, int(timeout * 1000), None)
        except GLib.Error as error:
            raise Error(error) from None
        return reply.unpack()

    def begin(self, path, interface, method, arguments=None, timeout=120):
        """Calls without waiting.  The result's `done` turns true, then `error` is None or Error."""
        pending = Pending()
        self.bus.call("org.bluez", path, interface, method, arguments, None,
                      Gio.DBusCallFlags.NONE, int(timeout * 1000), None, pending.finish)
        return pending

    def register_profile(self, uuids):
        """A GattProfile1 object: BlueZ then connects to such sensors by itself (once it knows
        them), through the kernel's list of devices to be connected in the background."""
        values = {"UUIDs": GLib.Variant("as", [full_uuid(uuid) for uuid in uuids])}
        tree = {"/plumbline/profile": {"org.bluez.GattProfile1": values}}

        def on_call(_bus, _sender, _path, _interface, method, _arguments, invocation):
            if method == "GetManagedObjects":
                invocation.return_value(GLib.Variant("(a{oa{sa{sv}}})", (tree,)))
            else:
                invocation.return_value(None)

        interfaces = Gio.DBusNodeInfo.new_for_xml(MANAGER_XML).interfaces
        self.bus.register_object("/plumbline", interfaces[0], on_call, None, None)
        pending = self.begin("/org/bluez/hci0", "org.bluez.GattManager1", "RegisterApplication",
                             GLib.Variant("(oa{sv})", ("/plumbline", {})))
        self.wait(lambda: pending.done, "RegisterApplication")
        if pending.error:
            raise pending.error

    def objects(self):
        try:
            return self.call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")[0]
        except Error:
            return {}

    def get(self, path, interface, name):
        arguments = GLib.Variant("(ss)", (interface, name))
        try:
            return self.call(path, "org.freedesktop.DBus.Properties", "Get", arguments)[0]
        except Error:
            return None

    def set(self, path, interface, name, value):
        self.call(path, "org.freedesktop.DBus.Properties", "Set",
                  GLib.Variant("(ssv)", (interface, name, value)))

    def power_up(self, adapter="/org/bluez/hci0", timeout=30):
        """Powered may have to be set again until it holds."""
        def powered():
            if self.get(adapter, "org.bluez.Adapter1", "Powered"):
                return True
            try:
                self.set(adapter, "org.bluez.Adapter1", "Powered", GLib.Variant("b", True))
            except Error:
                pass
            return False

        self.wait(powered, f"{adapter} to be powered", timeout)

    def start_discovery(self, adapter="/org/bluez/hci0"):
        options = {"Transport": GLib.Variant("s", "le"), "DuplicateData": GLib.Variant("b", True)}
        self.call(adapter, "org.bluez.Adapter1", "SetDiscoveryFilter",
                  GLib.Variant("(a{sv})", (options,)))
        self.call(adapter, "org.bluez.Adapter1", "StartDiscovery")

    def stop_discovery(self, adapter="/org/bluez/hci0"):
        self.call(adapter, "org.bluez.Adapter1", "StopDiscovery")

    def device(self, address):
        """The path of a device, or None while BlueZ does not know it."""
        for path, interfaces in self.objects().items():
            if interfaces.get("org.bluez.Device1", {}).get("Address") == address:
                return path
        return None

    def find(self, addresses, timeout=30):
        """Scans until all are known; their paths."""
        self.start_discovery()
        try:
            return [self.wait(lambda a=a: self.device(a), f"{a} to be found", timeout)
                    for a in addresses]
        finally:
            self.stop_discovery()

    def connect(self, path, timeout=60):
        self.call(path, "org.bluez.Device1", "Connect", timeout=timeout)
        self.wait(lambda: self.resolved(path), f"the services of {path}", 30)

    def disconnect(self, path):
        self.call(path, "org.bluez.Device1", "Disconnect")

    def connected(self, path):
        return self.get(path, "org.bluez.Device1", "Connected")

    def resolved(self, path):
        return self.get(path, "org.bluez.Device1", "ServicesResolved")

    def characteristic(self, path, uuid):
        for candidate, interfaces in self.objects().items():
            found = interfaces.get("org.bluez.GattCharacteristic1")
            if candidate.startswith(path + "/") and found and found["UUID"] == full_uuid(uuid):
                return candidate
        return None

    def subscribe(self, path, uuid):
        characteristic = self.wait(lambda: self.characteristic(path, uuid), f"{uuid} of {path}")
        self.call(characteristic, "org.bluez.GattCharacteristic1", "StartNotify")
        return characteristic

    def read(self, characteristic):
        return bytes(self.call(characteristic, "org.bluez.GattCharacteristic1", "ReadValue",
                               GLib.Variant("(a{sv})", ({},)))[0])

    def write(self, characteristic, value):
        self.call(characteristic, "org.bluez.GattCharacteristic1", "WriteValue",
                  GLib.Variant("(aya{sv})", (value, {})))

    def received(self, characteristic, since=0.0):
        """The values of one characteristic as hex, in order."""
        self.pump()
        return [value.hex() for t, path, value in self.values
                if path == characteristic and t >= since]
