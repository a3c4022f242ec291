#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The radio itself against the real BlueZ: what it was told to do is what BlueZ sees."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "guest"))

from bluez import Bluez, Error, Pending  # noqa: E402
from gi.repository import GLib  # noqa: E402

from testbed import Failed, boottime, check, main, needs_kernel  # noqa: E402

STRAP = "A0:00:00:00:00:01"
POD = "A0:00:00:00:00:02"
POLAR = "A0:00:00:00:00:03"
PMD_CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
PMD_DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
DEVICE = "org.bluez.Device1"


def client():
    bluez = Bluez()
    bluez.power_up()
    return bluez


def connected_strap(bed):
    """A client and the paths of a strap and of its heart rate, which streams."""
    bed.radio(f"sensor strap heart-rate {STRAP} period-ms=200")
    bluez = client()
    (path,) = bluez.find([STRAP])
    bluez.connect(path)
    heart_rate = bluez.subscribe(path, "2a37")
    bluez.wait(lambda: bluez.received(heart_rate), "a heart rate")
    return bluez, path, heart_rate


def first_difference(sent, received):
    for n, (a, b) in enumerate(zip(sent, received)):
        if a != b:
            return f"value {n} is {b}, not {a}"
    return "the rest is missing" if len(sent) > len(received) else "nothing"


def same_values(bed, bluez, sensor, uuid, characteristic):
    """Everything that the sensor sent has arrived, in order, nothing twice.  How many."""
    sent = [value for _t, value in bed.radio.sent(sensor, uuid)]
    try:
        bluez.wait(lambda: bluez.received(characteristic) == sent, "them")
    except Failed:
        received = bluez.received(characteristic)
        raise Failed(f"{sensor} sent {len(sent)} on {uuid}, {len(received)} arrived: "
                     + first_difference(sent, received)) from None
    return len(sent)


def stream_for(bed, bluez, sensor, uuid, count):
    """Waits until this many values are out, then stops the sensor so that the last can land."""
    bluez.wait(lambda: len(bed.radio.sent(sensor, uuid)) >= count, f"{count} values of {sensor}")
    bed.radio(f"silent {sensor}")


def test_every_value_of_a_strap_arrives(bed):
    bluez, path, heart_rate = connected_strap(bed)
    stream_for(bed, bluez, "strap", "2a37", 15)
    same_values(bed, bluez, "strap", "2a37", heart_rate)
    rates = [int(value[2:4], 16) for _t, value in bed.radio.sent("strap", "2a37")]
    check(all(abs(a - b) == 1 for a, b in zip(rates, rates[1:])), f"heart rates by ones: {rates}")
    check(bluez.get(path, DEVICE, "Alias") == "Radio strap", "the name in the scan response")
    bluez.wait(lambda: bluez.get(path, "org.bluez.Battery1", "Percentage") == 88, "the battery")
    bed.radio("resume strap")
    bed.radio("set strap battery=41")
    bluez.wait(lambda: bluez.get(path, "org.bluez.Battery1", "Percentage") == 41, "its change")


def test_dropped_links_come_back(bed):
    bluez, path, heart_rate = connected_strap(bed)
    for reason in (0x13, 0x08):
        bed.radio(f"drop strap {reason}")
        bluez.wait(lambda: not bluez.connected(path), "the drop to be seen")
        check(bed.radio.events("disconnect")[-1]["reason"] == reason, "the reason")
        since = boottime()
        bluez.connect(path)
        bluez.wait(lambda s=since: len(bluez.received(heart_rate, s)) >= 3, "new values")


def test_twelve_sensors_at_once(bed):
    kinds = {"strap": ("heart-rate", "2a37"), "pod": ("footpod", "2a53"),
             "polar": ("polar-h10", "2a37")}
    ids = [f"strap-{n}" for n in range(8)] + ["pod-0", "pod-1", "polar-0", "polar-1"]
    bluez = client()
    streams = {}
    for number, sensor in enumerate(ids):
        kind, uuid = kinds[sensor.split("-")[0]]
        address = f"A1:00:00:00:00:{number:02X}"
        bed.radio(f"sensor {sensor} {kind} {address} period-ms=100")
        bed.radio(f"silent {sensor}")
        (path,) = bluez.find([address])
        bluez.connect(path)
        streams[sensor] = (uuid, bluez.subscribe(path, uuid))
    check(bed.radio.status()["links"] == 12, "twelve links")
    for sensor in streams:
        bed.radio(f"resume {sensor}")
    for sensor, (uuid, _path) in streams.items():
        bluez.wait(lambda s=sensor, u=uuid: len(bed.radio.sent(s, u)) > 30, f"{sensor} to stream")
    for sensor in streams:
        bed.radio(f"silent {sensor}")
    for sensor, (uuid, characteristic) in streams.items():
        check(same_values(bed, bluez, sensor, uuid, characteristic) > 30, f"{sensor} streamed")


