# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge what is on the controller: the accounts that variables name, stores, and recipients. Nothing is written.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import shutil
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.module_utils.common.process import get_bin_path

from ansible_collections.keyholder.macos.plugins.module_utils._command import encryption
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import demand_marker, must_be_marked
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import (
    Verdict,
    not_asked,
    ok,
    stop,
    warn,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_mac import Purpose, Wanted
from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import AgeError, check_age, is_age
from ansible_collections.keyholder.macos.plugins.plugin_utils._store_options import option_of, store_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import StoreError

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import Lookup

_PEOPLE: tuple[tuple[str, Purpose, str], ...] = (
    ("onboard_user_admin_", "granter", "onboard_user_allow_temporary_promotion"),
    ("onboard_mobile_user_admin_", "granter", ""),
    ("offboard_user_admin_", "granter", ""),
    ("grant_admin_", "granter", "grant_allow_temporary_promotion"),
    ("repair_admin_", "granter", ""),
    ("escrow_bootstrap_token_admin_", "granter", ""),
    ("filevault_", "holder", ""),
)
"""How the variables of a name and its password begin, what for, and which one lets it be a standard account."""

MANAGED, STORE, CURRENT = "managed_admin_name", "managed_admin_store", "managed_admin_current_password"
TO_BE_MADE, STATE = "managed_admin_account", "filevault_state"
KEYS_IN, RECIPIENTS, HOW, MARKED = (
    "filevault_store_dir",
    "filevault_recipients",
    "filevault_recovery_key",
    "filevault_store_marked",
)

LOOKED_AT = (
    *(f"{begin}{end}" for begin, dummy, dummy2 in _PEOPLE for end in ("user", "password")),
    *(promotes for dummy, dummy2, promotes in _PEOPLE if promotes),
    *(MANAGED, STORE, CURRENT, TO_BE_MADE, STATE, KEYS_IN, RECIPIENTS, HOW, MARKED),
)
"""The variables whose values are looked at, if they are set."""

_ACCOUNT: Purpose = "account"
_SECONDS = 30


def people_of(values: Mapping[str, t.Any], stored: str = "") -> list[tuple[Wanted, str]]:
    """Return whom variables name, each with the password, "" for none. ``stored``: what the store of managed passwords
    holds. A name and a password that several roles share come once."""
    found: dict[tuple[str, Purpose, str, bool], list[tuple[str, str]]] = {}
    for begin, purpose, promotes in _PEOPLE:
        name = values.get(f"{begin}user")
        if name:
            word = f"{begin}password"
            secret = str(values.get(word) or "")
            spared = bool(promotes and _is_true(values.get(promotes)))
            # Whose login encrypts the volume needs no token before.
            purpose = _ACCOUNT if begin == "filevault_" and values.get(STATE) == "deferred" else purpose
            found.setdefault((str(name), purpose, secret, spared), []).append((f"{begin}user", word if secret else ""))
    if values.get(MANAGED):
        source = STORE if stored else CURRENT if values.get(CURRENT) else ""
        secret = stored or str(values.get(CURRENT) or "")
        found[str(values[MANAGED]), _ACCOUNT, secret, bool(values.get(TO_BE_MADE))] = [(MANAGED, source)]
    people = []
    for (name, purpose, secret, spared), named in found.items():
        passwords = [word for dummy, word in named if word]
        variables = tuple(variable for variable, dummy in named)
        people.append((Wanted(name, purpose, variables, passwords[0] if passwords else "", spared), secret))
    return people


def unnamed(values: Mapping[str, t.Any]) -> list[Verdict]:
    """Return a verdict for each password whose account no variable names."""
    return [
        stop("granter", f"{begin}password is given, and {begin}user is not", f"Set {begin}user.")
        for begin, dummy, dummy2 in _PEOPLE
        if values.get(f"{begin}password") and not values.get(f"{begin}user") and begin.endswith("admin_")
    ]


def _is_true(value: t.Any) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1", "y", "t")


def store_verdict(
    values: Mapping[str, t.Any], host: str, variables: Mapping[str, t.Any], lookup: Lookup
) -> tuple[Verdict, str]:
    """Return the verdict on the store of managed passwords, and the password that it holds, "" for none. The store is
    read, and whether it can be written to is seen by rights and programs alone."""
    if not values.get(STORE):
        return not_asked("store", f"{STORE} is not set"), ""
    try:
        given = option_of(values[STORE])
        store = store_of(given, host, str(values.get(MANAGED) or "NAME"), variables, lookup)
        problem = _unwritable(given)
        if problem is not None:
            return problem, ""
        stored = store.read() if values.get(MANAGED) else None
    except Refusal as refusal:
        return stop("store", str(refusal), refusal.remedy), ""
    except StoreError as problem_of_it:
        remedy = "Correct managed_admin_store, or what it names: a read by hand must show the same document."
        return stop("store", _without(str(problem_of_it), host), remedy), ""
    if stored is None:
        return ok("store", f"{given['kind']}, not read, as {MANAGED} is not set"), ""
    if stored.pending:
        words = "a rotation was interrupted: it holds a pending password"
        remedy = "Run the playbook keyholder.macos.managed_admin, which finishes the rotation."
        return warn("store", words, remedy), stored.current
    return ok("store", given["kind"] if stored.current else f"{given['kind']}, empty"), stored.current


def _without(text: str, host: str) -> str:
    """Return a message the same whatever the Mac is called."""
    return text.replace(host, "HOST") if host else text


def _unwritable(given: Mapping[str, t.Any]) -> Verdict | None:
    """Return why nothing could be written to the store, as far as that shows without writing."""
    if given["kind"] == "age":
        identity = given["identity"]
        if not os.access(identity, os.R_OK):
            return stop("store", f"identity {identity} cannot be read", "Correct identity in managed_admin_store.")
        try:
            check_age(given["recipients"])
        except AgeError as problem:
            return stop("store", str(problem), "Correct recipients in managed_admin_store.")
        reason = no_folder(Path(given["directory"]))
        return stop("store", reason, "Correct directory in managed_admin_store, or its rights.") if reason else None
    for option in ("read", "write"):
        argv = given.get(option)
        if argv and shutil.which(argv[0]) is None:
            remedy = "Install it, or correct managed_admin_store."
            return stop("store", f"the controller has no program {argv[0]} ({option})", remedy)
    return None


def no_folder(folder: Path) -> str:
    """Return why nothing can be written into a folder, "" if it can, or if the folder can be made."""
    if os.path.lexists(folder):
        if not folder.is_dir():
            return f"{folder} is no folder"
        return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} is not writable"
    above = next((one for one in folder.absolute().parents if os.path.lexists(one)), Path("/"))
    writable = above.is_dir() and os.access(above, os.W_OK | os.X_OK)
    return "" if writable else f"{folder} is not there, and cannot be made in {above}"


