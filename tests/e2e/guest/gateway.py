# SPDX-License-Identifier: Apache-2.0
"""The broker, the daemon and what it says over MQTT, for scenarios."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

from testbed import BUILD, SOURCE, Testbed, boottime, systemctl, unit_property, wait_for

PORT = 18883
NOTIFY_SOCKET = "/run/e2e-notify"


class Watcher:
    """Every message of the broker, in the order in which mosquitto_sub got it.

    A message is a dict: `t` (boot time of arrival), `topic`, `retain`, and `data`, the payload
    as JSON, or None for an empty one (a retained message that was removed)."""

    def __init__(self, bed, name="mqtt", topic="#"):
        self.path = bed.directory / f"{name}.jsonl"
        # One subscription of its own for each watcher; -V 5 keeps "retain" as it was published.
        self.process = bed.start(f"{name}-sub", "sh", "-c",
                                 f"exec mosquitto_sub -p {PORT} -V 5 -q 1 -t '{topic}' -F %J "
                                 f"--retain-as-published > {self.path}")
        self._offset = 0
        self._messages = []
        # The difference of the clocks, so that a step of the wall clock is seen as one.
        self._wall_to_boot = boottime() - time.time()

    def _take(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            return
        payload = message.get("payload")
        # mosquitto_sub 2.0 writes both a Z and an offset; the offset is the one that holds.
        text = message["tst"].replace("Z", "")
        stamp = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        self._messages.append({"t": stamp + self._wall_to_boot, "topic": message["topic"],
                               "retain": bool(message["retain"]),
                               "data": None if payload == "" else payload})

    def messages(self, topic=None, since=0.0):
        """Those whose topic ends with `topic`."""
        if self.path.exists():
            with open(self.path, "rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
            end = data.rfind(b"\n") + 1
            self._offset += end
            for line in data[:end].splitlines():
                self._take(line)
        return [m for m in self._messages
                if (topic is None or m["topic"].endswith(topic)) and m["t"] >= since]

    def last(self, topic, since=0.0):
        """The data of the newest message, or {}."""
        found = self.messages(topic, since)
        return (found[-1]["data"] or {}) if found else {}

    def values(self, topic, key, since=0.0):
        """One member of all messages that have it, in order."""
        return [m["data"][key] for m in self.messages(topic, since)
                if isinstance(m["data"], dict) and key in m["data"]]


class NotifySocket:
    """What the daemon tells its service manager: READY=1, STATUS=..., WATCHDOG=1."""

    def __init__(self):
        if os.path.exists(NOTIFY_SOCKET):
            os.unlink(NOTIFY_SOCKET)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(NOTIFY_SOCKET)
        self.lines = []  # (boot time, "NAME=value")
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError:
                return
            if data == b"END":
                return
            self.lines += [(boottime(), line) for line in data.decode(errors="replace").split("\n")]

    def times(self, line):
        return [t for t, got in self.lines if got == line]

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"END", NOTIFY_SOCKET)


class Gateway:
    """mosquitto, plumblined and a watcher on top of a testbed."""

    def __init__(self, bed: Testbed, sensors, extra=""):
        """`sensors`: lines of [sensor ID] groups by id; `extra`: any further groups."""
        self.bed = bed
        self.state = bed.directory / "state"
        self.config = bed.directory / "plumbline.conf"
        self.notify = NotifySocket()
        bed.closers.append(self.notify.close)
        self.broker = None
        self.daemon = None
        self.write_config(sensors, extra)
        self.start_broker()
        self.mqtt = Watcher(bed)

    def write_config(self, sensors, extra=""):
        groups = ["[gateway]\nname = gw\n", f"[mqtt]\nhost = 127.0.0.1\nport = {PORT}\n",
                  "[athlete r1]\n", extra]
        groups += [f"[sensor {name}]\n{lines}\n" for name, lines in sensors.items()]
        self.config.write_text("\n".join(groups))

    def start_broker(self):
        config = self.bed.directory / "mosquitto.conf"
        config.write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\n")
        self.broker = self.bed.start("mosquitto", "mosquitto", "-c", config)
        wait_for(self._broker_listens, "the broker")

    @staticmethod
    def _broker_listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", PORT)) == 0

    def start_daemon(self, *options):
        self.daemon = self.bed.start(
            "plumblined", BUILD / "gateway/plumblined", "--config", self.config,
            "--state-dir", self.state, *options,
            env={"NOTIFY_SOCKET": NOTIFY_SOCKET, "WATCHDOG_USEC": "30000000",
                 "G_DEBUG": "fatal-criticals"})
        wait_for(lambda: self.notify.times("READY=1"), "READY=1")
        return self.daemon

    def command_line(self, *arguments):
        """The finished process of `plumbline ...`."""
        return subprocess.run([str(BUILD / "gateway/cli/plumbline"), *arguments,
                               "--config", str(self.config), "--state-dir", str(self.state)],
                              capture_output=True, text=True, timeout=60, check=False)

    def link(self, sensor, since=0.0):
        return self.mqtt.last(f"sensor/{sensor}/state", since).get("link")

    def wait_for_link(self, sensor, link, timeout=60, since=0.0):
        wait_for(lambda: self.link(sensor, since) == link, f"{sensor} to be {link}", timeout)

    def live(self, key, since=0.0):
        return self.mqtt.values("athlete/r1/live", key, since)

    def resident_kib(self):
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith("VmRSS"))


class InstalledGateway(Gateway):
    """The daemon as its package installs it, run by systemd under the unit's own sandbox."""

    def __init__(self, bed, sensors, extra=""):
        super().__init__(bed, sensors, extra)
        self._install()
        bed.closers.insert(0, self._stop)

    def _install(self):
        unit = (BUILD / "systemd/plumblined.service").read_text()
        program = re.search(r"^ExecStart=(\S+)", unit, re.M).group(1)
        Path(program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUILD / "gateway/plumblined", program)
        Path("/etc/systemd/system/plumblined.service").write_text(unit)
        shutil.copy(SOURCE / "systemd/plumbline.sysusers", "/usr/lib/sysusers.d/plumbline.conf")
        subprocess.run(["systemd-sysusers", "plumbline.conf"], check=True, capture_output=True)
        directory = Path("/etc/plumbline")
        directory.mkdir(exist_ok=True)
        (directory / "mqtt-password").touch(mode=0o600)
        shutil.copy(self.config, directory / "plumbline.conf")
        for path, mode in ((directory, 0o750), (directory / "plumbline.conf", 0o640)):
            shutil.chown(path, "root", "plumbline")
            path.chmod(mode)
        systemctl("daemon-reload")

    def start_daemon(self, *options):
        assert not options, "the unit decides"
        systemctl("start", "plumblined")

    def main_pid(self):
        return int(unit_property("plumblined", "MainPID"))

    def _stop(self):
        subprocess.run(["systemctl", "stop", "plumblined"], check=False)
        with open(self.bed.directory / "plumblined.log", "wb") as log:
            subprocess.run(["journalctl", "-u", "plumblined", "-o", "short-monotonic"],
                           stdout=log, check=False)
        shutil.rmtree("/var/lib/plumbline", ignore_errors=True)
