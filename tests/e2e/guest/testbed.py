# SPDX-License-Identifier: Apache-2.0
"""What a scenario needs inside the guest: the programs, the radio, and waiting for conditions.

    from testbed import Testbed, main

    def test_strap_reconnects(bed):
        bed.radio("sensor strap heart-rate AA:00:00:00:00:01")
        ...

    main(globals())

`main` runs every function whose name begins with `test_`, in order, and prints TAP.  Each gets a
testbed of its own, with D-Bus, the radio and bluetoothd running; everything that it started is
stopped afterwards, and what it wrote is kept in /results/<name of the test>.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

RESULTS = Path(os.environ.get("PLUMBLINE_RESULTS", "/results"))
BUILD = Path(os.environ.get("PLUMBLINE_BUILD", "/nonexistent"))
SOURCE = Path(__file__).resolve().parents[3]
SYSTEMD = os.path.isdir("/run/systemd/system")
WORK = Path("/run/e2e")
CONTROL = "/run/plumbline-radio"
BLUETOOTHD = ("/usr/libexec/bluetooth/bluetoothd", "/usr/lib/bluetooth/bluetoothd")


class Failed(Exception):
    """A condition did not hold."""


class Skipped(Exception):
    """The test cannot be run here; the text says why."""


def needs_kernel(major, minor):
    release = os.uname().release
    if tuple(int(n) for n in release.split(".")[:2]) < (major, minor):
        raise Skipped(f"needs Linux {major}.{minor}, not {release}")


def boottime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wait_for(condition, what, timeout=30, step=0.05):
    """Calls `condition` until it gives something true, which is returned."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {timeout} s for: {what}")
        time.sleep(step)


def check(condition, what):
    if not condition:
        raise Failed(what)


def systemctl(*words):
    subprocess.run(["systemctl", *words], check=True)


