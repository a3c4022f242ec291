#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a throwaway virtual machine with Bluetooth.

    machine.py [OPTIONS] -- COMMAND [ARGUMENT...]

The guest is the host's own root, read-only, under an overlay in memory; only the directory of
--results (in the guest: /results) is shared both ways.  The command's output and exit status
become this program's.  124: the command or the machine took too long; 125: the machine died,
the end of its console is printed; 77: no machine can be built here (the reason is printed).
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from architecture import ARCHITECTURE  # noqa: E402
from initrd import build_initrd  # noqa: E402
from kernel import Unavailable, find_kernel  # noqa: E402

HERE = Path(__file__).resolve().parent
BOOT_ALLOWANCE_S = 180  # boot and switching off, on a busy host under emulation
SKIPPED, TIMED_OUT, DIED = 77, 124, 125


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--timeout", type=float, default=120,
                        help="seconds that the command may take (default %(default)s)")
    parser.add_argument("--results", type=Path, help="directory shared with the guest; "
                        "a temporary one by default")
    parser.add_argument("--systemd", action="store_true",
                        help="boot systemd with D-Bus and BlueZ instead of a bare shell")
    parser.add_argument("--tap", action="store_true",
                        help="say in TAP that the test is skipped where no machine can be built")
    parser.add_argument("--memory", default="1280", help="MiB of the guest")
    parser.add_argument("--cpus", default="2")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                        help="set in the guest; repeatable")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def write_settings(options, kernel, results):
    """What the scripts in the guest read: shell assignments, and the command as a script."""
    private = results / ".machine"
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(parents=True)
    settings = {
        "MACHINE_DIRECTORY": HERE,
        "MACHINE_KERNEL_ROOT": kernel.root,
        "MACHINE_KERNEL_VERSION": kernel.version,
        "MACHINE_MODE": "systemd" if options.systemd else "plain",
        "MACHINE_INIT": "/lib/systemd/systemd" if options.systemd else HERE / "guest-init",
        "MACHINE_INIT_ARGUMENTS": "--unit=e2e.target --show-status=0" if options.systemd else "",
        "MACHINE_COMMAND_TIMEOUT": options.timeout,
    }
    lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in settings.items()]
    (private / "settings").write_text("".join(lines))
    exports = [f"export {shlex.quote(pair)}\n" for pair in options.env]
    command = " ".join(map(shlex.quote, options.command))
    (private / "command").write_text("".join(exports) + f"exec {command}\n")
    return private


def accelerator():
    """Emulation unless asked otherwise: a /dev/kvm that exists need not work."""
    if os.environ.get("PLUMBLINE_E2E_KVM", "0") not in ("", "0"):
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def share(tag, path, writable):
    mode = "" if writable else ",readonly=on"
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{mode}",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def qemu_command(options, kernel, initrd, results):
    quiet = "quiet" if not os.environ.get("PLUMBLINE_E2E_VERBOSE") else "ignore_loglevel"
    return [
        ARCHITECTURE.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-M", ARCHITECTURE.machine, *accelerator(), "-smp", options.cpus, "-m", options.memory,
        "-kernel", str(kernel.image), "-initrd", str(initrd),
        "-append", f"console={ARCHITECTURE.console} {quiet} panic=-1 random.trust_cpu=on "
                   "mitigations=off",
        "-serial", f"file:{results}/.machine/console",
        *share("host", "/", writable=False), *share("results", results, writable=True),
    ]


class Follower:
    """Prints what a growing file has gained since the last call."""

    def __init__(self, path):
        self.path = path
        self.offset = 0

    def poll(self):
        try:
            with open(self.path, "rb") as stream:
                stream.seek(self.offset)
                data = stream.read()
        except FileNotFoundError:
            return
        self.offset += len(data)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()


def wait_for(process, deadline, output):
    """True when the machine switched off by itself."""
    while process.poll() is None:
        output.poll()
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return False
        time.sleep(0.2)
    output.poll()
    return True


def print_console(private):
    console = private / "console"
    if console.exists():
        tail = console.read_text(errors="replace").splitlines()[-40:]
        print("\n".join(["--- end of the machine's console:", *tail]), file=sys.stderr)


def run_machine(options, results):
    kernel = find_kernel()
    initrd = build_initrd(kernel)
    private = write_settings(options, kernel, results)
    try:
        process = subprocess.Popen(qemu_command(options, kernel, initrd, results),
                                   stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Unavailable(f"{ARCHITECTURE.qemu} is missing; install {ARCHITECTURE.qemu_package}")
    deadline = time.monotonic() + options.timeout + BOOT_ALLOWANCE_S
    finished = wait_for(process, deadline, Follower(private / "output"))
    status = private / "status"
    if status.exists() and status.read_text().strip():
        return int(status.read_text())
    print_console(private)
    if not finished:
        print(f"machine: not done after {options.timeout + BOOT_ALLOWANCE_S:.0f} s",
              file=sys.stderr)
        return TIMED_OUT
    print("machine: it went down without running the command to its end", file=sys.stderr)
    return DIED


def main():
    options = parse_arguments()
    try:
        if options.results:
            options.results.mkdir(parents=True, exist_ok=True)
            return run_machine(options, options.results.resolve())
        with tempfile.TemporaryDirectory(prefix="plumbline-e2e-") as results:
            return run_machine(options, Path(results))
    except Unavailable as error:
        if options.tap:
            print(f"1..0 # SKIP {error}")
            return 0
        print(f"machine: {error}", file=sys.stderr)
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
