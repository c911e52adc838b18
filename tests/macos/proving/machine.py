# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which Mac something was seen on: a fact is one of that macOS, on that chip, in that image, with those rights."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

TCC = "/Library/Application Support/com.apple.TCC"
"""Even root lists this folder only with Full Disk Access, from 10.14 on."""

ASK: tuple[tuple[str, ...], ...] = (
    ("sw_vers",),
    ("uname", "-m"),
    ("sysctl", "-n", "hw.model"),
    ("sysctl", "-n", "kern.hv_vmm_present"),
    ("csrutil", "status"),
    ("ls", TCC),
)
"""What facts.yml asks, as root. It changes nothing."""

YES, NO, UNKNOWN = "yes", "no", "unknown"
CHIPS = {"arm64": "Apple silicon", "x86_64": "Intel"}


@dataclass(frozen=True)
class Machine:
    """One Mac, as far as it said. Empty: it did not say."""

    macos: str = ""
    build: str = ""
    model: str = ""
    chip: str = ""
    virtual: str = UNKNOWN
    sip: str = UNKNOWN
    full_disk_access: str = UNKNOWN
    label: str = ""
    image: str = ""

    @property
    def hardware(self) -> str:
        """Return what a transcript says of the hardware."""
        words = (self.model, self.chip, "VM" if self.virtual == YES else "")
        return " ".join(word for word in words if word)

    @property
    def context(self) -> str:
        """Return what a transcript says of the circumstances."""
        job = f"GitHub runner {self.label}, image {self.image or UNKNOWN}; " if self.label else ""
        return f"{job}SIP {self.sip}, Full Disk Access {self.full_disk_access}"

    def as_data(self) -> dict[str, str]:
        return asdict(self)


def ran(one: Mapping[str, Any]) -> bool:
    """Tell whether a program said that, and not Ansible, which found no such program on the Mac."""
    return (
        bool(one.get("cmd")) and "stdout" in one and not str(one.get("msg", "")).startswith("Error executing command")
    )


def machine(results: Iterable[Mapping[str, Any]], environment: Mapping[str, str] = os.environ) -> Machine:
    """Return what the answers to :data:`ASK` come to. ``environment``: a job's, which knows its label and image."""
    said = {tuple(one["cmd"]): one for one in results if ran(one)}

    def text(*command: str) -> str:
        return str(said.get(command, {}).get("stdout", "")).strip()

    versions = dict(re.findall(r"(\w+):\s*(.+)", text("sw_vers")))
    sip = re.search(r"status: (enabled|disabled|unknown)", text("csrutil", "status"))
    virtual = {"1": YES, "0": NO}.get(text("sysctl", "-n", "kern.hv_vmm_present"), UNKNOWN)
    return Machine(
        versions.get("ProductVersion", ""),
        versions.get("BuildVersion", ""),
        text("sysctl", "-n", "hw.model"),
        CHIPS.get(text("uname", "-m"), ""),
        virtual,
        sip[1] if sip else UNKNOWN,
        _full_disk_access(said.get(("ls", TCC), {})),
        environment.get("KEYHOLDER_LABEL", ""),
        environment.get("ImageVersion", ""),
    )


def _full_disk_access(listed: Mapping[str, Any]) -> str:
    if listed.get("rc") == 0:
        return YES
    return NO if "not permitted" in str(listed.get("stderr", "")) else UNKNOWN
