#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the driver fuzzers from packets in hexadecimal.

    tests/fuzz/driver-seeds.py

An input is a wished rate and a sequence of events; see fuzz-driver.c.
"""
import pathlib

READY, GONE, STOP, DATA, WRITTEN, TIMER = range(6)
OK = 0x80
CONTROL, FRAMES = 0, 1

H10_SETTINGS = "f0 01 02 00 00 00 04 19 00 32 00 64 00 c8 00 01 01 10 00 02 03 02 00 04 00 08 00"
VERITY_SETTINGS = "f0 01 02 00 00 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"
TIME = ("00 94 35 77 00 00 00 00", "00 9d 6a 89 00 00 00 00", "00 fe 6f 9e 00 00 00 00")
RAW = "01 f7 ff ff ff e7 03 f8 ff fe ff e5 03"


def event(kind, index=0, after=1, data=""):
    value = bytes.fromhex(data)
    return bytes([kind, index, after]) + len(value).to_bytes(2, "little") + value


def control(data):
    return event(DATA, CONTROL, data=data)


def frame(content, time=TIME[0]):
    return event(DATA, FRAMES, data="02" + time + content)


def start(settings, answer):
    return event(READY) + event(WRITTEN, CONTROL | OK) + control(settings) + control(answer)


STRAP = start(H10_SETTINGS, "f0 02 02 00 00 01")
ARMBAND = start(VERITY_SETTINGS, "f0 02 02 00 00 05 01 40 da 7f 39")

SEEDS = {
    "heart-rate": {
        name: event(READY) + event(DATA, data=data)
        for name, data in {
            "plain": "00 51",
            "contact-lost": "04 54",
            "contact": "06 3c",
            "intervals": "16 73 10 02 0d 02",
            "energy": "18 43 d0 07 72 03",
            "u16": "01 2c 01",
            "all-flags": "1f 48 00 d0 07 72 03 73 03",
            "long-list": "10 64" + "00 04" * 30,
            "odd": "10 48 4a 03 00",
            "zero": "09 00 00 ff ff",
        }.items()
    },
    "running-speed-cadence": {
        name: event(READY) + event(DATA, data=data)
        for name, data in {
            "plain": "00 91 01 bb",
            "distance": "02 b9 00 33 8a 02 00 00",
            "length": "01 80 02 b4 55 00",
            "all": "07 00 03 5a c8 00 e8 03 00 00",
            "cut": "03 00 03 5a fa",
            "all-ones": "07 ff ff ff ff ff ff ff ff ff",
            "long": "00 00 03 5a" + "00" * 16,
        }.items()
    },
    "polar-pmd": {
        "strap": STRAP + frame(RAW) + frame(RAW, TIME[1]) + event(STOP),
        "strap-gap": STRAP + frame(RAW) + frame(RAW, TIME[2]) + event(GONE),
        "strap-silence": STRAP + frame(RAW) + event(TIMER, after=255) + control("f0 03 02 00 00"),
        "one-byte": STRAP + frame("00 80 ff 7f 01 02 03"),
        "three-bytes": STRAP + frame("02 02 80 ff ff ff ff 00 04 00"),
        "armband-g": ARMBAND + frame("80 d0 ff 65 01 e4 0f 08 04 fc 07 ff 0c 13 f2 11 f1 1a 00 00 00"),
        "armband-milli-g": ARMBAND + frame("81 f1 ff 14 00 f0 03 06 01 7b 0f 08", TIME[1]),
        "no-bits": ARMBAND + frame("81 01 00 02 00 03 00 00 20"),
        "wide": ARMBAND + frame("81 00 00 00 00 00 00 20 01" + "ff" * 12),
        "cut": ARMBAND + frame("80 01 00 02 00 03 00 0a ff 00 00 00"),
        "already": event(READY) + control(H10_SETTINGS) + control("f0 02 02 06")
        + control("f0 03 02 00 00") + control("f0 02 02 00 00 01") + frame(RAW),
        "parts": event(READY) + control("f0 01 02 00 01 00 04 19 00 32")
        + control("f0 01 02 00 00 00 64 00 c8 00"),
        "refused": event(READY) + control("f0 01 02 0d") + event(TIMER, after=100),
        "notice": STRAP + control("01 02") + event(TIMER, after=100),
        "write-failed": event(READY) + event(WRITTEN, CONTROL) + event(TIMER, after=100),
        "features": event(READY) + control("0f 05 00 00 00 00"),
        "all-settings": event(READY) + control(
            "f0 01 02 00 00 03 01 40 1f 00 00 05 01 00 00 80 3f 06 01" + "00" * 16
            + "00 02 34 00 94 00 04 02 02 03"),
        "playback": frame(RAW) + frame(RAW, TIME[1]) + frame(RAW, TIME[0]),
    },
}


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    for driver, seeds in SEEDS.items():
        folder = corpus / f"driver-{driver}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, events in seeds.items():
            (folder / name).write_bytes(bytes([0]) + events)


main()
