# SPDX-License-Identifier: Apache-2.0
"""Debian's own kernel for the guest: fetched with apt-get, unpacked, never installed.

The cloud and virtual flavours have no Bluetooth, so it is the package that the generic
metapackage depends on.  Everything lands in the cache, keyed by the package's name.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from architecture import ARCHITECTURE

MODULES = (
    "virtio_pci 9pnet_virtio 9p overlay ecb cmac ecdh_generic algif_hash algif_skcipher "
    "bluetooth hci_vhci uhid"
).split()


class Unavailable(Exception):
    """The machine cannot be built here; the text says what is missing and what to do."""


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "plumbline"


def tool_environment():
    """depmod and modprobe live in sbin, which an ordinary user's PATH leaves out."""
    return {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C"}


def run(*command, **options):
    try:
        return subprocess.run(command, check=True, env=tool_environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is missing; see tests/e2e/README.md for the packages")
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(map(str, command))}: {error.stderr.strip()}")


def newest_package():
    """The name of the package with the kernel proper, or None when apt knows none."""
    wanted = os.environ.get("PLUMBLINE_E2E_KERNEL_PACKAGE")
    for package in [wanted] if wanted else ARCHITECTURE.kernel_packages:
        try:
            listing = run("apt-cache", "depends", package)
        except Unavailable:
            continue
        found = re.search(r"Depends: (linux-image-\S+)", listing)
        return found.group(1) if found else package
    return None


def cached_packages(kernels):
    complete = [d for d in kernels.glob("linux-image-*") if (d / "boot").is_dir()]
    return sorted(complete, key=lambda d: d.stat().st_mtime)


def fetch(package, destination):
    """Unpacks beside the destination and renames, so that a broken run leaves no half kernel."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".fetch-", dir=destination.parent))
    try:
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package, cwd=work)
        archive = next(work.glob("*.deb"))
        root = work / "root"
        run("dpkg-deb", "-x", str(archive), str(root))
        version = next((root / "lib/modules").iterdir()).name
        run("depmod", "-b", str(root), version)
        root.rename(destination)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class Kernel:
    """An unpacked kernel package."""

    def __init__(self, root):
        self.root = root
        self.version = next((root / "lib/modules").iterdir()).name
        self.image = root / "boot" / f"vmlinuz-{self.version}"

    def module_files(self):
        """The guest's modules and what they need, in the order in which they load."""
        files = []
        for module in MODULES:
            listing = run("modprobe", "--show-depends", "--ignore-install", "-d", str(self.root),
                          "-S", self.version, module)
            for line in listing.splitlines():
                if line.startswith("insmod ") and line.split()[1] not in files:
                    files.append(line.split()[1])
        return [Path(f) for f in files]


def find_kernel():
    """The newest kernel that apt offers; without apt or a network, the newest in the cache."""
    kernels = cache_directory() / "kernels"
    package = newest_package()
    if package and not (kernels / package / "boot").is_dir():
        try:
            fetch(package, kernels / package)
        except Unavailable as error:
            if not cached_packages(kernels):
                raise Unavailable(f"cannot fetch {package}: {error}; "
                                  "run 'apt-get update' (as root) with a network once")
            package = None
    if package:
        return Kernel(kernels / package)
    cached = cached_packages(kernels)
    if not cached:
        raise Unavailable(f"apt knows no {ARCHITECTURE.kernel_packages[0]} and the cache is empty; "
                          "run 'apt-get update' (as root) with a network once")
    return Kernel(cached[-1])
