# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be sysctl, for the few oids that tell what a Mac is."""

from __future__ import annotations

import time

from maclab import models, rules
from maclab.call import Call
from maclab.names import host_name
from maclab.state import Mac
from maclab.texts import say

INTEL_BRAND = "Intel(R) Core(TM) i5-1038NG7 CPU @ 2.00GHz"


async def main(call: Call) -> int:
    letters = {letter for word in call.argv if word.startswith("-") for letter in word[1:]}
    oids = [word for word in call.argv if not word.startswith("-")]
    if "a" in letters or any("=" in oid for oid in oids):
        return call.refuse("oids by name, and how to read them")
    if not oids:
        call.err(say("sysctl.usage", call.mac.version_tuple))
        return 1
    known = values(call.mac)
    status = 0
    for oid in oids:
        if oid in known:
            call.out(f"{known[oid]}\n" if "n" in letters else f"{oid}: {known[oid]}\n")
        elif "i" not in letters:
            call.err(say("sysctl.unknown", call.mac.version_tuple, oid=oid))
            status = 1
    return status


def values(mac: Mac) -> dict[str, str]:
    version = mac.version_tuple
    arm = mac.hardware == "apple-silicon"
    known = {
        "hw.model": mac.model,
        "hw.memsize": str(models.MEMORY),
        "kern.osversion": mac.build,
        "kern.osrelease": darwin_release(version),
        "kern.ostype": "Darwin",
        "kern.hostname": host_name(mac),
        "kern.boottime": _boot_time(mac),
        "machdep.cpu.brand_string": rules.BRAND_APPLE_SILICON.at(version) if arm else INTEL_BRAND,
    }
    if rules.SYSCTL_PRODUCT_VERSION.at(version):
        known["kern.osproductversion"] = mac.version
    if rules.SYSCTL_VMM.at(version):
        known["kern.hv_vmm_present"] = "1" if mac.model.startswith("VirtualMac") else "0"
    if arm:
        known["hw.optional.arm64"] = "1"
    return known


def _boot_time(mac: Mac) -> str:
    seconds, rest = divmod(mac.booted_at, 1)
    text = time.ctime(seconds)
    return say("sysctl.boottime", mac.version_tuple, seconds=int(seconds), micro=int(rest * 1_000_000), text=text)


def darwin_release(version: rules.Version) -> str:
    major, minor, patch = (*version, 0, 0, 0)[:3]
    kernel = models.darwin(".".join(map(str, version)))
    return f"{kernel}.{patch if major == 10 else minor}.0"
