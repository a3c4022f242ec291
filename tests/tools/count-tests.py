#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of meson's JUnit files: prints "PASSED FAILED", and on standard error what was
skipped and why."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter


def name_of(suite, case):
    """"plumbline.plumbline:unit / cadence" holds several tests, "plumbline" single ones."""
    return (suite if ":" in suite else case).rsplit(":", 1)[-1].split(": ")[0]


def main():
    passed = failed = 0
    skipped = Counter()
    for path in sys.argv[1:]:
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            for case in suite.iter("testcase"):
                if case.find("failure") is not None or case.find("error") is not None:
                    failed += 1
                elif case.find("skipped") is not None:
                    reason = (case.findtext("system-out") or "").strip().splitlines() or [""]
                    skipped[name_of(suite.get("name"), case.get("name")), reason[-1]] += 1
                else:
                    passed += 1
    for (name, reason), count in skipped.items():
        print(f"skipped: {count} of {name}" + (f": {reason}" if reason else ""), file=sys.stderr)
    print(passed, failed)


if __name__ == "__main__":
    main()