def key_store_verdict(values: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> Verdict:
    """Return the verdict on the folder of recovery keys: there or to be made, writable, and for its owner alone."""
    if not (values.get(KEYS_IN) or values.get(RECIPIENTS)) or (values.get(HOW) or "encrypt") != "encrypt":
        return not_asked("key_store", f"neither {KEYS_IN} nor {RECIPIENTS} is set")
    # The role's default.
    default = os.path.join(str(variables.get("inventory_dir") or os.getcwd()), "recovery-keys")
    folder = Path(os.path.expanduser(os.path.expandvars(str(values.get(KEYS_IN) or default))))
    marked = values.get(MARKED)
    try:
        if must_be_marked(None if marked is None else _is_true(marked), variables):
            demand_marker(folder)
    except Refusal as refusal:
        return stop("key_store", str(refusal), refusal.remedy)
    reason = no_folder(folder)
    if reason:
        return stop("key_store", reason, f"Correct {KEYS_IN}, or the folder's rights.")
    if not folder.exists():
        return ok("key_store", f"{folder}, made at the first key")
    return _private(folder)


def _private(folder: Path) -> Verdict:
    found = folder.stat()
    mode = found.st_mode & 0o777
    if not mode & 0o077:
        return ok("key_store", str(folder))
    words = f"{folder} has mode {mode:04o}, so other users may look at its names or files"
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        owner = f"{words}, and is another user's, so a run cannot make it 0700"
        return stop("key_store", owner, f"Have its owner run: chmod 700 {folder}, or name another folder.")
    return warn("key_store", words, f"Run: chmod 700 {folder}. The next run that stores a key does it, too.")


def recipients_verdict(values: Mapping[str, t.Any]) -> Verdict:
    """Return whether something can be encrypted to the recipients of recovery keys."""
    given = values.get(RECIPIENTS)
    if not given or (values.get(HOW) or "encrypt") != "encrypt":
        return not_asked("recipients", f"{RECIPIENTS} is not set")
    wanted = [given] if isinstance(given, str) else list(given)
    remedy = f"Correct {RECIPIENTS}: age recipients (age1...), or certificates in PEM, such as those of a file."
    if not all(isinstance(one, str) for one in wanted):
        return stop("recipients", f"{RECIPIENTS} must be a list of texts", remedy)
    age, pem = [one for one in wanted if is_age(one)], [one for one in wanted if not is_age(one)]
    try:
        if age:
            check_age(age)
    except AgeError as problem:
        return stop("recipients", str(problem), remedy)
    for number, one in enumerate(wanted, 1):
        if one in pem and not _is_certificate(one):
            words = f"{RECIPIENTS}, number {number}: to this, no certificate in PEM, nothing can be encrypted"
            return stop("recipients", words, remedy)
    return ok("recipients", f"{len(age)} of age, {len(pem)} in PEM")


def _is_certificate(text: str) -> bool:
    """Return whether something can be encrypted to it."""
    if not encryption.CERTIFICATE.search(text):
        return False
    ran = ProcessRunner(_on_this_host).run(encryption.try_certificate(text), _SECONDS)
    return bool(encryption.message(ran))


def _on_this_host(program: str) -> str:
    try:
        return str(get_bin_path(program))
    except ValueError as problem:
        raise LookupError(program) from problem
