#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check-purity.py LIBRARY...: the pure libraries call nothing but each other, libm and the few
functions of string.h that only look at or copy memory."""

import re
import subprocess
import sys

from sources import report

ALLOWED = set("""
    memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp strrchr strstr strspn strcspn
    acos acosf asin asinf atan atan2 atan2f atanf cbrt ceil ceilf cos cosf exp exp2 expf expm1 fabs
    floor floorf fma fmax fmin fmod fmodf frexp hypot hypotf ldexp llrint llround llroundf log log10
    log1p log2 logf lrint lround lroundf modf nan nearbyint pow powf remainder rint round roundf
    sin sincos sincosf sinf sqrt sqrtf tan tanh tgamma trunc truncf
""".split())
# What a compiler puts in on its own: checked copies, the stack's guard, instrumented builds.
COMPILER = re.compile(r"__(stack_chk_fail|(mem|str)\w+_chk|(asan|ubsan|tsan|gcov|sanitizer|llvm)_\w+)"
                      r"|_GLOBAL_OFFSET_TABLE_|__aeabi_\w+|__(mul|div|float|fix)\w+")


def symbols(library, *options):
    listing = subprocess.run(["nm", "-P", *options, library], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return [line.split() for line in listing.splitlines() if line and not line.endswith(":")]


def main():
    libraries = sys.argv[1:]
    ours = {name for library in libraries
            for name, *_rest in symbols(library, "--defined-only", "--extern-only")}
    problems = []
    for library in libraries:
        for name in sorted({s[0] for s in symbols(library, "--undefined-only")}):
            if name not in ours | ALLOWED and not COMPILER.fullmatch(name):
                problems.append(f"{library}: calls {name}()")
        for name, kind, *_rest in symbols(library, "--defined-only"):
            # D is no sign: tables of constant pointers have it as well.
            if kind in "bBcC" and not COMPILER.fullmatch(name):
                problems.append(f"{library}: {name} is a variable that changes")
    return report(problems, "pure code computes; it reads no clock, allocates nothing, prints nothing")


if __name__ == "__main__":
    sys.exit(main())
