#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of meson's JUnit files: prints "PASSED FAILED", and names each skipped test
on standard error with its reason."""

import sys
import xml.etree.ElementTree as ElementTree


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            for case in suite.iter("testcase"):
                skipped = case.find("skipped")
                if case.find("failure") is not None or case.find("error") is not None:
                    failed += 1
                elif skipped is not None:
                    print(f"skipped: {suite.get('name')}: {case.get('name')}", file=sys.stderr)
                else:
                    passed += 1
    print(passed, failed)


if __name__ == "__main__":
    main()
