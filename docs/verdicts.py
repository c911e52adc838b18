# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of Macs, judged by the function that judges the real ones, so that the guide says what the code says."""

from __future__ import annotations

import importlib
import typing as t
from dataclasses import replace

_UTILS = "ansible_collections.keyholder.macos.plugins.module_utils"


def table() -> str:
    """Return a list-table: the Mac in words, the answer, and why, as trust_info gives them."""
    judge = importlib.import_module(f"{_UTILS}._recoverable").recoverability
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 45 10 45", ""]
    for words, answer, why in [("The Mac", "Answer", "Why"), *_judged(judge)]:
        lines += [f"   * - {words}", f"     - {answer}", f"     - {why}"]
    return "\n".join(lines)


def _judged(judge: t.Callable[[t.Any], t.Any]) -> list[tuple[str, str, str]]:
    said = [(words, judge(mac)) for words, mac in _macs()]
    return [(words, f"``{one.verdict}``", one.why) for words, one in said]


def _module(name: str) -> t.Any:
    return importlib.import_module(f"{_UTILS}.{name}")


def _macs() -> list[tuple[str, t.Any]]:
    """Return the examples; itadmin is the administrator and ana a standard user of a Mac with macOS 15.6."""
    read, accounts, macos = (_module(name) for name in ("_mac", "_account", "_macos"))
    admin = accounts.Account("itadmin", "A", uid=501, admin=True, sources=accounts.EVERYWHERE, failed_logins=0)
    ana = accounts.Account("ana", "B", uid=502, failed_logins=0)
    holder, bare = replace(ana, sources=accounts.EVERYWHERE), replace(admin, sources=accounts.NOWHERE)
    phantom = replace(ana, sources=accounts.Sources(False, True, True))
    on, off, unread = (read.FileVault(state, personal_key=False) for state in ("on", "off", "unknown"))
    escrowed = read.Management(enrolled=True, bootstrap="valid", preflight=True)
    unusable = replace(escrowed, bootstrap="escrowed_unproven", preflight=False)
    inactive = read.PasswordPolicy(unjudged=("Inactive Account",))

    def mac(*people: t.Any, **more: t.Any) -> t.Any:
        volume = read.Volume("disk3s1s1", True, True)
        given = {"volume": volume, "as_root": True, "filevault": on, **more}
        return read.Mac(macos.Version(15, 6), accounts=people, **given)

    return [
        ("An administrator holds a token", mac(admin, ana)),
        ("The same, and a password rule may have locked the account", mac(admin, ana, policy=inactive)),
        ("The only administrator with a token is disabled", mac(replace(admin, disabled=True), holder)),
        ("Only a standard user holds one", mac(bare, holder)),
        ("The same, with a Bootstrap Token that macOS would use", mac(bare, holder, management=escrowed)),
        ("The same, with one that macOS would not use", mac(bare, holder, management=unusable)),
        ("No account holds one, FileVault is off", mac(bare, filevault=off)),
        (
            "No account holds one, FileVault is on, with a recovery key",
            mac(bare, filevault=replace(on, personal_key=True)),
        ),
        ("No account holds one, and the sources disagree about a user with a key", mac(bare, phantom)),
        (
            "No account holds one, and FileVault's status could not be read",
            mac(bare, filevault=replace(on, state="unknown")),
        ),
        ("No account holds one, FileVault is on, and no recovery key", mac(bare)),
    ]
