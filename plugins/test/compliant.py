# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test whether a reading fails no rule of a policy: the test compliant."""

from __future__ import annotations

DOCUMENTATION = r"""
name: compliant
short_description: Whether a Mac's reading fails no rule of a policy
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - True if the Mac fails no rule of the policy. A rule that the reading does not answer counts as failed, as in an
    audit.
  - The baseline asks when a recovery key was escrowed. So read the Mac with V(escrow) in
    O(keyholder.macos.trust_info#module:include), and as root.
options:
  _input:
    description: What M(keyholder.macos.trust_info) returned, or its RV(keyholder.macos.trust_info#module:mac).
    type: dict
    required: true
  policy:
    description:
      - A policy, or a list of them, on top of the collection's own baseline. See R(the guide to audits,
        ansible_collections.keyholder.macos.docsite.guide_audit).
    type: raw
    default: []
  host:
    description: The name of the Mac, which exemptions refer to.
    type: str
    default: ''
  at_least:
    description: The least severe rule that counts.
    type: str
    choices: [critical, high, medium, low, info]
    default: info
  strict:
    description: Whether a rule that the reading does not answer counts as failed. With V(false), it counts as passed.
    type: bool
    default: true
  now:
    description: When the reading is judged, in seconds since 1970. If it is left out, now.
    type: float
seealso:
  - plugin: keyholder.macos.findings
    plugin_type: filter
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Stop if a Mac fails a rule that is critical or high
  ansible.builtin.assert:
    that: trust is keyholder.macos.compliant(at_least='high', host=inventory_hostname)
    fail_msg: >-
      {{ trust | keyholder.macos.findings(host=inventory_hostname) | selectattr('result', 'in', ['fail', 'unknown'])
        | map(attribute='title') | join('; ') }}
"""

RETURN = r"""
_value:
  description: Whether no rule failed.
  type: bool
"""

import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import is_broken, judge_reading


def compliant(
    reading: t.Any,
    policy: t.Any = (),
    host: str = "",
    at_least: str = "info",
    strict: bool = True,
    now: float | None = None,
) -> bool:
    """Return whether no rule that is as severe as ``at_least`` has failed, or, with ``strict``, is unanswered."""
    found = judge_reading(reading, policy, host, now)
    return not any(is_broken(finding, at_least, strict) for finding in found)


class TestModule:
    """Hold what Ansible looks for in this file."""

    def tests(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"compliant": compliant}
