#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Made-up runs through the whole program: what `plumbline replay` prints of them.

Every message of every case is held against message_rules.py.

usage: replayed-runs.py PLUMBLINE

Prints TAP."""

import math
import sys

from cases import equal, first, main, near, of, one, play
from made_captures import BATTERY, PERSON, SENSORS, Capture
from message_rules import need


def man_impulse(bpm, seconds, rest=55, most=185):
    share = min(max((bpm - rest) / (most - rest), 0), 1)
    return seconds / 60 * share * 0.64 * math.exp(1.92 * share)


# -- a run ---------------------------------------------------------------------------------

def easy_run():
    capture = Capture()
    capture.run(30, 100, 0)
    capture.run(600, 120, 3)
    capture.run(60, 110, 0)
    capture.run(600, 140, 3.5)
    capture.run(370, 120, 0)
    return capture


def case_phases(player):
    done = play(player, easy_run(), PERSON + SENSORS)
    phases = [(p['phase'], p['since'][11:19]) for p in done.payloads('athlete/r1/state')]
    equal('phases', phases, [
        ('warmup', '06:00:40'), ('running', '06:03:34'), ('paused', '06:10:45'),
        ('walking', '06:11:31'), ('running', '06:11:35'), ('paused', '06:21:45'),
        ('ended', '06:26:30'), ('idle', '06:27:30')])
    run = '20260302T060030Z-r1'
    lives = done.payloads('r1/live')
    equal('lives', len(lives), 1659)  # the last second has no end
    equal('lives in the run', sum('run' in p for p in lives), 1590 - 40)
    equal('runs', {p['run'] for p in lives if 'run' in p}, {run})
    equal('recorders', len(done.payloads('r1/ha')), 1660 // 5)
    equal('boards', len(done.payloads('squad/board')), 1659)
    state = done.payloads('athlete/r1/state')[0]
    equal('state', (state['run'], state['sensors']), (run, ['strap', 'pod']))
    need('run' not in done.payloads('athlete/r1/state')[-1], 'an idle athlete in a run')


def case_order(player):
    """States come before the live message of their second, summaries before their event."""
    done = play(player, easy_run(), PERSON + SENSORS)
    started = first(done, of('/event', code='run-started'))
    warmup = first(done, of('r1/state', phase='warmup'))
    in_run = first(done, lambda m: m['topic'].endswith('r1/live') and 'run' in m['payload'])
    need(started < warmup < in_run, 'start:', started, warmup, in_run)
    laps = [i for i, m in enumerate(done.messages) if m['topic'].endswith('/lap')]
    summary = first(done, of('/summary'))
    finished = first(done, of('/event', code='run-finished'))
    ended = first(done, of('r1/state', phase='ended'))
    need(laps[-1] < summary < finished < ended, 'end:', laps[-1], summary, finished, ended)
    equal('between summary and event', finished, summary + 1)
    for payload in (one(done.events('run-started')), one(done.events('run-finished'))):
        equal('event', (payload['athlete'], payload['run']), ('r1', '20260302T060030Z-r1'))


def case_summary(player):
    summary = one(play(player, easy_run(), PERSON + SENSORS).payloads('/summary'))
    equal('start and end', (summary['start'][11:], summary['end'][11:]),
          ('06:00:30.000Z', '06:21:30.000Z'))
    equal('elapsed', summary['elapsed_s'], 1260)
    near('moving', summary['moving_s'], 1200, 2)
    near('distance', summary['distance_m'], 3900, 3.1)
    near('steps', summary['steps'], 3400, 4)
    near('heart rate', summary['heart_rate_bpm']['mean'], 130, 0.2)
    equal('fastest', summary['speed_m_s']['max'], 3.5)
    trimp = man_impulse(120, 600) + man_impulse(110, 60) + man_impulse(140, 600)
    near('trimp', summary['trimp'], trimp, 0.2)
    near('hr_tss', summary['hr_tss'], 100 * trimp / 146.240509, 0.2)
    # of 185: 120 is 64.9 %, 110 is 59.5 %, 140 is 75.7 %
    near('edwards', summary['trimp_edwards'], 10 * 2 + 1 * 1 + 10 * 3, 0.2)
    near('lucia', summary['trimp_lucia'], 21, 0.1)
    speed = (600 * 3 + 600 * 3.5) / 1200
    near('efficiency', summary['efficiency_m_per_beat'], 60 * speed / 130, 0.003)
    # by threshold: up to 136 is zone 1, from there zone 2
    # (a leap of 30 bpm is doubted for 3 s, and the mean of 5 s has to follow)
    near('zone 1', summary['zones_s'][1], 667, 1)
    near('zone 2', summary['zones_s'][2], 593, 1)
    equal('other zones', sum(summary['zones_s']) - sum(summary['zones_s'][1:3]), 0)
    equal('coverage', {summary['coverage'][key] for key in ('strap', 'pod', 'heart_rate_bpm')},
          {100})
    equal('load', summary['load'], {'spike_state': 'unknown'})
    near('laps', sum(float(lap['distance_m']) for lap in summary['laps']),
         float(summary['distance_m']), 0.3)
    equal('numbers', [lap['number'] for lap in summary['laps']], [1, 2, 3, 4])
    need('3.90 km' in summary['title'], summary['title'])


def case_laps(player):
    done = play(player, easy_run(), PERSON + SENSORS)
    laps = done.payloads('r1/lap')
    summary = one(done.payloads('/summary'))
    for lap, entry in zip(laps, summary['laps']):
        equal('lap', {key: lap[key] for key in entry}, entry)
    near('first lap', laps[0]['distance_m'], 1000, 3.1)
    equal('starts', [lap['start'] for lap in laps][0], summary['start'])
    equal('run', {lap['run'] for lap in laps}, {summary['run']})


def case_same_twice(player):
    done = [player.play(easy_run(), PERSON + SENSORS) for _ in range(2)]
    need(done[0].out == done[1].out and done[0].out, 'two replays differ')


def case_at_any_speed(player):
    """However fast it is played, the same comes out."""
    capture = Capture()
    capture.run(70, 150, 3)
    capture.end()
    outputs = {player.play(capture, PERSON + SENSORS, options=['--speed', speed]).out
               for speed in ('max', '150', '2000')}
    equal('outputs', len(outputs), 1)


def case_beats(player):
    capture = easy_run()
    lives = play(player, capture).payloads('r1/live')
    got = [float(ms) for live in lives for ms in live.get('rr_ms', [])]
    equal('beats', len(got), len(capture.beats))
    need(all(abs(a - b) < 0.001 for a, b in zip(got, capture.beats)), 'beats differ')


# -- what it does without ------------------------------------------------------------------

def case_stranger(player):
    """Sensors from the header, an athlete of whom nothing is known."""
    done = play(player, easy_run())
    summary = one(done.payloads('/summary'))
    equal('athlete', summary['athlete'], 'r1')
    live = done.payloads('r1/live')[600]
    need(0 < live['confidence']['heart_zone'] < 0.5, live)
    need(0 < live['confidence']['trimp'] < 0.5, live)


def case_strap_alone(player):
    capture = Capture()
    capture.run(600, 150, None)
    done = play(player, capture)
    equal('phases', done.payloads('athlete/r1/state'), [])
    equal('missing', {p['missing'].get('speed_m_s') for p in done.payloads('r1/live')},
          {'no-sensor'})


def case_heart_lost(player):
    """A third of the heart rate is missing: the rest stands for it, and it is said."""
    capture = Capture()
    capture.run(800, 150, 3)
    capture.run(400, None, 3)
    capture.end()
    summary = one(play(player, capture, PERSON + SENSORS).payloads('/summary'))
    share = float(summary['coverage']['heart_rate_bpm'])
    near('coverage', share, 100 * 804 / 1200, 0.2)
    near('strap', summary['coverage']['strap'], 100 * 801 / 1200, 0.2)
    near('trimp', summary['trimp'], man_impulse(150, 1200), 0.3)
    capture = Capture()
    capture.run(500, 150, 3)
    capture.run(700, None, 3)
    capture.end()
    summary = one(play(player, capture, PERSON + SENSORS).payloads('/summary'))
    need('trimp' not in summary and 'hr_tss' not in summary, 'an impulse of less than half')


def case_silence(player):
    """Nothing streams: nothing is said; the run ends where the sensors fell silent."""
    capture = Capture()
    capture.run(300, 150, 3)
    capture.t += 100
    capture.run(1, None, 0)
    done = play(player, capture, PERSON + SENSORS)
    summary = one(done.payloads('/summary'))
    near('distance', summary['distance_m'], 900, 3.1)
    times = [p['time'] for p in done.payloads('r1/live')]
    need('2026-03-02T06:06:00.000Z' not in times, 'live without a sensor')
    link = [p['link'] for p in done.payloads('sensor/strap/state')]
    need('stale' in link and link[-1] in ('stale', 'absent'), link[-3:])


def case_capture_breaks_off(player):
    """Without an end the sensors are silent for good, and the run ends as it does then."""
    capture = Capture()
    capture.run(300, 150, 3)
    done = play(player, capture, PERSON + SENSORS)
    equal('end', one(done.payloads('/summary'))['end'][14:19], '05:01')
    equal('finished', one(done.events('run-finished'))['time'][14:19], '10:01')
    equal('link', done.payloads('sensor/strap/state')[-1]['link'], 'absent')


def case_nothing_comes_of_it(player):
    capture = Capture()
    for _ in range(10):
        capture.run(8, 80, 1.2)
        capture.run(20, 75, 0)
    capture.run(8, 100, 3)
    capture.end()
    done = play(player, capture)
    for end in ('/summary', '/lap', '/warning', 'athlete/r1/state'):
        equal(end, done.payloads(end), [])
    equal('events', {e['code'] for e in done.payloads('/event')}, {'joined'})


# -- the rest ------------------------------------------------------------------------------

def case_commands(player):
    capture = Capture()
    capture.run(100, 90, None)
    capture.command('run-start', athlete='r1', after=0.25)
    capture.run(300, 150, None)
    capture.command('lap', athlete='r1')
    capture.run(100, 150, None)
    capture.command('run-pause', athlete='r1')
    capture.run(60, 110, None)
    capture.command('run-resume', athlete='r1')
    capture.run(100, 150, None)
    capture.command('run-stop', athlete='r1')
    capture.command('run-stop', athlete='nobody')
    capture.command('log-pain', athlete='r1', score=2)
    capture.run(100, 90, None)
    done = play(player, capture, PERSON + SENSORS)
    summary = one(done.payloads('/summary'))
    equal('times', (summary['elapsed_s'], summary['moving_s']), (560, 500))
    equal('title', summary['title'], '8:20')
    equal('start', summary['start'][14:], '01:40.250Z')
    equal('laps', [lap['elapsed_s'] for lap in summary['laps']], [300, 260])
    equal('phases', [p['phase'] for p in done.payloads('athlete/r1/state')],
          ['warmup', 'running', 'paused', 'walking', 'running', 'ended', 'idle'])


def case_stop_while_running(player):
    """A runner who stops the run and jogs home has not begun another."""
    capture = Capture()
    capture.run(300, 150, 3)
    capture.command('run-stop', athlete='r1')
    capture.run(120, 140, 2.5)
    done = play(player, capture, PERSON + SENSORS)
    equal('runs', len(done.events('run-started')), 1)
    equal('elapsed', one(done.payloads('/summary'))['elapsed_s'], 300)


def case_battery(player):
    capture = Capture()
    capture.run(10, 100, 0)
    capture.value('strap', BATTERY, [87])
    capture.run(10, 100, 0)
    capture.value('strap', BATTERY, [101])
    capture.value('strap', BATTERY, [])
    capture.run(30, 100, 0)
    done = play(player, capture)
    levels = [p.get('battery_pct') for p in done.payloads('sensor/strap/state')]
    need(levels[0] is None and levels[-1] == 87, levels)


def case_two_runners(player):
    sensors = {name: {'mount': mount} for name, mount in
               (('strap', 'chest'), ('pod', 'left-foot'), ('strap2', 'chest'), ('pod2', 'left-foot'))}
    capture = Capture(sensors=sensors)
    counter = 0
    for _ in range(120):
        counter += 2.5
        capture.heart(170, sensor='strap2')
        capture.stride(2.5, 160, sensor='pod2', counter=counter)
        capture.run(1, 140, 3)
    capture.end()
    config = PERSON + '[athlete r2]\nmax-heart-rate = 190\n' + SENSORS + '''[sensor strap2]
address = F2:11:22:33:44:03
athlete = r2
[sensor pod2]
address = F2:11:22:33:44:04
athlete = r2
'''
    done = play(player, capture, config)
    equal('runs', [s['run'][-2:] for s in done.payloads('/summary')], ['r1', 'r2'])
    for athlete, metres in (('r1', 360), ('r2', 300)):
        near(athlete, one(done.payloads(athlete + '/summary'))['distance_m'], metres, 3.1)
    rows = done.payloads('squad/board')[-1]['rows']
    equal('rows', [row['athlete'] for row in rows], ['r1', 'r2'])
    equal('lives', {p['athlete'] for p in done.payloads('r2/live')}, {'r2'})


def case_language_and_units(player):
    done = play(player, easy_run(), '[gateway]\nlanguage = de\nunits = imperial\n' + PERSON + SENSORS)
    summary = one(done.payloads('/summary'))
    need('mi' in summary['title'] and 'Herzfrequenz' in summary['text'], summary['text'])


def case_laps_on_the_way(player):
    """Nobody hears of laps before it is a run."""
    config = '[run]\nlap-m = 200\n' + PERSON + SENSORS
    capture = Capture()
    capture.run(600, 100, 1.2)
    capture.run(30, 90, 0)
    capture.run(350, 100, 1.2)
    capture.run(100, 150, 3)
    capture.end()
    done = play(player, capture, config)
    laps = done.payloads('r1/lap')
    equal('numbers', [lap['number'] for lap in laps], [1, 2, 3, 4])
    near('first', laps[0]['distance_m'], 200, 3.1)
    started = first(done, of('/event', code='run-started'))
    equal('after the start', first(done, of('r1/lap')), started + 1)
    equal('in the summary', len(one(done.payloads('/summary'))['laps']), 4)


def case_many_laps(player):
    """A summary has room for however many laps there are."""
    capture = Capture()
    capture.run(6000, 150, 4)
    capture.end()
    done = play(player, capture, '[run]\nlap-m = 10\n' + PERSON + SENSORS)
    summary = one(done.payloads('/summary'))
    need(len(summary['laps']) > 1900, len(summary['laps']))
    equal('laps', len(done.payloads('r1/lap')), len(summary['laps']))


if __name__ == '__main__':
    sys.exit(main(globals()))
