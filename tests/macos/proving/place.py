# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a macOS runner that GitHub hosts from every other machine, so that nobody's Mac is taken for one.

Two lists of reasons, and only two empty ones mean yes: what the job's environment says, and what the Mac itself says.
"""

from __future__ import annotations

from collections.abc import Mapping

USER = "runner"
UID = "501"

_SAYS = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted", "RUNNER_OS": "macOS"}

QUESTIONS: dict[str, tuple[str, bool]] = {
    "user": ("id -un", False),
    "uid": ("id -u", False),
    "system": ("uname -s", False),
    "virtual": ("sysctl -n kern.hv_vmm_present", False),
    "root": ("id -u", True),
}
"""By name: a command that changes nothing, and whether sudo has to run it."""


def refusals_of_environment(environment: Mapping[str, str]) -> list[str]:
    """Return why this process is no job on a runner that GitHub hosts; empty where it is one."""
    reasons = [
        f"{name} is {environment.get(name, '(not set)')!r}, and {wanted!r} on a runner that GitHub hosts"
        for name, wanted in _SAYS.items()
        if environment.get(name) != wanted
    ]
    return reasons + ([] if environment.get("GITHUB_RUN_ID") else ["GITHUB_RUN_ID is not set"])


def refusals_of_mac(said: Mapping[str, str]) -> list[str]:
    """Return why the Mac that gave these answers to :data:`QUESTIONS` is not such a runner."""
    wanted = {
        "user": (USER, "the account that Ansible comes in by"),
        "uid": (UID, "its UID"),
        "system": ("Darwin", "the system"),
        "virtual": ("1", "the mark of a virtual machine (kern.hv_vmm_present)"),
        "root": ("0", "the UID that sudo gives without a password"),
    }
    return [
        f"{what} is {said.get(name, '').strip() or '(no answer)'!r}, and {value!r} on a runner"
        for name, (value, what) in wanted.items()
        if said.get(name, "").strip() != value
    ]
