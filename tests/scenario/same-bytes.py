#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A capture gives the same bytes every time, also under valgrind, which finds nothing.

usage: same-bytes.py PLUMBLINE [SUPPRESSIONS]

Without suppressions valgrind is left out.

Prints TAP."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile

VALGRIND = ['valgrind', '--quiet', '--error-exitcode=99', '--leak-check=full',
            '--errors-for-leak-kinds=definite', '--show-leak-kinds=definite']


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, good, text):
        self.count += 1
        self.failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.count, text), flush=True)

    def skip(self, text, why):
        self.count += 1
        print('ok %d - %s # SKIP %s' % (self.count, text, why), flush=True)


def simulate(plumbline, scenario, minutes, path):
    subprocess.run([plumbline, 'simulate', scenario, '--minutes', str(minutes), '--seed', '7',
                    '-o', path], check=True)


def replay(command, path, **environment):
    done = subprocess.run([*command, 'replay', path], stdout=subprocess.PIPE,
                          env={**os.environ, **environment}, check=False)
    return done.returncode, done.stdout


def main():
    plumbline, *suppressions = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        hour = os.path.join(folder, 'hour.capture')
        simulate(plumbline, 'healthy', 60, hour)
        code, first = replay([plumbline], hour)
        tap.check(code == 0 and first.count(b'/live') > 3000, 'an hour is played')
        tap.check(replay([plumbline], hour) == (0, first), 'an hour gives the same bytes twice')
        elsewhere = {'TZ': 'Pacific/Chatham', 'LC_ALL': 'C', 'HOME': folder, 'LANG': 'de_DE.UTF-8'}
        tap.check(replay([plumbline], hour, **elsewhere) == (0, first),
                  'whatever the zone and the language of the machine')
        packed = hour + '.gz'
        with open(hour, 'rb') as source, gzip.open(packed, 'wb') as target:
            shutil.copyfileobj(source, target)
        tap.check(replay([plumbline], packed) == (0, first), 'compressed, too')

        short = os.path.join(folder, 'short.capture')
        simulate(plumbline, 'dropout', 4, short)
        code, plain = replay([plumbline], short)
        tap.check(code == 0 and b'/summary' in plain, 'a short run is played')
        if not suppressions or shutil.which('valgrind') is None:
            tap.skip('the same under valgrind', 'there is no valgrind for it')
        else:
            command = [*VALGRIND, '--suppressions=' + suppressions[0], plumbline]
            tap.check(replay(command, short) == (0, plain), 'the same under valgrind')
    print('1..%d' % tap.count)
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
