# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be system_profiler for the few lines of SPHardwareDataType that scripts read."""

from __future__ import annotations

from maclab import models
from maclab.call import Call
from maclab.programs.sysctl import values
from maclab.texts import say


async def main(call: Call) -> int:
    if call.argv != ["SPHardwareDataType"]:
        return call.refuse("SPHardwareDataType as text")
    mac, version = call.mac, call.mac.version_tuple
    processor = values(mac)["machdep.cpu.brand_string"]
    name = "Chip" if mac.hardware == "apple-silicon" else "Processor Name"
    said = {
        "model": mac.model,
        "processor": f"{name}: {processor}",
        "memory": models.MEMORY // 1024**3,
        "serial": models.serial_number(mac.name),
        "uuid": models.platform_uuid(mac.name),
    }
    if mac.settings.activation_lock is not None:
        state = "Enabled" if mac.settings.activation_lock else "Disabled"
        said["activation"] = say("system_profiler.activation", version, state=state)
    call.out(say("system_profiler.hardware", version, **{"activation": "", **said}))
    return 0
