# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a Mac to check mode as the tasks before would have left it. Pure.

In check mode the first Secure Token is only foreseen, and every later task of the play rests on it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._account import NO_TOKEN
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import can_be_first
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import BecomeFirstHolder

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac


def as_it_is(mac: Mac) -> Mac:
    """Return the Mac as it reads."""
    return mac


def with_first_holder(mac: Mac, name: str) -> Mac:
    """Return the Mac as it reads once ``name`` has its first token; as it is, if macOS would not give it that one."""
    account = mac.account(name)
    if account is None or account.verdict != NO_TOKEN or not can_be_first(mac, account):
        return mac
    return UpdatePreboot().after(BecomeFirstHolder(name).after(mac))
