#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Warnings of made-up runs, and what earlier runs have to do with them.

usage: replayed-warnings.py PLUMBLINE

Prints TAP."""

import sys

from cases import equal, main, near, one, play
from made_captures import PERSON, SENSORS, Capture
from message_rules import need


def case_cap(player):
    """142.4 is the cap of an easy run by a threshold of 160."""
    capture = Capture()
    for bpm in (130, 150, 130, 150, 130):
        capture.run(120, bpm, 3)
    capture.end()
    done = play(player, capture, PERSON + 'effort = easy\n' + SENSORS)
    warnings = done.payloads('r1/warning')
    equal('states', [w['state'] for w in warnings],
          ['raised', 'cleared', 'suppressed', 'cleared'])
    run = '20260302T060000Z-r1'
    equal('ids', [w['id'] for w in warnings], [run + '-1'] * 2 + [run + '-2'] * 2)
    raised, cleared = warnings[:2]
    equal('time', (raised['time'][11:19], cleared['time'][11:19]), ('06:03:15', '06:04:45'))
    equal('since', cleared['since'], raised['since'])
    equal('value', (float(raised['value']), raised['unit'], float(raised['limit'])),
          (150, 'bpm', 142.4))
    equal('inputs', raised['inputs'], ['heart_rate_bpm'])
    need(raised['advice'] != cleared['advice'], 'advice to somebody who has followed it')
    lists = [w['active'] for w in done.payloads('r1/warnings')]
    equal('lists', lists, [['heart-rate-cap'], [], [], []])
    for i, message in enumerate(done.messages):
        if message['topic'].endswith('r1/warning'):
            equal('next', done.messages[i + 1]['topic'], 'plumbline/athlete/r1/warnings')
    active = [p['time'][14:19] for p in done.payloads('r1/live') if p['warnings']]
    equal('live', (active[0], active[-1], len(active)), ('03:15', '04:44', 90))
    entry = one(one(done.payloads('/summary'))['warnings'])
    equal('total', {key: entry[key] for key in entry},
          {'code': 'heart-rate-cap', 'count': 1, 'first_s': 195, 'seconds': 90})
    boards = done.payloads('squad/board')
    equal('attention', {b['rows'][0]['attention'] for b in boards}, {0, 2})


def case_cap_at_the_end(player):
    """What lasts until the run is over has lasted as long as it."""
    capture = Capture()
    capture.run(300, 150, 3)
    capture.run(310, 150, 0)
    done = play(player, capture, PERSON + 'effort = easy\n' + SENSORS)
    entry = one(one(done.payloads('/summary'))['warnings'])
    equal('total', (entry['first_s'], entry['seconds']), (80, 220))


def case_sensor_problem(player):
    """The strap is lost in the run; afterwards it is only taken off."""
    capture = Capture()
    capture.run(300, 150, 3)
    capture.event('strap', 'disconnected')
    capture.run(60, None, 3)
    capture.run(240, 150, 3)
    capture.run(30, 110, 0)
    capture.event('strap', 'disconnected')
    capture.run(300, None, 0)
    done = play(player, capture, PERSON + SENSORS)
    warnings = done.payloads('r1/warning')
    equal('warnings', [(w['code'], w['state'], w['inputs']) for w in warnings],
          [('sensor-problem', 'raised', ['strap']), ('sensor-problem', 'cleared', ['strap'])])
    need('value' not in warnings[0] and 'unit' not in warnings[0], warnings[0])
    summary = one(done.payloads('/summary'))
    equal('total', one(summary['warnings'])['count'], 1)
    near('strap', summary['coverage']['strap'], 90, 1)
    equal('pod', summary['coverage']['pod'], 100)


def kilometres(start, km):
    capture = Capture(start)
    capture.run(round(km * 250), 140, 4)
    capture.end()
    return capture


def case_spike(player):
    """12 km, and three weeks later 25."""
    first_run = play(player, kilometres('2026-03-02T06:00:00.000Z', 12), PERSON + SENSORS, 'a')
    equal('at first', one(first_run.payloads('/summary'))['load'], {'spike_state': 'unknown'})
    done = play(player, kilometres('2026-03-23T06:00:00.000Z', 25), PERSON + SENSORS, 'a')
    raised = [w for w in done.payloads('r1/warning') if w['state'] == 'raised']
    equal('number', len(raised), 4)
    for warning, metres, limit in zip(raised, (12700, 13200, 15600, 24000),
                                      (13200, 13200, 15600, 24000)):
        near('value', warning['value'], metres, 8)
        near('limit', warning['limit'], limit, 8.1)
        equal('inputs', warning['inputs'], ['distance_m'])
        near('baseline', warning['baseline'], 12000, 4.1)
    equal('advice', raised[1]['advice'], 'You are 10 % past your longest run of 30 days. '
          'Ending soon keeps the step small.')
    cleared = [w for w in done.payloads('r1/warning') if w['state'] == 'cleared']
    equal('titles', [w['title'] for w in cleared], [w['title'] for w in raised])
    summary = one(done.payloads('/summary'))
    equal('state', summary['load']['spike_state'], 'large')
    near('longest', summary['load']['longest_30d_m'], 12000, 4.1)
    near('next', summary['load']['next_run_limit_m'], 27500, 5)
    equal('count', one(summary['warnings'])['count'], 4)
    need(summary['advice'], 'no advice')


def case_spike_states(player):
    """Small, moderate and large begin above 10, 30 and 100 %."""
    for km, state in ((10.9, 'reference'), (12.9, 'small'), (19.9, 'moderate'), (20.1, 'large')):
        where = 'states-%s' % state
        play(player, kilometres('2026-03-02T06:00:00.000Z', 10), PERSON + SENSORS, where)
        done = play(player, kilometres('2026-03-20T06:00:00.000Z', km), PERSON + SENSORS, where)
        summary = one(done.payloads('/summary'))
        equal(km, summary['load']['spike_state'], state)
        equal('advice', len(summary['advice']), 0 if state == 'reference' else 1)


def case_spike_after_a_break(player):
    """Nobody has a longest run of 30 days after 40: half of what was, and it is a guess."""
    play(player, kilometres('2026-03-02T06:00:00.000Z', 12), PERSON + SENSORS, 'b')
    done = play(player, kilometres('2026-04-11T06:00:00.000Z', 7), PERSON + SENSORS, 'b')
    raised = [w for w in done.payloads('r1/warning') if w['state'] == 'raised']
    near('baseline', raised[0]['baseline'], 6000, 2.1)
    equal('confidence', {float(w['confidence']) for w in raised}, {0.4})
    need('30 days' not in raised[0]['advice'], raised[0]['advice'])


def case_spike_after_a_coffee(player):
    """Two runs with less than half an hour between them are one outing."""
    play(player, kilometres('2026-03-02T06:00:00.000Z', 12), PERSON + SENSORS, 'd')
    play(player, kilometres('2026-03-23T06:00:00.000Z', 9), PERSON + SENSORS, 'd')
    done = play(player, kilometres('2026-03-23T06:47:30.000Z', 5), PERSON + SENSORS, 'd')
    raised = [w for w in done.payloads('r1/warning') if w['state'] == 'raised']
    equal('number', len(raised), 2)
    near('value', raised[1]['value'], 13200, 8)
    load = one(done.payloads('/summary'))['load']
    equal('state', load['spike_state'], 'small')
    near('next', load['next_run_limit_m'], 1.1 * 14000, 15)


def case_spike_too_early(player):
    """With less than 14 days of records nothing is known."""
    play(player, kilometres('2026-03-02T06:00:00.000Z', 3), PERSON + SENSORS, 'c')
    done = play(player, kilometres('2026-03-12T06:00:00.000Z', 12), PERSON + SENSORS, 'c')
    equal('warnings', done.payloads('r1/warning'), [])
    equal('load', one(done.payloads('/summary'))['load'], {'spike_state': 'unknown'})


def case_time_zone(player):
    """Days are those of the runner: two weeks are over at midnight there."""
    for tz, state in (('UTC', 'unknown'), ('Pacific/Auckland', 'large')):
        where = tz.replace('/', '-')
        for start, km in (('2026-03-01T10:00:00.000Z', 3), ('2026-03-15T11:30:00.000Z', 7)):
            capture = kilometres(start, km)
            capture.header['tz'] = tz
            done = play(player, capture, PERSON + SENSORS, where)
        equal(tz, one(done.payloads('/summary'))['load']['spike_state'], state)


if __name__ == '__main__':
    sys.exit(main(globals()))
