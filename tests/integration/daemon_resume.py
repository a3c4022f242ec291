# SPDX-License-Identifier: Apache-2.0
"""Runs and messages survive the end of the daemon and of the broker."""

import collections
import signal
import time

from daemon_bed import expect, strict, wait_until, wall

RUN = '[run]\nstart-after-s = 2\npause-after-s = 3\nend-after-s = %d\nlap-m = 10\n'
WARNING = '[athlete r1]\nmax-heart-rate = 190\n' \
    '[warning heart-rate-cap]\nenter = 90\nexit = 80\nhold-s = 5\nclear-s = 5\ncooldown-s = 0\n'
SPOOLED = 'gateway/gw/event', 'athlete/r1/warning', 'athlete/r1/lap', 'athlete/r1/summary'


def killed_in_a_run(bed):
    """Killed in the middle of a run and started again: the same run goes on, nothing is counted
    anew, and its summary covers both halves."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, RUN % 60)
    daemon = bed.daemon('--source', 'simulate=quick')
    run = watcher.wait('gateway/gw/event', code='run-started')['run']
    before = watcher.wait('athlete/r1/live', count=12, run=run)
    daemon.end(signal.SIGKILL)
    watcher.wait('gateway/gw/status', state='offline')  # the will, after what was on its way
    before = watcher.payloads('athlete/r1/live')[-1]

    daemon = bed.daemon('--source', 'simulate=quick')
    known = len(watcher.payloads('athlete/r1/live'))
    daemon.wait_log('going on with run ' + run)
    watcher.wait('athlete/r1/live', count=known + 12)
    after = watcher.payloads('athlete/r1/live')[known:]
    expect({live.get('run') for live in after} == {run}, 'the same run goes on: %s' % after[0])
    gap = seconds_between(before, after[0])
    expect(abs(after[0]['elapsed_s'] - before['elapsed_s'] - gap) < 7,
           'elapsed %d s, then %d s after a gap of %.1f s' % (
               before['elapsed_s'], after[0]['elapsed_s'], gap))
    # The last seconds may not have been written yet; nothing is won by a restart.
    expect(before['distance_m'] - 25 < after[0]['distance_m'] < before['distance_m'] + 3 * gap,
           'distance: %s' % [before['distance_m'], after[0]['distance_m'], gap])
    distances = [live['distance_m'] for live in after]
    expect(distances == sorted(distances), 'distance never falls: %s' % distances)
    expect(len(watcher.all('gateway/gw/event', code='run-started')) == 1, 'started once')
    check_end_of_both_halves(bed, watcher, daemon, run)


def seconds_between(first, second):
    return wall(second['time']) - wall(first['time'])


def check_end_of_both_halves(bed, watcher, daemon, run):
    """Nobody listens for longer than a run may rest: it is over when the daemon comes back."""
    watcher.wait('athlete/r1/live', count=len(watcher.payloads('athlete/r1/live')) + 10)
    last = watcher.payloads('athlete/r1/live', run=run)[-1]
    expect(daemon.end() == 0, 'exit code')
    bed.configure(watcher.broker, RUN % 10)
    wait_until(lambda: time.time() - wall(last['time']) > 12, 'the end of a run')
    bed.daemon('--source', 'simulate=quick')
    summary = watcher.wait('athlete/r1/summary', run=run)
    expect(abs(summary['elapsed_s'] - last['elapsed_s']) < 10, summary)
    expect(abs(summary['distance_m'] - last['distance_m']) < 30, summary)
    numbers = [lap['number'] for lap in summary['laps']]
    expect(numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 3, summary['laps'])
    seen = [lap['number'] for lap in watcher.payloads('athlete/r1/lap', run=run)]
    expect(sorted(set(seen)) == numbers[:len(set(seen))], 'laps %s, in the summary %s' % (
        seen, numbers))
    shown = strict(bed.cli('show', run, '--json').stdout)
    expect(shown['distance_m'] == summary['distance_m'], 'the store has it, too')


def replayed(bed, capture):
    """What a capture gives that must not be lost, as (topic, what it is)."""
    done = bed.run(bed.plumbline, 'replay', capture, '-c', bed.file('plumbline.conf'))
    expect(done.returncode == 0, done.stderr)
    messages = [strict(line) for line in done.stdout.splitlines()]
    for message in messages:
        message['rest'] = message['topic'].split('/', 1)[1]
    return [identity(m) for m in messages if m['rest'] in SPOOLED]


def identity(message):
    payload = message['payload']
    keys = 'code', 'state', 'number', 'distance_m', 'sensor'
    return (message['rest'], *(payload.get(key) for key in keys))


def received(watcher):
    """The same of what came over MQTT; a message that came twice counts once."""
    once = collections.OrderedDict()
    for message in list(watcher.messages):
        if message['rest'] in SPOOLED:
            once.setdefault(message['payload']['seq'], message)
    return [m for m in once.values()
            if m['payload'].get('code') not in ('spool-start', 'spool-end')]


def order_of(messages):
    return [m['payload']['seq'] for m in messages]


def broker_down(bed):
    """The broker is gone for half a minute, in which a run has laps and a warning, and ends:
    all of that comes afterwards, in order, marked late."""
    broker = bed.broker(persistent=True)
    watcher = bed.watcher(broker)
    bed.configure(broker, (RUN % 60).replace('10\n', '100\n') + WARNING)
    capture = bed.capture(minutes=6)
    daemon = bed.daemon('--source', 'replay=' + capture, '--speed', '15')
    watcher.wait('athlete/r1/lap')
    broker.end()
    daemon.wait_log('kept on disk')
    down = time.monotonic()
    daemon.wait_log('replay is over', seconds=60)
    wait_until(lambda: time.monotonic() - down > 30, 'half a minute', 60)
    before = len(watcher.messages)
    broker.start()
    watcher.wait('gateway/gw/event', code='run-finished', seconds=90)
    watcher.wait('gateway/gw/event', code='spool-end')
    check_late(watcher, before)
    check_complete_set(bed, watcher, capture)


def check_late(watcher, before):
    """What waited is marked, in order, and after the states; live values never are."""
    since = list(watcher.messages)[before:]
    late = [m for m in since if m['payload'].get('late')]
    expect({m['rest'] for m in late} == set(SPOOLED), {m['rest'] for m in late})
    expect(order_of(late) == sorted(order_of(late)), 'in order: %s' % order_of(late))
    waited = [m for m in since if m['rest'] in SPOOLED and not m['payload'].get('late') and
              m['payload'].get('code') != 'spool-end' and not m['rest'].endswith('summary')]
    expect(not waited, 'not marked: %s' % waited[:3])
    expect(not [m for m in since if m['rest'].endswith('/live') and 'late' in m['payload']], 'live')
    status = [i for i, m in enumerate(since) if m['rest'] == 'gateway/gw/status']
    first = next(i for i, m in enumerate(since) if m['payload'].get('late'))
    expect(any(since[i]['payload']['state'] == 'online' and i < first for i in status),
           'online comes before what waited')


def check_complete_set(bed, watcher, capture):
    want = replayed(bed, capture)
    got = [identity(m) for m in received(watcher)]
    codes = {code for topic, code, *_ in got if topic == 'athlete/r1/warning'}
    expect(codes == {'heart-rate-cap'}, 'a warning was raised: %s' % codes)
    expect(sum(topic == 'athlete/r1/lap' for topic, *_ in got) > 2, 'laps')
    difference = collections.Counter(got)
    difference.subtract(want)
    wrong = {key: count for key, count in difference.items() if count}
    expect(not wrong, 'too many (+) or lost (-): %s' % wrong)


def broker_stopped(bed):
    """The broker is there and does not answer: noticed, nothing is lost, values go on after."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, (RUN % 60).replace('10\n', '100\n') + WARNING)
    capture = bed.capture(minutes=6)
    daemon = bed.daemon('--source', 'replay=' + capture, '--speed', '8')
    watcher.wait('athlete/r1/lap')
    broker.process.kill(signal.SIGSTOP)
    began = time.monotonic()
    try:
        daemon.wait_log('kept on disk', seconds=45)
        expect(time.monotonic() - began < 33, 'noticed after %.0f s' % (time.monotonic() - began))
        daemon.wait_log('replay is over', seconds=60)
    finally:
        broker.process.kill(signal.SIGCONT)
    watcher.wait('gateway/gw/event', code='run-finished', seconds=90)
    watcher.wait('gateway/gw/event', code='spool-end', seconds=60)
    check_complete_set(bed, watcher, capture)
    late = [m for m in watcher.messages if m['payload'].get('late')]
    expect(order_of(late) == sorted(order_of(late)), 'in order: %s' % order_of(late))


