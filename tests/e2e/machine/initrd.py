# SPDX-License-Identifier: Apache-2.0
"""The first few megabytes of the guest: busybox, the kernel's modules and `init`."""

import hashlib
import lzma
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from kernel import Unavailable, cache_directory

HERE = Path(__file__).resolve().parent


def _busybox():
    for candidate in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(candidate):
            return Path(candidate)
    raise Unavailable("busybox is missing; install the package busybox-static")


def _copy_module(module, target):
    """busybox loads only what is not compressed."""
    if module.suffix == ".xz":
        target.with_suffix("").write_bytes(lzma.decompress(module.read_bytes()))
    else:
        shutil.copy(module, target)


def _fill(tree, modules):
    for name in ("bin", "dev", "modules", "proc", "lower", "overlay", "root"):
        (tree / name).mkdir()
    shutil.copy(_busybox(), tree / "bin/busybox")
    shutil.copy(HERE / "init", tree / "init")
    (tree / "init").chmod(0o755)
    for position, module in enumerate(modules):
        _copy_module(module, tree / "modules" / f"{position:02}-{module.name}")


def _key(modules):
    """A change of `init`, of this file, of busybox or of a module gives another initrd."""
    digest = hashlib.sha256((HERE / "init").read_bytes() + Path(__file__).read_bytes())
    for path in [_busybox(), *modules]:
        digest.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def build_initrd(kernel):
    """The path of the initrd for this kernel, built when the cache has none that fits."""
    modules = kernel.module_files()
    target = cache_directory() / f"initrd-{kernel.version}-{_key(modules)}.cpio"
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(dir=cache_directory()) as work:
        tree = Path(work) / "tree"
        tree.mkdir()
        _fill(tree, modules)
        names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
        archive = Path(work) / "initrd"
        with open(archive, "wb") as output:
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree,
                           input=names.encode(), stdout=output, check=True)
        archive.rename(target)
    for old in cache_directory().glob(f"initrd-{kernel.version}-*.cpio"):
        if old != target:
            old.unlink(missing_ok=True)
    return target
