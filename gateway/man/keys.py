#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""keys.py TEMPLATE CONFIGURATION: the template with @KEYS@ replaced by what the comments of the
configuration say of its keys, so that this stands in one place."""

import re
import sys


def sentences(lines):
    """One sentence a line, as manual pages want it."""
    text = " ".join(lines).replace("\\", "\\e")
    return [re.sub(r"^([.'])", r"\\&\1", s) for s in re.split(r"(?<=[.:])  ", text) if s]


def keys(lines):
    comment, group = [], None
    for line in lines:
        heading = re.match(r"#?\[(.+)\]$", line)
        key = re.match(r"#([a-z0-9-]+) =\s*(.*)$", line)
        if heading:
            if group:
                yield ".El"
            group = heading.group(1)
            yield f".Ss [{group}]"
            yield from sentences(comment)
            yield ".Bl -tag -width Ds"
        elif key:
            default = f" Pq default: {key.group(2)}" if key.group(2) else ""
            yield f".It Cm {key.group(1)}{default}"
            yield from sentences(comment)
        elif line.startswith("# "):
            comment.append(line[2:])
            continue
        elif group and comment:
            raise SystemExit(f"a comment that belongs to no key: {' '.join(comment)}")
        comment = []
    yield ".El"


def main():
    template, configuration = sys.argv[1:]
    with open(configuration, encoding="utf-8") as stream:
        listing = list(keys(stream.read().splitlines()))
    with open(template, encoding="utf-8") as stream:
        sys.stdout.write(stream.read().replace("@KEYS@", "\n".join(listing)))


if __name__ == "__main__":
    main()
