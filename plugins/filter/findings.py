# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a reading by a policy: the filter findings."""

from __future__ import annotations

DOCUMENTATION = r"""
name: findings
short_description: Judge a Mac's reading by a policy
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Says of each rule whether a reading passes it.
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
  now:
    description: When the reading is judged, in seconds since 1970. If it is left out, now.
    type: float
seealso:
  - plugin: keyholder.macos.compliant
    plugin_type: test
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Show which rules a Mac fails
  ansible.builtin.debug:
    msg: "{{ findings | selectattr('result', 'eq', 'fail') }}"
  vars:
    my_policy: {parameters: {managed_admins: [itadmin]}}
    findings: "{{ trust | keyholder.macos.findings(policy=my_policy, host=inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - One entry for each rule, with its C(rule), C(title), C(severity), C(result), C(remedy) and C(run).
    - C(result) is one of V(pass), V(fail), V(unknown), V(not_applicable) and V(exempt).
    - C(found) is what was seen, and C(accounts) the accounts that it is about. For a failure, C(commands) are the
      playbooks, with their options, that put it right, if there are any.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import judge_reading


def findings(reading: t.Any, policy: t.Any = (), host: str = "", now: float | None = None) -> list[dict[str, t.Any]]:
    """Return each rule with its result."""
    found = [
        {**finding.rule.view(), "found": [], "accounts": [], **finding.view()}
        for finding in judge_reading(reading, policy, host, now)
    ]
    return t.cast("list[dict[str, t.Any]]", plain_data(found))


class FilterModule:
    """Hold what Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"findings": findings}
