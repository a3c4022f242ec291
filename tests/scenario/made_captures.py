# SPDX-License-Identifier: Apache-2.0
"""Captures of runs that never were: a strap and a footpod whose bytes are written here, and the
program that plays them."""

import decimal
import json
import os
import subprocess

# Configurations of the runner in them.
PERSON = '''[athlete r1]
sex = male
born = 1986
max-heart-rate = 185
resting-heart-rate = 55
threshold-heart-rate = 160
'''
SENSORS = '''[sensor strap]
address = F2:11:22:33:44:01
athlete = r1
mount = chest
[sensor pod]
address = F2:11:22:33:44:02
athlete = r1
mount = left-foot
'''

HEART_RATE = '2a37'
FOOTPOD = '2a53'
BATTERY = '2a19'


class Capture:
    """Time goes on by run(), a second at a time; packets come in the middle of a second."""

    def __init__(self, start='2026-03-02T06:00:00.000Z', tz='UTC', sensors=None):
        self.header = {'plumbline_capture': 1, 'start': start,
                       'sensors': sensors or {'strap': {'mount': 'chest', 'services': ['180d']},
                                              'pod': {'mount': 'left-foot', 'services': ['1814']}}}
        if tz:
            self.header['tz'] = tz
        self.lines = []
        self.t = 0
        self.counter = 0.0
        self.beats = []

    def _line(self, after=0.5, **what):
        self.lines.append({'t': self.t + after, **what})

    def value(self, sensor, uuid, data):
        self._line(sensor=sensor, uuid=uuid, value=bytes(data).hex(' '))

    def heart(self, bpm, rr=(), sensor='strap'):
        raw = b''.join(r.to_bytes(2, 'little') for r in rr)
        self.beats += [r * 1000 / 1024 for r in rr]
        self.value(sensor, HEART_RATE, bytes([0x16 if rr else 0x06, bpm]) + raw)

    def stride(self, speed, cadence, sensor='pod', counter=None):
        counter = self.counter if counter is None else counter
        self.value(sensor, FOOTPOD, bytes([0x02 | (0x04 if speed >= 2 else 0)]) +
                   round(speed * 256).to_bytes(2, 'little') + bytes([cadence]) +
                   round(counter * 10).to_bytes(4, 'little'))

    def run(self, seconds, bpm, speed):
        """None: that sensor says nothing."""
        for _ in range(seconds):
            if bpm is not None:
                self.heart(bpm, [round(61440 / bpm)] * (self.t % 3))
            if speed is not None:
                self.counter += speed
                self.stride(speed, 170 if speed >= 2 else 110 if speed > 0 else 0)
            self.t += 1

    def event(self, sensor, event):
        self._line(sensor=sensor, event=event)

    def command(self, command, after=0, **arguments):
        self._line(after, command=command, arguments=arguments)

    def end(self):
        self._line(0, event='end')

    def text(self):
        return ''.join(json.dumps(line) + '\n' for line in [self.header] + self.lines)


class Replayed:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode()
        self.messages = [strict(line) for line in done.stdout.decode().splitlines()]

    def payloads(self, end):
        return [m['payload'] for m in self.messages if m['topic'].endswith(end)]

    def events(self, code):
        return [e for e in self.payloads('/event') if e['code'] == code]


def refuse(word):
    raise ValueError('%s is no JSON' % word)


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError('a member stands twice in %s' % [key for key, _ in pairs])
    return members


def strict(text):
    """No NaN, no member twice; fractions keep their digits."""
    return json.loads(text, parse_float=decimal.Decimal, parse_constant=refuse,
                      object_pairs_hook=unique)


class Player:
    def __init__(self, plumbline, directory):
        self.plumbline = plumbline
        self.directory = directory
        self.count = 0

    def write(self, text, suffix):
        self.count += 1
        path = os.path.join(self.directory, '%d.%s' % (self.count, suffix))
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def play(self, capture, config=None, state=None, options=()):
        command = [self.plumbline, 'replay', self.write(capture.text(), 'capture')]
        if config is not None:
            command += ['-c', self.write(config, 'conf')]
        if state is not None:
            command += ['--state-dir', os.path.join(self.directory, state)]
        command += options
        return Replayed(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       check=False, timeout=120))
