# SPDX-License-Identifier: Apache-2.0
"""The whole daemon: what it publishes, how it starts, lives and ends."""

import os
import signal
import socket
import time

from daemon_bed import Control, expect, strict, wait_until


def live_values(bed):
    """Values within seconds; everything that a new subscriber needs is retained."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    began = time.monotonic()
    bed.daemon('--source', 'simulate')
    live = watcher.wait('athlete/r1/live', count=5)
    seconds = time.monotonic() - began
    expect(seconds < 15, 'five live messages took %.0f s' % seconds)
    expect(live['phase'] == 'idle' and 'run' not in live, live)
    expect(40 < live['heart_rate_bpm'] < 120, live)
    expect(live['speed_m_s'] == 0 or 'speed_m_s' in live['missing'], live)
    messages = watcher.all('athlete/r1/live')[:5]
    expect(all(m['qos'] == 0 and not m['retain'] for m in messages), 'live: QoS 0, not retained')
    steps = [b['at'] - a['at'] for a, b in zip(messages, messages[1:])]
    expect(sum(steps) < 8, 'live comes every second, not at %s' % steps)
    board = watcher.wait('squad/board')
    expect([row['athlete'] for row in board['rows']] == ['r1'], board)

    late = bed.watcher(broker, 'newcomer')
    expect(late.wait('gateway/gw/status') == {'state': 'online'}, 'status is retained')
    info = late.wait('gateway/gw/info')
    expect(info['athletes'] == ['r1'] and info['sensors'] == ['strap', 'footpod'], info)
    expect(not info['commands'] and info['commands_reason'], info)
    health = late.wait('gateway/gw/health')
    expect(health['mqtt']['connected'] and health['threads'] > 1 and health['fds'] > 3, health)
    for sensor in 'strap', 'footpod':
        expect(late.wait('sensor/%s/state' % sensor)['link'] == 'streaming', sensor)
    expect(late.wait('athlete/r1/state')['sensors'] == ['strap', 'footpod'], 'athlete state')
    expect(late.wait('athlete/r1/warnings')['active'] == [], 'warnings')
    expect(all(m['retain'] for m in late.all('gateway/gw/info')), 'what came at once was retained')


def retained_status(bed, broker):
    """What somebody who comes now is told of the gateway."""
    name = 'newcomer%d' % len(bed.watchers)
    return bed.watcher(broker, name).wait('gateway/gw/status')['state']


def will_after_kill(bed):
    """Killed, the broker tells that it is gone."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate')
    watcher.wait('gateway/gw/status', state='online')
    daemon.end(signal.SIGKILL)
    watcher.wait('gateway/gw/status', seconds=15, state='offline')
    expect(retained_status(bed, broker) == 'offline', 'the will is retained')


def terminate(bed):
    """Told to end, it says so itself, and soon."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate')
    watcher.wait('sensor/strap/state', link='streaming')
    began = time.monotonic()
    expect(daemon.end() == 0, 'exit code 0')
    expect(time.monotonic() - began < 10, 'within 10 s')
    watcher.wait('gateway/gw/status', seconds=5, state='offline')
    expect(retained_status(bed, broker) == 'offline', 'offline is retained')
    expect(watcher.all('gateway/gw/status')[-1]['payload'] == {'state': 'offline'},
           'offline is the last word')
    expect(not os.path.exists(bed.control), 'the control socket is gone')


def terminate_stalled(bed):
    """A broker that does not answer does not hold up the end."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate')
    watcher.wait('athlete/r1/live')
    broker.process.kill(signal.SIGSTOP)
    try:
        began = time.monotonic()
        expect(daemon.end() == 0, 'exit code 0')
        expect(time.monotonic() - began < 10, 'within 10 s')
    finally:
        broker.process.kill(signal.SIGCONT)


class ServiceManager:
    """The receiving end of sd_notify(3)."""

    def __init__(self, bed):
        self.path = bed.file('notify')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.said = []

    def read(self):
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.said
            for line in text.splitlines():
                self.said.append((time.monotonic(), *line.split('=', 1)))

    def all(self, key):
        return [(at, value) for at, word, value in self.read() if word == key]

    def wait(self, key, count=1, seconds=30):
        return wait_until(lambda: self.all(key)[count - 1:], key, seconds)[-1]


