# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a password's store of the option ``store``, for the module that writes to it and the lookup that reads it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.loader import lookup_loader

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import (
    demand_marker,
    must_be_marked,
    usable_host,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import (
    AgeStore,
    CommandStore,
    Lookup,
    LookupStore,
    VaultStore,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Store, StoreError

STORES = {
    "command": ("read", "write"),
    "lookup": ("lookup", "write"),
    "age": ("directory", "recipients", "identity"),
    "vault": ("path",),
}
"""Kind of store -> what it needs."""

_FOR_WRITING = ("write", "recipients")

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "kind": {"type": "str", "required": True, "choices": list(STORES)},
        "read": {"type": "list", "elements": "str"},
        "write": {"type": "list", "elements": "str"},
        "lookup": {"type": "str"},
        "terms": {"type": "list", "elements": "str", "default": []},
        "options": {"type": "dict", "default": {}},
        "directory": {"type": "path"},
        "marked": {"type": "bool"},
        "recipients": {"type": "list", "elements": "str"},
        "identity": {"type": "path"},
        "mount": {"type": "str", "default": "secret"},
        "path": {"type": "str"},
    },
}


def option_of(store: t.Any) -> dict[str, t.Any]:
    """Return the option, checked and with its defaults, of what a variable holds. Raises :class:`Refusal`."""
    # The validator copies what it gets. A value that Ansible templates late would have its whole templar copied.
    checked = ArgumentSpecValidator({"store": OPTION}).validate({"store": _templated(store)})
    if checked.error_messages:
        raise Refusal("value_unusable", "; ".join(checked.error_messages))
    return t.cast("dict[str, t.Any]", checked.validated_parameters["store"])


def _templated(value: t.Any) -> t.Any:
    """Return a value, and what is in it, as plain dictionaries and lists."""
    if isinstance(value, t.Mapping):
        return {key: _templated(one) for key, one in value.items()}
    return [_templated(one) for one in value] if isinstance(value, (list, tuple)) else value


def store_of(
    given: t.Mapping[str, t.Any],
    host: str,
    name: str,
    variables: t.Mapping[str, t.Any],
    lookup: Lookup,
    only_read: bool = False,
) -> Store:
    """Return the store of an account's password. ``host``: the Mac's name in the inventory. ``only_read``: what only
    writing needs may be missing. Raises :class:`Refusal`."""
    needed = [option for option in STORES[given["kind"]] if not (only_read and option in _FOR_WRITING)]
    missing = [option for option in needed if not given.get(option)]
    if missing:
        raise Refusal("option_missing", f"a store of kind {given['kind']} needs {', '.join(missing)}")
    if given["kind"] == "command":
        return CommandStore(given["read"], given["write"] or ())
    if given["kind"] == "lookup":
        return LookupStore(lookup, given["lookup"], given["terms"], given["options"], given["write"] or ())
    if given["kind"] == "vault":
        return VaultStore(lookup, given["mount"], given["path"], given["options"])
    # A folder that is not mounted holds nothing, and nothing would be taken for a password that was never set.
    if must_be_marked(given["marked"], variables):
        demand_marker(Path(given["directory"]))
    path = Path(given["directory"], f"{usable_host(host)}.{name}.age")
    hosts = variables.get("groups", {}).get("all", ())
    return AgeStore(path, given["recipients"] or (), Path(given["identity"]), host, name, hosts)


def place_of(given: t.Mapping[str, t.Any], store: Store) -> str:
    """Return what tells this store's entry apart from every other one. It may hold secrets."""
    if isinstance(store, AgeStore):
        return str(store.path.resolve())
    return json.dumps({option: given[option] for option in given if option not in _FOR_WRITING}, default=str)


def lookup_by(loader: t.Any, templar: t.Any, variables: t.Mapping[str, t.Any]) -> Lookup:
    """Return what runs a lookup plugin on the controller."""

    def lookup(name: str, terms: list[str], **options: t.Any) -> t.Any:
        plugin = lookup_loader.get(name, loader=loader, templar=templar)
        if plugin is None:
            raise StoreError(f"the controller has no lookup plugin {name}: install its collection there")
        found = plugin.run(terms, variables=variables, **options)
        return found[0] if found else None

    return lookup
