# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which variables are misspelt: the lookup unknown_variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_variables
short_description: Say which variables of this collection's roles and playbooks are misspelt
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Ansible ignores a variable that nothing uses. C(filevault_stat=deferred) would encrypt a Mac at once, because
    C(filevault_state) then has its default.
  - This lookup looks at the names of all variables, wherever they come from. A name that begins like those of this
    collection's roles and playbooks must be one of theirs. So must a name in which a letter or two are mistyped.
  - What a task has registered is not looked at. Put variables of your own that begin like ours into the list
    C(keyholder_own_variables), by their names or by a pattern such as C(grant_sudo_*).
  - Every role and playbook of this collection begins with it. The playbook C(preflight) reports what it says.
options:
  _terms:
    description:
      - Hosts whose variables are looked at besides those of the task itself.
    type: list
    elements: str
seealso:
  - plugin: keyholder.macos.refusal
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check that no variable is misspelt, before any Mac is touched
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: "{{ lookup('keyholder.macos.unknown_variables', *ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_raw:
  description:
    - One text. V('') if no variable is misspelt. Otherwise all that are, the nearest known name of each, what to do
      about it, and the reason code in brackets.
  type: list
  elements: str
"""

import typing as t
from collections.abc import Mapping

from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._variables import (
    HOSTS,
    OWN,
    PLAYBOOK,
    check_chosen,
    check_names,
    is_own,
    is_result,
    own_names,
    pattern_of,
)


class LookupModule(LookupBase):
    """Look at the names of the task's variables, and of those of hosts."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **_options: t.Any) -> list[str]:
        """Return one text, "" if there is nothing to say."""
        given = variables or {}
        try:
            check_names(self._found(terms, given))
            if given.get(PLAYBOOK):
                self._check_hosts(terms, given)
        except Refusal as refusal:
            return [refusal.told]
        return [""]

    def _found(self, terms: list[str], given: Mapping[str, t.Any]) -> dict[str, list[str]]:
        """Return each variable that is no result and not the user's own, with the hosts that alone have it."""
        own = own_names(t.cast("t.Any", self._templar).template(given.get(OWN, [])))
        everywhere = {name for name, value in given.items() if not is_result(value) and not is_own(name, own)}
        having: dict[str, list[str]] = {}
        for host in terms:
            raw = given["hostvars"].raw_get(host)
            own = own_names(given["hostvars"][host][OWN]) if OWN in raw else []
            for name in raw:
                if not is_result(raw[name]) and not is_own(name, own):
                    having.setdefault(name, []).append(host)
        alone = {name: hosts for name, hosts in having.items() if len(hosts) < len(terms)}
        return {**dict.fromkeys([*everywhere, *having], []), **alone}

    def _check_hosts(self, terms: list[str], given: Mapping[str, t.Any]) -> None:
        """Raise :class:`Refusal` for keyholder_hosts in the inventory, which is read after hosts are chosen."""
        inventory = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader)
        hostvars = given["hostvars"]
        if given.get(HOSTS) != hostvars.raw_get(given["inventory_hostname"]).get(HOSTS):
            return
        wanted: dict[str, list[str]] = {}
        for host in terms:
            if HOSTS in hostvars.raw_get(host):
                wanted.setdefault(pattern_of(hostvars[host][HOSTS]), []).append(host)
        for pattern, hosts in wanted.items():
            check_chosen(pattern, hosts, inventory.run([pattern], variables=given))
