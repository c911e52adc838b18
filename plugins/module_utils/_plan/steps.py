# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps a plan is made of: what each does, in words, and how a Mac reads after it. Pure, and without secrets.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._macos import ERASE_PREFLIGHT, FIRST_TOKEN_BY_PASSWORD
from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    NOWHERE,
    PREBOOT,
    Account,
    Mac,
    can_be_first,
    with_token,
    without_token,
)

NEW_GUID = "(assigned by macOS)"


@dataclass(frozen=True)
class Step:
    """One thing that the run does. ``words``: for a person. ``after``: the Mac as it reads once it is done."""

    writes: t.ClassVar[bool] = True
    """Whether the Mac is another one afterwards. A plan of steps that only look changes nothing."""

    @property
    def words(self) -> str:
        raise NotImplementedError

    def after(self, mac: Mac) -> Mac:
        return mac


@dataclass(frozen=True)
class CheckPassword(Step):
    """``secret`` names the option that holds the password; ``role`` is granter or user."""

    writes = False
    user: str
    secret: str
    role: str

    @property
    def words(self) -> str:
        return f"check the password of {self.user}"


@dataclass(frozen=True)
class Note(Step):
    """Write down what must not be forgotten, before the change that makes it necessary. ``work``: PREBOOT, or what
    :func:`creation` says."""

    work: str = PREBOOT

    @property
    def words(self) -> str:
        if self.work == PREBOOT:
            return "note on the Mac that its preboot volume must be updated"
        return f"note on the Mac what is under way: {self.work}"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, pending=mac.pending | {self.work})


@dataclass(frozen=True)
class Forget(Step):
    """The noted work is done."""

    work: str

    @property
    def words(self) -> str:
        return f"take the note off the Mac: {self.work} is done"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, pending=mac.pending - {self.work})


@dataclass(frozen=True)
class UpdatePreboot(Step):
    """Tell the preboot volume who may unlock, then forget the note."""

    @property
    def words(self) -> str:
        return "update the preboot volume, so that the FileVault window shows the right people"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, pending=mac.pending - {PREBOOT})


@dataclass(frozen=True)
class Prove(Step):
    """Read the Mac again and compare with what the steps before should have made of it."""

    writes = False
    users: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    """Of the Mac as a whole: bootstrap, filevault, deferral, personal_key."""

    @property
    def words(self) -> str:
        if self.facts:
            return f"read the Mac again and compare: {', '.join(self.facts).replace('_', ' ')}"
        return f"read the Mac again and compare what its sources say of {', '.join(self.users)}"


@dataclass(frozen=True)
class Grant(Step):
    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"grant {self.user} a Secure Token, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(with_token(mac, _known(mac, self.user)))


@dataclass(frozen=True)
class Revoke(Step):
    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"revoke the Secure Token of {self.user}, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(without_token(mac, _known(mac, self.user)))


@dataclass(frozen=True)
class BecomeFirstHolder(Step):
    """Let macOS hand out the Mac's first token by its own rule: ``how`` is authenticate or set_password."""

    user: str
    how: str

    @property
    def words(self) -> str:
        act = "authenticate as" if self.how == "authenticate" else "set the same password again for"
        return f"{act} {self.user}, so that macOS gives it the first Secure Token of this Mac"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(with_token(mac, _known(mac, self.user)))


@dataclass(frozen=True)
class CreateAccount(Step):
    """Make the account with its password. ``bare``: only its record and attributes, without a password yet."""

    account: Account
    bare: bool = False

    @property
    def words(self) -> str:
        kind = "administrator" if self.account.admin else "user"
        return f"create the {kind} {self.account.name}" + (", without a password yet" if self.bare else "")

    @property
    def user(self) -> str:
        return self.account.name

    def after(self, mac: Mac) -> Mac:
        """sysadminctl does not promise the numbers (FleetLock, 26.3), so they are open until a step of their own."""
        if self.bare:
            return mac.with_account(without_token(mac, replace(self.account, admin=False, has_password=False)))
        made = replace(self.account, uid=None, gid=None, hidden=False, has_password=True)
        made = with_token(mac, made) if gets_first(mac, made) else without_token(mac, made)
        return mac.with_account(made)


@dataclass(frozen=True)
class CreateMobileAccount(Step):
    """Make the local copy of a directory's account; it has no password of its own. ``home`` "": macOS's choice."""

    account: Account
    home: str = ""

    @property
    def words(self) -> str:
        return f"create the mobile account {self.account.name} of the directory's person"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(without_token(mac, self.account))


@dataclass(frozen=True)
class SetAttribute(Step):
    """``key``: the account's field here (full_name, uid, gid, shell, home, hint, picture, hidden)."""

    user: str
    key: str
    value: str | int | bool

    @property
    def words(self) -> str:
        return f"set {self.key} of {self.user} to {self.value!r}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(replace(_known(mac, self.user), **{self.key: self.value}))  # type: ignore[arg-type]


