# SPDX-License-Identifier: Apache-2.0
"""Cases of tests that play captures: every message of each is held against message_rules.py."""

import sys
import tempfile
import traceback

from made_captures import Player
from message_rules import Broken, check_all, need


def near(what, got, want, tolerance):
    need(got is not None and abs(float(got) - want) <= tolerance, what, 'is', got, 'not', want)


def equal(what, got, want):
    need(got == want, what, 'is', got, 'not', want)


def one(payloads):
    equal('the number of them', len(payloads), 1)
    return payloads[0]


def play(player, capture, config=None, state=None):
    done = player.play(capture, config, state)
    need(done.code == 0 and done.err == '', 'exit', done.code, done.err)
    check_all(done.messages, done.out.decode())
    return done


def first(done, good):
    return next(i for i, m in enumerate(done.messages) if good(m))


def of(end, **members):
    return lambda m: m['topic'].endswith(end) and all(
        m['payload'].get(key) == value for key, value in members.items())


def main(cases):
    """Runs all functions called case_...; prints TAP."""
    cases = [(name[5:].replace('_', ' '), case) for name, case in sorted(cases.items())
             if name.startswith('case_')]
    failed = 0
    print('1..%d' % len(cases), flush=True)
    for number, (name, case) in enumerate(cases, 1):
        with tempfile.TemporaryDirectory() as directory:
            try:
                case(Player(sys.argv[1], directory))
                print('ok %d - %s' % (number, name), flush=True)
            except (Broken, StopIteration, KeyError, ValueError) as error:
                failed += 1
                print('not ok %d - %s' % (number, name), flush=True)
                for line in (traceback.format_exc() + str(error)[:3000]).splitlines():
                    print('# ' + line[:3000], flush=True)
    return 1 if failed else 0
