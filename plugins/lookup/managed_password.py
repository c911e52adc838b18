# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return the current password of an account on a Mac out of the store of the module managed_password."""

from __future__ import annotations

DOCUMENTATION = r"""
name: managed_password
short_description: Return the current password of an account from the store that rotates it
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Returns the password that M(keyholder.macos.managed_password) has put into its store for this account on this Mac.
    Use it wherever Ansible or this collection needs that password, for example in C(ansible_become_password),
    C(ansible_password) and the granter's variables of the roles.
  - Ansible resolves these variables again for each task. So a task that comes after the rotation uses the new password,
    in the same play too.
  - It only reads the store, on the controller, and writes the password nowhere. Never show its result, for example with
    M(ansible.builtin.debug), and set C(no_log) on tasks of other collections that get it.
options:
  _terms:
    description:
      - The short names of the accounts. Without any, the account is the value of the variable C(managed_admin_name).
    type: list
    elements: str
  store:
    description:
      - Where the password is kept, as in O(keyholder.macos.managed_password#module:store). What only writing needs,
        C(write) and C(recipients), may be missing.
      - It must be given here or as the variable C(managed_admin_store).
    type: dict
    vars:
      - name: managed_admin_store
  host:
    description:
      - The Mac's name in the inventory, by which a store of kind V(age) names the file.
      - If it is left out, it is the value of C(inventory_hostname).
    type: str
  default:
    description:
      - The password to return if the store holds no current one of this account. Give the password that the account
        has before its first rotation.
      - Without it, that is an error.
    type: str
  which:
    description:
      - Which password to return while a rotation is under way or was interrupted. Then the store holds two, and the Mac
        has one of them.
      - V(current) is the one before the rotation. There is a warning if the store holds a pending one as well.
      - V(pending) is the one that the rotation sets. If no rotation is under way, it is the current one.
      - The role M(keyholder.macos.managed_password) tries both by itself and then finishes the rotation.
    type: str
    choices: [current, pending]
    default: current
notes:
  - Each task reads the store again, because Ansible starts a process for each task. Within a task it is read once. An
    age file was measured to cost the controller 80 to 100 ms of CPU for each task and Mac, nearly all of it to load
    this plugin, and 2 to 25 ms in a play whose earlier tasks are of this collection. A program or a server takes its
    own time besides.
seealso:
  - module: keyholder.macos.managed_password
  - ref: ansible_collections.keyholder.macos.docsite.guide_rotation
    description: How to rotate passwords, and how to use the rotated one.
"""

EXAMPLES = r"""
# group_vars/macs/main.yml: the account that Ansible logs in with is the one that is rotated
managed_admin_name: itadmin
managed_admin_store:
  kind: age
  directory: /srv/macs
  recipients: [age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq]
  identity: /etc/keyholder/identity.txt
itadmin_password: "{{ lookup('keyholder.macos.managed_password', default=vault_itadmin_password) }}"
ansible_user: itadmin
ansible_become_password: "{{ itadmin_password }}"
onboard_user_admin_user: itadmin
onboard_user_admin_password: "{{ itadmin_password }}"

# The same from HashiCorp Vault, for another account
deputy_password: "{{ lookup('keyholder.macos.managed_password', 'deputy', store=deputy_store) }}"
deputy_store:
  kind: vault
  mount: macs
  path: "{{ inventory_hostname }}/deputy"
  options:
    url: https://vault.example.com:8200
    auth_method: approle
    role_id: "{{ vault_role_id }}"
    secret_id: "{{ vault_secret_id }}"
"""

RETURN = r"""
_raw:
  description: The password of each account, in their order.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_name
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._held import held
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import check_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._store_options import (
    lookup_by,
    option_of,
    place_of,
    store_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored, StoreError

_OPTIONS = ("store", "host", "default", "which")
_NAME = "managed_admin_name"
_STORE = "managed_admin_store"


class LookupModule(LookupBase):
    """Read the store on the controller."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """Return the password of each account. Raises :class:`AnsibleLookupError`."""
        known = variables or {}
        templar: t.Any = self._templar
        named = {name: templar.template(known[name]) for name in (_NAME, _STORE) if name in known}
        try:
            _check(kwargs)
            options = self._options_of(named, kwargs)
            return [self._password(name, options, known) for name in list(terms) or [named.get(_NAME)]]
        except Refusal as refusal:
            told = refusal.told
        except StoreError as problem:
            told = Refusal("store_failed", str(problem)).told
        raise AnsibleLookupError(f"lookup keyholder.macos.managed_password: {told}")

    def _options_of(self, named: dict[str, t.Any], given: dict[str, t.Any]) -> dict[str, t.Any]:
        # ansible-core 2.19 says no types of these.
        take, value = (t.cast("t.Callable[..., t.Any]", one) for one in (self.set_options, self.get_option))
        take(var_options=named, direct=given)
        return {option: value(option) for option in _OPTIONS}

    def _password(self, name: t.Any, options: dict[str, t.Any], variables: dict[str, t.Any]) -> str:
        if name is None or name == "":
            msg = f"no account is named: give its short name, or set the variable {_NAME}"
            raise Refusal("option_missing", msg)
        check_text("name", name, False)
        usable_name("name", name)
        host = str(options["host"] or variables.get("inventory_hostname") or "")
        given = _store_option(options["store"])
        store = store_of(given, host, name, variables, lookup_by(self._loader, self._templar, variables), True)
        stored = held(store, place_of(given, store))
        wanted = stored.pending if options["which"] == "pending" and stored.pending else stored.current
        if wanted == stored.current and stored.pending:
            Display().warning(_interrupted(name, host))
        if wanted:
            return wanted
        if options["default"]:
            return str(options["default"])
        raise Refusal("option_missing", _nothing(name, host, stored))


def _check(given: dict[str, t.Any]) -> None:
    for option in given:
        if option not in _OPTIONS:
            raise Refusal("option_unknown", f"{option} is no option; there are {', '.join(_OPTIONS)}")
    if given.get("default") is not None:
        check_text("default", given["default"], True)


def _store_option(store: t.Any) -> dict[str, t.Any]:
    if not store:
        raise Refusal("option_missing", f"store is not given, and the variable {_STORE} is not set")
    return option_of(store)


def _interrupted(name: str, host: str) -> str:
    return (
        f"A rotation of the password of {name} on {host} is under way or was interrupted: the store holds a current"
        " and a pending password, and the Mac has one of them. This is the current one. If the Mac refuses it, run"
        " keyholder.macos.managed_admin, which tries both and finishes the rotation."
    )


def _nothing(name: str, host: str, stored: Stored) -> str:
    if stored.pending:
        return (
            f"the store holds only a pending password of {name} on {host}: its rotation was interrupted. Run"
            " keyholder.macos.managed_admin, which finishes it, or give which='pending'"
        )
    return (
        f"the store holds no password of {name} on {host}. Run keyholder.macos.managed_admin on it first, or give the"
        " password that the account has until then as default"
    )
