# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a reading as data for other programs. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    Account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._comes_back import after_power_cut, after_restart
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import KeyHolder, facts_of, key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._sso import PlatformSSO


def view(mac: Mac, include: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Return the whole reading. Keys are stable: they are documented in keyholder.macos.trust_info.

    ``include``: what was asked for beside the usual; only then it is there, and null means that macOS did not say.
    """
    whole = recoverability(mac)
    return {
        "os": {"version": str(mac.version), "build": mac.build},
        "hardware": {"model": mac.model, "apple_silicon": mac.apple_silicon, "virtual": mac.virtual},
        "volume": {"device": mac.volume.device, "apfs": mac.volume.apfs, "sealed_snapshot": mac.volume.snapshot},
        "accounts": [{**_account_view(mac, account), **_sso_view(mac, account, include)} for account in mac.accounts],
        "orphaned_crypto_users": list(mac.orphans),
        "filevault": {
            "state": mac.filevault.state,
            "percent": mac.filevault.percent,
            "deferred_user": mac.filevault.deferred_user,
            "personal_recovery_key": mac.filevault.personal_key,
            "institutional_recovery_key": mac.filevault.institutional_key,
            "icloud_recovery": mac.filevault.icloud_key,
            **(_about_key(mac) if "escrow" in include else {}),
        },
        "management": {
            "enrolled": mac.management.enrolled,
            "automated": mac.management.automated,
            "user_approved": mac.management.user_approved,
            "server": mac.management.server,
            "bootstrap_token": mac.management.bootstrap,
            "bootstrap_crypto_user": mac.management.bootstrap_crypto_user,
            **({"bootstrap_preflight": mac.management.preflight} if "preflight" in include else {}),
        },
        **({"full_disk_access": mac.full_disk_access} if "full_disk_access" in include else {}),
        **({"recovery_lock": LOCKS[mac.recovery_lock]} if "recovery_lock" in include else {}),
        **({"restart": _restart_view(mac)} if "restart" in include else {}),
        **({"platform_sso": (mac.sso or PlatformSSO()).view()} if "platform_sso" in include else {}),
        "policy": {
            "rules": list(mac.policy.rules),
            "patterns": list(mac.policy.patterns),
            "max_failed_logins": mac.policy.max_failed_logins,
        },
        "holders": _names_of(mac.holders),
        "admin_holders": _names_of(mac.admin_holders),
        "granters": _names_of(mac.granters),
        "waiting_admins": _names_of(mac.waiting_admins),
        "phantoms": _names_of(mac.phantoms),
        "recoverable": whole.verdict,
        "recoverable_why": whole.why,
        "pending": sorted(mac.pending),
        "promoted": list(mac.promoted),
        "missing": [{"what": missing.what, "evidence": missing.evidence} for missing in mac.missing],
    }


LOCKS = {True: "set", False: "not_set", None: "unknown"}
"""What a reading calls a Recovery Lock."""


def _about_key(mac: Mac) -> dict[str, t.Any]:
    return {
        "recovery_key_escrowed_at": mac.filevault.escrowed_at,
        "recovery_key_used": mac.filevault.key_used,
        **key_view(key_holder(facts_of(mac), None)),
    }


def key_view(said: KeyHolder) -> dict[str, t.Any]:
    """Return who has the recovery key, as a reading shows it."""
    return {
        "recovery_key_holder": said.holder,
        "stored_recovery_key": said.stored,
        "recovery_key_evidence": list(said.evidence),
    }


def _restart_view(mac: Mac) -> dict[str, t.Any]:
    told, cut = after_restart(mac), after_power_cut(mac)
    return {
        "comes_back": told.verdict,
        "by": told.way,
        "because": [fact.view() for fact in told.because],
        "after_power_cut": cut.verdict,
        "after_power_cut_because": [fact.view() for fact in cut.because],
    }


def _account_view(mac: Mac, account: Account) -> dict[str, t.Any]:
    return {
        "name": account.name,
        "full_name": account.full_name,
        "uid": account.uid,
        "guid": account.guid,
        "kind": account.kind,
        "admin": account.admin,
        "hidden": account.hidden,
        "secure_token": mac.verdict_of(account),
        "sources": account.sources.view(),
        "volume_owner": account.volume_owner,
        "in_preboot": account.in_preboot,
        "first_token_prevented": account.disabled_tag,
        "password_set": account.has_password,
        "disabled": account.disabled,
        "parked": account.parked_whole,
        "password_changed": account.password_changed,
        "failed_logins": account.failed_logins,
        "platform_sso": account.platform_sso,
    }


def _sso_view(mac: Mac, account: Account, include: t.Collection[str]) -> dict[str, t.Any]:
    if "platform_sso" not in include:
        return {}
    return {"platform_sso_exempt": None if mac.sso is None else mac.sso.exempts(account.name)}


def _names_of(accounts: t.Iterable[Account]) -> list[str]:
    return [account.name for account in accounts]
