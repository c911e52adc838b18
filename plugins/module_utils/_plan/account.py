# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "this account should (not) exist, like this" and a reading, to steps or a refusal. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import NO_TOKEN, PENDING, Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import ADD_USER_ACCESS, PREVENTION_TAG
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import about_the_first, setting
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import may_be_deleted
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import (
    Plan,
    Proof,
    absent_or_refuse,
    candidates,
    lawful_plan,
    writable,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import (
    authoriser,
    granting,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import shortened, usable_names, within
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import first_token_rule
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    NEW_GUID,
    CreateAccount,
    CreateHome,
    DeleteAccount,
    SetAdmin,
    SetAttribute,
    SetPassword,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import AllowToken, CheckPassword, PreventToken
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT, creation

_KEYS = ("uid", "full_name", "gid", "shell", "home", "hint", "picture", "hidden")
"""Fields that a request may name. None means: do not touch."""

_ADMIN_GROUP = 80

_JOINERS = "\u200c\u200d"
"""Python calls them unprintable; Persian and Indic names and many emoji are not written without them."""

_UNUSUAL = re.compile(r"[^A-Za-z0-9._@-]")
"""What Apple's manuals do not have in a short name, beside the at sign of accounts that an identity provider makes."""

_OF_MACOS = ("root", "daemon", "nobody")
"""Beside these, every name that begins with an underscore."""


@dataclass(frozen=True)
class AccountRequest(Request):
    """What a caller wants of one account. None: do not touch (design rule 1).

    ``update_password``: on_create or always. ``secure_token``: present, prevented, allowed or omitted.
    ``remove``: keep_home, delete_home or secure. ``given``: names of the password options that have a value.
    """

    name: str
    state: str = "present"
    full_name: str | None = None
    uid: int | None = None
    gid: int | None = None
    shell: str | None = None
    home: str | None = None
    hint: str | None = None
    picture: str | None = None
    admin: bool | None = None
    hidden: bool | None = None
    update_password: str = "on_create"
    secure_token: str = "omitted"
    admin_user: str = ""
    first_token: bool = False
    allow_temporary_promotion: bool = False
    accept_pending: bool = False
    remove: str = "keep_home"
    given: frozenset[str] = frozenset()

    @property
    def ask(self) -> Ask:
        if self.state == "absent":
            return Ask(full_disk_access=True, way_home=None if self.remove == "keep_home" else self.name)
        return Ask(waiting=self.name if self.accept_pending else None, access_to_make=self.name)

    @property
    def likely(self) -> tuple[str, ...]:
        return ("password",) if self.update_password == "always" else ()

    def compares(self, mac: Mac) -> dict[str, str]:
        """Return password -> the account, if the password decides what is planned."""
        account = mac.account(self.name)
        decides = self.update_password == "always" or creation(self.name) in mac.pending
        wanted = self.state == "present" and decides and "password" in self.given
        return {"password": self.name} if wanted and account is not None and account.has_password else {}

    def plan(self, mac: Mac, proofs: t.Mapping[str, bool | None]) -> Plan:
        usable_names(self)
        self._usable_values()
        writable(mac)
        account = mac.account(self.name)
        if self.state == "absent":
            return self._deleting(mac, account)
        # An account with another password than ours was made elsewhere since.
        known = account is not None and (not account.has_password or proofs.get("password", False) is not False)
        self._unique(mac, account, ours=known and creation(self.name) in mac.pending)
        if account is None:
            return self._creating(mac)
        return self._changing(mac, account, proofs)

    def view(self, mac: Mac) -> dict[str, t.Any]:
        account = mac.account(self.name)
        if account is None:
            return {"name": self.name, "exists": False}
        # In a prediction, macOS assigns what the task left out, and that is not the same as none.
        nothing = None if account.guid == NEW_GUID else ""
        return {
            "name": self.name,
            "exists": True,
            "full_name": account.full_name,
            "uid": account.uid,
            "gid": account.gid,
            "shell": account.shell or nothing,
            "home": account.home or nothing,
            "hint": account.hint,
            "picture": account.picture or nothing,
            "admin": account.admin,
            "hidden": account.hidden,
            "password_set": account.has_password,
            "first_token_prevented": account.disabled_tag,
            "secure_token": mac.verdict_of(account),
            "sources": account.sources.view(),
            "preboot_pending": PREBOOT in mac.pending,
            "creation_pending": creation(self.name) in mac.pending,
            "promoted": list(mac.promoted),
        }

    # -- refusals -----------------------------------------------------------------------------------------------------

    def _usable_values(self) -> None:
        for key in ("full_name", "shell", "home", "hint", "picture"):
            value = getattr(self, key)
            if value is not None and not all(char.isprintable() or char in _JOINERS for char in value):
                raise Refusal("value_unusable", f"{key} holds a line break or another character that is not printable")
            if value and key in ("shell", "home", "picture") and not value.startswith("/"):
                raise Refusal("value_unusable", f"{key} is {value!r}, and must be an absolute path")
        if self.full_name == "":
            raise Refusal("value_unusable", "full_name is empty")
        within({"uid": self.uid, "gid": self.gid})
        if self.gid == _ADMIN_GROUP:
            raise Refusal("value_unusable", "gid 80 is the group of administrators: use admin instead")

    def _unique(self, mac: Mac, account: Account | None, ours: bool) -> None:
        """``ours``: the account is one that a run of before has begun to make."""
        wants_name = self.full_name is not None and (account is None or account.full_name != self.full_name)
        if wants_name and folded(t.cast(str, self.full_name)) in mac.taken - {folded(self.name)}:
            raise Refusal("full_name_taken", f"full_name {self.full_name!r} is in use on this Mac")
        if account is None and (folded(self.name) in mac.taken or self.name.isdigit()):
            absent_or_refuse(mac, self.name, account)
        if account is None and folded(self.name) in mac.taken:
            raise Refusal("full_name_taken", f"name {self.name!r} is in use on this Mac, as a name or a full name")
        if self.uid is None or (account is not None and account.uid == self.uid):
            return
        if account is not None and account.uid is not None and not ours:
            raise Refusal("uid_differs", f"{self.name} has UID {account.uid}, and the task asks for {self.uid}")
        if f"uid:{self.uid}" in mac.taken:
            raise Refusal("uid_taken", f"uid {self.uid} is in use on this Mac")

    # -- plans --------------------------------------------------------------------------------------------------------

    def _creating(self, mac: Mac) -> Plan:
        if self.name.startswith("_"):
            raise Refusal("system_account", f"{self.name}: names that begin with '_' belong to macOS's own accounts")
        if self.name.startswith("."):
            # freegeek-pdx/mkuser, mkuser.sh: seen on macOS 10.13, 11 and 13.
            msg = f"name {shortened(self.name)!r} begins with '.': macOS lists no such account, and loses count of UIDs"
            raise Refusal("name_unusable", msg)
        wanted = {key: getattr(self, key) for key in _KEYS if getattr(self, key) is not None}
        account = replace(new_account(self.name), **{"full_name": self.name, "admin": bool(self.admin), **wanted})
        steps = [*self._authorised(mac), Note(creation(self.name))]
        notes = self._about_the_tag(mac) + self._about_the_name()
        if self.secure_token == "prevented" and mac.version >= PREVENTION_TAG.first:
            steps += self._prevented(mac, account)
        else:
            refuse_to_make(mac, self.name)
            # sysadminctl has no "--": what it could take for an option is written by dscl, value by value.
            dashed = [key for key in ("full_name", "hint") if str(wanted.get(key)).startswith("-")]
            plain: dict[str, t.Any] = {"full_name": self.name, "hint": ""}
            steps += [CreateAccount(replace(account, **{key: plain[key] for key in dashed}))]
            later = ("uid", "gid", "hidden", *dashed)
            written = [key for key in later if key in wanted and wanted[key] is not False]
            steps += [SetAttribute(self.name, key, wanted[key]) for key in written]
            steps += [CreateHome(self.name)] if {"uid", "gid", "home"} & set(wanted) else []
            notes += about_the_first(mac, account)
        steps += self._done()
        return lawful_plan(mac, steps + self._token(_after(mac, steps), check_user=False), notes)

    def _about_the_name(self) -> list[str]:
        odd = _UNUSUAL.search(self.name)
        manuals = "Apple's manuals have a to z, digits, '.', '_' and '-' in a short name, so try it on one Mac first"
        return [f"name holds {odd.group()!r}: {manuals}"] if odd else []

    def _prevented(self, mac: Mac, account: Account) -> list[Step]:
        """The tag must stand before the first password, and sysadminctl sets one at once (mkuser): so, by dscl."""
        bare = replace(account, **self._unset(mac, account))
        steps: list[Step] = [CreateAccount(bare, bare=True), PreventToken(self.name), SetPassword(self.name, "root")]
        steps += [SetAdmin(self.name, True)] if self.admin else []
        return [*steps, CreateHome(self.name)]

    def _unset(self, mac: Mac, account: Account) -> dict[str, t.Any]:
        """Return sysadminctl's choices for the fields that a record made attribute by attribute still lacks."""
        home = f"/Users/{self.name}"
        choice = {"uid": _free_uid(mac), "gid": 20, "full_name": self.name, "home": home, "shell": "/bin/zsh"}
        return {key: value for key, value in choice.items() if getattr(account, key) in (None, "")}

    def _changing(self, mac: Mac, account: Account, proofs: t.Mapping[str, bool | None]) -> Plan:
        notes = self._about_the_tag(mac)
        unfinished = creation(self.name) in mac.pending
        half_made = not account.has_password and account.kind == "local" and (unfinished or "password" in self.given)
        unmade = self._unset(mac, account) if half_made else {}
        wanted = [(key, unmade.get(key) if getattr(self, key) is None else getattr(self, key)) for key in _KEYS]
        fields: list[Step] = [
            SetAttribute(self.name, key, value) for key, value in wanted if value not in (None, getattr(account, key))
        ]
        if account.gid == _ADMIN_GROUP and (self.gid is not None or self.admin is False):
            msg = f"the primary group of {self.name} is 80, which makes it an administrator: change the group by hand"
            raise Refusal("value_unusable", msg)
        prevent = self.secure_token == "prevented" and mac.version >= PREVENTION_TAG.first
        tag: list[Step] = [PreventToken(self.name)] if prevent and not account.disabled_tag else []
        tag += [AllowToken(self.name)] if self.secure_token == "allowed" and account.disabled_tag else []
        always = self.update_password == "always" and "password" in proofs
        renewed = half_made or (always and proofs["password"] is not True)
        change = setting(mac, account, self.given, self.admin_user) if renewed else []
        notes += about_the_first(mac, t.cast(Account, _after(mac, tag).account(self.name))) if renewed else []
        if renewed and not half_made and proofs.get("password") is None:
            notes.append(f"the hash of {self.name} cannot be read, so its password is set even if it is the same")
        # A password may be refused, so it comes before the rest; only a record's own fields must be there before it.
        steps = fields + tag + change if half_made else tag + change + fields
        if self.admin is not None and self.admin != account.admin:
            steps += [SetAdmin(self.name, self.admin)]
        steps += [CreateHome(self.name)] if half_made or unfinished else []
        if unfinished:
            steps += self._done()
        elif steps:
            steps += [Prove((self.name,))]
        steps += self._token(_after(mac, steps), check_user=not renewed)
        return lawful_plan(mac, steps, notes, self._proof if self.admin is False else None)

    def _deleting(self, mac: Mac, account: Account | None) -> Plan:
        of_macos(mac, self.name, account)
        forget = [Forget(work) for work in mac.notes_on(self.name)]
        if account is None:
            absent_or_refuse(mac, self.name, account)
            return lawful_plan(mac, forget)
        refuse_without_full_disk_access(mac, self.name)
        if self.remove != "keep_home":
            may_be_deleted(mac, account)
        plan = lawful_plan(
            mac, [DeleteAccount(self.name, self.remove), Prove((self.name,)), *forget], proof=self._proof
        )
        not_the_last(mac, account)
        return plan

    @property
    def _proof(self) -> Proof:
        return Proof(self.admin_user, self.given)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _authorised(self, mac: Mac) -> list[Step]:
        """Return what is checked before an account is created: a wrong granter creates nothing."""
        if self._may_wait(mac):
            return []
        if self.secure_token == "present" and mac.holders:
            granter = authoriser(mac, self.admin_user, self.allow_temporary_promotion)
            return [CheckPassword(granter.name, "admin_password", "granter")]
        if self.secure_token == "present" and not self.first_token:
            rule = first_token_rule(mac.version)
            msg = f"no account on this Mac holds a Secure Token; {rule}; set first_token to make {self.name} the first"
            raise Refusal("no_holder", msg)
        if self.secure_token == "prevented" and mac.version < PREVENTION_TAG.first and not mac.holders:
            msg = f"macOS {mac.version} has no way to keep {self.name} from the first token"
            raise Refusal("prevention_unsupported", msg)
        return []

    def _may_wait(self, mac: Mac) -> bool:
        """Whether a token that comes at the first graphical login is as good as one that is there."""
        return self.secure_token == "present" and self.accept_pending and mac.grants_at_login

    def _about_the_tag(self, mac: Mac) -> list[str]:
        if self.secure_token != "prevented" or not mac.grants_at_login:
            return []
        return [
            f"the tag keeps {self.name} from the first token only: the escrowed Bootstrap Token still grants a token at"
            " a graphical login"
        ]

    def _done(self) -> list[Step]:
        return [Prove((self.name,)), Forget(creation(self.name))]

    def _token(self, mac: Mac, check_user: bool) -> list[Step]:
        account = mac.account(self.name)
        if account is None or self.secure_token in ("omitted", "allowed"):
            return []
        if self.secure_token == "prevented":
            if account.verdict != NO_TOKEN:
                raise Refusal("holds_token", f"{self.name} holds a Secure Token: {account.sources.words()}")
            return []
        if account.holder or (self._may_wait(mac) and mac.verdict_of(account) == PENDING):
            return []
        promotion = self.allow_temporary_promotion
        return granting(mac, account, self.admin_user, self.first_token, check_user, promotion)


def _after(mac: Mac, steps: t.Sequence[Step]) -> Mac:
    return Plan(mac, tuple(steps)).after


def of_macos(mac: Mac, name: str, account: Account | None) -> None:
    """Raise a :class:`Refusal` for an account that is macOS's own. A reading leaves out those that no user logs in
    with; they are there all the same."""
    belongs = name in _OF_MACOS or name.startswith("_")
    if account is None and belongs and folded(name) in mac.names:
        raise Refusal("system_account", f"{name} belongs to macOS")
    if account is not None and (belongs or (account.uid is not None and account.uid < 200)):
        raise Refusal("system_account", f"{name} (UID {account.uid}) belongs to macOS")


def refuse_without_full_disk_access(mac: Mac, name: str) -> None:
    """Raise :class:`Refusal` where a deletion would fail half-way: the home goes and the record stays (transcript
    delete-no-fda-27). If macOS did not say, the deletion itself will tell."""
    if mac.full_disk_access is False:
        msg = f"macOS does not delete {name} in this session, because it has no Full Disk Access"
        raise Refusal("no_full_disk_access", msg, (mac.full_disk_evidence,))


def refuse_to_make(mac: Mac, name: str) -> None:
    """Raise :class:`Refusal` where sysadminctl would fail in the middle of making an account, and leave it there
    (transcript adduser-no-fda-27). If macOS did not say, the account itself will tell."""
    if mac.full_disk_access is False and mac.version >= ADD_USER_ACCESS.first:
        msg = (
            f"macOS {mac.version} reports an error while it makes {name} in this session, because it has no Full Disk"
            " Access, and leaves the account as far as it came"
        )
        raise Refusal("no_full_disk_access", msg, (mac.full_disk_evidence,))


def not_the_last(mac: Mac, account: Account) -> None:
    """Raise :class:`Refusal` for an account that macOS itself keeps: the last administrator and the last holder
    (transcript delete-last-admin-or-token)."""
    others = [other for other in mac.accounts if other.name not in (account.name, "root")]
    if account.holder and not any(other.holder for other in others):
        raise Refusal(
            "last_holder", f"{account.name} is the last holder, and macOS would not delete it; {candidates(mac)}"
        )
    if account.admin and not any(other.admin for other in others):
        raise Refusal("last_holder", f"{account.name} is the last administrator, and macOS would not delete it")


def _free_uid(mac: Mac) -> int:
    """Return the first free number from 501 up, as macOS itself counts."""
    return next(uid for uid in range(501, 60000) if f"uid:{uid}" not in mac.taken)
