# SPDX-License-Identifier: Apache-2.0
"""The files of the tree, for the checks beside this one."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", ".cache", "__pycache__", "node_modules"}


def files(*suffixes, under="."):
    """Paths relative to the root, sorted; all files when no suffix is given."""
    found = []
    for directory, names, entries in os.walk(ROOT / under):
        top = Path(directory) == ROOT
        names[:] = [n for n in names if n not in SKIPPED and not (top and n.startswith("build"))]
        found += [Path(directory, e).relative_to(ROOT) for e in entries
                  if not suffixes or e.endswith(suffixes)]
    return sorted(found)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


_TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_comments_and_strings(text):
    """C with blanks for comments and for what quotes hold; lines and columns stay as they are."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)

    return _TOKEN.sub(blank, text)


def report(problems, what):
    """Prints the problems and returns the exit status."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problems: {what}")
    return 1 if problems else 0
