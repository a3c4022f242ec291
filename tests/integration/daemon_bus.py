# SPDX-License-Identifier: Apache-2.0
"""The daemon with real sensors on a machine whose D-Bus and bluetoothd come and go."""

import shutil

from daemon_bed import expect, wait_until

SENSOR = '[athlete r1]\n[sensor strap]\naddress = C0:00:00:00:00:01\nathlete = r1\nmount = chest\n'
BUS = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>%s</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
'''


def start_bus(bed):
    config = bed.write('bus.conf', BUS % bed.environment['DBUS_SYSTEM_BUS_ADDRESS'])
    return bed.start(['dbus-daemon', '--nofork', '--config-file=' + config], 'bus.log')


def problems(bed):
    return [problem['code'] for problem in bed.status()['problems']]


def wait_problem(bed, code, present=True):
    wait_until(lambda: (code in problems(bed)) == present, 'problem %s: %s' % (code, present), 60)


def comes_and_goes(bed):
    """No bus: it runs, and says so once.  A bus, bluetoothd, a strap: each is noticed when it
    comes.  bluetoothd gone: waits.  The bus gone: ends, for the service manager to start it."""
    if shutil.which('dbus-daemon') is None:
        return
    bed.environment.pop('G_DEBUG', None)  # that the bus is gone is told as critical
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, SENSOR)
    daemon = bed.daemon('--source', 'bluetooth')
    watcher.wait('gateway/gw/status', state='online')
    wait_problem(bed, 'no-dbus')
    expect(watcher.wait('sensor/strap/state')['link'] == 'absent', 'the strap is absent')
    daemon.wait_log('There is no system bus', seconds=60)

    bus = start_bus(bed)
    wait_problem(bed, 'no-bluetoothd')
    radio = bed.start([bed.more[0]], 'bluetoothd.log')
    live = watcher.wait('athlete/r1/live', seconds=60, heart_rate_bpm=60)
    expect(live['phase'] == 'idle', live)
    expect(not {'no-dbus', 'no-bluetoothd', 'no-adapter'} & set(problems(bed)), problems(bed))

    radio.end()
    wait_problem(bed, 'no-bluetoothd')
    radio = bed.start([bed.more[0]], 'bluetoothd.log')
    known = len(watcher.messages)
    wait_until(lambda: any(m['rest'] == 'athlete/r1/live' and m['payload'].get('heart_rate_bpm')
                           for m in watcher.messages[known:]), 'live values again', 60)
    expect(daemon.text().count('<4>There is no system bus') == 1, 'the log says it once')

    bus.end()
    code = daemon.wait_exit()
    expect(code == 1, 'exit code %d without a bus' % code)
    daemon.wait_log('bus is gone')


def ready_without(bed):
    """Without Bluetooth it is terminated as quickly as with it."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, SENSOR)
    daemon = bed.daemon()
    health = watcher.wait('gateway/gw/health')
    expect('no-dbus' in [problem['code'] for problem in health['problems']], health['problems'])
    expect(all(problem['text'] and problem['hint'] for problem in health['problems']), health)
    expect(daemon.end() == 0, 'exit code')


CASES = (comes_and_goes, ready_without)
