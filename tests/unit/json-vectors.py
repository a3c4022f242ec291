#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Expected texts for test-json and test-civil, from Python's decimal, json and datetime.

Prints lines of tab-separated fields; the first is the kind:
  number  <double, hexadecimal>  <decimals>  <text>
  string  <bytes, hexadecimal>  <JSON text, hexadecimal>
  time    <ms since 1970>  <ISO 8601>  <compact>
"""
import datetime
import decimal
import json
import random
import struct

random.seed(1)
decimal.getcontext().prec = 400


def number(value, places):
    exact = decimal.Decimal(value)
    rounded = exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_EVEN)
    text = format(rounded, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text == "-0":
        text = "0"
    print("number", value.hex(), places, text, sep="\t")


def numbers():
    for places in range(10):
        for value in (0.0, -0.0, 0.5, 1.5, 2.5, -0.5, 0.125, 0.375, 2.675, 1.005, 150.0, 3.0, 0.1,
                      999.9995, 0.9999999999, 9.9999999999, 5e-324, 2.2250738585072014e-308,
                      2.0 ** 52, 2.0 ** 53 - 1, 2.0 ** 53, 2.0 ** 63, 2.0 ** 64, 2.0 ** 65, 1e22,
                      1e23, 1e300, 1.7976931348623157e308, 2.0 ** -53, 2.0 ** -63, 2.0 ** -64,
                      2.0 ** -65, 2.0 ** -127, 2.0 ** -128):
            number(value, places)
            number(-value, places)
    for _ in range(20000):
        number(random.uniform(-1000, 1000), random.randrange(10))
        # Ties and their neighbours: odd multiples of a power of two.
        tie = random.randrange(1, 1 << 20, 2) / (1 << random.randrange(1, 12))
        number(tie, random.randrange(4))
    for _ in range(20000):
        value, = struct.unpack("<d", random.randbytes(8))
        if value - value == 0:
            number(value, random.randrange(10))


def strings():
    pieces = [b"a", b"\"", b"\\", b"\n", b"\x00", b"\x1f", b"\x7f", b"\x80", b"\xbf", b"\xc0", b"\xc1",
              b"\xc3", b"\xc3\xa4", b"\xe0", b"\xe0\x80", b"\xe2\x82", b"\xe2\x82\xac", b"\xed\xa0\x80",
              b"\xef\xbf\xbf", b"\xf0\x9f\x8f", b"\xf0\x9f\x8f\x83", b"\xf4\x8f\xbf\xbf",
              b"\xf4\x90\x80\x80", b"\xf5", b"\xff", b"/", b"\t", b"\r", b"\b", b"\f"]
    for _ in range(5000):
        if random.random() < 0.5:
            text = b"".join(random.choice(pieces) for _ in range(random.randrange(8)))
        else:
            text = random.randbytes(random.randrange(12))
        expected = json.dumps(text.decode("utf-8", "replace"), ensure_ascii=False)
        print("string", text.hex(), expected.encode().hex(), sep="\t")


def times():
    epoch = datetime.datetime(1970, 1, 1)
    values = [0, 999, 951782400000, 951868799999, 4107542399999, 253402300799999]
    values += [random.randrange(253402300800000) for _ in range(5000)]
    for value in values:
        when = epoch + datetime.timedelta(milliseconds=value)
        iso = when.isoformat(timespec="milliseconds") + "Z"
        print("time", value, iso, iso[:19].replace("-", "").replace(":", "") + "Z", sep="\t")


numbers()
strings()
times()
