#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""plumblined.service as it is shipped, under systemd, with the real BlueZ and mosquitto."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "guest"))

from gateway import InstalledGateway  # noqa: E402
from testbed import boottime, check, main, systemctl, unit_property, wait_for  # noqa: E402

STRAP = "A0:00:00:00:00:01"


def running_unit(bed):
    bed.radio(f"sensor strap heart-rate {STRAP} bpm=150")
    gateway = InstalledGateway(bed, {"strap": f"address = {STRAP}\nathlete = r1\nmount = chest"})
    gateway.start_daemon()
    check(unit_property("plumblined", "ActiveState") == "active", "started, and told so")
    wait_for(lambda: 150 in gateway.live("heart_rate_bpm"), "a heart rate over MQTT", 60)
    return gateway


def test_the_unit_streams_reloads_and_stops(bed):
    gateway = running_unit(bed)
    uids = Path(f"/proc/{gateway.main_pid()}/status").read_text().split("Uid:")[1].split()
    check(uids[0] != "0", "it does not run as root")
    since = boottime()
    systemctl("reload", "plumblined")
    wait_for(lambda: gateway.live("heart_rate_bpm", since), "heart rates after a reload")
    check(not bed.radio.events("disconnect", "strap"), "the reload kept the link")
    begin = boottime()
    systemctl("stop", "plumblined")
    check(boottime() - begin < 20, "within its time")
    check(unit_property("plumblined", "Result") == "success", "a clean end")
    check(unit_property("plumblined", "NRestarts") == "0", "one start was enough")
    wait_for(lambda: not bed.radio.linked("strap"), "the link to be ended")


def test_a_killed_daemon_is_back(bed):
    gateway = running_unit(bed)
    since = boottime()
    os.kill(gateway.main_pid(), signal.SIGKILL)
    wait_for(lambda: unit_property("plumblined", "NRestarts") == "1", "the restart")
    wait_for(lambda: gateway.live("heart_rate_bpm", since + 2), "heart rates again", 60)


main(globals())