def unit_property(unit, name):
    return subprocess.run(["systemctl", "show", "--value", "-p", name, unit], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


class Terminated(Exception):
    """The machine's time is up."""


def on_terminate(_number, _frame):
    raise Terminated("the time of the whole machine is up")


class Process:
    """A program whose output goes to a file and which does not outlive its test."""

    def __init__(self, name, command, log, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen([str(word) for word in command], stdout=output,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=10):
        return self.process.wait(timeout)

    def stop(self, timeout=10):
        """SIGTERM, and SIGKILL for who does not listen.  The exit status."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def output(self):
        return self.log.read_text(errors="replace")


class Radio:
    """The control socket and the journal of plumbline-radio."""

    def __init__(self, process, journal):
        self.process = process
        self.path = journal
        self._events = []
        self._offset = 0
        self._socket = None
        self._lines = None

    def connect(self):
        def attempt():
            check(self.process.running(), "plumbline-radio ended: " + self.process.output())
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(CONTROL)
            except OSError:
                connection.close()
                return None
            return connection

        self._socket = wait_for(attempt, "the radio's control socket")
        self._lines = self._socket.makefile("rw")

    def __call__(self, command):
        """Gives a command; its answer, or Failed when the radio refuses it."""
        self._lines.write(command + "\n")
        self._lines.flush()
        answer = self._lines.readline().rstrip("\n")
        if not answer or answer.startswith("error"):
            raise Failed(f"radio: {command}: {answer}")
        return answer

    def status(self):
        return json.loads(self("status"))

    def linked(self, sensor):
        return self.status()["sensors"][sensor]["linked"]

    def events(self, event=None, sensor=None, uuid=None, since=0.0):
        """What the journal holds by now, filtered."""
        with open(self.path, "rb") as journal:
            journal.seek(self._offset)
            data = journal.read()
        end = data.rfind(b"\n") + 1
        self._offset += end
        self._events += [json.loads(line) for line in data[:end].splitlines()]
        return [e for e in self._events
                if (event is None or e["event"] == event)
                and (sensor is None or e.get("sensor") == sensor)
                and (uuid is None or e.get("uuid") == uuid) and e["t"] >= since]

    def sent(self, sensor, uuid=None, since=0.0):
        """(time, value) of each notification and indication that went out, in order."""
        return [(e["t"], e["value"]) for e in self.events(None, sensor, uuid, since)
                if e["event"] in ("notify", "indicate")]

    def close(self):
        if self._socket:
            self._socket.close()


class Testbed:
    """One test's programs, started on demand and stopped in the right order."""

    def __init__(self, name):
        # In memory: sockets and databases cannot lie on the share, and writes to it are slow.
        self.directory = WORK / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.processes = []
        self.closers = []  # called before the programs are stopped
        self.radio = None
        self.bluetoothd = None

    def start(self, name, *command, env=None):
        process = Process(name, command, self.directory / f"{name}.log", env)
        self.processes.append(process)
        return process

    def start_bus(self):
        if Path("/run/dbus/system_bus_socket").exists():
            return
        Path("/run/dbus").mkdir(parents=True, exist_ok=True)
        subprocess.run(["dbus-daemon", "--system", "--fork"], check=True)
        wait_for(lambda: Path("/run/dbus/system_bus_socket").exists(), "the system bus")

    def start_radio(self, *options):
        journal = self.directory / "radio.jsonl"
        journal.touch()
        process = self.start("radio", BUILD / "tests/e2e/radio/plumbline-radio",
                             "--control", CONTROL, "--journal", journal, *options)
        self.radio = Radio(process, journal)
        self.closers.append(self.radio.close)
        self.radio.connect()
        wait_for(lambda: any(Path("/sys/class/bluetooth").iterdir()), "the adapter")

    def start_bluetoothd(self, *options):
        if SYSTEMD:
            systemctl("start", "bluetooth")
            self.closers.insert(0, lambda: systemctl("stop", "bluetooth"))
            return None
        program = next((p for p in BLUETOOTHD if os.path.exists(p)), None)
        check(program, "bluetoothd is missing; install the package bluez")
        self.bluetoothd = self.start("bluetoothd", program, "-n", *options)
        return self.bluetoothd

    def set_up(self):
        self.start_bus()
        self.start_radio()
        self.start_bluetoothd()

    def tear_down(self):
        """bluetoothd before the radio: the kernel waits 2 s for each command left open."""
        for close in self.closers:
            close()
        for process in reversed(self.processes):
            process.stop()
        forget_devices()
        self.keep_files()

    def keep_files(self):
        kept = RESULTS / self.directory.name
        shutil.rmtree(kept, ignore_errors=True)
        for path in self.directory.rglob("*"):
            if path.is_file():
                target = kept / path.relative_to(self.directory)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        shutil.rmtree(self.directory)


def forget_devices():
    """BlueZ must not know a sensor from the test before."""
    for adapter in Path("/var/lib/bluetooth").iterdir():
        shutil.rmtree(adapter)


def run_test(number, name, function):
    begin = time.monotonic()
    bed = Testbed(name.removeprefix("test_").replace("_", "-"))
    try:
        try:
            bed.set_up()
            function(bed)
        finally:
            bed.tear_down()
    except Skipped as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception as error:  # a test may fail in any way; the next one still runs
        plain = isinstance(error, (Failed, Terminated))
        text = str(error) if plain else traceback.format_exc()
        for line in text.splitlines():
            print(f"# {line}")
        print(f"not ok {number} - {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        if isinstance(error, Terminated):
            sys.exit(1)
        return False
    print(f"ok {number} - {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


def main(names):
    """Runs the tests of a module, all of them or those whose name holds an argument."""
    signal.signal(signal.SIGTERM, on_terminate)
    wanted = sys.argv[1:]
    tests = [(name, function) for name, function in names.items()
             if name.startswith("test_") and callable(function)
             and (not wanted or any(word in name for word in wanted))]
    print(f"1..{len(tests)}", flush=True)
    results = [run_test(number, name, function)
               for number, (name, function) in enumerate(tests, start=1)]
    sys.exit(0 if all(results) and results else 1)
