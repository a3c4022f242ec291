# SPDX-License-Identifier: Apache-2.0
"""The configuration: checked before anything starts, and taken anew while everything runs."""

import os
import signal
import time

from daemon_bed import expect

CONFIG_ERROR = 78

# A configuration with a mistake, the line of it, and what the message has to say.
MISTAKES = {
    'no such group': ('[athlete r1 r2]\n', 1, 'too many words'),
    'unknown key': ('[gateway]\nnme = gw\n', 2, 'unknown key "nme"'),
    'unknown group': ('[gateways]\nname = gw\n', 1, 'gateways'),
    'duplicate key': ('[gateway]\nname = gw\nname = hw\n', 3, 'name'),
    'duplicate address': ('[athlete r1]\n[sensor a]\naddress = AA:BB:CC:DD:EE:01\nathlete = r1\n'
                          'mount = chest\n[sensor b]\naddress = aa:bb:cc:dd:ee:01\n'
                          'athlete = r1\nmount = left-foot\n', 7, 'AA:BB:CC:DD:EE:01'),
    'impossible value': ('[mqtt]\nport = 70000\n', 2, '1 to 65535'),
    'not a number': ('[run]\nlap-m = far\n', 2, 'lap-m'),
    'bad id': ('[athlete Max]\n', 1, 'a-z'),
    'unknown athlete': ('[sensor a]\naddress = AA:BB:CC:DD:EE:01\nathlete = r9\nmount = chest\n',
                        3, 'r9'),
    'unknown mount': ('[athlete r1]\n[sensor a]\naddress = AA:BB:CC:DD:EE:01\nathlete = r1\n'
                      'mount = knee\n', 5, 'chest'),
    'unknown warning': ('[warning hear-rate-cap]\nenter = 1\n', 1, 'heart-rate-cap'),
    'no password file': ('[mqtt]\nusername = gw\npassword-file = /nonexistent/password\n', 3,
                         '/nonexistent/password'),
    'not a key file': ('name = gw\n', 1, ''),
}


def check_reports(bed):
    """Every mistake is told with file, line and what is expected; nothing is started."""
    for name, (text, line, words) in MISTAKES.items():
        path = bed.write('bad.conf', text)
        for program in ([bed.plumblined, '--check'], [bed.plumblined, '--source', 'simulate'],
                        [bed.plumbline, 'config', 'check']):
            done = bed.run(*program, '-c', path, '--state-dir', bed.state)
            expect(done.returncode == CONFIG_ERROR, '%s: exit code %d' % (name, done.returncode))
            expect('%s:%d: ' % (path, line) in done.stderr, '%s: %s' % (name, done.stderr))
            expect(words.lower() in done.stderr.lower(), '%s: %s' % (name, done.stderr))
            expect(done.stdout == '', '%s: %s' % (name, done.stdout))
        expect(not os.path.exists(bed.state), '%s: something was started' % name)


def check_ok(bed):
    path = bed.write('good.conf', '[gateway]\nname = gw\n[athlete r1]\n')
    for program in [bed.plumblined, '--check'], [bed.plumbline, 'config', 'check']:
        done = bed.run(*program, '-c', path)
        expect((done.returncode, done.stdout, done.stderr) == (0, 'ok\n', ''), done)
    done = bed.run(bed.plumblined, '--check', '-c', bed.file('missing.conf'))
    expect(done.returncode == CONFIG_ERROR and 'missing.conf' in done.stderr, done)


def check_several(bed):
    """All mistakes at once, in the order of files and lines; conf.d counts."""
    path = bed.write('plumbline.conf', '[gateway]\nnme = gw\n[mqtt]\nport = 0\n')
    bed.write('conf.d/10-more.conf', '[run]\nlap-m = 0.5\n')
    done = bed.run(bed.plumblined, '--check', '-c', path)
    lines = done.stderr.splitlines()
    expect(done.returncode == CONFIG_ERROR and len(lines) == 3, done)
    expect([line.rsplit('/', 1)[1].split(': ')[0] for line in lines] ==
           ['plumbline.conf:2', 'plumbline.conf:4', '10-more.conf:2'], lines)


def check_secrets(bed):
    """A password that others may read, or that is no file, is refused without being told."""
    secret = bed.write('password', 'hush-hush\n', 0o644)
    path = bed.write('plumbline.conf', '[mqtt]\nusername = gw\npassword-file = %s\n' % secret)
    link = bed.file('link')
    os.symlink(secret, link)
    os.mkfifo(bed.file('pipe'), 0o600)
    for name in secret, link, bed.file('pipe'), bed.path, bed.write('long', 'x' * 5000):
        bed.write('plumbline.conf', '[mqtt]\nusername = gw\npassword-file = %s\n' % name)
        done = bed.run(bed.plumblined, '--check', '-c', path)
        expect(done.returncode == CONFIG_ERROR, '%s: %s' % (name, done))
        expect(name in done.stderr and 'hush' not in done.stderr, done.stderr)
    os.chmod(secret, 0o600)
    bed.write('plumbline.conf', '[mqtt]\nusername = gw\npassword-file = %s\n' % secret)
    expect(bed.run(bed.plumblined, '--check', '-c', path).returncode == 0, 'a good one')


