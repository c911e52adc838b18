# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps about accounts: record, password, administrator right, home folder.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import NOWHERE, Account
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    dscl,
    launchd,
    network,
    sysadminctl,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import with_token, without_token
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    ADD_USER_GID,
    ASKS_OLD_PASSWORD,
    FIRST_TOKEN_BY_PASSWORD,
)
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import can_be_first
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import (
    Look,
    Write,
    known,
    with_changed,
)
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import promotion

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets

NEW_GUID = "(assigned by macOS)"


def new_account(name: str) -> Account:
    """Return an account that is not there yet."""
    return Account(name=name, guid=NEW_GUID, sources=NOWHERE, has_password=False)


def gets_first(mac: Mac, account: Account) -> bool:
    """Return whether setting its password makes ``account`` the first holder."""
    return mac.version >= FIRST_TOKEN_BY_PASSWORD.first and can_be_first(mac, account)


@dataclass(frozen=True)
class CreateAccount(Write):
    """Make the account with its password. ``bare``: only its record and attributes, without a password yet."""

    account: Account
    bare: bool = False

    @property
    def words(self) -> str:
        kind = "administrator" if self.account.admin else "user"
        return f"create the {kind} {self.account.name}" + (", without a password yet" if self.bare else "")

    @property
    def user(self) -> str:
        """Return its short name."""
        return self.account.name

    @property
    def sets_password_of(self) -> str:
        return "" if self.bare else self.user

    def after(self, mac: Mac) -> Mac:
        """Return the Mac without the numbers, which are open until a step of their own: sysadminctl promises none of
        them (FleetLock, 26.3)."""
        if self.bare:
            return mac.with_account(without_token(mac, replace(self.account, admin=False, has_password=False)))
        account = replace(self.account, uid=None, gid=None, hidden=False, has_password=True)
        return mac.with_account((with_token if gets_first(mac, account) else without_token)(mac, account))

    def needs(self, mac: Mac) -> dict[str, int]:
        return {} if self.bare else {"password": sysadminctl.STDIN_BYTES}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        account = self.account
        if self.bare:
            values = {field: getattr(account, field) for field in dscl.FIELDS}
            wanted = {field: value for field, value in values.items() if value not in (None, "", False)}
            return [
                dscl.create_record(account.name),
                *(dscl.set_field(account.name, field, value) for field, value in wanted.items()),
            ]
        # With -home the folder is assigned, not created: it must not be made before the numbers are right, which
        # sysadminctl does not promise from macOS 13 on (transcript adduser-2026-home-assigned; FleetLock).
        numbered = account.uid is not None or account.gid is not None
        user = sysadminctl.NewUser(
            name=account.name,
            full_name=account.full_name,
            uid=account.uid,
            gid=account.gid if mac.version >= ADD_USER_GID.first else None,
            shell=account.shell,
            home=account.home or (f"/Users/{account.name}" if numbered else ""),
            hint=account.hint,
            picture=account.picture,
            admin=account.admin,
        )
        return [sysadminctl.add_user(user, secrets["password"])]


@dataclass(frozen=True)
class CreateMobileAccount(Write):
    """Make the local copy of a directory's account; it has no password of its own. ``home`` "": macOS's choice."""

    account: Account
    home: str = ""

    @property
    def words(self) -> str:
        return f"create the mobile account {self.account.name} for the directory's user of that name"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(without_token(mac, self.account))

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [network.create_mobile_account(self.account.name, self.home)]

    def failure(self, ran: Ran) -> MaybeCode:
        """Return "": no source shows its exit statuses, and public scripts call some of its errors benign."""
        return ""


@dataclass(frozen=True)
class SetAttribute(Write):
    """Set one field of an account's record. ``key``: the field here (full_name, uid, gid, shell, home, hint, picture,
    hidden)."""

    user: str
    key: str
    value: str | int | bool

    @property
    def words(self) -> str:
        return f"set {self.key} of {self.user} to {self.value!r}"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, **{self.key: self.value})

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.set_field(self.user, self.key, self.value)]