@dataclass(frozen=True)
class SetAdmin(Step):
    user: str
    admin: bool

    @property
    def words(self) -> str:
        return f"make {self.user} an administrator" if self.admin else f"take administrator rights from {self.user}"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(replace(_known(mac, self.user), admin=self.admin))


@dataclass(frozen=True)
class PlanDemotion(Step):
    """Have the Mac itself demote ``user`` after a while, before anybody is promoted."""

    user: str
    minutes: t.ClassVar[int] = 15

    @property
    def words(self) -> str:
        return f"have the Mac demote {self.user} by itself after {self.minutes} minutes, should this run be cut off"


@dataclass(frozen=True)
class DropDemotion(Step):
    user: str

    @property
    def words(self) -> str:
        return f"take the Mac's own job away that would demote {self.user}"


@dataclass(frozen=True)
class PreventToken(Step):
    user: str

    @property
    def words(self) -> str:
        return f"tag {self.user}, so that macOS never makes it the first holder"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(replace(_known(mac, self.user), disabled_tag=True))


@dataclass(frozen=True)
class AllowToken(Step):
    user: str

    @property
    def words(self) -> str:
        return f"take the tag from {self.user} that kept it from becoming the first holder"

    def after(self, mac: Mac) -> Mac:
        return mac.with_account(replace(_known(mac, self.user), disabled_tag=False))


@dataclass(frozen=True)
class SetPassword(Step):
    """``how``: root (no token at stake), granter, or old (the account's old password). ``granter``: "" unless by
    granter."""

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

    def after(self, mac: Mac) -> Mac:
        account = replace(_known(mac, self.user), has_password=True)
        return mac.with_account(with_token(mac, account) if gets_first(mac, account) else account)


@dataclass(frozen=True)
class VerifyKey(Step):
    """Have macOS try whether a password opens the account's key on the volume. ``secret``: the option that holds it.
    ``early``: before the first write. ``needed``: no answer is a refusal as well. The Secure Enclave counts wrong ones,
    so it is only ever a password that the account has."""

    writes = False
    user: str
    guid: str
    secret: str
    early: bool = False
    needed: bool = False

    @property
    def words(self) -> str:
        return f"have macOS check that the password opens the key of {self.user}, which unlocks FileVault"


@dataclass(frozen=True)
class CreateHome(Step):
    user: str

    @property
    def words(self) -> str:
        return f"create the home folder of {self.user} where it is missing"


@dataclass(frozen=True)
class DeleteAccount(Step):
    """``home``: keep_home, delete_home or secure."""

    user: str
    home: str

    @property
    def words(self) -> str:
        fate = {"keep_home": "keep", "delete_home": "delete", "secure": "securely erase"}[self.home]
        return f"delete the account {self.user} and {fate} its home folder"

    def after(self, mac: Mac) -> Mac:
        return mac.without_account(self.user)


@dataclass(frozen=True)
class ArchiveHome(Step):
    user: str
    home: str
    path: str

    @property
    def words(self) -> str:
        return f"put the home folder of {self.user} ({self.home}) into {self.path}, which only root can read"


@dataclass(frozen=True)
class ProofArchive(Step):
    """An archive that cannot be read to its end is none."""

    writes = False
    path: str

    @property
    def words(self) -> str:
        return f"read {self.path} to its end"


@dataclass(frozen=True)
class RemoveMarker(Step):
    user: str

    @property
    def words(self) -> str:
        return f"take the mark of a Secure Token from the record of {self.user}, which has no key on the volume"

    def after(self, mac: Mac) -> Mac:
        account = _known(mac, self.user)
        return mac.with_account(replace(account, sources=replace(account.sources, authority=False)))


@dataclass(frozen=True)
class RemoveOrphan(Step):
    guid: str

    @property
    def words(self) -> str:
        return f"remove the crypto user {self.guid}, which belongs to no account"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, orphans=tuple(guid for guid in mac.orphans if guid != self.guid))


def gets_first(mac: Mac, account: Account) -> bool:
    """Return whether setting its password makes ``account`` the first holder."""
    return mac.version >= FIRST_TOKEN_BY_PASSWORD.first and can_be_first(mac, account)


def new_account(name: str) -> Account:
    return Account(name=name, guid=NEW_GUID, sources=NOWHERE, has_password=False)


def _known(mac: Mac, name: str) -> Account:
    account = mac.account(name)
    if account is None:
        raise LookupError(f"the plan speaks of {name}, who is not on this Mac")
    return account


