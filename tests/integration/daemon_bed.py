# SPDX-License-Identifier: Apache-2.0
"""What the tests of the whole daemon stand on: a directory, a mosquitto, the daemon and whoever
looks at it, each of which ends with the case that started it."""

import atexit
import concurrent.futures
import contextlib
import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PATIENCE_S = 30
JOBS = 8


class Failure(Exception):
    """Something that a case expects has not come."""


def expect(good, text):
    if not good:
        raise Failure(text)


def wait_until(condition, what, seconds=PATIENCE_S):
    """Its first true value; looks again and again until `seconds` are over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure('waited %d s in vain for %s' % (seconds, what))
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def strict(text):
    def refuse(word):
        raise Failure('%s is no JSON: %s' % (word, text))

    return json.loads(text, parse_constant=refuse)


def wall(text):
    """Seconds since 1970 of a time in a message."""
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


class Process:
    """A child whose output goes to a file, unless something else is asked for."""

    alive = set()

    def __init__(self, arguments, log, **options):
        self.arguments = arguments
        self.log = log
        with open(log, 'ab') as file:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=file,
                                          **{'stdout': file, **options})
        Process.alive.add(self)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def wait_log(self, text, count=1, seconds=PATIENCE_S):
        wait_until(lambda: self.text().count(text) >= count or not self.running(),
                   '"%s" in the log' % text, seconds)
        expect(self.text().count(text) >= count, 'ended without saying "%s"' % text)

    def kill(self, number):
        os.kill(self.pid, number)

    def wait_exit(self, seconds=PATIENCE_S):
        """The exit code; below 0 it is the signal that ended it."""
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure('%s does not end' % self.arguments[0]) from None
        Process.alive.discard(self)
        return code

    def end(self, number=signal.SIGTERM, seconds=PATIENCE_S):
        self.kill(number)
        return self.wait_exit(seconds)

    def destroy(self):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        self.child.wait()
        Process.alive.discard(self)


@atexit.register
def destroy_all():
    for process in list(Process.alive):
        process.destroy()


class Broker:
    """A real mosquitto.  With `persistent` it remembers subscriptions and what waits for them."""

    def __init__(self, bed, persistent=False):
        self.bed = bed
        self.port = free_port()
        self.config = bed.write('mosquitto.conf', '\n'.join([
            'listener %d 127.0.0.1' % self.port, 'allow_anonymous true', 'user root',
            'max_queued_messages 0', 'connection_messages true', 'log_dest stderr',
            'persistence %s' % ('true' if persistent else 'false'),
            'persistence_location %s/' % bed.path]) + '\n')
        self.process = None

    def start(self):
        program = shutil.which('mosquitto', path=os.environ['PATH'] + ':/usr/sbin')
        self.process = self.bed.start([program, '-c', self.config], 'mosquitto.log')
        wait_until(self.answers, 'the broker')
        return self

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def end(self, number=signal.SIGTERM):
        self.process.end(number)


class Watcher:
    """Somebody who is subscribed to everything; keeps every message, in order."""

    def __init__(self, bed, broker, name='watcher'):
        self.broker = broker
        self.messages = []
        self.by_topic = {}
        self.problem = None
        self.process = bed.start(
            ['mosquitto_sub', '-p', str(broker.port), '-c', '-i', name, '-q', '1', '-t', '#',
             '-F', '%J'], name + '.log', stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        broker.process.wait_log('as %s ' % name)

    def read(self):
        for line in self.process.child.stdout:
            try:
                message = strict(line.decode())
                message['at'] = time.monotonic()
                message['rest'] = message['topic'].split('/', 1)[1]
                self.by_topic.setdefault(message['rest'], []).append(message)
                self.messages.append(message)
            except (Failure, ValueError, IndexError) as problem:
                self.problem = '%s in %r' % (problem, line)

    def all(self, rest, **members):
        """Messages on that topic below the prefix whose payloads have those members."""
        return [m for m in list(self.by_topic.get(rest, ())) if
                all(m['payload'].get(k) == v for k, v in members.items())]

    def payloads(self, rest, **members):
        return [m['payload'] for m in self.all(rest, **members)]

    def wait(self, rest, seconds=PATIENCE_S, count=1, **members):
        """The payload of the last of them, once there are so many."""
        what = '%s %s' % (rest, members or '')
        return wait_until(lambda: self.payloads(rest, **members)[count - 1:], what, seconds)[-1]

    def check(self):
        """What has to hold for whatever was published: strict JSON, and a sequence number names
        one message for ever."""
        expect(self.problem is None, self.problem)
        seen = {}
        for message in list(self.messages):
            payload = {k: v for k, v in message['payload'].items() if k != 'late'}
            if 'seq' not in payload:
                continue
            key = payload['gateway'], payload['seq']
            first = seen.setdefault(key, (message['rest'], payload))
            expect(first == (message['rest'], payload),
                   'seq %s names two messages: %s and %s' % (key, first, message))


class Control:
    """A client of the control socket."""

    def __init__(self, bed):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(bed.control)  # waits while many others want in
        self.socket.settimeout(PATIENCE_S)
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next answer; None: it has hung up."""
        try:
            text = self.file.readline()
        except ConnectionError:
            return None
        return strict(text.decode()) if text else None

    def ask(self, command, **arguments):
        self.send(json.dumps({'command': command, **arguments}).encode() + b'\n')
        return self.line()


