#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""plumblined with the real BlueZ and mosquitto: nothing is lost, whatever is interrupted."""

import gzip
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "guest"))

from gateway import Gateway, Watcher  # noqa: E402
from testbed import boottime, check, main, wait_for  # noqa: E402

ADDRESSES = {"strap": "A0:00:00:00:00:01", "pod": "A0:00:00:00:00:02",
             "polar": "A0:00:00:00:00:03"}
KINDS = {"strap": "heart-rate", "pod": "footpod", "polar": "polar-h10"}
MOUNTS = {"strap": "chest", "pod": "left-foot", "polar": "chest"}
UUIDS = {"strap": "2a37", "pod": "2a53", "polar": "fb005c82-02e7-f387-1cad-8acd2d8df0c8"}
CONFIG = """[run]
start-after-s = 5
lap-m = 50
end-after-s = {end}
[storage]
capture = true
[warning heart-rate-cap]
enter = 100
exit = 60
hold-s = 5
"""
MINUTE_S, OUTAGE_S = 60, 30


def start(bed, sensors, end=300):
    """A gateway on which all sensors stream."""
    for sensor in sensors:
        bed.radio(f"sensor {sensor} {KINDS[sensor]} {ADDRESSES[sensor]}")
    gateway = Gateway(bed, {s: f"address = {ADDRESSES[s]}\nathlete = r1\nmount = {MOUNTS[s]}"
                            for s in sensors}, CONFIG.format(end=end))
    gateway.start_daemon()
    for sensor in sensors:
        gateway.wait_for_link(sensor, "streaming")
    return gateway


def wait_for_run(gateway, seconds=0):
    """The name of a run that has lasted so long."""
    wait_for(lambda: max(gateway.live("elapsed_s"), default=-1) >= seconds,
             f"a run of {seconds} s", 60 + 2 * seconds)
    return gateway.live("run")[-1]


def sent(bed, sensor, since=0.0, until=None):
    return [value for t, value in bed.radio.sent(sensor, None, since)
            if until is None or t <= until]


def received(gateway):
    done = gateway.command_line("status", "--json")
    check(done.returncode == 0, f"plumbline status: {done.stderr}")
    return {name: entry["received"]
            for name, entry in json.loads(done.stdout)["sensors_health"].items()}


def check_all_received(bed, gateway, sensors):
    """Silences the sensors and waits until the daemon has counted what the radio sent."""
    for sensor in sensors:
        bed.radio(f"silent {sensor}")
    want = {sensor: len(sent(bed, sensor)) for sensor in sensors}
    got = {}

    def same():
        got.update(received(gateway))
        return all(got[sensor] == want[sensor] for sensor in sensors)

    try:
        wait_for(same, "all of them", 20, 0.5)
    finally:
        print(f"# sent {want}, received {got}", flush=True)


def intervals(values):
    """RR intervals of heart-rate packets, in ms."""
    result = []
    for value in values:
        data = bytes.fromhex(value)
        at = 4 if data[0] & 0x08 else 2
        if data[0] & 0x10:
            result += [int.from_bytes(data[i:i + 2], "little") * 1000 / 1024
                       for i in range(at, len(data) - 1, 2)]
    return result


def check_beats(bed, gateway):
    """Two straps are worn; the beats of one of them are published, all of them and once."""
    got = [ms for beats in gateway.live("rr_ms") for ms in beats]
    for sensor in ("strap", "polar"):
        want = intervals(v for _t, v in bed.radio.sent(sensor, UUIDS["strap"]))
        if len(got) == len(want) and all(abs(a - b) < 0.001 for a, b in zip(got, want)):
            print(f"# all {len(got)} RR intervals of {sensor} are published, once each", flush=True)
            return
    check(False, f"{len(got)} intervals are published, which are those of no strap")


def check_capture(bed, gateway, sensors, since, until):
    """The capture of the run holds the very bytes that the sensors sent."""
    check(gateway.daemon.stop(15) == 0, "plumblined ends well")
    (path,) = (gateway.state / "captures").glob("*.gz")
    with gzip.open(path, "rt") as lines:
        events = [json.loads(line) for line in lines]
    for sensor in sensors:
        got = "".join(e["value"].replace(" ", "") + "|" for e in events
                      if e.get("sensor") == sensor and e.get("uuid") == UUIDS[sensor])
        want = [v for t, v in bed.radio.sent(sensor, UUIDS[sensor], since) if t <= until]
        check("".join(v + "|" for v in want) in got, f"the capture lacks something of {sensor}")
        print(f"# {sensor}: {len(want)} values of {until - since:.0f} s are in the capture",
              flush=True)


def test_every_value_of_a_minute_arrives(bed):
    """Strap, footpod and accelerometer at 100 Hz: 0 lost, byte for byte."""
    gateway = start(bed, KINDS)
    wait_for_run(gateway, 5)
    since = boottime()
    time.sleep(MINUTE_S)  # the length of the measurement
    until = boottime()
    check_all_received(bed, gateway, KINDS)
    health = json.loads(gateway.command_line("status", "--json").stdout)["sensors_health"]
    check(all(entry["lost"] == 0 for entry in health.values()), "a sensor misses packets")
    check_beats(bed, gateway)
    check_capture(bed, gateway, KINDS, since, until)


def seconds_to_data(bed, sensor, since):
    """From then to the first notification after it."""
    wait_for(lambda: sent(bed, sensor, since), f"{sensor} to stream again", 30)
    return bed.radio.sent(sensor, None, since)[0][0] - since