# -- Bootstrap Token --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EscrowBootstrap(Step):
    granter: str

    @property
    def words(self) -> str:
        return f"create a Bootstrap Token and escrow it to the server, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        """Where macOS can say whether the token works, a fresh one does."""
        says_so = mac.version >= ERASE_PREFLIGHT.first
        return _bootstrap(mac, "valid" if says_so else "escrowed_unproven", True, True if says_so else None)


@dataclass(frozen=True)
class RemoveBootstrap(Step):
    granter: str

    @property
    def words(self) -> str:
        return f"remove the Bootstrap Token, authorised by {self.granter}: no account gets a token by itself any more"

    def after(self, mac: Mac) -> Mac:
        return _bootstrap(mac, "not_escrowed", False, False if mac.version >= ERASE_PREFLIGHT.first else None)


@dataclass(frozen=True)
class ValidateBootstrap(Step):
    writes = False
    granter: str

    @property
    def words(self) -> str:
        return f"have macOS validate the Bootstrap Token, authenticating as {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return _bootstrap(mac, "valid", mac.management.bootstrap_crypto_user, mac.management.preflight)


# -- FileVault --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckRecipients(Step):
    """Encrypt something harmless first: a key that nobody can be sent must not come into being."""

    writes = False

    @property
    def words(self) -> str:
        return "check that a recovery key can be encrypted to its recipients"


@dataclass(frozen=True)
class EnableFileVault(Step):
    """``others``: names of additional users; the option that holds each one's password is ``additional_users[n]``."""

    user: str
    others: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"enable FileVault, authenticating as {', '.join((self.user,) + self.others)}"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, state="on", deferred_user="", personal_key=True))


@dataclass(frozen=True)
class DeferFileVault(Step):
    user: str
    path: str
    force_at_login: int | None = None
    ask_at_logout: bool = True
    show_key: bool = False

    @property
    def words(self) -> str:
        return f"let macOS enable FileVault when {self.user} logs in next, and write the recovery key to {self.path}"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, deferred_user=self.user))


@dataclass(frozen=True)
class CancelDeferral(Step):
    @property
    def words(self) -> str:
        return "cancel the deferred enablement of FileVault"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, deferred_user=""))


@dataclass(frozen=True)
class DisableFileVault(Step):
    user: str

    @property
    def words(self) -> str:
        return (
            f"disable FileVault, authenticating as {self.user}: the volume is decrypted, starts without a password,"
            " and its recovery key loses its use"
        )

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, state="off", deferred_user="", personal_key=None))


@dataclass(frozen=True)
class AddUnlocker(Step):
    user: str
    granter: str

    @property
    def words(self) -> str:
        return f"let {self.user} unlock FileVault, authorised by {self.granter}"

    def after(self, mac: Mac) -> Mac:
        return _listed(mac, self.user, True)


@dataclass(frozen=True)
class RemoveUnlocker(Step):
    user: str

    @property
    def words(self) -> str:
        return f"no longer let {self.user} unlock FileVault, which takes the right to authorise others from it as well"

    def after(self, mac: Mac) -> Mac:
        return _listed(mac, self.user, False)


@dataclass(frozen=True)
class ChangeKey(Step):
    """``by``: the account that authenticates, or "" for the current recovery key."""

    by: str

    @property
    def words(self) -> str:
        return f"make a new personal recovery key, authenticating {_by(self.by)}; the old one dies"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, personal_key=True))


@dataclass(frozen=True)
class RemoveKey(Step):
    by: str

    @property
    def words(self) -> str:
        return f"remove the personal recovery key, authenticating {_by(self.by)}"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, filevault=replace(mac.filevault, personal_key=False))


@dataclass(frozen=True)
class ValidateKey(Step):
    """``secret``: the option with the key, or "" for the one that a step before has made."""

    writes = False
    secret: str = ""

    @property
    def words(self) -> str:
        return "have macOS validate the recovery key"


@dataclass(frozen=True)
class DeliverKey(Step):
    """``how``: encrypt or return."""

    writes = False
    how: str

    @property
    def words(self) -> str:
        return "encrypt the recovery key to its recipients" if self.how == "encrypt" else "return the recovery key"


@dataclass(frozen=True)
class ReadKeyFile(Step):
    writes = False
    path: str

    @property
    def words(self) -> str:
        return f"read the recovery key that a deferral has left in {self.path}"


@dataclass(frozen=True)
class RemoveKeyFile(Step):
    path: str

    @property
    def words(self) -> str:
        return f"delete {self.path}, whose recovery key is stored elsewhere by now, as the task says"

    def after(self, mac: Mac) -> Mac:
        return replace(mac, files=mac.files - {self.path})


# -- restart ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ArmRestart(Step):
    """``by``: the account that authenticates, or "" for the current recovery key."""

    by: str

    @property
    def words(self) -> str:
        return f"have the next restart come up with the volume unlocked, authenticating {_by(self.by)}"


@dataclass(frozen=True)
class Restart(Step):
    """``locked``: the Mac will then wait for somebody to unlock it."""

    locked: bool = False

    @property
    def words(self) -> str:
        return "restart the Mac" + (", which then waits to be unlocked by SSH" if self.locked else "")


def _by(name: str) -> str:
    return f"as {name}" if name else "by the current one"


def _bootstrap(mac: Mac, status: str, crypto_user: bool | None, preflight: bool | None) -> Mac:
    said = {"bootstrap": status, "bootstrap_crypto_user": crypto_user, "preflight": preflight}
    return replace(mac, management=replace(mac.management, **said))  # type: ignore[arg-type]


def _listed(mac: Mac, name: str, listed: bool) -> Mac:
    account = _known(mac, name)
    return mac.with_account(replace(account, sources=replace(account.sources, filevault=listed)))