class Bed:
    def __init__(self, programs, name):
        self.plumblined, self.plumbline = programs[:2]
        self.more = programs[2:]
        self.name = name
        self.path = tempfile.mkdtemp(prefix='plumbline-%s-' % name)
        self.state = os.path.join(self.path, 'state')
        self.control = os.path.join(self.state, 'control')
        self.processes = []
        self.watchers = []
        self.environment = {k: v for k, v in os.environ.items() if k not in
                            ('NOTIFY_SOCKET', 'RUNTIME_DIRECTORY', 'STATE_DIRECTORY',
                             'CREDENTIALS_DIRECTORY', 'WATCHDOG_USEC', 'NO_COLOR')}
        self.environment['HOME'] = self.path
        # With sanitizers: freed memory that is kept aside would look like a leak.
        self.environment['ASAN_OPTIONS'] = self.environment.get('ASAN_OPTIONS', '') + \
            ':quarantine_size_mb=1:thread_local_quarantine_size_kb=64'
        # Whatever this machine has of Bluetooth is none of a test's business.
        self.environment['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=%s/no-bus' % self.path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.destroy()
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o600):
        path = self.file(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, arguments, log, **options):
        process = Process(arguments, self.file(log), env=self.environment, **options)
        self.processes.append(process)
        return process

    def broker(self, **options):
        return Broker(self, **options).start()

    def watcher(self, broker, name='watcher'):
        watcher = Watcher(self, broker, name)
        self.watchers.append(watcher)
        return watcher

    def configure(self, broker, text='', name='plumbline.conf'):
        head = '[gateway]\nname = gw\n[mqtt]\nhost = 127.0.0.1\nport = %d\n' % broker.port
        return self.write(name, head + text)

    def daemon(self, *arguments, config='plumbline.conf', ready=True):
        """The daemon; it has its control socket when this returns."""
        daemon = self.start([self.plumblined, '-c', self.file(config), '--state-dir', self.state,
                             *arguments], 'daemon.log')
        if ready:
            wait_until(lambda: not daemon.running() or self.listens(), 'the control socket')
            expect(daemon.running(), 'the daemon has ended')
        return daemon

    def listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.control) == 0

    def status(self):
        with Control(self) as control:
            return control.ask('status')['data']

    def run(self, *arguments, environment=None, **options):
        """Runs a program to its end."""
        return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S * 2, check=False,
                              env={**self.environment, **(environment or {})}, **options)

    def cli(self, *arguments, **options):
        return self.run(self.plumbline, *arguments, '--state-dir', self.state, **options)

    def capture(self, scenario='easy', minutes=6):
        """A simulated run, ready to be played."""
        path = self.file('run.capture')
        done = self.run(self.plumbline, 'simulate', scenario, '--minutes', str(minutes), '-o', path)
        expect(done.returncode == 0, done.stderr)
        return path

    def logs(self):
        for name in sorted(os.listdir(self.path)):
            if name.endswith('.log'):
                with open(self.file(name), encoding='utf-8', errors='replace') as file:
                    for line in file.readlines()[-25:]:
                        yield '%s: %s' % (name, line.rstrip())


def run_case(case, programs):
    """What is wrong, line by line; None: nothing."""
    began = time.monotonic()
    with Bed(programs, case.__name__) as bed:
        try:
            case(bed)
            for watcher in bed.watchers:
                watcher.check()
            return None, time.monotonic() - began
        except Exception:  # pylint: disable=broad-except
            lines = traceback.format_exc().splitlines() + list(bed.logs())
            return lines, time.monotonic() - began


def main(*cases):
    """Runs every case, several at a time since most of them wait, and prints TAP.  Arguments:
    the programs, then names of cases to run no other."""
    programs = [word for word in sys.argv[1:] if os.sep in word]
    wanted = [word for word in sys.argv[1:] if os.sep not in word]
    cases = [case for case in cases if not wanted or case.__name__ in wanted]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if shutil.which('mosquitto_sub') is None:
        print('1..0 # SKIP mosquitto-clients is not installed')
        return 0
    failed = False
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        futures = [pool.submit(run_case, case, programs) for case in cases]
        for number, (case, future) in enumerate(zip(cases, futures), 1):
            problem, seconds = future.result()
            failed |= problem is not None
            print('%s %d - %s # %.0f s' % ('ok' if problem is None else 'not ok', number,
                                           case.__name__, seconds))
            for line in problem or []:
                print('#   ' + line)
            sys.stdout.flush()
    print('1..%d' % len(cases))
    return 1 if failed else 0
