# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say on which hosts a playbook works: the lookup chosen_hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chosen_hosts
short_description: Say on which hosts a playbook of this collection works
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Returns the hosts that the variable C(keyholder_hosts) names. Each part of it must be a host, a group or a pattern
    that matches one. Ansible itself only warns about a name that the inventory does not have, runs on the rest, and
    ends well.
  - Without C(keyholder_hosts), the group C(macs) if the inventory has one with hosts. Otherwise all hosts, but a
    playbook that changes Macs fails if these are more than one, unless C(--limit) was given.
  - With C(keyholder_limit_required), a playbook that changes Macs fails without C(--limit), whatever
    C(keyholder_hosts) says. All Macs are the limit C(all). The job templates of C(playbooks/awx) set it.
  - C(keyholder_serial) and C(keyholder_max_fail_percentage), which Ansible needs at the same time, must be numbers or
    percentages.
  - A play's hosts are chosen before the variables of hosts and groups are read. Give C(keyholder_hosts) with C(-e), or
    as a variable of the import.
options:
  _terms:
    description: Nothing.
    type: list
    elements: str
  reads:
    description: Whether the playbook only reads.
    type: bool
    default: false
seealso:
  - plugin: ansible.builtin.inventory_hostnames
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read each Mac
  hosts: "{{ query('keyholder.macos.chosen_hosts', reads=true) }}"
  gather_facts: false
  tasks:
    - name: Read who holds a Secure Token
      keyholder.macos.trust_info:
"""

RETURN = r"""
_raw:
  description: Patterns, as a play's hosts.
  type: list
  elements: str
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.inventory.manager import split_host_pattern
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._variables import (
    ABSENT,
    HOSTS,
    LIMIT_REQUIRED,
    MAX_FAIL_PERCENTAGE,
    SERIAL,
    check_batches,
    check_limit,
    choose_hosts,
    known,
)


class LookupModule(LookupBase):
    """Read keyholder_hosts, and the inventory's groups."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[str]:
        """Return the patterns."""
        given, templar = variables or {}, t.cast("t.Any", self._templar)
        if context.CLIARGS.get("syntax"):
            # Whoever only checks the syntax, as ansible-lint does, may have no inventory, or another one.
            return ["all"]
        # Each task is a fork of this process, and need not read the roles' specifications again.
        known()
        inventory = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader, templar=self._templar)
        confined = options.get("reads") or given.get("ansible_limit")
        try:
            check_batches(*(templar.template(given.get(name, "100")) for name in (SERIAL, MAX_FAIL_PERCENTAGE)))
            check_limit(templar.template(given.get(LIMIT_REQUIRED, False)), confined)
            return choose_hosts(
                templar.template(given[HOSTS]) if HOSTS in given else ABSENT,
                given.get("groups", {}),
                lambda pattern: inventory.run([pattern], variables=given),
                split_host_pattern,
                bool(confined),
            )
        except Refusal as refusal:
            # ansible-core 2.21 would tell the cause once more.
            raise AnsibleLookupError(refusal.told) from None
