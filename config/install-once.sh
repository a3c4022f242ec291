#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install-once.sh FILE DIRECTORY MODE [NAME]: installs a file, unless one is there: it may hold what
# somebody wrote.
set -eu
target=${DESTDIR:-}$2/${4:-$(basename "$1")}
if [ -e "$target" ]; then
  echo "Keeping $target"
else
  echo "Installing $target"
  install -D -m "$3" "$1" "$target"
fi
