# SPDX-License-Identifier: Apache-2.0
"""What differs between the hosts that the machine runs on: the guest is always the same kind,
because it runs the host's own programs."""

import platform
from collections import namedtuple

Architecture = namedtuple("Architecture", "qemu machine console kernel_packages qemu_package")

_KNOWN = {
    "x86_64": Architecture("qemu-system-x86_64", "pc", "ttyS0", ("linux-image-6.12-amd64", "linux-image-amd64"),
                           "qemu-system-x86"),
    "aarch64": Architecture("qemu-system-aarch64", "virt", "ttyAMA0", ("linux-image-6.12-arm64", "linux-image-arm64"),
                            "qemu-system-arm"),
}

ARCHITECTURE = _KNOWN.get(platform.machine(), _KNOWN["x86_64"])
