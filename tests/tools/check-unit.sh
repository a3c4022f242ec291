#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-unit.sh UNIT: systemd understands every line of it, and it stays shut in.
set -eu
if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is missing; ./check installs it"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Neither the program nor its manual is installed yet.
sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e '/^Documentation=/d' "$1" >"$work/plumblined.service"
systemd-analyze verify "$work/plumblined.service" 2>"$work/said" || true
if grep -F plumblined "$work/said"; then
  exit 1
fi
# 11 stands for 1.1 of 10; half of it is what a program on a network cannot do without.
systemd-analyze security --no-pager --offline=true --threshold=11 "$work/plumblined.service"
