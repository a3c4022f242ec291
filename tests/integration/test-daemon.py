#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon and the command line as a whole, with a real mosquitto and no Bluetooth.

usage: test-daemon.py PLUMBLINED PLUMBLINE FAKE-BLUETOOTHD [CASE...]

The cases stand in daemon_*.py beside this file, by subject; named ones run alone.  Most of the time
they wait, so that many run at once, those that take longest first.  Prints TAP."""

import sys

import daemon_bus
import daemon_capture
import daemon_config
import daemon_control
import daemon_live
import daemon_resume
from daemon_bed import main

SUBJECTS = (daemon_live, daemon_resume, daemon_config, daemon_capture, daemon_control, daemon_bus)

if __name__ == '__main__':
    sys.exit(main(*(case for subject in SUBJECTS for case in subject.CASES)))
