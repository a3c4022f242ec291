#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""plumblined with the real BlueZ and the real mosquitto: a runner's sensors reach MQTT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "guest"))

from gateway import Gateway  # noqa: E402
from testbed import boottime, check, main, wait_for  # noqa: E402

STRAP = "A0:00:00:00:00:01"
POD = "A0:00:00:00:00:02"


def strap_and_pod(bed):
    """A daemon with two sensors that stream."""
    bed.radio(f"sensor strap heart-rate {STRAP} bpm=150")
    bed.radio(f"sensor pod footpod {POD} speed-mm-s=3000 cadence=85")
    gateway = Gateway(bed, {
        "strap": f"address = {STRAP}\nathlete = r1\nmount = chest",
        "pod": f"address = {POD}\nathlete = r1\nmount = left-foot",
    })
    gateway.start_daemon()
    for sensor in ("strap", "pod"):
        gateway.wait_for_link(sensor, "streaming")
    return gateway


def test_heart_rate_and_speed_reach_mqtt(bed):
    gateway = strap_and_pod(bed)
    wait_for(lambda: 150 in gateway.live("heart_rate_bpm"), "150 bpm")
    wait_for(lambda: any(abs(v - 3.0) < 0.01 for v in gateway.live("speed_m_s")), "3.0 m/s")
    wait_for(lambda: any(abs(v - 170) < 1 for v in gateway.live("cadence_spm")), "170 steps")
    check(gateway.daemon.stop() == 0, "plumblined ends well")


def test_a_dropped_strap_comes_back(bed):
    gateway = strap_and_pod(bed)
    wait_for(lambda: gateway.live("heart_rate_bpm"), "a heart rate")
    since = boottime()
    bed.radio("drop strap 0x13")
    wait_for(lambda: gateway.mqtt.messages("sensor/strap/state", since), "the drop to be told")
    gateway.wait_for_link("strap", "streaming", since=since)
    wait_for(lambda: gateway.live("heart_rate_bpm", boottime() - 3), "heart rates again")
    check(not bed.radio.events("disconnect", "pod"), "the pod was left alone")


main(globals())
