# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings for the tests of the audit: a Mac in order, and what to change of it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey, facts_of, key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import INCLUDE
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import key_view, view
from ansible_collections.keyholder.macos.plugins.module_utils._sso import PlatformSSO

NOW = 1_790_000_000.0
DAY = 86400.0

ITADMIN = Account(
    "itadmin", "A" * 36, "IT Administrator", 501, 20, admin=True, sources=EVERYWHERE, volume_owner=True,
    password_changed=NOW - 10 * DAY, failed_logins=0, in_preboot=True,
)  # fmt: skip
ANA = Account(
    "ana", "B" * 36, "Ana Sousa", 502, 20, sources=EVERYWHERE, volume_owner=True, in_preboot=True, password_changed=NOW
)
BO = Account(
    "bo", "C" * 36, "Bo Berg", 503, 20, sources=NOWHERE, volume_owner=False, in_preboot=False, password_changed=NOW
)
WAITING = replace(ITADMIN, sources=NOWHERE, volume_owner=False, in_preboot=False)
PHANTOM = Account("rui", "D" * 36, "Rui Costa", 504, 20, sources=Sources(True, False, True), volume_owner=False)

MAC = Mac(
    version=Version(15, 6),
    as_root=True,
    build="24G84",
    model="Mac15,3",
    apple_silicon=True,
    volume=Volume("disk3s1s1", True, True),
    accounts=(ITADMIN, ANA, BO),
    filevault=FileVault("on", personal_key=True, institutional_key=False, escrowed_at=int(NOW - 5 * DAY)),
    management=Management(True, True, True, "https://mdm.example.com", "escrowed_unproven", True, None, True),
    sso=PlatformSSO(True, True, "example.sso", "password", ("RequireAuthentication",), (), (), ("ITadmin",), 0),
)


STORED = StoredKey(NOW - 5 * DAY)


def reading(mac: Mac = MAC, **changes: t.Any) -> dict[str, t.Any]:
    """As trust_info returns it, with the escrow and Platform SSO; ``changes``: fields of :class:`Mac`."""
    return view(replace(mac, **changes), ["escrow", "platform_sso"])


def asked(mac: Mac = MAC, stored: StoredKey | None = STORED, **changes: t.Any) -> dict[str, t.Any]:
    """As an audit has it that asked for everything, of the Mac and of the store of keys."""
    whole = replace(mac, **{"full_disk_access": True, "recovery_lock": True, **changes})
    made = view(whole, [one for one in INCLUDE if one != "preflight"])
    return {**made, "filevault": {**made["filevault"], **key_view(key_holder(facts_of(whole), stored))}}
