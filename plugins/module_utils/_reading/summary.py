# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say a reading in a few lines for a person. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    HOLDER,
    NO_TOKEN,
    PENDING,
    PHANTOM,
    UNPROVEN,
    Account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._comes_back import after_power_cut, after_restart
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._sso import PlatformSSO
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import note_in_words

_LOCKED = {True: "Recovery asks for a password", False: "Recovery asks for no password"}

AT_LOGIN = "token comes at the first graphical login (an SSH login does not count)"


def summary(mac: Mac) -> list[str]:
    """Return a line for the Mac, one for whether it is recoverable, one for each account, and what is odd."""
    chip = {True: "Apple silicon", False: "Intel", None: "unknown chip"}[mac.apple_silicon]
    whole = recoverability(mac)
    width = max([len(plain(account.name)) for account in mac.accounts] or [0])
    lines = [
        f"macOS {mac.version} ({mac.build}), {mac.model or 'unknown model'}, {chip}",
        f"recoverable: {whole.verdict.replace('_', ' ')} - {whole.why}",
    ]
    for account in mac.accounts:
        kind = "admin" if account.admin else "standard"
        verdict = mac.verdict_of(account)
        words = AT_LOGIN if verdict == PENDING else ""
        lines.append(f"{plain(account.name):<{width}}  {kind:<8}  {verdict:<8}  {why(account, words)}")
    lines.append(_filevault_line(mac))
    lines += [_restart_line(mac)] if mac.start_up is not None else []
    lines += [_sso_line(mac.sso)] if mac.sso is not None else []
    lines.append(f"Bootstrap Token: {mac.management.bootstrap.replace('_', ' ')}; {_enrolment(mac)}")
    lines += [_LOCKED[mac.recovery_lock]] if mac.recovery_lock is not None else []
    lines += ["this session has no Full Disk Access"] if mac.full_disk_access is False else []
    lines += [f"{plain(one.name)} is not on the preboot volume" for one in mac.unknown_to_preboot]
    lines += [f"crypto user {uuid} belongs to no account of this Mac" for uuid in mac.orphans]
    lines += [f"an earlier run was interrupted: {plain(note_in_words(note))}" for note in sorted(mac.pending)]
    lines += [f"could not be read: {plain(missing.what)}" for missing in mac.missing]
    return lines


def why(account: Account, words: str = "") -> str:
    """Return the verdict's reason in words: ``words``, or what the sources say."""
    if words:
        pass
    elif account.verdict == HOLDER:
        words = "all three sources agree"
    elif account.verdict == NO_TOKEN:
        words = "no source names it"
    elif account.verdict in (PHANTOM, UNPROVEN):
        words = account.sources.words()
    else:
        words = "no source could be read"
    facts = [words]
    facts += ["volume owner"] if account.volume_owner else []
    facts += ["a tag keeps it from being the first holder"] if account.disabled_tag else []
    facts += ["hidden"] if account.hidden else []
    facts += [f"{account.kind} account"] if account.kind != "local" else []
    facts += ["no password set"] if not account.has_password else []
    facts += ["disabled"] if account.disabled else []
    facts += [f"{account.failed_logins} failed logins"] if account.failed_logins else []
    return ", ".join(facts)


def _filevault_line(mac: Mac) -> str:
    percent = "" if mac.filevault.percent is None else f" ({mac.filevault.percent:g} %)"
    deferred = f", deferred until {plain(mac.filevault.deferred_user)} logs in" if mac.filevault.deferred_user else ""
    key = {True: "present", False: "none", None: "unknown"}[mac.filevault.personal_key]
    return f"FileVault: {mac.filevault.state.replace('_', ' ')}{percent}{deferred}; personal recovery key: {key}"


def _restart_line(mac: Mac) -> str:
    told, cut = after_restart(mac), after_power_cut(mac)
    way = f" (by {told.way.replace('_', ' ')})" if told.way else ""
    against = f": {plain(cut.words)}" if cut.against else ""
    return f"comes back from a restart: {told.verdict}{way}; after a power cut, over SSH: {cut.verdict}{against}"


def _sso_line(sso: PlatformSSO) -> str:
    if sso.configured is None:
        return "Platform SSO: macOS did not say"
    if not sso.configured:
        return "Platform SSO: none"
    registered = {True: "registered", False: "not registered", None: "registration unknown"}[sso.registered]
    required = f"; required at {', '.join(sso.required_at)}" if sso.required_at else ""
    exempt = plain(", ".join(sso.exempt)) if sso.exempt else "nobody" if sso.exempt is not None else "unknown"
    return f"Platform SSO: {registered}, by {plain(sso.method or 'an unknown method')}{required}; exempt: {exempt}"


def _enrolment(mac: Mac) -> str:
    management = mac.management
    if management.enrolled is None:
        return "enrolment unknown"
    if not management.enrolled:
        return "not enrolled in MDM"
    how = "automated" if management.automated else "by its user"
    return f"enrolled ({how}{', user approved' if management.user_approved else ''})"
