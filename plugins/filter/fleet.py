# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what was read of a fleet: the filter fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
short_description: Sum up what was read of a fleet of Macs
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Says how many Macs are recoverable, how many are compliant, and by cause what keeps the others from it. The words
    and numbers are those of M(keyholder.macos.audit_report).
options:
  _input:
    description:
      - A list of pairs. The name of a Mac, and what M(keyholder.macos.trust_info) returned for it, or V(none).
    type: list
    elements: list
    required: true
  policy:
    description:
      - A policy, or a list of them, on top of the collection's own baseline. See R(the guide to audits,
        ansible_collections.keyholder.macos.docsite.guide_audit).
    type: raw
    default: []
  sources:
    description: The inventory's sources, which the commands in the result name. Ansible has them in
      C(ansible_inventory_sources).
    type: list
    elements: str
    default: []
seealso:
  - module: keyholder.macos.audit_report
  - plugin: keyholder.macos.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Sum up what was read
  ansible.builtin.debug:
    msg: "{{ (pairs | keyholder.macos.fleet).lines }}"
  vars:
    pairs: "{{ ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'trust')) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The summary for a terminal in C(lines), how many Macs are C(recoverable) and C(compliant), the C(causes), and in
      C(macs) of each Mac its state, whether it is recoverable and compliant, and why.
  type: dict
"""

import time
import typing as t
from collections.abc import Mapping

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.inventory import inventory_words
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import answer_of, judge_mac
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import policy_given
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary


def fleet(
    pairs: t.Iterable[t.Any], policy: t.Any = (), sources: t.Any = (), now: float | None = None
) -> dict[str, t.Any]:
    """Return the numbers, the causes, and each Mac's state."""
    at = time.time() if now is None else now
    summary = Summary(policy_given(policy), "", at)
    summary.inventory = inventory_words(sources)
    macs = {}
    for host, result in pairs:
        known = dict(result) if isinstance(result, Mapping) else None
        judged = judge_mac(answer_of(str(host), known, at), summary.policy, at)
        summary.add(judged, None)
        macs[str(host)] = judged.view()
    view = summary.view()
    told = {key: view[key] for key in ("recoverable", "compliant", "states", "causes")}
    return t.cast("dict[str, t.Any]", plain_data({**told, "lines": summary.lines(), "macs": macs}))


class FilterModule:
    """Hold what Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fleet": fleet}
