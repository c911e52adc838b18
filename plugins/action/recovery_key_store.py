# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep encrypted recovery keys on the controller; what is kept when is in plugin_utils/_key_store."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import (
    Contents,
    KeyStore,
    demand_marker,
    mark,
    marked_at,
    must_be_marked,
)

_ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["looked", "begun", "stored", "forgotten", "marked"], "default": "looked"},
    "folder": {"type": "path", "required": True},
    "host": {"type": "str"},
    "seen": {"type": "str", "default": ""},
    "recovery_key_age": {"type": "str", "default": ""},
    "recovery_key_encrypted": {"type": "str", "default": ""},
    "validated": {"type": "bool", "default": True},
    "marked": {"type": "bool"},
}


class ActionModule(Action):
    """Do the work of the module of the same name, which is documentation only."""

    _supports_async = False
    _requires_connection = False
    SPEC = _ARGUMENTS

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        validate: t.Callable[..., tuple[t.Any, dict[str, t.Any]]] = self.validate_argument_spec
        dummy, arguments = validate(argument_spec=_ARGUMENTS)
        try:
            if arguments["state"] == "marked":
                return _marked(Path(arguments["folder"]), bool(self._task.check_mode))
            return _kept(arguments, task_vars, bool(self._task.check_mode))
        except Refusal as refusal:
            return failure(refusal)


def _marked(folder: Path, check_mode: bool) -> dict[str, t.Any]:
    changed = not marked_at(folder) if check_mode else mark(folder, _now())
    return {"changed": changed, "marked_at": marked_at(folder)}


def _kept(arguments: dict[str, t.Any], variables: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    folder = Path(arguments["folder"])
    store = KeyStore(folder, arguments["host"] or str(variables.get("inventory_hostname", "")))
    marked = must_be_marked(arguments["marked"], variables)
    if arguments["state"] not in ("forgotten", "stored") and marked:
        demand_marker(folder)
    keys = {"age": arguments["recovery_key_age"], "pem": arguments["recovery_key_encrypted"]}
    given = {kind: text for kind, text in keys.items() if text}
    if arguments["state"] == "looked" or check_mode:
        return {"changed": False, **_contents_of(store.look())}
    if arguments["state"] == "begun":
        return {"changed": False, **_contents_of(store.begin(_now()))}
    if arguments["state"] == "forgotten":
        return {"changed": False, **_contents_of(store.forget(arguments["seen"]))}
    if not given:
        return {"changed": False, **_contents_of(store.look())}
    return _stored(store, given, arguments, marked)


def _stored(store: KeyStore, given: dict[str, str], arguments: dict[str, t.Any], marked: bool) -> dict[str, t.Any]:
    """Store the key, or return it, encrypted as it is, if that fails: whatever has become of the store since the key
    was made, the key is nowhere else any more."""
    try:
        contents = store.store(given, arguments["validated"], arguments["seen"], _now())
        if marked:
            demand_marker(store.folder)
    except Refusal as refusal:
        names = {"age": "recovery_key_age", "pem": "recovery_key_encrypted"}
        lost = {names[kind]: text for kind, text in given.items()} if refusal.reason != "store_conflict" else {}
        return {**failure(refusal), **lost}
    return {"changed": True, **_contents_of(contents)}


def _contents_of(contents: Contents) -> dict[str, t.Any]:
    return {
        "present": [str(path) for path in contents.present],
        "unproven": [str(path) for path in contents.unproven],
        "earlier": [str(path) for path in contents.earlier],
        "interrupted": contents.interrupted,
        "seen": contents.seen,
    }


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