def test_footpod_counts_distance(bed):
    bed.radio(f"sensor pod footpod {POD} period-ms=100 speed-mm-s=3000")
    bluez = client()
    (path,) = bluez.find([POD])
    bluez.connect(path)
    speed = bluez.subscribe(path, "2a53")
    stream_for(bed, bluez, "pod", "2a53", 20)
    same_values(bed, bluez, "pod", "2a53", speed)
    values = [bytes.fromhex(v) for _t, v in bed.radio.sent("pod", "2a53")]
    distances = [int.from_bytes(v[6:10], "little") for v in values]
    check(all(b - a == 3 for a, b in zip(distances, distances[1:])), f"0.3 m each: {distances}")
    check(all(int.from_bytes(v[1:3], "little") == 768 for v in values), "3.0 m/s")


def start_acceleration(bluez, path):
    control = bluez.subscribe(path, PMD_CONTROL)
    data = bluez.subscribe(path, PMD_DATA)

    def answer_to(request):
        count = len(bluez.received(control))
        bluez.write(control, bytes.fromhex(request))
        bluez.wait(lambda: len(bluez.received(control)) > count, f"an answer to {request}")
        return bluez.received(control)[-1]

    return answer_to, data


def test_polar_acceleration_starts_and_stops(bed):
    start = "0202020108000001640001011000"
    bed.radio(f"sensor polar polar-h10 {POLAR}")
    bluez = client()
    (path,) = bluez.find([POLAR])
    bluez.connect(path)
    answer_to, data = start_acceleration(bluez, path)
    check(answer_to("0102") == "f00102000000041900320064" "00c8000101100002030200040008" "00",
          "settings")
    check(answer_to("0200") == "f0020003", "no ECG here")
    check(answer_to("0202000163000101100002010800") == "f0020208", "99 Hz is refused")
    check(answer_to("020200016400") == "f0020205", "settings are missing")
    check(answer_to(start) == "f00202000001", "start")
    check(answer_to(start) == "f0020206", "already started")
    bluez.wait(lambda: len(bluez.received(data)) >= 5, "five frames")
    check(answer_to("0302") == "f003020000", "stop")
    same_values(bed, bluez, "polar", PMD_DATA, data)
    frames = [bytes.fromhex(value) for value in bluez.received(data)]
    check(all(len(frame) == 226 and frame[9] == 1 for frame in frames), "36 samples, raw type 1")
    times = [int.from_bytes(frame[1:9], "little") for frame in frames]
    check(all(b - a == 360_000_000 for a, b in zip(times, times[1:])), f"every 360 ms: {times}")
    counter = [int.from_bytes(frame[i:i + 2], "little", signed=True)
               for frame in frames for i in range(10, 226, 6)]
    check(counter == [n % 64 - 32 for n in range(len(counter))], "every sample once")


def ends(bed, bluez, path, timeout=10):
    """The error of a Connect() that fails; None when BlueZ never answers, as it does when it
    removes the device over the failure."""
    pending = bluez.begin(path, DEVICE, "Connect")
    bluez.wait(lambda: pending.done or not bluez.get(path, DEVICE, "Address"),
               f"{path} to fail", timeout)
    return pending.error


def test_links_that_fail_to_establish(bed):
    needs_kernel(6, 12)
    bed.radio(f"sensor strap heart-rate {STRAP}")
    bluez = client()
    (path,) = bluez.find([STRAP])
    bed.radio("refuse strap 0x3e late")
    ends(bed, bluez, path)
    bluez.wait(lambda: bed.radio.events("disconnect", "strap"), "the end of the link")
    up, down = bed.radio.events("connect", "strap")[0], bed.radio.events("disconnect", "strap")[0]
    check(down["reason"] == 0x3E and down["t"] - up["t"] > 0.29, "six intervals of 50 ms")
    bed.radio("refuse strap off")
    (path,) = bluez.find([STRAP])
    bluez.connect(path)


