# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a person what a Mac is at this moment: who holds what according to each of the three sources."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from maclab import journal
from maclab.call import NOT_MODELLED
from maclab.state import Account, Mac

LAST_LINES = 8


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def mac(mac: Mac, entries: list[journal.Entry]) -> str:
    parts = [
        f"{mac.name}: macOS {mac.version} ({mac.build}), {mac.hardware}, {mac.model}, {mac.filesystem} on {mac.device}",
        _accounts(mac),
        _other_crypto_users(mac),
        _filevault(mac),
        _management(mac),
        _directory(mac),
        _faults(mac),
        _not_modelled(entries),
        "journal (last lines)\n" + "\n".join(lines(entries[-LAST_LINES:])) if entries else "journal: empty",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _accounts(mac: Mac) -> str:
    rows = [_account(mac, account) for account in mac.accounts.values() if not account.service]
    head = ("account", "full name", "uid", "kind", "directory", "crypto user", "fdesetup", "owner", "notes")
    return table(head, rows)


def _account(mac: Mac, account: Account) -> tuple[str, ...]:
    guid = account.generated_uid
    user = mac.crypto_users.get(guid)
    vault = mac.filevault
    listed = (user is not None and guid not in vault.hidden_users) or guid in vault.ghosts
    return (
        account.name,
        account.full_name,
        str(account.uid),
        ("admin" if mac.is_admin(account.name) else "standard") + (", mobile" if account.kind == "mobile" else ""),
        "token" if account.has_authority_token else "-",
        "yes" if user is not None else "-",
        "yes" if listed else "-",
        "yes" if user is not None and user.owner else "-",
        ", ".join(_notes(account)),
    )


def _notes(account: Account) -> list[str]:
    notes = {
        "hidden": account.hidden,
        "locked": account.locked,
        "no password": account.password is None,
        "empty password": account.password == "",
        "stale key": account.key_password is not None and account.key_password != account.password,
        f"{account.failed_logins} failed logins": account.failed_logins > 0,
    }
    return [note for note, holds in notes.items() if holds]


def _other_crypto_users(mac: Mac) -> str:
    people = {account.generated_uid for account in mac.accounts.values()}
    others = [user for user in mac.crypto_users.values() if user.uuid not in people]
    if not others:
        return ""
    rows = [(user.uuid, user.kind, "yes" if user.owner else "-") for user in others]
    return table(("other crypto user", "kind", "owner"), rows)


def _filevault(mac: Mac) -> str:
    vault = mac.filevault
    words = [f"FileVault: {vault.state}"]
    words += [f"{vault.percent:g} percent"] if vault.percent is not None else []
    words += ["waits to be unlocked"] if mac.locked else []
    words += [f"{mac.waiting.failures} wrong passwords at the unlock screen"] if mac.waiting.failures else []
    words += [f"deferred for {vault.deferred_user or 'anybody'}"] if vault.deferred_user is not None else []
    words += ["personal recovery key" if vault.prk else "no personal recovery key"]
    words += ["institutional recovery key"] if vault.irk else []
    words += [f"at the screen: {', '.join(mac.logged_in)}"] if mac.logged_in else []
    words += [f"file {path}" for path in mac.files]
    return ", ".join(words)


def _management(mac: Mac) -> str:
    mdm = mac.mdm
    escrow = "escrowed" if mdm.bootstrap_escrowed else "supported" if mdm.bootstrap_supported else "not supported"
    escrow += " and stale" if mdm.bootstrap_stale else ""
    return f"MDM: enrolled {mdm.enrolled}, Bootstrap Token {escrow}"


def _directory(mac: Mac) -> str:
    bound = mac.network
    if not bound.node:
        return ""
    known = ", ".join(bound.users) or "nobody"
    return f"directory: {bound.node}, {'online' if bound.online else 'offline'}, knows {known}"


def _faults(mac: Mac) -> str:
    if not mac.faults:
        return "faults: none"
    return "faults\n" + "\n".join(
        f"  {fault.name} {' '.join(f'{key}={value}' for key, value in fault.options.items())}".rstrip()
        + (" (has bitten)" if fault.spent else "")
        for fault in mac.faults
    )


def _not_modelled(entries: list[journal.Entry]) -> str:
    """Return the forms of commands that this Mac refused because the lab does not model them, each once."""
    asked = dict.fromkeys(event.reason for event in journal.events(entries, NOT_MODELLED))
    return "not modelled by this lab, and refused\n" + "\n".join(f"  {form}" for form in asked) if asked else ""


def lines(entries: Iterable[journal.Entry]) -> list[str]:
    return [f"  {time.strftime('%H:%M:%S', time.localtime(entry.start))}  {entry}" for entry in entries]