RUN = '[run]\nstart-after-s = 2\npause-after-s = 3\nend-after-s = 60\n'
MORE = RUN + '[athlete r1]\nmax-heart-rate = 190\n[athlete r2]\n' \
    '[sensor another]\naddress = AA:BB:CC:DD:EE:01\nathlete = r2\nmount = chest\n' \
    '[warning heart-rate-cap]\nenter = 65\nexit = 60\nhold-s = 2\n'


def reload(bed):
    """SIGHUP in a run: sensors stay connected, the run goes on, the changes hold."""
    broker = bed.broker()
    watcher = bed.watcher(broker)
    bed.configure(broker, RUN)
    daemon = bed.daemon('--source', 'simulate=quick')
    run = watcher.wait('gateway/gw/event', code='run-started')['run']
    before = watcher.wait('athlete/r1/live', count=8, run=run)
    bed.configure(broker, MORE)
    daemon.kill(signal.SIGHUP)
    watcher.wait('gateway/gw/event', code='config-reloaded')
    known = len(watcher.messages)
    info = watcher.payloads('gateway/gw/info')[-1]
    expect(info['athletes'] == ['r1', 'r2'] and 'another' in info['sensors'], info)
    watcher.wait('athlete/r1/live', count=len(watcher.payloads('athlete/r1/live')) + 5)
    since = [m['payload'] for m in watcher.messages[known:] if m['rest'] == 'athlete/r1/live']
    expect({live.get('run') for live in since} == {run}, since[0])
    expect(all('speed_m_s' in live and 'heart_rate_bpm' in live for live in since[2:]), since[2:])
    expect(since[-1]['distance_m'] > before['distance_m'], since[-1])
    expect(since[-1]['elapsed_s'] > before['elapsed_s'], since[-1])
    watcher.wait('sensor/another/state')
    for sensor in 'strap', 'footpod':
        links = [m['payload']['link'] for m in watcher.all('sensor/%s/state' % sensor)]
        joined = links.index('streaming')
        expect(set(links[joined:]) <= {'streaming', 'connecting'} and links[-1] == 'streaming',
               '%s: %s' % (sensor, links))
    expect(not watcher.all('gateway/gw/event', code='lost'), 'no sensor was lost')
    watcher.wait('athlete/r1/warning', code='heart-rate-cap', state='raised')
    expect(watcher.wait('sensor/another/state')['link'] == 'absent', 'the new sensor is looked for')
    refuse(bed, watcher, daemon, run)


def refuse(bed, watcher, daemon, run):
    """A bad file keeps the old settings, and the log says where the mistake is."""
    path = bed.write('plumbline.conf', '[gateway]\nname = gw\n[run]\nlap-m = far\n')
    began = time.monotonic()
    daemon.kill(signal.SIGHUP)
    daemon.wait_log('%s:4: lap-m' % path)
    daemon.wait_log('not reloaded')
    expect(time.monotonic() - began < 2, 'soon')
    live = watcher.wait('athlete/r1/live', count=len(watcher.payloads('athlete/r1/live')) + 3)
    expect(live['run'] == run and 'heart-rate-cap' in live['warnings'], live)
    expect(len(watcher.all('gateway/gw/event', code='config-reloaded')) == 1, 'reloaded once')
    expect(len(watcher.all('gateway/gw/event', code='run-started')) == 1, 'started once')
    expect(daemon.end() == 0, 'exit code')


def reload_broker(bed):
    """Another broker in a reload: the new one gets everything, the old one an end."""
    old, watcher = bed.broker(), None
    watcher = bed.watcher(old, 'old')
    bed.configure(old)
    daemon = bed.daemon('--source', 'simulate')
    watcher.wait('athlete/r1/live')
    new = bed.broker()
    bed.configure(new)
    follower = bed.watcher(new, 'new')
    daemon.kill(signal.SIGHUP)
    watcher.wait('gateway/gw/status', state='offline')
    follower.wait('gateway/gw/status', state='online')
    follower.wait('athlete/r1/live', count=3)
    expect(daemon.end() == 0, 'exit code')


def usage(bed):
    """Mistakes in the arguments: 64, and a pointer to the help."""
    for arguments in (['--source', 'teleport'], ['--speed', 'fast', '--source', 'simulate'],
                      ['--speed', '2'], ['surplus'], ['--no-such-option'],
                      ['--speed', '-1', '--source', 'simulate']):
        done = bed.run(bed.plumblined, *arguments)
        expect(done.returncode == 64 and '--help' in done.stderr, '%s: %s' % (arguments, done))
    done = bed.run(bed.plumblined, '--version')
    expect(done.returncode == 0 and done.stdout.startswith('plumblined '), done)
    bed.write('plumbline.conf', '')
    done = bed.run(bed.plumblined, '-c', bed.file('plumbline.conf'), '--source', 'simulate=moon',
                   '--state-dir', bed.state)
    expect(done.returncode == CONFIG_ERROR and 'healthy' in done.stderr, done)
    done = bed.run(bed.plumblined, '-c', bed.file('plumbline.conf'), '--state-dir', bed.state,
                   '--source', 'replay=' + bed.file('missing'))
    expect(done.returncode == 1 and 'missing' in done.stderr, done)
    done = bed.run(bed.plumblined, '-c', bed.file('plumbline.conf'), '--state-dir', bed.state,
                   '--source', 'replay=' + bed.file('plumbline.conf'))
    expect(done.returncode == 65 and 'plumbline.conf' in done.stderr, done)


CASES = (reload, reload_broker, check_reports, check_ok, check_several, check_secrets, usage)
