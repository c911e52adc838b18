# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the command that mends a finding, with the variables that the playbook needs, filled from the reading. Pure.

Passwords are in no command: each ends with the file that holds them. "" means that no command can help here.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._mac import T2_MODELS

if t.TYPE_CHECKING:
    Reading = t.Mapping[str, t.Any]

SECRETS = "-e @secrets.yml"
"""The file is the user's own, as the head of each playbook says."""

OURS = "keyholder.macos."
"""How a playbook of the collection begins."""

_PLAIN = re.compile(r"[A-Za-z0-9._@-]+")
_TEMPLATE = re.compile(r"\{[{%#]")
"""Ansible would carry out what stands in such a name."""


INVENTORY = "-i INVENTORY"
"""The options that name the inventory, where nobody said which it is."""


def command(run: str, hosts: t.Iterable[str], inventory: str = "") -> str:
    """Return the whole command for exactly these Macs. ``run``: a playbook and its options; ``inventory``: the options
    that name it."""
    return " ".join(filter(None, ("ansible-playbook", run, inventory, "--limit", shlex.quote(",".join(hosts)))))


def _extra(**variables: str) -> str:
    """Return the options that set the variables, safe in a shell and in Ansible; "" if one is empty, or may be a
    template."""
    if not all(variables.values()) or any(map(_TEMPLATE.search, variables.values())):
        return ""
    if all(map(_PLAIN.fullmatch, variables.values())):
        return " ".join(f"-e {name}={value}" for name, value in variables.items())
    return f"-e {shlex.quote(json.dumps(variables))}"


def _finished(*options: str) -> str:
    """Return the options with the file of secrets; "" if there are none."""
    return " ".join((*options, SECRETS)) if all(options) else ""


def to_grant(mac: Reading, who: str = "") -> str:
    """Return how to grant an account a token. ``who``: its name; "" for the first administrator who has none."""
    waiting = (one["name"] for one in mac["accounts"] if one["admin"] and _may_wait(one))
    who = who or next(waiting, "")
    if not mac["holders"]:
        first = "-e grant_first_token=true"
        return _finished(_extra(grant_user=who), first) if mac["filevault"]["state"] == "off" else ""
    admin = _first(mac["granters"], who)
    if admin:
        return _finished(_extra(grant_user=who, grant_admin_user=admin))
    lent = _extra(grant_user=who, grant_admin_user=_lender(mac, who))
    return _finished(lent, "-e grant_allow_temporary_promotion=true")


def _may_wait(account: t.Mapping[str, t.Any]) -> bool:
    able = account.get("password_set", True) and not account.get("disabled")
    return bool(able and account.get("uid") != 0 and account["secure_token"] in ("none", "pending"))


def _lender(mac: Reading, who: str) -> str:
    """Return a standard holder of this Mac, who may be promoted for a grant."""
    able = (one for one in mac["accounts"] if one["name"] in mac["holders"] and not one["admin"])
    usable = (one["name"] for one in able if one.get("password_set", True) and not one.get("disabled"))
    return _first(list(usable), who)


def to_repair(mac: Reading, who: str) -> str:
    """Return how to repair the token of an account."""
    return _finished(_extra(repair_user=who, repair_admin_user=_first(mac["granters"], who)), _APPLY)


def to_own(mac: Reading) -> str:
    """Return how an administrator becomes a volume owner: whoever is granted a token is one. An administrator who has
    none gets one; else one holder's token is revoked and granted again by another."""
    granted = to_grant(mac)
    if granted:
        return f"{OURS}grant {granted}"
    repaired = to_repair(mac, _first(mac["granters"], ""))
    return f"{OURS}repair {repaired}" if repaired else ""


def to_rotate(account: t.Mapping[str, t.Any]) -> str:
    """Return how to give an account a new password. Where it is kept, and the present one until the store has it, are
    in the file of secrets."""
    return _finished(_extra(managed_admin_name=account["name"]), "-e managed_admin_rotate=true")


def to_remove_orphans(mac: Reading) -> str:
    """Return how to remove the crypto users that belong to no account: with a Secure Enclave macOS keeps them."""
    enclave = mac["hardware"]["apple_silicon"] is not False or mac["hardware"]["model"] in T2_MODELS
    return "" if enclave else f"{_APPLY} -e repair_orphans=true"


def to_finish(mac: Reading) -> str:
    """Return how to finish what an earlier run left, where that needs no more than any run that changes the Mac."""
    return _APPLY if any(note == "preboot" or note.startswith("promoted ") for note in mac["pending"]) else ""


_APPLY = "-e repair_apply=true"


def to_escrow(mac: Reading) -> str:
    """Return how to have the Bootstrap Token escrowed. The MDM server must take one, and the Mac be enrolled."""
    granter = _first(mac["granters"], "")
    usable = mac["management"]["enrolled"]
    return _finished(_extra(escrow_bootstrap_token_admin_user=granter)) if usable else ""


def to_encrypt(mac: Reading, rotate: bool = False) -> str:
    """Return how to turn FileVault on, or to make a new recovery key."""
    user = _first(mac["granters"], "") or _lender(mac, "")
    return _finished(_extra(filevault_user=user), *(["-e filevault_rotate=true"] if rotate else []))


def to_onboard(mac: Reading) -> str:
    """Return how to make the accounts that the inventory declares."""
    return _finished(_extra(onboard_user_admin_user=_first(mac["granters"], "")))


def _first(names: t.Sequence[str], but: str) -> str:
    return next((name for name in names if name != but), "")


FILTERS: dict[str, t.Callable[..., str]] = {
    "to_grant": to_grant,
    "to_repair": to_repair,
    "to_own": to_own,
    "to_rotate": to_rotate,
    "to_remove_orphans": to_remove_orphans,
    "to_finish": to_finish,
    "to_escrow": to_escrow,
    "to_encrypt": to_encrypt,
    "to_onboard": to_onboard,
}
"""By their names in a rule's ``run_with``."""