def absent_at_start(bed):
    """The broker comes later than the daemon: a whole run is told of, late."""
    broker = bed.broker(persistent=True)
    watcher = bed.watcher(broker)
    broker.end()
    bed.configure(broker, (RUN % 60).replace('10\n', '100\n') + WARNING)
    capture = bed.capture(minutes=4)
    daemon = bed.daemon('--source', 'replay=' + capture, '--speed', '30')
    daemon.wait_log('broker: ')
    daemon.wait_log('replay is over', seconds=60)
    expect(bed.status()['broker'] != 'connected', bed.status())
    broker.start()
    watcher.wait('gateway/gw/event', code='run-finished', seconds=90)
    watcher.wait('gateway/gw/event', code='spool-end')
    check_late(watcher, 0)
    check_complete_set(bed, watcher, capture)


def forgetful_broker(bed):
    """A broker that has lost everything is told every state anew, the last summary too."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'replay=' + bed.capture(minutes=4), '--speed', 'max')
    summary = watcher.wait('athlete/r1/summary')
    daemon.wait_log('replay is over')
    broker.end(signal.SIGKILL)
    daemon.wait_log('kept on disk')
    broker.start()
    daemon.wait_log('connected to the broker', 2)
    newcomer = bed.watcher(broker, 'newcomer')
    for rest in ('gateway/gw/status', 'gateway/gw/info', 'gateway/gw/health', 'athlete/r1/state',
                 'athlete/r1/warnings', 'sensor/strap/state', 'sensor/footpod/state'):
        newcomer.wait(rest, seconds=10)
    expect(newcomer.wait('athlete/r1/summary')['run'] == summary['run'], 'the last summary')


CASES = (killed_in_a_run, broker_stopped, broker_down, absent_at_start, forgetful_broker)
