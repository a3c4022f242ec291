#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that a compiler does not check: sizes, depth, words, functions that are better not used."""

import re
import sys

from sources import files, read, report, without_comments_and_strings

FUNCTION_LINES, FILE_LINES, DEPTH = 80, 500, 4
DOCUMENTS = {path.name for path in files(".md")}
SPDX = "SPDX-License-Identifier: Apache-2.0"

FORBIDDEN = re.compile(
    r"\b(strcpy|strncpy|strcat|strncat|sprintf|vsprintf|gets|ato[fil]|atoll|strtok(?:_r)?|\w*scanf"
    r"|alloca|system|popen|tmpnam|mktemp)\s*\(")
# Only programs print: gateway/main.c and gateway/cli.
PRINTING = re.compile(r"\b(printf|puts|putchar|g_print|perror|vprintf)\s*\(")
CONTROL = re.compile(r"^( *)(?:\} else )?(?:if|for|while|switch|do|json_array_foreach)\b")
# The name of a function stands at the start of its line; its body ends with the next "}" there.
FUNCTION = re.compile(r"^([a-z]\w*)\(.*?^\}", re.M | re.S)
VARIABLE = re.compile(r"^static ([^=;(){}]*?)\s*(?:\[[^=;]*\]\s*)?(?:=|;)", re.M)
GLIB_WANTS_WRITABLE = {"GSourceFuncs"}
ADMISSION = re.compile(r"\b(TO-?DO|FIX-?ME|XX[X]|HAC[K])\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|Users|work|mnt)/\w")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def sizes(path, code):
    lines = code.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines; {FILE_LINES} are the limit"
    for match in FUNCTION.finditer(code):
        length = match.group(0).count("\n") + 1
        if length > FUNCTION_LINES:
            yield (f"{path}:{line_of(code, match.start())}: {match.group(1)} has {length} lines; "
                   f"{FUNCTION_LINES} are the limit")


def depth(path, code):
    for number, line in enumerate(code.splitlines(), 1):
        match = CONTROL.match(line)
        if match and len(match.group(1)) > 2 * DEPTH:
            yield f"{path}:{number}: deeper than {DEPTH} levels"


def words(path, code, text):
    for number, line in enumerate(code.splitlines(), 1):
        if re.search(r"\bgoto\b", line):
            yield f"{path}:{number}: goto"
        for name in FORBIDDEN.findall(line):
            if path.startswith(("gateway/", "plugins/")):
                yield f"{path}:{number}: {name}()"
        if path.startswith(("gateway/core/", "gateway/edge/", "gateway/app/", "plugins/")):
            for name in PRINTING.findall(line):
                yield f"{path}:{number}: {name}() outside a program"
    for match in re.finditer(r"//[^\n]*", re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', lambda m: re.sub(
            r"[^\n]", " ", m.group(0)), text, flags=re.S)):
        yield f"{path}:{line_of(text, match.start())}: a // comment"


def constant(declaration):
    """Whether nothing can change it: `const` behind the last star, or anywhere without one."""
    words_behind = declaration.rsplit("*", 1)[-1].split()
    return "const" in words_behind or words_behind[0] in GLIB_WANTS_WRITABLE


def variables(path, code):
    if path.startswith("tests/"):
        return
    for match in VARIABLE.finditer(code):
        if not constant(match.group(1)):
            yield f"{path}:{line_of(code, match.start())}: static {match.group(1)} can change"
    if path.startswith(("gateway/core/", "plugins/")):
        for match in re.finditer(r"^ +static (?!const\b)([^\n]*)", code, re.M):
            if " const" not in match.group(1):
                yield f"{path}:{line_of(code, match.start())}: a static variable in a function"


def dangling(path, text):
    """A document that is spoken of and is not here."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in re.findall(r"\b[\w-]+\.md\b", line):
            if name not in DOCUMENTS:
                yield f"{path}:{number}: there is no {name}"


def any_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if ADMISSION.search(line):
            yield f"{path}:{number}: admits to be unfinished"
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine"


def check_c(path):
    text = read(path)
    code = without_comments_and_strings(text)
    if not text.startswith(f"/* {SPDX} */\n"):
        yield f"{path}: does not start with the licence line"
    yield from dangling(path, text)
    yield from sizes(path, code)
    yield from depth(path, code)
    yield from words(path, code, text)
    yield from variables(path, code)


def main():
    problems = []
    for path in map(str, files(".c", ".h", ".c.in")):
        problems += check_c(path)
    for path in map(str, files(".py", ".sh")):
        if SPDX not in "\n".join(read(path).splitlines()[:3]):
            problems.append(f"{path}: the licence line is missing")
        if path.endswith(".py") and read(path).count("\n") > FILE_LINES:
            problems.append(f"{path}: more than {FILE_LINES} lines")
    for path in map(str, files(".c", ".h", ".py", ".sh", ".md", ".build", ".conf", ".in")):
        problems += any_text(path, read(path))
    return report(problems, "see CONTRIBUTING.md for the rules")


if __name__ == "__main__":
    sys.exit(main())