def notify(bed):
    """The protocol of a service manager: ready, status, signs of life, reloading, stopping."""
    broker = bed.broker()
    bed.configure(broker)
    manager = ServiceManager(bed)
    bed.environment.update(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC='30000000')
    daemon = bed.daemon('--source', 'simulate')
    expect(manager.wait('READY')[1] == '1', 'READY=1')
    expect('mqtt' in manager.wait('STATUS')[1], manager.all('STATUS'))
    first, second = manager.wait('WATCHDOG')[0], manager.wait('WATCHDOG', 2)[0]
    expect(second - first < 20, 'WATCHDOG=1 came %.0f s apart' % (second - first))
    daemon.kill(signal.SIGHUP)
    began = int(manager.wait('MONOTONIC_USEC')[1])
    expect(abs(began - time.monotonic() * 1e6) < 30e6, 'MONOTONIC_USEC is of now')
    manager.wait('READY', 2)
    bed.write('plumbline.conf', '[gateway]\nnme = gw\n')
    daemon.kill(signal.SIGHUP)
    manager.wait('READY', 3)
    wait_until(lambda: any('plumbline.conf:2' in text for _, text in manager.all('STATUS')),
               'a status with the place of the mistake', 2)
    expect(daemon.end() == 0, 'exit code')
    expect(manager.all('STOPPING'), 'STOPPING=1')
    order = [word for _, word, _ in manager.read()]
    expect(order.index('READY') < order.index('RELOADING') < order.index('STOPPING'), order)


def squad(bed):
    """Six runners at many times real time."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate=squad', '--speed', '30')
    athletes = ['r%d' % n for n in range(1, 7)]
    for athlete in athletes:
        live = watcher.wait('athlete/%s/live' % athlete, phase='running')
        expect(live['speed_m_s'] > 1.5 and live['heart_rate_bpm'] > 80, live)
    board = watcher.payloads('squad/board')[-1]
    expect(sorted(row['athlete'] for row in board['rows']) == athletes, board)
    runs = {watcher.payloads('athlete/%s/live' % a, phase='running')[0]['run'] for a in athletes}
    expect(len(runs) == 6, runs)
    expect(daemon.end() == 0, 'exit code')


def play_fast(bed):
    """A capture as fast as it goes: all that must not be lost arrives, as the command line
    prints it."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, '[run]\nlap-m = 100\n')
    path = bed.capture()
    bed.daemon('--source', 'replay=' + path, '--speed', 'max')
    summary = watcher.wait('athlete/r1/summary')
    watcher.wait('gateway/gw/event', code='run-finished')
    done = bed.run(bed.plumbline, 'replay', path, '-c', bed.file('plumbline.conf'))
    expect(done.returncode == 0, done.stderr)
    printed = [strict(line) for line in done.stdout.splitlines()]
    same = [m['payload'] for m in printed if m['topic'] == 'plumbline/athlete/r1/summary']
    for key in 'run', 'distance_m', 'elapsed_s', 'moving_s', 'steps', 'heart_rate_bpm', 'laps':
        expect(same[0][key] == summary[key], '%s: %s, replayed %s' % (key, summary[key], same[0][key]))
    laps = [m['payload']['number'] for m in printed if m['topic'] == 'plumbline/athlete/r1/lap']
    expect([lap['number'] for lap in watcher.payloads('athlete/r1/lap')] == laps, laps)


def play_at_speed(bed):
    """A capture at ten times real time."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    path = bed.capture(minutes=4)
    bed.daemon('--source', 'replay=' + path, '--speed', '10')
    watcher.wait('athlete/r1/live', count=10)
    began = watcher.all('athlete/r1/live')[0]['at']
    watcher.wait('athlete/r1/live', count=100)
    seconds = watcher.all('athlete/r1/live')[99]['at'] - began
    expect(5 < seconds < 20, '99 s took %.1f s' % seconds)


def resident_kib(process):
    with open('/proc/%d/status' % process.pid, encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS'))


def stalled_memory(bed):
    """A broker that takes nothing for a minute, with six runners: memory stays where it is."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate=squad', '--speed', '10')
    watcher.wait('athlete/r6/live', phase='running')
    broker.process.kill(signal.SIGSTOP)
    try:
        began = time.monotonic()
        sizes = {}
        while time.monotonic() - began < 60:
            sizes[time.monotonic() - began] = resident_kib(daemon)
            with Control(bed) as control:
                expect(control.ask('status')['status'] == 'ok', 'it answers')
            time.sleep(1)
        early = max(size for at, size in sizes.items() if at < 20)
        late = max(size for at, size in sizes.items() if at > 40)
        expect(late - early < 2048, 'from %d KiB to %d KiB' % (early, late))
    finally:
        broker.process.kill(signal.SIGCONT)
    newest = len(watcher.messages)
    wait_until(lambda: any(m['rest'] == 'athlete/r6/live' for m in watcher.messages[newest:]),
               'live values after the stall', 90)


CASES = (stalled_memory, live_values, will_after_kill, terminate, terminate_stalled, notify,
         squad, play_fast, play_at_speed)
