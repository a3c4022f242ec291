#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The manual knows every command, topic and option that the sources have, and no other; and
gateway/README.md every file."""

import re
import sys

from sources import files, read, report

MAN = "gateway/man/"


def set_of(pattern, path):
    return set(re.findall(pattern, read(path), re.M))


def differences(what, have, told, where):
    for name in sorted(have - told):
        yield f"{where}: says nothing of the {what} {name}"
    for name in sorted(told - have):
        yield f"{where}: there is no {what} {name}"


def unlisted_files():
    """A file stands there by its name, or a pair of .c and .h without the ending."""
    told = set_of(r"`([\w./-]+)`", "gateway/README.md")
    for path in files(".c", ".h", under="gateway"):
        if path.name not in told and path.stem not in told:
            yield f"gateway/README.md: says nothing of {path}"
    names = {n for path in files(under="gateway") for n in (path.name, path.stem)}
    for name in sorted(told - names):
        if len(name) > 2 and name.endswith((".c", ".h")):
            yield f"gateway/README.md: there is no {name}"


def main():
    commands = set_of(r'^    \{"([a-z]+)", ', "gateway/cli/cli.c")
    topics = {t.replace("%s", "ID") for t in set_of(r'= \{"([^"]+)",', "gateway/app/topic.c")}
    options = set_of(r'^      \{"([a-z-]+)", ', "gateway/main.c")
    problems = [
        *differences("command", commands, set_of(r"^\.It Cm ([a-z]+)", MAN + "plumbline.1"),
                     MAN + "plumbline.1"),
        *differences("topic", topics, set_of(r"^\.It Pa (\S+)$", MAN + "plumbline-mqtt.7"),
                     MAN + "plumbline-mqtt.7"),
        *differences("option", options, set_of(r"^\.It Fl (?:c , Fl )?-([a-z-]+)",
                                               MAN + "plumblined.8"), MAN + "plumblined.8"),
        *unlisted_files(),
    ]
    return report(problems, "the manual has to say what the program does")


if __name__ == "__main__":
    sys.exit(main())