@dataclass(frozen=True)
class SetAdmin(Write):
    """Make an account an administrator, or a standard one."""

    user: str
    admin: bool

    @property
    def words(self) -> str:
        return f"make {self.user} an administrator" if self.admin else f"take administrator rights from {self.user}"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, admin=self.admin)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [accounts.set_membership(self.user, "admin", self.admin)]


@dataclass(frozen=True)
class PlanDemotion(Write):
    """Have the Mac itself demote ``user`` after a while, before ``user`` is promoted."""

    user: str
    minutes: t.ClassVar[int] = 15

    @property
    def words(self) -> str:
        return f"have the Mac demote {self.user} by itself after {self.minutes} minutes if this run is interrupted"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return launchd.plan_demotion(self.user, promotion(self.user), self.minutes * 60)


@dataclass(frozen=True)
class DropDemotion(Write):
    """Take that job of the Mac away."""

    user: str

    @property
    def words(self) -> str:
        return f"remove the job on the Mac that would demote {self.user}"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return launchd.drop_demotion()


@dataclass(frozen=True)
class SetPassword(Write):
    """Set a password. ``how``: root (no token at stake), granter, or old (the account's old password). ``granter``: ""
    unless by granter."""

    user: str
    how: str
    granter: str = ""
    new: str = "password"
    old: str = "old_password"
    """The options that hold the two passwords."""

    @property
    def words(self) -> str:
        by = {"root": "as root", "granter": f"authorised by {self.granter}", "old": "from the old password"}[self.how]
        if self.new == "old_password":
            return f"set the password of {self.user} back to the one that opens its key"
        return f"set the password of {self.user} {by}"

    @property
    def sets_password_of(self) -> str:
        return self.user

    def after(self, mac: Mac) -> Mac:
        account = replace(known(mac, self.user), has_password=True)
        return mac.with_account(with_token(mac, account) if gets_first(mac, account) else account)

    def needs(self, mac: Mac) -> dict[str, int]:
        prompt = sysadminctl.STDIN_BYTES
        if self.how == "old":
            limit = dscl.GETPASS_BYTES if mac.version >= ASKS_OLD_PASSWORD.first else prompt
            return {self.old: limit, self.new: limit}
        return {self.new: prompt, "admin_password": prompt} if self.how == "granter" else {self.new: prompt}

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        new = secrets[self.new]
        if self.how == "granter":
            return [sysadminctl.reset_password(self.user, new, self.granter, secrets["admin_password"])]
        if self.how == "root":
            return [sysadminctl.reset_password(self.user, new)]
        if mac.version >= ASKS_OLD_PASSWORD.first:
            return [dscl.change_password(self.user, secrets[self.old], new)]
        account = mac.account(self.user)
        uid = account.uid if account is not None and account.uid is not None else 0
        return [sysadminctl.change_own_password(self.user, uid, secrets[self.old], new)]


@dataclass(frozen=True)
class CreateHome(Write):
    """Create an account's home folder, if it is missing."""

    user: str

    @property
    def words(self) -> str:
        return f"create the home folder of {self.user} if it is missing"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [accounts.create_home(self.user)]


@dataclass(frozen=True)
class DeleteAccount(Write):
    """Delete an account. ``home``: keep_home, delete_home or secure."""

    user: str
    home: str

    @property
    def words(self) -> str:
        fate = {"keep_home": "keep", "delete_home": "delete", "secure": "securely erase"}[self.home]
        return f"delete the account {self.user} and {fate} its home folder"

    def after(self, mac: Mac) -> Mac:
        return mac.without_account(self.user)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [sysadminctl.delete_user(self.user, self.home)]


@dataclass(frozen=True)
class ArchiveHome(Write):
    """Pack a home folder into an archive that only root can read."""

    user: str
    home: str
    path: str

    @property
    def words(self) -> str:
        return f"archive the home folder of {self.user} ({self.home}) in {self.path}, which only root can read"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [accounts.archive(self.home, self.path)]


@dataclass(frozen=True)
class ProofArchive(Look):
    """Read an archive to its end: one that cannot be read is none."""

    path: str

    @property
    def words(self) -> str:
        return f"read {self.path} to its end"

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [accounts.read_archive(self.path)]