def test_a_dropped_link_comes_back_at_the_next_advertisement(bed):
    """Within 5 s; what the others sent meanwhile is complete."""
    gateway = start(bed, KINDS)
    for reason in ("0x08", "0x13"):
        bed.radio(f"drop strap {reason}")
        wait_for(lambda: not bed.radio.linked("strap"), "the link to be down")
        took = seconds_to_data(bed, "strap", boottime())
        print(f"# dropped with {reason}: data {took:.2f} s later", flush=True)
        check(took < 5, "too late")
        wait_for(lambda: gateway.link("strap") == "streaming", "the gateway to say so", 20)
    bed.radio("range strap out")
    wait_for(lambda: gateway.link("strap") in ("absent", "backoff"), "the strap to be missed", 30)
    back = boottime()
    bed.radio("range strap in")
    took = seconds_to_data(bed, "strap", back)
    print(f"# back in range: data {took:.2f} s later", flush=True)
    check(took < 6, "too late")  # it advertises once a second
    check_all_received(bed, gateway, ("pod", "polar"))


def test_bluetoothd_is_killed_and_comes_back(bed):
    """Streaming again within 15 s."""
    gateway = start(bed, KINDS)
    killed = boottime()
    bed.bluetoothd.kill()
    for sensor in KINDS:
        wait_for(lambda s=sensor: gateway.link(s, killed) not in (None, "streaming"),
                 f"{sensor} to be missed", 5)
    back = boottime()
    bed.start_bluetoothd()
    for sensor in KINDS:
        gateway.wait_for_link(sensor, "streaming", 60, back)
    took = boottime() - back
    print(f"# three sensors stream {took:.1f} s after bluetoothd is back", flush=True)
    check(took < 15, "too late")
    check(gateway.daemon.running(), "plumblined ended")


def test_the_broker_is_away_while_the_run_ends(bed):
    """Laps, warnings, the summary: all of them come, in order, with their time, marked late."""
    gateway = start(bed, ("strap", "pod"), end=16)
    run = wait_for_run(gateway, 30)
    gateway.broker.kill()
    away = boottime()
    time.sleep(8)  # some laps into the outage
    bed.radio("range pod out")  # and the run ends
    time.sleep(max(0.0, away + OUTAGE_S - boottime()))
    gateway.start_broker()
    back = boottime()
    after = Watcher(bed, "after")
    wait_for(lambda: any(m["data"].get("code") == "run-finished"
                         for m in after.messages("/event")), "the end of the run", 120)
    both = gateway.mqtt.messages() + after.messages()
    summary = after.last("/summary")
    check(summary.get("run") == run and summary.get("late"), f"the summary is {summary}")
    laps = sorted({m["data"]["number"] for m in both if m["topic"].endswith("/lap")})
    check(laps == list(range(1, len(summary["laps"]) + 1)),
          f"laps {laps} of {len(summary['laps'])} arrived")
    states = {(m["data"]["code"], m["data"]["state"]) for m in both
              if m["topic"].endswith("/warning")}
    check({("heart-rate-cap", "raised"), ("heart-rate-cap", "cleared")} <= states,
          f"warnings: {states}")
    waited = [m["data"] for m in after.messages() if isinstance(m["data"], dict)
              and m["data"].get("late")]
    sequence = [data["seq"] for data in waited]
    check(sequence == sorted(sequence), f"out of order: {sequence}")
    check(not any(m["data"].get("late") for m in after.messages("/live")), "a late live value")
    print(f"# {len(laps)} laps; {len(waited)} messages came late and in order, "
          f"{after.messages('/event')[-1]['t'] - back:.1f} s after the broker was back", flush=True)


def test_killed_in_the_middle_of_a_run(bed):
    """SIGKILL: the same run goes on, and so do its totals."""
    gateway = start(bed, ("strap", "pod"))
    run = wait_for_run(gateway, 25)
    before = gateway.mqtt.messages("/live")[-1]
    gateway.daemon.kill()
    gateway.notify.lines.clear()
    gateway.start_daemon()
    began = boottime()
    wait_for(lambda: gateway.live("distance_m", began)
             and gateway.live("distance_m", began)[-1] > before["data"]["distance_m"] + 20,
             "the run to go on", 60)
    after = gateway.mqtt.messages("/live")[-1]
    print(f"# killed at {before['data']['elapsed_s']} s, {before['data']['distance_m']} m; then "
          f"{after['data']['elapsed_s']} s, {after['data']['distance_m']} m", flush=True)
    check(set(gateway.live("run")) == {run}, "another run")
    check(len([m for m in gateway.mqtt.messages("/event")
               if m["data"]["code"] == "run-started"]) == 1, "it began twice")
    elapsed = after["data"]["elapsed_s"] - before["data"]["elapsed_s"]
    check(abs(elapsed - (after["t"] - before["t"])) < 3, f"elapsed leaps: {elapsed} s")
    metres = after["data"]["distance_m"] - before["data"]["distance_m"]
    check(2 * elapsed < metres < 4 * elapsed, f"{metres} m in {elapsed} s at 3 m/s")
    sequence = gateway.mqtt.values("/live", "seq")
    check(len(sequence) == len(set(sequence)), "a sequence number came twice")
    check(gateway.daemon.stop(15) == 0, "plumblined ends well")


if __name__ == "__main__":
    main(globals())
