# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what the directory that a Mac is bound to knows, and what its answers do to the accounts that are copies."""

from __future__ import annotations

import time

from maclab import rules
from maclab.state import Account, DirectoryUser, Mac, named

DEFAULT_NODE = "/Active Directory/EXAMPLE/example.test"
CACHED_USER = ";LocalCachedUser;"
NODE_NAME = "OriginalNodeName"
STAFF_GID = 20


def node_of(mac: Mac) -> str:
    return mac.network.node or DEFAULT_NODE


def find(mac: Mac, name: str) -> DirectoryUser | None:
    """What the directory says of the name; None while it cannot be reached."""
    return named(mac.network.users, name) if mac.network.node and mac.network.online else None


def answers_for(mac: Mac, account: Account) -> DirectoryUser | None:
    """The directory's person behind a mobile account, where the directory and not the Mac decides on a password."""
    decides = account.kind == "mobile" and rules.MOBILE_DIRECTORY_DECIDES.at(mac.version_tuple)
    return find(mac, account.name) if decides else None


def right_password(mac: Mac, account: Account) -> str | None:
    """Return what somebody who knows the right password would type."""
    behind = answers_for(mac, account)
    return account.password if behind is None else behind.password


def cached_user(node: str, name: str, generated_uid: str) -> str:
    """Return the authority of a mobile account (transcript dscl-authority-mobile)."""
    return f"{CACHED_USER}{node}:{name}:{generated_uid}"


def create_mobile_account(mac: Mac, user: DirectoryUser, home: str, now: float | None = None) -> Account:
    """Copy a person of the directory: without a password until somebody authenticates while the directory answers."""
    node = mac.network.node
    without = rules.CREATEMOBILE_WITHOUT_PASSWORD.at(mac.version_tuple)
    account = Account(
        name=user.name,
        full_name=user.full_name,
        uid=user.uid,
        gid=STAFF_GID,
        generated_uid=user.generated_uid,
        kind="mobile",
        password=None if without else user.password,
        authority=[cached_user(node, user.name, user.generated_uid)],
        home=home,
        home_exists=False,
        created_at=time.time() if now is None else now,
        attributes={NODE_NAME: [node]},
    )
    mac.accounts[user.name] = account
    return account


def change_password(mac: Mac, name: str, password: str) -> None:
    """Somebody changes a password in the directory, from another computer; the Mac hears nothing of it."""
    if name not in mac.network.users:
        known = ", ".join(mac.network.users) or "nobody"
        raise LookupError(f"the directory of {mac.name} does not know {name!r} (it knows: {known})")
    mac.network.users[name].password = password


def key_follows(mac: Mac) -> bool:
    """Tell whether an account's key follows a password that was changed in the directory."""
    return rules.MOBILE_KEY_FOLLOWS.at(mac.version_tuple)
