# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages that building, running and testing need, and how they are got.  Read by
# run and check; written for Debian 12 and Raspberry Pi OS.

build_packages=(gcc libc6-dev meson ninja-build pkgconf python3 libglib2.0-dev libjansson-dev
  libmosquitto-dev libsqlite3-dev libssl-dev libsystemd-dev zlib1g-dev)
# shellcheck disable=SC2034 # for run
run_packages=("${build_packages[@]}" mosquitto mosquitto-clients)
# shellcheck disable=SC2034 # for check
check_packages=("${build_packages[@]}" git mosquitto mosquitto-clients openssl dbus
  clang libclang-rt-dev clang-format cppcheck codespell shellcheck mandoc systemd
  valgrind libc6-dbg
  bluez busybox-static cpio kmod python3-gi "$(case $(uname -m) in
    x86_64) echo qemu-system-x86 ;;
    *) echo qemu-system-arm ;;
    esac)")

# Services that the packages would start.  One that was there before is left as it is.
services=(mosquitto bluetooth)

# Runs a command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

# Names of those services that are not on this machine yet.
absent_services() {
  local service
  for service in "${services[@]}"; do
    [ -e "/lib/systemd/system/$service.service" ] || echo "$service"
  done
}

# Services stay off while their packages are installed: a masked unit is not started, and
# runlevel 1 says the same to System V scripts.
hold_services() {
  if [ $# -gt 0 ] && [ -d /run/systemd/system ]; then
    as_root systemctl --quiet --runtime mask "$@"
  fi
}

# Off they stay afterwards, too: those that are there now and were not before.
leave_off() {
  local service
  for service in "$@"; do
    [ ! -d /run/systemd/system ] || as_root systemctl --quiet --runtime unmask "$service"
    if [ -e "/lib/systemd/system/$service.service" ] && command -v systemctl >/dev/null; then
      as_root systemctl --quiet disable "$service" >/dev/null 2>&1
      echo "The service $service, which a package brought along, is left off."
    fi
  done
}

install_stopped() {
  local absent status=0
  read -ra absent <<<"$(absent_services | xargs)"
  hold_services "${absent[@]}"
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -y \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" || status=$?
  leave_off "${absent[@]}"
  return "$status"
}

# install_packages PACKAGE...: installs those that are missing, after saying so.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian or Raspberry Pi OS.  Install what these hold, and say --no-install:" >&2
    echo "  $*" >&2
    return 1
  fi
  local missing
  read -ra missing <<<"$(missing_packages "$@" | xargs)"
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "That needs root, and there is no sudo.  As root: apt-get install ${missing[*]}" >&2
    return 1
  fi
  # A broken source of other packages is no reason to stop.
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 update || true
  if ! install_stopped "${missing[@]}"; then
    echo "apt-get could not install them; its messages stand above." >&2
    return 1
  fi
}
