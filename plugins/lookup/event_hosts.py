# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Macs in the inventory of which an MDM's events speak: the lookup event_hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: event_hosts
short_description: Find the Mac in the inventory of which an event of an MDM speaks
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Takes the event that ansible-rulebook hands to a playbook in C(ansible_eda), and returns the host whose variable
    C(keyholder_serial_number) or C(keyholder_udid) is what the event says. If the event has neither, the one host whose
    C(keyholder_computer_name) is the name in the event.
  - Fails if no host is the Mac, or if two are.
  - No word of an event is evaluated as a template, because the lookup takes it as it stands, and returns a host of the
    inventory and one of the four kinds of event. Do not use C(ansible_eda) in a task.
options:
  _terms:
    description: Hosts, groups and patterns to search. All hosts, if it is left out.
    type: list
    elements: str
seealso:
  - plugin: keyholder.macos.chosen_hosts
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Name the Mac
  ansible.builtin.debug:
    msg: "{{ query('keyholder.macos.event_hosts', 'macs') | map(attribute='host') }}"
"""

RETURN = r"""
_raw:
  description: For each event a dictionary with C(host), the Mac's name in the inventory, and C(event), what happened.
  type: list
  elements: dict
"""

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._mdm_events import UnusableError, checked, events_of

VARIABLES = {"serial": "keyholder_serial_number", "udid": "keyholder_udid", "hostname": "keyholder_computer_name"}


class LookupModule(LookupBase):
    """Compare what the events say with the inventory's variables."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **_options: t.Any) -> list[t.Any]:
        """Return the Macs, and what happened to them."""
        given = variables or {}
        try:
            hosts = self._hosts(terms, given)
            return [{"host": _host_of(event, hosts), "event": event["event"]} for event in _events(given)]
        except Refusal as refusal:
            # ansible-core 2.21 would tell the cause once more.
            raise AnsibleLookupError(refusal.told) from None

    def _hosts(self, terms: list[str], given: Mapping[str, t.Any]) -> dict[str, dict[str, str]]:
        """Return of each host what tells which Mac it is."""
        templar = t.cast("t.Any", self._templar)
        inventory = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=self._loader, templar=templar)
        found = {}
        for host in inventory.run([",".join(terms) or "all"], variables=given):
            own = given["hostvars"].raw_get(host)
            named = {key: own[name] for key, name in VARIABLES.items() if own.get(name) is not None}
            if any("{{" in str(value) or "{%" in str(value) for value in named.values()):
                named = {key: given["hostvars"][host][VARIABLES[key]] for key in named}
            found[str(host)] = {key: str(value).strip().casefold() for key, value in named.items()}
        return found


def _events(given: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the events that the playbook was started with. Raise :class:`Refusal`."""
    try:
        events = [checked(event) for event in events_of(given.get("ansible_eda"))]
    except UnusableError as problem:
        raise Refusal("event_unusable", f"the event in ansible_eda cannot be used: {problem}") from problem
    if not events:
        raise Refusal("event_unusable", "ansible_eda has no event")
    return events


def _host_of(event: Mapping[str, t.Any], hosts: Mapping[str, Mapping[str, str]]) -> str:
    """Return the one host that is the Mac of an event. Raise :class:`Refusal`."""
    mac = event["mac"]
    # A name is the user's to choose, so it counts where there is nothing better.
    keys = [key for key in ("serial", "udid") if mac[key]] or ["hostname"]
    fits = [name for name, own in hosts.items() if any(own.get(key) == mac[key].casefold() for key in keys)]
    said = ", ".join(f"{VARIABLES[key]} {mac[key]}" for key in keys)
    what = f"{event['source']} says {event['event']} of a Mac"
    if not fits:
        raise Refusal("mac_unknown", f"{what} that is no host of the inventory: none has {said}")
    if len(fits) > 1:
        named = f"{fits[0]} and {fits[1]}"
        raise Refusal("mac_unknown", f"{what} that is more than one host of the inventory, {named}: {said}")
    return fits[0]
