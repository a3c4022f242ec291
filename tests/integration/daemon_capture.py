# SPDX-License-Identifier: Apache-2.0
"""Runs that the daemon captures can be played again, and give the same."""

import os

from daemon_bed import expect, strict, wait_until, wall

CAPTURE = '[storage]\ncapture = true\n'


def captures(bed):
    folder = os.path.join(bed.state, 'captures')
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder))] \
        if os.path.isdir(folder) else []


def captured_run(bed):
    """A run at many times real time, captured; its replay has the same summary."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, CAPTURE)
    daemon = bed.daemon('--source', 'simulate=quick', '--speed', '15')
    summary = watcher.wait('athlete/r1/summary', seconds=90)
    (path,) = wait_until(lambda: captures(bed), 'the capture')
    expect(os.path.basename(path) == summary['run'] + '.capture.gz', path)
    expect(daemon.end() == 0, 'exit code')
    expect(os.stat(path).st_mode & 0o077 == 0, 'nobody else reads it')
    done = bed.run(bed.plumbline, 'replay', path, '-c', bed.file('plumbline.conf'))
    expect(done.returncode == 0, done.stderr)
    messages = [strict(line) for line in done.stdout.splitlines()]
    again = [m['payload'] for m in messages if m['topic'] == 'plumbline/athlete/r1/summary']
    expect(len(again) == 1, '%d summaries in the replay' % len(again))
    again = again[0]
    # The seconds of a replay begin with the capture, not with the daemon.
    starts = [wall(each['start']) for each in (again, summary)]
    expect(abs(starts[0] - starts[1]) <= 1, starts)
    expect(abs(again['distance_m'] - summary['distance_m']) <= 1, (
        again['distance_m'], summary['distance_m']))
    expect(abs(again['moving_s'] - summary['moving_s']) <= 2, (
        again['moving_s'], summary['moving_s']))
    expect(abs(again['heart_rate_bpm']['mean'] - summary['heart_rate_bpm']['mean']) <= 0.2, (
        again['heart_rate_bpm'], summary['heart_rate_bpm']))


def discarded_candidate(bed):
    """What was too short for a run leaves no capture behind."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, CAPTURE + '[run]\nstart-after-s = 600\n')
    daemon = bed.daemon('--source', 'simulate=quick', '--speed', '15')
    wait_until(lambda: captures(bed), 'the capture of what might become a run')
    wait_until(lambda: not captures(bed), 'its end', 60)
    expect(not watcher.all('gateway/gw/event', code='run-started'), 'no run was started')
    expect(daemon.end() == 0, 'exit code')
    expect(captures(bed) == [], captures(bed))


def no_capture(bed):
    """Nothing is captured that was not asked for."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker)
    daemon = bed.daemon('--source', 'simulate=quick', '--speed', '15')
    watcher.wait('gateway/gw/event', code='run-started')
    expect(daemon.end() == 0, 'exit code')
    expect(captures(bed) == [], captures(bed))


CASES = (captured_run, discarded_candidate, no_capture)
