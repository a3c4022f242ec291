#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom; ARCHITECTURE.md has the picture and the reasons."""

import re
import sys

from sources import files, read, report

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)

# The C library that pure code may use: no input or output, no clock, no heap.
PURE = {"float.h", "limits.h", "math.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}

# The one family of modules in gateway/edge that may use a foreign library.
FOREIGN = {
    r"jansson\.h": {"capture"},
    r"zlib\.h": {"lines"},
    r"sqlite3\.h": {"store"},
    r"mosquitto\.h|mqtt_protocol\.h": {"mqtt"},
    r"openssl/.*": {"mqtt-tls"},
    r"systemd/.*": {"notify"},
}

# What every module of gateway/edge may use from its neighbours.
EDGE_SHARED = {"clock", "error", "lines", "log", "secret"}


def family(path):
    """bluez-device.c and bluez.h belong to bluez."""
    return path.rsplit("/", 1)[1].split(".")[0].split("-")[0]


def layer_of(path):
    if path.startswith("gateway/"):
        return path.split("/")[1] if path.count("/") > 1 else "main"
    if path in ("plugins/drivers.h", "plugins/drivers.c.in"):
        return "table"
    return "tests" if path.startswith("tests/") else "plugins"


def own_folder(path):
    return path.rsplit("/", 1)[0] + "/"


def may_include(path, target):
    """Whether a file of ours may include another file of ours."""
    layer, other = layer_of(path), layer_of(target)
    if layer == "tests":
        return True
    if layer == "plugins":
        return other == "core" or target.startswith(own_folder(path))
    if layer == "edge" and other == "edge":
        return family(target) in EDGE_SHARED | {family(path)}
    if layer in ("app", "cli") and target.startswith("plugins/simulator/"):
        return True
    return other in {
        "core": {"core"},
        "table": {"core", "table"},
        "edge": {"core"},
        "app": {"core", "edge", "table", "app"},
        "cli": {"core", "edge", "table", "app", "cli"},
        "main": {"core", "edge", "table", "app"},
    }[layer]


def may_use(path, header):
    """Whether a file may include a header that is not ours."""
    layer = layer_of(path)
    if layer in ("core", "plugins", "table"):
        return header in PURE
    if layer == "tests":
        return True
    for pattern, families in FOREIGN.items():
        if re.fullmatch(pattern, header):
            if layer == "edge":
                name = path.rsplit("/", 1)[1].split(".")[0]
                return family(path) in families or name in families
            return header == "jansson.h"
    return True


def own_header_first(path, ours):
    """A header that stands first in its own source proves that it stands alone."""
    header = path[:-2] + ".h"
    return not path.endswith(".c") or header not in ours or ours[0] == header


def problems_of(path):
    ours = []
    for match in INCLUDE.finditer(read(path)):
        target, header = match.groups()
        if target:
            ours.append(target)
            if not target.startswith(("gateway/", "plugins/", "tests/")):
                yield f'{path}: "{target}" is not a path from the root of the tree'
            elif not may_include(path, target):
                yield f'{path}: {layer_of(path)} may not include "{target}"'
        elif not may_use(path, header):
            yield f"{path}: {layer_of(path)} may not use <{header}> here"
    if not own_header_first(path, ours):
        yield f"{path}: its own header does not stand first"


def main():
    paths = [str(p) for top in ("gateway", "plugins") for p in files(".c", ".h", ".c.in", under=top)]
    found = [problem for path in paths for problem in problems_of(path)]
    return report(found, "see ARCHITECTURE.md for where a line belongs")


if __name__ == "__main__":
    sys.exit(main())
