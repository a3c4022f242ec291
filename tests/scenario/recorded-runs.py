#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real runs through the whole program.

Turns the one-second records of watches into the notifications that a strap and a footpod would
have sent (2A37 with every RR interval, 2A53), plays them with `plumbline replay` and compares what
comes out with what went in, and with the session figures that the watch wrote itself.

usage: recorded-runs.py PLUMBLINE DATA

Prints TAP.  DATA is a folder of recordings, unless PLUMBLINE_DATA names another; without it
everything is skipped."""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile

HIKE = 'suunto9-mountain-uphill-rr'
MOVING_M_S = 0.3
GAP_S = 5
FASTEST_M_S = 12


def number(row, key):
    text = row.get(key) or ''
    return float(text) if text else None


def load(folder):
    with open(os.path.join(folder, 'records.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    records = [{'t': number(row, 't_s'), 'heart': number(row, 'heart_rate_bpm'),
                'cadence': number(row, 'cadence_rpm'), 'speed': number(row, 'speed_mps'),
                'distance': number(row, 'distance_m')} for row in rows]
    beats = {}
    path = os.path.join(folder, 'rr.csv')
    if os.path.exists(path):
        with open(path, newline='') as file:
            for row in csv.DictReader(file):
                beats.setdefault(float(row['after_record_t_s']), []).append(float(row['rr_ms']))
    return records, beats


def heart_packets(record, intervals):
    """Nine intervals fit into one notification of a link with the smallest MTU."""
    raw = [round(ms * 1024 / 1000) for ms in intervals]
    heart = int(record['heart'] or 0)
    groups = [raw[i:i + 9] for i in range(0, len(raw), 9)] or [[]]
    for group in groups:
        yield bytes([0x10 if group else 0, heart]) + b''.join(r.to_bytes(2, 'little') for r in group)


def footpod_packet(record, origin, counter):
    speed = round((record['speed'] or 0) * 256)
    packet = speed.to_bytes(2, 'little') + bytes([int(record['cadence'] or 0)])
    if counter and record['distance'] is not None:
        decimetres = round((record['distance'] - origin) * 10)
        return bytes([2]) + packet + decimetres.to_bytes(4, 'little')
    return bytes([0]) + packet


def write_capture(path, records, beats, counter):
    origin = next(r['distance'] for r in records if r['distance'] is not None)
    header = {'plumbline_capture': 1, 'start': '2026-01-01T08:00:00.000Z', 'tz': 'UTC',
              'sensors': {'strap': {'mount': 'chest', 'services': ['180d']},
                          'footpod': {'mount': 'left-foot', 'services': ['1814']}}}
    with open(path, 'w') as file:
        print(json.dumps(header), file=file)
        for record in records:
            packets = [('strap', '2a37', p)
                       for p in heart_packets(record, beats.get(record['t'], []))]
            if record['speed'] is not None or record['cadence'] is not None:
                packets.append(('footpod', '2a53', footpod_packet(record, origin, counter)))
            for sensor, uuid, packet in packets:
                print(json.dumps({'t': record['t'], 'sensor': sensor, 'uuid': uuid,
                                  'value': packet.hex(' ')}), file=file)


def replay(plumbline, path):
    done = subprocess.run([plumbline, 'replay', path], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def payloads(messages, suffix):
    return [m['payload'] for m in messages if m['topic'].endswith(suffix)]


def way(before, now, counter):
    """Metres between two records; a watch that finds its satellites leaps further than anybody
    runs, which is not believed."""
    seconds = now['t'] - before['t']
    if counter:
        leap = (now['distance'] or 0) - (before['distance'] or 0)
        if 0 <= leap <= FASTEST_M_S * seconds:
            return leap
    speed = ((before['speed'] or 0) + (now['speed'] or 0)) / 2
    return speed * seconds if seconds <= GAP_S else 0


def truth(records, counter):
    moving = [r for r in records
              if (r['speed'] or 0) >= MOVING_M_S or (r['cadence'] or 0) > 0]
    hearts = [r['heart'] for r in moving if r['heart']]
    cadences = [2 * int(r['cadence'] or 0) for r in moving]
    distances = [r['distance'] for r in records if r['distance'] is not None]
    metres = sum(way(a, b, counter) for a, b in zip(records, records[1:]))
    return {'metres': metres, 'whole': distances[-1] - distances[0], 'moving': len(moving), 'heart': sum(hearts) / len(hearts),
            'heart_max': max(hearts), 'cadence': sum(cadences) / len(cadences)}


def session(folder):
    """What the watch says of its own session: heart rate and cadence of one leg."""
    with open(os.path.join(folder, 'SOURCE.txt')) as file:
        line = next((text for text in file if text.startswith('session:')), '')
    return {key: float(value) for key, value in re.findall(r'(\w+)=([0-9.]+)(?=,|$)', line.strip())}


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, text):
        self.count += 1
        self.failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.count, text), flush=True)

    def near(self, name, what, got, want, tolerance):
        self.check(got is not None and abs(got - want) <= tolerance,
                   '%s: %s %.2f, expected %.2f +- %.2f' % (name, what, got or 0, want, tolerance))


def check_run(tap, name, folder, records, beats, messages, counter):
    want = truth(records, counter)
    summaries = payloads(messages, '/summary')
    tap.check(len(summaries) == 1, '%s: one run, which starts and ends by itself' % name)
    if len(summaries) != 1:
        return
    got = summaries[0]
    tap.near(name, 'distance', got['distance_m'], want['metres'], 0.005 * want['metres'])
    if counter:
        tap.near(name, 'the watch\'s distance', got['distance_m'], want['whole'], 0.02 * want['whole'])
    tap.near(name, 'moving time', got['moving_s'], want['moving'], 0.01 * want['moving'])
    tap.near(name, 'mean heart rate', got['heart_rate_bpm']['mean'], want['heart'], 1)
    tap.near(name, 'highest heart rate', got['heart_rate_bpm']['max'], want['heart_max'], 1)
    tap.near(name, 'mean cadence', got['cadence_spm']['mean'], want['cadence'], 1)
    watch = session(folder)
    if 'avgHeartRate' in watch:
        tap.near(name, 'the watch\'s mean heart rate', got['heart_rate_bpm']['mean'],
                 watch['avgHeartRate'], 2)
        tap.near(name, 'the watch\'s highest heart rate', got['heart_rate_bpm']['max'],
                 watch['maxHeartRate'], 2)
    if 'avgRunningCadence' in watch:
        # The watch cuts the cadence of one leg to a whole number.
        low = 2 * watch['avgRunningCadence']
        mean = got['cadence_spm']['mean']
        tap.near(name, 'the watch\'s mean cadence', mean, min(max(mean, low), low + 2), 2)


def check_beats(tap, name, beats, messages):
    sent = [round(ms * 1024 / 1000) * 1000 / 1024 for t in sorted(beats) for ms in beats[t]]
    got = [ms for live in payloads(messages, '/live') for ms in live.get('rr_ms', [])]
    same = len(sent) == len(got) and all(abs(a - b) < 0.001 for a, b in zip(sent, got))
    tap.check(same, '%s: every RR interval is delivered (%d of %d)' % (name, len(got), len(sent)))


def check_hike(tap, name, records, messages):
    lives = payloads(messages, '/live')
    running = sum(live['phase'] in ('warmup', 'running') for live in lives)
    fast = sum(2 * (r['cadence'] or 0) >= 130 and (r['speed'] or 0) >= 1.9 or
               2 * (r['cadence'] or 0) >= 140 and (r['speed'] or 0) >= 1.4 for r in records)
    hearts = sum('heart_rate_bpm' in live for live in lives)
    tap.check(running <= 1.3 * fast + 60, '%s: runs only where it runs (%d s, of %d s at a run)'
              % (name, running, fast))
    tap.check(hearts >= 0.99 * sum(r['heart'] is not None for r in records),
              '%s: the heart rate is used (%d s)' % (name, hearts))


def main():
    plumbline, data = sys.argv[1:3]
    root = os.path.join(os.environ.get('PLUMBLINE_DATA', data), 'runs')
    if not os.path.isdir(root):
        print('1..0 # SKIP there are no recordings at %s' % root)
        return 0
    tap = Tap()
    with tempfile.TemporaryDirectory() as scratch:
        for name in sorted(os.listdir(root)):
            folder = os.path.join(root, name)
            records, beats = load(folder)
            for counter in (True, False):
                label = '%s, %s' % (name, 'distance counter' if counter else 'speed only')
                path = os.path.join(scratch, 'capture')
                write_capture(path, records, beats, counter)
                messages = replay(plumbline, path)
                check_beats(tap, label, beats, messages)
                if name == HIKE:
                    check_hike(tap, label, records, messages)
                else:
                    check_run(tap, label, folder, records, beats, messages, counter)
    print('1..%d' % tap.count)
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
