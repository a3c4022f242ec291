#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast an hour of a strap with accelerometer and a footpod is played through the whole program,
on one core.

usage: bench-replay.py PLUMBLINE"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

MINUTES = 60
ROUNDS = 5

PMD_DATA = 'fb005c82-02e7-f387-1cad-8acd2d8df0c8'


def make(plumbline, path):
    subprocess.run([plumbline, 'simulate', 'healthy', '--minutes', str(MINUTES), '-o', path],
                   check=True)
    counts = {}
    with open(path, encoding='ascii') as file:
        for line in file:
            uuid = json.loads(line).get('uuid')
            counts[uuid] = counts.get(uuid, 0) + 1
    assert counts['2a37'] > 3000 and counts['2a53'] > 3000 and counts[PMD_DATA] > 3000, counts
    return sum(counts.values())


def one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def play(plumbline, path):
    """Seconds of processor and of the clock on the wall."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([plumbline, 'replay', path], stdout=subprocess.DEVNULL, check=True,
                   preexec_fn=one_core)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began


def main():
    plumbline = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'hour.capture')
        lines = make(plumbline, path)
        megabytes = os.path.getsize(path) / 1e6
        cpu, wall = min(play(plumbline, path) for _ in range(ROUNDS))
    print('bench: replay of %d min, %d lines, %.1f MB: %.3f s of processor (%.3f s), best of %d' % (
        MINUTES, lines, megabytes, cpu, wall, ROUNDS))
    print('bench: replay at %.0f times real time, %.0f lines/s' % (MINUTES * 60 / cpu, lines / cpu))


if __name__ == '__main__':
    main()
