# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask what the hardware knows: its power (pmset), Activation Lock (system_profiler), and the firmware's
password of an Intel Mac (firmwarepasswd).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

POWER = Command(("pmset", "-g", "batt"))
HARDWARE = Command(("system_profiler", "SPHardwareDataType"), private=True)
"""Private: it prints the serial number."""
FIRMWARE_PASSWORD = Command(("firmwarepasswd", "-check"))
"""Only root is told (man firmwarepasswd), and only Intel Macs have it."""

_SOURCES = {"AC Power": "ac", "Battery Power": "battery", "UPS Power": "ups"}
_SOURCE = re.compile(r"^Now drawing from '([^'\n]*)'", re.MULTILINE)
_CHARGE = re.compile(r"^ *-InternalBattery-[0-9]+[^\n]*?\t *([0-9]{1,3})%", re.MULTILINE)
_ACTIVATION = re.compile(r"^\s*Activation Lock Status: (Enabled|Disabled)[ \t]*$", re.MULTILINE)
_FIRMWARE = re.compile(r"^Password Enabled: (Yes|No)[ \t]*$", re.MULTILINE)


def parse_power(ran: Ran) -> Power:
    """Return what the Mac draws its power from, and the charge of its own battery, which the line of a UPS is not
    (texts of many public scripts)."""
    if ran.rc != 0:
        return Power()
    found, charge = _SOURCE.search(ran.out), _CHARGE.search(ran.out)
    percent = None if charge is None else _kind.number(charge.group(1))
    source = _SOURCES.get(found.group(1), "unknown") if found else "unknown"
    return Power(source, percent if percent is not None and percent <= 100 else None)


def parse_activation_lock(ran: Ran) -> bool | None:
    """Return whether Activation Lock is on. None: not said, as on hardware that has none."""
    found = _ACTIVATION.search(ran.out) if ran.rc == 0 else None
    return None if found is None else found.group(1) == "Enabled"


def parse_firmware_password(ran: Ran) -> bool | None:
    """Return whether the firmware asks for a password before anything but the start volume. None: not said."""
    found = _FIRMWARE.search(ran.text)
    return None if found is None else found.group(1) == "Yes"
