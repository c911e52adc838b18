# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter and the test share: a reading, or a task's result that holds one, judged by a policy.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import time
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.keyholder.macos.plugins.module_utils._shape import ShapeError, conform
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import (
    SEVERITIES,
    Finding,
    Policy,
    PolicyError,
    load,
)

_loaded: dict[str, Policy] = {}
"""A policy is compiled once in a process, however many Macs are judged by it."""


def loaded(layers: t.Any) -> Policy:
    """``layers``: a policy, or a list of them, as YAML gives them. Raises :class:`PolicyError`."""
    given = [layers] if isinstance(layers, dict) else list(layers or [])
    key = json.dumps(given, sort_keys=True, default=str)
    if key not in _loaded:
        _loaded[key] = load(*given)
    return _loaded[key]


def findings(reading: t.Any, policy: t.Any, host: str, now: float | None) -> list[Finding]:
    mac = reading.get("mac", reading) if isinstance(reading, dict) else reading
    if not isinstance(mac, dict) or "accounts" not in mac:
        raise AnsibleFilterError("this is not a reading: give what keyholder.macos.trust_info returned, or its mac")
    try:
        mac = conform(mac)
    except (ShapeError, RecursionError) as problem:
        raise AnsibleFilterError(f"this is not a reading: {problem}") from problem
    try:
        return loaded(policy).evaluate(host, mac, time.time() if now is None else float(now))
    except PolicyError as problem:
        raise AnsibleFilterError(str(problem)) from problem


def breaks(finding: Finding, at_least: str) -> bool:
    """Whether the finding is a failure as bad as ``at_least``, or worse."""
    if at_least not in SEVERITIES:
        raise AnsibleFilterError(f"at_least: {at_least!r} (allowed: {', '.join(SEVERITIES)})")
    return finding.result == "fail" and SEVERITIES.index(finding.rule.severity) <= SEVERITIES.index(at_least)
