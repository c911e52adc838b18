# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be ioreg for what scripts ask of it: the platform's serial number and UUID, and which security chip there is."""

from __future__ import annotations

from maclab import models
from maclab.call import Call
from maclab.options import getopt
from maclab.state import Mac

PLATFORM = "IOPlatformExpertDevice"


async def main(call: Call) -> int:
    options = getopt(call.argv, "abc:d:filn:p:rtw:x")
    wanted = options.last("c") or options.last("n")
    whole = "l" in options.letters and wanted is None
    known = (PLATFORM, "AppleSEPManager", "Apple T2 Controller")
    if options.complaint or "a" in options.letters or (wanted not in known and not whole):
        return call.refuse(f"-l, -c or -n with {', '.join(known)}; not -a")
    arm, t2 = call.mac.hardware == "apple-silicon", call.mac.hardware == "t2"
    if wanted == "AppleSEPManager" and (arm or t2):
        call.out("+-o AppleSEPManager  <class AppleSEPManager, registered, matched, active>\n")
    elif wanted == "Apple T2 Controller" and t2:
        call.out("+-o Apple T2 Controller  <class IOUSBHostDevice, registered, matched, active>\n")
    elif wanted == PLATFORM or whole:
        call.out(_platform(call.mac))
    return 0


def _platform(mac: Mac) -> str:
    facts = {
        "IOPlatformSerialNumber": f'"{models.serial_number(mac.name)}"',
        "IOPlatformUUID": f'"{models.platform_uuid(mac.name)}"',
        "manufacturer": '<"Apple Inc.">',
        "model": f'<"{mac.model}">',
    }
    lines = "".join(f'      "{key}" = {value}\n' for key, value in facts.items())
    return f"+-o {mac.model}  <class {PLATFORM}, registered, matched, active>\n    {{\n{lines}    }}\n    \n"
