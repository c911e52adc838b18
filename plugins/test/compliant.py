# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test whether a reading fails no rule of a policy: the test compliant."""

from __future__ import annotations

DOCUMENTATION = r"""
name: compliant
short_description: Whether a Mac's reading breaks no rule of a policy
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - True where no rule of the policy is broken. A rule that the reading does not tell about counts as kept, unless
    O(strict) is set.
options:
  _input:
    description: What M(keyholder.macos.trust_info) returned, or its RV(keyholder.macos.trust_info#module:mac).
    type: dict
    required: true
  policy:
    description:
      - A policy, or a list of them, upon the collection's own baseline. See R(the guide to audits,
        ansible_collections.keyholder.macos.docsite.guide_audit).
    type: raw
    default: []
  host:
    description: The name of the Mac, by which exemptions know it.
    type: str
    default: ''
  at_least:
    description: The least severe failure that counts.
    type: str
    choices: [critical, high, medium, low, info]
    default: info
  strict:
    description: Whether a rule that the reading does not tell about counts as broken.
    type: bool
    default: false
  now:
    description: When the reading is judged, in seconds since 1970. Now, where it is not given.
    type: float
seealso:
  - plugin: keyholder.macos.findings
    plugin_type: filter
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Stop where a Mac breaks a rule that is critical or high
  ansible.builtin.assert:
    that: trust is keyholder.macos.compliant(at_least='high', host=inventory_hostname)
"""

RETURN = r"""
_value:
  description: Whether no rule is broken.
  type: bool
"""

import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import is_broken, judge_reading


def compliant(
    reading: t.Any,
    policy: t.Any = (),
    host: str = "",
    at_least: str = "info",
    strict: bool = False,
    now: float | None = None,
) -> bool:
    """Return whether no failure is as bad as ``at_least``."""
    found = judge_reading(reading, policy, host, now)
    broken = [finding for finding in found if is_broken(finding, at_least)]
    return not broken and not (strict and any(finding.result == "unknown" for finding in found))


class TestModule:
    """Hold what Ansible looks for in this file."""

    def tests(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"compliant": compliant}