def test_links_are_limited(bed):
    needs_kernel(6, 12)
    bed.radio(f"sensor strap heart-rate {STRAP}")
    bed.radio(f"sensor pod footpod {POD}")
    bluez = client()
    strap, pod = bluez.find([STRAP, POD])
    bluez.connect(strap)
    bed.radio("links 1")
    ends(bed, bluez, pod)
    check(bed.radio.events("connecting")[-1]["status"] == 0x0D, "limited resources")
    check(bluez.connected(strap), "the first link holds")
    bed.radio("links 8")
    (pod,) = bluez.find([POD])
    bluez.connect(pod)


def test_connect_without_an_end(bed):
    """The kernel overlooks an error in Connection Complete and waits for its 40 s timer."""
    needs_kernel(6, 12)
    bed.radio(f"sensor strap heart-rate {STRAP}")
    bed.radio("refuse strap 0x09")
    bluez = client()
    (path,) = bluez.find([STRAP])
    pending = bluez.begin(path, DEVICE, "Connect")
    bluez.wait(lambda: bed.radio.events("refuse"), "the refusal")
    late = boottime() + 3
    bluez.wait(lambda: boottime() > late, "a while")
    check(not pending.done, "no answer")
    bluez.disconnect(path)
    bluez.wait(lambda: pending.done, "the cancelled call to end")
    bed.radio("refuse strap off")
    (path,) = bluez.find([STRAP])
    bluez.connect(path)


def test_silence_is_not_a_drop(bed):
    bluez, path, heart_rate = connected_strap(bed)
    bed.radio("silent strap")
    sent = len(bed.radio.sent("strap", "2a37"))
    bluez.wait(lambda: len(bluez.received(heart_rate)) == sent, "the last value")
    bed.radio("set strap battery=42")
    quiet_until = boottime() + 1.5
    bluez.wait(lambda: boottime() > quiet_until, "a while")
    check(len(bluez.received(heart_rate)) == sent, "nothing comes")
    check(bluez.connected(path), "the link holds")
    bed.radio("resume strap")
    bluez.wait(lambda: len(bluez.received(heart_rate)) > sent, "values again")


def test_out_of_range(bed):
    bluez, path, heart_rate = connected_strap(bed)
    bed.radio("range strap out")
    bluez.wait(lambda: not bluez.connected(path), "the supervision time-out")
    away, down = bed.radio.events("out-of-range")[-1], bed.radio.events("disconnect")[-1]
    check(down["reason"] == 0x08, "the reason")
    check(0.4 <= down["t"] - away["t"] < 1.5, "420 ms, as the kernel asked for")
    check(bed.radio.events("lost", "strap"), "values were lost on the way")
    bed.radio("range strap in")
    bluez.connect(path)
    since = boottime()
    bed.radio("walk strap 3 2")
    bluez.wait(lambda: len(bed.radio.events("out-of-range")) == 2, "the far half of a lap")
    bluez.wait(lambda: bed.radio.events("in-range", since=since), "the near half")
    bed.radio("walk strap off")


def test_services_that_do_not_resolve(bed):
    bed.radio(f"sensor strap heart-rate {STRAP}")
    bluez = client()
    (path,) = bluez.find([STRAP])
    bed.radio("discovery strap never")
    bluez.begin(path, DEVICE, "Connect")
    bluez.wait(lambda: bed.radio.events("mtu", "strap"), "the link")
    late = boottime() + 2
    bluez.wait(lambda: boottime() > late, "a while")
    check(not bluez.resolved(path), "discovery hangs")
    bluez.disconnect(path)
    bed.radio("discovery strap 300")
    begin = boottime()
    bluez.connect(path)
    check(boottime() - begin > 1.2, "at least four replies, 300 ms each")


