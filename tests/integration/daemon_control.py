# SPDX-License-Identifier: Apache-2.0
"""The control socket, and the command line on top of it and on the store."""

import contextlib
import os
import pty
import select
import signal
import socket
import stat
import time

from daemon_bed import Control, expect, strict, wait_until

OK, FAILED, USAGE, DATA, UNAVAILABLE, PERMISSION, CONFIG = 0, 1, 64, 65, 69, 77, 78
CLIENTS = 16


def no_broker(bed, *arguments):
    """The daemon with a broker that is not there: the command line works without."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        bed.write('plumbline.conf', '[gateway]\nname = gw\n[mqtt]\nport = %d\n' %
                  taken.getsockname()[1])
    return bed.daemon('--source', 'simulate', *arguments)


def socket_answers(bed):
    """Status, watch, and whatever is no command."""
    daemon = no_broker(bed)
    mode = os.stat(bed.control).st_mode
    expect(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660, oct(mode))
    with Control(bed) as control:
        status = control.ask('status')['data']
        expect(status['gateway'] == 'gw' and status['source'] == 'simulate', status)
        expect([a['athlete'] for a in status['athletes']] == ['r1'], status)
        expect([s['sensor'] for s in status['sensors']] == ['strap', 'footpod'], status)
        for text, code in ((b'{"command":"dance"}', 'unknown-command'), (b'hello', 'bad-json'),
                           (b'[1,2]', 'bad-json'), (b'{"kommando":"status"}', 'missing-key'),
                           (b'{"command":7}', 'missing-key'), (b'', 'bad-json'),
                           (b'{"command":"scan"}', 'not-allowed'), (b'\xff\xfe', 'bad-json')):
            control.send(text + b'\n')
            reply = control.line()
            expect(reply['status'] == 'error' and reply['error']['code'] == code, (text, reply))
        control.send(b'{"command":"status"}\n{"command":"status"}\n')
        expect([control.line()['status'], control.line()['status']] == ['ok', 'ok'], 'two at once')
    with Control(bed) as control:
        expect(control.ask('watch')['status'] == 'ok', 'watch')
        lives = 0
        while lives < 3:
            message = control.line()
            expect(message['topic'].startswith('plumbline/'), message)
            lives += message['topic'].endswith('athlete/r1/live')
    expect(daemon.running(), 'it lives')


def socket_abuse(bed):
    """Too long, binary, half a line, too many: closed, and the others are served."""
    daemon = no_broker(bed)
    for rubbish in b'x' * 5000, b'\0\1\2\n', os.urandom(4096):
        with Control(bed) as control:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                control.send(rubbish)
                while control.line() is not None:
                    pass
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Control(bed)) for _ in range(CLIENTS)]
        clients[0].send(b'{"command":')
        for client in clients[1:]:
            expect(client.ask('status')['status'] == 'ok', 'sixteen are served')
        with Control(bed) as surplus:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                surplus.send(b'{"command":"status"}\n')
            expect(surplus.line() is None, 'the seventeenth is sent away')
        clients[0].send(b'"status"}\n')
        expect(clients[0].line()['status'] == 'ok', 'in two pieces')
    for _ in range(1000):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bed.control)
    status = wait_until(lambda: settled(bed), 'the daemon after a thousand connections')
    expect(status['fds'] < 60, '%d files are open' % status['fds'])
    expect(daemon.running(), 'it lives')


def settled(bed):
    """The status, once everybody else is gone."""
    try:
        with Control(bed) as control:
            return (control.ask('status') or {}).get('data')
    except OSError:
        return None


def slow_reader(bed):
    """Somebody who asks and never reads is cut off; nobody else notices."""
    daemon = no_broker(bed, '--speed', '50')
    with Control(bed) as lazy, Control(bed) as lively:
        lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.send(b'{"command":"watch"}\n')
        expect(lively.ask('watch')['status'] == 'ok', 'the lively one')
        end = time.monotonic() + 20
        while time.monotonic() < end and not hung_up(lazy):
            expect(lively.line() is not None, 'the lively one is served')
        expect(hung_up(lazy), 'the lazy one is cut off')
    expect(daemon.running(), 'it lives')


def hung_up(client):
    """Whether the other side has closed, however much there still is to read."""
    poll = select.poll()
    poll.register(client.socket, select.POLLHUP)
    return bool(poll.poll(0))


def read_terminal(master, until, seconds=15):
    text = b''
    end = time.monotonic() + seconds
    while until not in text:
        expect(time.monotonic() < end, 'waited in vain for %s in %s' % (until, text[-500:]))
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536)
    return text


def on_terminal(bed, until, **environment):
    """What `watch` draws on a terminal."""
    master, slave = pty.openpty()
    bed.environment.update(environment)
    watch = bed.start([bed.plumbline, 'watch', '--state-dir', bed.state], 'watch.log', stdout=slave)
    os.close(slave)
    text = read_terminal(master, until)
    watch.kill(signal.SIGINT)
    text += read_terminal(master, b'\x1b[?1049l')
    expect(watch.wait_exit() == OK, 'exit code of watch')
    os.close(master)
    return text


def cli_with_daemon(bed):
    """status, watch, scan."""
    daemon = no_broker(bed)
    done = bed.cli('status', '--json')
    expect(done.returncode == OK and done.stderr == '', done)
    expect(strict(done.stdout)['gateway'] == 'gw' and done.stdout.count('\n') == 1, done.stdout)
    done = bed.cli('status')
    expect(done.returncode == OK and 'strap' in done.stdout and '\x1b' not in done.stdout, done)
    expect('Broker' in done.stdout and 'problem: ' in done.stdout, done.stdout)
    done = bed.cli('scan', '--seconds', '1')
    expect(done.returncode == FAILED and 'nothing to scan' in done.stderr, done)

    for arguments in [], ['--json']:
        log = 'watch%s' % ''.join(arguments)
        watch = bed.start([bed.plumbline, 'watch', '--state-dir', bed.state, *arguments], log)
        wait_until(lambda w=watch: w.text().count('r1') > 3, 'lines of watch')
        expect('\x1b' not in watch.text(), 'no terminal, no escapes')
        if arguments:
            lines = watch.text().splitlines()[:-1]
            expect(all('topic' in strict(line) for line in lines), lines)
        watch.end()
    colour = on_terminal(bed, b'r1 ', TERM='xterm')
    expect(b'\x1b[1mATHLETE' in colour and colour.startswith(b'\x1b[?1049h'), colour[:200])
    plain = on_terminal(bed, b'r1 ', TERM='xterm', NO_COLOR='1')
    expect(b'\x1b[1m' not in plain and b'ATHLETE' in plain, plain[:200])

    watch = bed.start([bed.plumbline, 'watch', '--state-dir', bed.state], 'last.log')
    wait_until(lambda: 'r1' in watch.text(), 'lines of watch')
    daemon.end()
    expect(watch.wait_exit() == UNAVAILABLE and 'ended' in watch.text(), watch.text())


def cli_without_daemon(bed):
    """What only reads the store works with the daemon stopped; the rest says what to do."""
    for command in 'status', 'watch', 'scan':
        done = bed.cli(command)
        expect(done.returncode == UNAVAILABLE and 'systemctl start' in done.stderr, done)
    done = bed.cli('runs')
    expect(done.returncode == UNAVAILABLE and bed.state in done.stderr, done)
    store_a_run(bed)
    done = bed.cli('runs', '--json')
    runs = [strict(line) for line in done.stdout.splitlines()]
    expect(done.returncode == OK and len(runs) == 1 and runs[0]['athlete'] == 'r1', done)
    run = runs[0]['run']
    expect(strict(bed.cli('show', 'last', '--json').stdout) == runs[0], 'show last')
    expect(strict(bed.cli('show', run, '--json').stdout) == runs[0], 'show RUN')
    table = bed.cli('runs')
    expect(run in table.stdout and '\x1b' not in table.stdout, table.stdout)
    expect(bed.cli('runs', '--athlete', 'r7', '--json').stdout == '', 'nobody else has runs')
    expect(bed.cli('runs', '--limit', '1').returncode == OK, 'limit')
    text = bed.cli('show', run)
    expect(text.returncode == OK and runs[0]['title'] in text.stdout, text)
    done = bed.cli('show', 'no-such-run')
    expect(done.returncode == FAILED and 'no-such-run' in done.stderr, done)


def store_a_run(bed):
    done = bed.run(bed.plumbline, 'replay', bed.capture(minutes=4), '--state-dir', bed.state)
    expect(done.returncode == OK, done.stderr)


def cli_usage(bed):
    """Mistakes in the arguments are told with a pointer to the help."""
    for arguments in (['dance'], ['status', 'now'], ['show'], ['show', 'a', 'b'],
                      ['scan', '--seconds', '0'], ['runs', '--limit', '-1'], ['runs', 'r1'],
                      ['config'], ['config', 'burn'], ['replay'], ['simulate', 'healthy'],
                      ['simulate', 'moon', '-o', '-'], ['replay', 'x', '--speed', 'fast'],
                      ['status', '--no-such-option'], []):
        done = bed.run(bed.plumbline, *arguments)
        expect(done.returncode == USAGE and done.stdout == '', '%s: %s' % (arguments, done))
        expect(done.stderr.startswith('plumbline: ') or 'sage' in done.stderr, done.stderr)
    done = bed.run(bed.plumbline, '--help')
    expect(done.returncode == OK and 'replay' in done.stdout, done)
    done = bed.run(bed.plumbline, '--version')
    expect(done.returncode == OK and done.stdout.startswith('plumbline '), done)
    broken = bed.write('broken.capture', '{"plumbline_capture":1}\nrubbish\n')
    done = bed.run(bed.plumbline, 'replay', broken)
    expect(done.returncode == DATA and 'broken.capture' in done.stderr, done)
    done = bed.run(bed.plumbline, 'replay', bed.file('missing'))
    expect(done.returncode == FAILED and 'missing' in done.stderr, done)
    bad = bed.write('bad.conf', '[gateway]\nnme = x\n')
    for arguments in ['status'], ['runs'], ['config', 'show'], ['replay', bed.capture(minutes=3)]:
        done = bed.run(bed.plumbline, *arguments, '-c', bad)
        expect(done.returncode == CONFIG and 'bad.conf:2' in done.stderr, '%s: %s' % (arguments, done))
    done = bed.run(bed.plumbline, 'simulate', 'healthy', '-o', bed.file('no/such/folder'))
    expect(done.returncode == FAILED and 'no/such/folder' in done.stderr, done)
    done = bed.run(bed.plumbline, 'config', 'show', '-c', bed.write('good.conf', '[gateway]\nname = gw\n'))
    expect(done.returncode == OK and 'name = gw' in done.stdout and 'lap-m' in done.stdout, done)


def cli_permission(bed):
    """Who may not is told whom to ask; only somebody other than root can be refused."""
    store_a_run(bed)
    bed.write('plumbline.conf', '')
    bed.daemon('--source', 'simulate')
    os.chmod(bed.path, 0o755)
    os.chmod(bed.state, 0o755)
    os.chmod(bed.control, 0o600)
    if os.geteuid() != 0:
        os.chmod(bed.control, 0)
    done = as_nobody(bed, 'status')
    expect(done.returncode == PERMISSION and 'group plumbline' in done.stderr, done)
    os.chmod(bed.state, 0o700 if os.geteuid() == 0 else 0)
    done = as_nobody(bed, 'runs')
    os.chmod(bed.state, 0o700)
    expect(done.returncode == PERMISSION and 'permission denied' in done.stderr, done)


def as_nobody(bed, *arguments):
    """Runs the command line as somebody without rights."""
    options = {} if os.geteuid() != 0 else {'user': 65534, 'group': 65534, 'extra_groups': []}
    return bed.cli(*arguments, **options)


CASES = (socket_answers, socket_abuse, slow_reader, cli_with_daemon, cli_without_daemon,
         cli_usage, cli_permission)
