#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check-with.sh format|cppcheck|spelling|shell|python|pages [FILE...]
#
# Runs a tool of Debian's over the tree, and over files that were built.  Exit status 77 when this
# machine does not have the tool.
set -u
cd "$(dirname "$0")/../.." || exit 1

need() {
  command -v "$1" >/dev/null || {
    echo "$1 is missing; ./check installs it"
    exit 77
  }
}

# files PATTERN...: those of the tree, without what was built.
files() {
  local patterns=() pattern
  for pattern in "$@"; do
    patterns+=(-o -name "$pattern")
  done
  find . \( -path './build*' -o -path ./.git -o -name __pycache__ \) -prune -o \
    -type f \( "${patterns[@]:1}" \) -print | sort
}

shell_scripts() {
  find . \( -path './build*' -o -path ./.git -o -name '*.c' -o -name '*.h' \) -prune -o -type f -print |
    while read -r file; do
      head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da|)sh\b|^# shellcheck shell=' && echo "$file"
    done
}

case ${1:-} in
  format)
    need clang-format
    clang-format --version | grep -q 'version 14\.' || {
      echo "clang-format 14 is wanted: others format differently"
      exit 77
    }
    files '*.c' '*.h' | xargs clang-format --dry-run --Werror
    ;;
  cppcheck)
    need cppcheck
    cppcheck --quiet --std=c11 --library=gtk,posix,sqlite3,tests/tools/cppcheck.cfg --enable=warning,performance,portability --error-exitcode=1 \
      --inline-suppr --suppressions-list=tests/tools/cppcheck-suppressions -D__linux__ -I . -j 2 \
      gateway plugins
    ;;
  spelling)
    need codespell
    # text.c and its test speak German, too.
    codespell --ignore-words tests/tools/words --skip './.git,./build*,*/corpus/*,./gateway/app/text.c,./tests/unit/test-text.c' .
    ;;
  shell)
    need shellcheck
    shell_scripts | xargs shellcheck --external-sources --exclude SC1091
    ;;
  python)
    files '*.py' | xargs python3 -c '
import ast, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as source:
        ast.parse(source.read(), path)
'
    ;;
  pages)
    need mandoc
    { files '*.[1578]'; printf '%s\n' "${@:2}"; } | xargs mandoc -T lint -W warning
    ;;
  *)
    echo "usage: check-with.sh format|cppcheck|spelling|shell|python|pages [FILE...]" >&2
    exit 64
    ;;
esac