def test_table_changes(bed):
    bluez, path, heart_rate = connected_strap(bed)
    bed.radio("gatt strap first 0x0100")
    bed.radio("gatt strap filler 300")
    bed.radio("gatt strap changed")
    bluez.wait(lambda: bluez.characteristic(path, "2a37") not in (None, heart_rate),
               "the heart rate to move")
    moved = bluez.subscribe(path, "2a37")
    bluez.wait(lambda: bluez.received(moved), "values from the new place")
    bluez.wait(lambda: bluez.characteristic(path, "e12b"), "300 more characteristics", 30)
    bed.radio("gatt strap restore")
    bed.radio("gatt strap remove 180d")
    bed.radio("gatt strap changed")
    bluez.wait(lambda: not bluez.characteristic(path, "2a37"), "the heart rate to go")


def test_kernel_connects_in_the_background(bed):
    bluez, path, heart_rate = connected_strap(bed)
    bluez.register_profile(["180d"])
    # BlueZ 5.66 forgets this wish when the link of an untrusted device is lost.
    bluez.set(path, DEVICE, "Trusted", GLib.Variant("b", True))
    bed.radio("range strap out")
    bluez.wait(lambda: not bluez.connected(path), "the time-out")
    since = boottime()
    bed.radio("range strap in")
    bluez.wait(lambda: bed.radio.events("connect", "strap", since=since), "a link, unasked")
    bluez.wait(lambda: bluez.received(heart_rate, since), "values")


def test_garbage_and_flood(bed):
    bluez, path, heart_rate = connected_strap(bed)
    bed.radio("garbage strap 100 2a37")
    bed.radio("flood strap 200 2")
    bluez.wait(lambda: len(bed.radio.sent("strap", "2a37")) > 500, "100 and 400 values")
    bed.radio("silent strap")
    same_values(bed, bluez, "strap", "2a37", heart_rate)
    for channel in ("att", "l2cap"):
        if bluez.connected(path):
            bed.radio(f"garbage strap 100 {channel}")
    bluez.wait(lambda: bluez.objects(), "bluetoothd to answer")
    check(bed.bluetoothd.running(), "bluetoothd lives")


def test_ghost_and_strangers(bed):
    bed.radio(f"sensor strap heart-rate {STRAP}")
    bed.radio("ghost strap on")
    bluez = client()
    (path,) = bluez.find([STRAP])
    bed.radio("strangers 30")
    bluez.start_discovery()
    bluez.wait(lambda: sum(DEVICE in i for i in bluez.objects().values()) > 20, "strangers")
    bed.radio("strangers 0")
    bluez.stop_discovery()
    pending = bluez.begin(path, DEVICE, "Connect")
    late = boottime() + 3
    bluez.wait(lambda: boottime() > late, "a while")
    check(not pending.done, "nobody answers a ghost")
    bluez.disconnect(path)
    bluez.wait(lambda: pending.done, "the call to end")
    check(pending.error and not bed.radio.linked("strap"), "there was no link")


def test_replay_plays_a_file(bed):
    with tempfile.NamedTemporaryFile("w", suffix=".replay") as play:
        play.write("advertise 180d\nservice 180d\ncharacteristic 2a37 notify\n"
                   "characteristic 2a39 write\nanswer 2a39 01 2a37 0064\n"
                   "0.1 2a37 1078\n0.2 2a37 1079 # a comment\n0.2 2a37 107a0102\n")
        play.flush()
        bed.radio(f"sensor player replay {STRAP} file={play.name} name='Some strap'")
    bluez = client()
    (path,) = bluez.find([STRAP])
    bluez.connect(path)
    heart_rate = bluez.subscribe(path, "2a37")
    bluez.wait(lambda: bluez.received(heart_rate) == ["1078", "1079", "107a0102"], "the play")
    bluez.write(bluez.characteristic(path, "2a39"), b"\x01\x02")
    bluez.wait(lambda: bluez.received(heart_rate)[-1] == "0064", "the answer")


def test_adapter_is_pulled_and_comes_back(bed):
    bluez, path, _heart_rate = connected_strap(bed)
    bed.radio("unplug")
    bluez.wait(lambda: not bluez.device(STRAP), "the device to go")
    bed.radio("plug")
    bluez.wait(lambda: any("org.bluez.Adapter1" in i for i in bluez.objects().values()),
               "an adapter")
    adapter = next(p for p, i in bluez.objects().items() if "org.bluez.Adapter1" in i)
    bluez.power_up(adapter)
    bluez.start_discovery(adapter)
    bluez.wait(lambda: bluez.device(STRAP), "the strap")


main(globals())
