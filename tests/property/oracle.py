# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can unlock a Mac and who can grant tokens on it, judged by what is true of it and not by what was read.

Written from the documentation (guide_tokens, guide_granter, guide_audit) and from design rule 3. It calls none of the
product's verdicts: what it says must be true of the Mac itself, so a mistake that the product makes in its reading, its
verdict and its guard at once is one that shows here.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from maclab import bootstrap, directory, network, vault
from maclab import state as lab

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils import _account, _mac

PROMOTED = "promoted "
_RANKS = ("no", "unknown", "at_risk", "pending", "yes")
_NOTES = "dsAttrTypeNative:keyholder_pending"
_GUEST = "00000000-0000-0000-0000-0000000000C9"


@dataclass(frozen=True)
class Person:
    """One account as it really is. ``mark``, ``key``, ``listed``: directory, crypto users, FileVault's list."""

    name: str
    guid: str
    admin: bool = False
    mark: bool = False
    key: bool = False
    listed: bool = False
    refused: bool = False
    """Whether macOS takes no password of it at all: the account is disabled, or locked for good."""
    able: bool = True
    """Whether the right password surely logs in: there is one, and the account is neither disabled nor locked."""
    unsure: bool = False
    """Whether it logs in at times, or nobody can tell: a lock that opens by itself, a rule that cannot be judged."""
    fits: bool = True
    """Whether the account's own password opens its key; False: the key is stale."""
    tagged: bool = False
    mobile: bool = False
    uid: int = 501
    password: str = ""
    """What tells one password from another; "" where no test asks."""

    @property
    def holder(self) -> bool:
        """All three sources name the account (guide_tokens, "The three sources of truth")."""
        return self.mark and self.key and self.listed


@dataclass(frozen=True)
class Truth:
    """What is true of one Mac."""

    version: tuple[int, ...]
    people: tuple[Person, ...] = ()
    orphans: frozenset[str] = frozenset()
    encrypted: bool = False
    """Whether the volume asks for a key at start-up, now or until what is under way has finished."""
    leaving: bool = False
    """Whether FileVault is on its way off, so that the volume will ask for no key before long."""
    recovery_key: str = ""
    """What tells one personal recovery key from another; "" for none."""
    institutional_key: bool = False
    """Only where it opens something: on Intel (guide_tokens)."""
    apple_account: bool = False
    grants_at_login: bool = False
    """Whether the Bootstrap Token gives everybody a token at a login at the screen."""
    foreign_admins: bool = False
    unjudged: bool = False
    """Whether a rule of the Mac may refuse a login, and nobody can tell."""
    notes: frozenset[str] = field(default_factory=frozenset)

    def person(self, name: str) -> Person | None:
        return next((who for who in self.people if who.name == name), None)

    def lent(self, who: Person) -> bool:
        """Whether the account is an administrator for the moment of a grant only."""
        return PROMOTED + who.name in self.notes

    # -- who ----------------------------------------------------------------------------------------------------------

    @property
    def admins(self) -> frozenset[str]:
        return frozenset(who.name for who in self.people if who.admin and not self.lent(who))

    @property
    def token_admins(self) -> frozenset[str]:
        """Administrators with a token, usable or not: an account can be enabled again, and listed again."""
        return frozenset(who.name for who in self.people if who.name in self.admins and who.mark and who.key)

    @property
    def admin_holders(self) -> frozenset[str]:
        return frozenset(who.name for who in self.people if who.name in self.admins and who.holder)

    @property
    def granters(self) -> frozenset[str]:
        """Three facts, and a password that is accepted (guide_granter, "What makes a granter")."""
        return frozenset(who.name for who in self.people if who.name in self.admin_holders and who.able)

    @property
    def unlockers(self) -> frozenset[str]:
        """Holders on FileVault's list. A phantom may be let in as well, which counts in :attr:`may_open` alone."""
        return frozenset(who.name for who in self.people if who.holder)

    # -- what opens the volume ----------------------------------------------------------------------------------------

    @property
    def recovery(self) -> frozenset[str]:
        keys = {"the personal recovery key": bool(self.recovery_key), "the institutional key": self.institutional_key}
        return frozenset(words for words, there in keys.items() if there)

    @property
    def surely_open(self) -> frozenset[str]:
        """What opens the volume without a doubt: a holder's own password where the key follows it, or a known key."""
        return self.recovery | {who.name for who in self.people if who.holder and who.able and who.fits}

    @property
    def may_open(self) -> frozenset[str]:
        """What guide_tokens calls a way back, under at_risk: also the passwords of accounts that the sources disagree
        about, of crypto users that are nobody's, and somebody's Apple Account."""
        keyed = {who.name for who in self.people if who.key and (who.able or who.unsure)}
        account = {"an Apple Account"} if self.apple_account else set[str]()
        return self.recovery | keyed | self.orphans | account

    @property
    def keyed(self) -> frozenset[str]:
        """Beside those, whose account would have to be enabled first."""
        return self.may_open | {who.name for who in self.people if who.key}

    @property
    def facts(self) -> frozenset[tuple[str, str]]:
        """All that can be lost, each thing for itself."""
        waiting = {who.name for who in self._waiting}
        kinds = {
            "administrator": self.admins,
            "token": {who.name for who in self.people if who.holder} | waiting,
            "key": self.keyed,
            "login": {who.name for who in self.people if who.able or who.unsure},
            "Bootstrap Token": {"grants"} if self.grants_at_login else set(),
        }
        return frozenset((kind, what) for kind, those in kinds.items() for what in those)

    # -- the verdict --------------------------------------------------------------------------------------------------

    @property
    def _waiting(self) -> list[Person]:
        """Who gets a token at the next login at the screen: nobody who cannot log in, and nobody of whom any source
        says something."""
        bare = [who for who in self.people if not (who.mark or who.key or who.listed)]
        grants = self.grants_at_login and self.version >= (11,)
        return [who for who in bare if who.able or who.unsure] if grants else []

    @property
    def verdict(self) -> str:
        """guide_tokens, "Will the Mac be recoverable tomorrow?"."""
        if self.granters:
            return "yes"
        holders = [who for who in self.people if who.holder]
        doubtful = any(who.unsure and who.name in self.admin_holders for who in holders)
        if doubtful or (self.foreign_admins and any(who.mobile for who in holders)):
            return "unknown"
        admins = [who for who in self._waiting if who.name in self.admins and who.uid != 0 and who.able]
        if holders:
            reached = not self.encrypted or any(who.able for who in holders)
            return "pending" if admins and reached else "at_risk"
        if self.encrypted:
            return "at_risk" if self.leaving or self.may_open or self._waiting else "no"
        return "pending" if admins else "at_risk"


def worse(before: Truth, after: Truth, own: t.Collection[str] = ()) -> list[str]:
    """What one step has made worse, in words. ``own``: the accounts that the run came in by and may not change."""
    said = []
    # Who gains a token may bring a doubt to a Mac of which the risk was known: that is no loss.
    if _RANKS.index(after.verdict) < _RANKS.index(before.verdict) and before.facts - after.facts:
        said.append(f"recoverable was {before.verdict} and is {after.verdict}")
    for what, had, left in (
        ("administrator who can grant", before.granters, after.granters),
        ("administrator with a token by all sources", before.admin_holders, after.admin_holders),
        ("administrator with a token, usable or not", before.token_admins, after.token_admins),
        # One for the moment stays one where no other is left (guide_security).
        ("administrator", before.admins, frozenset(who.name for who in after.people if who.admin)),
    ):
        if had and not left:
            said.append(f"no {what} is left without {', '.join(sorted(had))}")
    if after.encrypted:
        said += _shut(before, after)
    return said + [what for name in sorted(own) for what in _own(before, after, name)]


def stale(before: Truth, after: Truth) -> list[str]:
    """What no reading can see: that the last password which really opens the volume is gone, while there is one who is
    called a holder. In words. Whoever reads can only have it proven, or warn of it. Where two holders are left and the
    keys of both are stale, nothing is said either."""
    left = [who for who in after.people if who.holder and who.able]
    shut = after.encrypted and before.surely_open and not after.surely_open and len(left) < 2
    return [f"nothing surely opens the volume without {', '.join(sorted(before.surely_open))}"] if shut else []


def _shut(before: Truth, after: Truth) -> list[str]:
    said = []
    for what, had, left in (
        ("that holds a token and is on its list", before.unlockers, after.unlockers),
        ("that opens the volume", before.may_open, after.may_open),
        ("with a key, able to log in or not", before.keyed, after.keyed),
    ):
        if had and not left:
            said.append(f"FileVault is on, and nothing {what} is left without {', '.join(sorted(had))}")
    if before.recovery and not after.recovery and not after.surely_open:
        said.append("the last recovery key is gone, and no password surely opens the volume")
    return said


def _own(before: Truth, after: Truth, own: str) -> list[str]:
    was, now = before.person(own), after.person(own)
    if was is None:
        return []
    if now is None:
        return [f"{own}, whom the run came in by, is gone"]
    said = []
    if was.admin and not before.lent(was) and not now.admin:
        said.append(f"{own}, whom the run came in by, is no administrator any more")
    if was.holder and not now.holder:
        said.append(f"{own}, whom the run came in by, is no holder any more")
    if was.able and not now.able:
        said.append(f"{own}, whom the run came in by, cannot log in any more")
    if was.password != now.password:
        said.append(f"{own}, whom the run came in by, has another password")
    return said


# -- the lab's Macs ---------------------------------------------------------------------------------------------------


def of_lab(mac: lab.Mac) -> Truth:
    """What is true of a Mac of the lab, whatever its programs say of it."""
    people = tuple(_of_account(mac, account) for account in mac.accounts.values() if not account.service)
    guids = {account.generated_uid for account in mac.accounts.values()} | {_GUEST}
    keys = {user.uuid for user in mac.crypto_users.values() if user.kind == directory.LOCAL_USER}
    root = mac.accounts.get("root")
    return Truth(
        version=mac.version_tuple,
        people=people,
        orphans=frozenset(keys - guids),
        encrypted=mac.filevault.state != "off",
        leaving=mac.filevault.state in ("decrypting", "off_needs_restart"),
        recovery_key=mac.filevault.prk or "",
        institutional_key=mac.filevault.irk and mac.hardware != "apple-silicon",
        grants_at_login=bootstrap.works(mac) and bootstrap.reachable(mac),
        notes=frozenset(root.attributes.get(_NOTES, ()) if root is not None else ()),
    )


def _of_account(mac: lab.Mac, account: lab.Account) -> Person:
    right = network.right_password(mac, account)
    locked = account.locked or 0 < mac.policy.max_failed <= account.failed_logins
    refused = locked or directory.refused(mac, account)
    key = mac.crypto_users.get(account.generated_uid)
    return Person(
        name=account.name,
        guid=account.generated_uid,
        admin=directory.is_admin(mac, account),
        mark=";SecureToken;" in account.authority,
        key=key is not None and key.kind == directory.LOCAL_USER,
        listed=account.generated_uid in vault.listed(mac),
        refused=refused,
        able=bool(right) and not refused,
        fits=right is not None and account.key_password == right,
        tagged=directory.DISABLED_TAG in account.authority,
        mobile=account.kind == "mobile",
        uid=account.uid,
        password=right or "",
    )


# -- Macs as a reading has them ---------------------------------------------------------------------------------------


def of_reading(mac: _mac.Mac, stale_keys: t.Collection[str] = ()) -> Truth:
    """What is true where ``mac`` has nothing hidden. ``stale_keys``: whose key does not follow the password."""
    managed = mac.management
    escrowed = managed.bootstrap in ("escrowed_unproven", "valid")
    denied = managed.preflight is False or (managed.preflight is None and managed.preflight_asked)
    return Truth(
        version=(mac.version.major, mac.version.minor, mac.version.patch),
        people=tuple(_of_reading(mac, who, who.name not in stale_keys) for who in mac.accounts),
        orphans=frozenset(mac.orphans),
        encrypted=mac.filevault.state != "off",
        leaving=mac.filevault.state in ("decrypting", "restart_to_disable"),
        recovery_key="the first" if mac.filevault.personal_key else "",
        institutional_key=bool(mac.filevault.institutional_key) and not mac.apple_silicon,
        apple_account=bool(mac.filevault.icloud_key),
        grants_at_login=escrowed and bool(managed.bootstrap_crypto_user) and not denied,
        foreign_admins=mac.foreign_admins,
        unjudged=bool(mac.policy.unjudged),
        notes=mac.pending,
    )


def _of_reading(mac: _mac.Mac, who: _account.Account, fits: bool) -> Person:
    limit = mac.policy.max_failed_logins
    full = bool(limit) and (who.failed_logins or 0) >= (limit or 0)
    unsure = (full and mac.policy.lock_expires) or bool(mac.policy.unjudged)
    refused = who.disabled or (full and not mac.policy.lock_expires)
    enabled = who.has_password and not refused
    return Person(
        name=who.name,
        guid=who.guid,
        admin=who.admin,
        mark=bool(who.sources.authority),
        key=bool(who.sources.crypto),
        listed=bool(who.sources.filevault),
        refused=refused,
        able=enabled and not unsure,
        unsure=enabled and unsure,
        fits=fits,
        tagged=who.disabled_tag,
        mobile=who.kind == "mobile",
        uid=who.uid or 0,
    )


# -- what a step does -------------------------------------------------------------------------------------------------


def stepped(truth: Truth, step: t.Any) -> Truth:
    """``truth`` once macOS has done what the step is for, by what the guides say of the programs. Raises LookupError
    for a step that writes and that nobody has thought about here."""
    effect = _EFFECTS.get(type(step).__name__)
    if effect is None:
        if step.writes:
            raise LookupError(f"the oracle does not know what {type(step).__name__} does to a Mac")
        return truth
    return effect(truth, step)


def _changed(truth: Truth, name: str, **facts: t.Any) -> Truth:
    return replace(truth, people=tuple(replace(who, **facts) if who.name == name else who for who in truth.people))


def _token(truth: Truth, name: str) -> Truth:
    return _changed(truth, name, mark=True, key=True, listed=True, fits=True)


def _no_token(truth: Truth, name: str) -> Truth:
    return _changed(truth, name, mark=False, key=False, listed=False)


def _gone(truth: Truth, name: str) -> Truth:
    return replace(truth, people=tuple(who for who in truth.people if who.name != name))


def _password_set(truth: Truth, name: str, kept: bool) -> Truth:
    """A password that is set as root leaves the key as it was. From macOS 11 on the first one of a Mac without a holder
    brings the first token ("Who gets the first one")."""
    (who,) = (one for one in truth.people if one.name == name)
    accepted = {"able": not who.refused and not truth.unjudged, "unsure": not who.refused and truth.unjudged}
    first = truth.version >= (11,) and not who.tagged and not who.mobile
    if first and not truth.orphans and not any(one.key or one.holder for one in truth.people):
        return _token(_changed(truth, name, **accepted), name)
    return _changed(truth, name, **accepted, fits=who.fits and (kept or not who.key), password="another")


def _switched(truth: Truth, name: str, disabled: bool) -> Truth:
    """Whoever is disabled opens and grants nothing (guide_parked). Nobody counts on what an enabling brings: the
    account may have no password, or be locked."""
    return _changed(truth, name, refused=True, able=False, unsure=False) if disabled else truth


def _created(truth: Truth, step: t.Any) -> Truth:
    account = step.account
    bare = getattr(step, "bare", False)
    made = Person(account.name, account.guid, able=False, tagged=account.disabled_tag, mobile=account.kind == "mobile")
    truth = replace(truth, people=(*truth.people, replace(made, admin=account.admin and not bare)))
    return truth if bare or made.mobile else _password_set(truth, account.name, True)


def _volume(**facts: t.Any) -> t.Callable[[Truth, t.Any], Truth]:
    return lambda truth, step: replace(truth, **facts)


def _nothing(truth: Truth, step: t.Any) -> Truth:
    return truth


_EFFECTS: dict[str, t.Callable[[Truth, t.Any], Truth]] = {
    "Grant": lambda truth, step: _token(truth, step.user),
    "Revoke": lambda truth, step: _no_token(truth, step.user),
    "BecomeFirstHolder": lambda truth, step: _token(truth, step.user),
    "SetSamePassword": lambda truth, step: _token(truth, step.user),
    "CreateAccount": _created,
    "CreateMobileAccount": _created,
    "SetAdmin": lambda truth, step: _changed(truth, step.user, admin=step.admin),
    "PreventToken": lambda truth, step: _changed(truth, step.user, tagged=True),
    "AllowToken": lambda truth, step: _changed(truth, step.user, tagged=False),
    "SetPassword": lambda truth, step: _password_set(truth, step.user, step.how != "root"),
    "SetDisabled": lambda truth, step: _switched(truth, step.user, step.disabled),
    # Who may authorise it is the readiness's to say. Accounts, keys and rights stay as they are.
    "InstallUpdate": lambda truth, _step: truth,
    "StartInstaller": lambda truth, _step: truth,
    "LeaveDirectory": lambda truth, step: _changed(truth, step.user, mobile=False),
    "DeleteAccount": lambda truth, step: _gone(truth, step.user),
    "RemoveMarker": lambda truth, step: _changed(truth, step.user, mark=False),
    "RemoveOrphan": lambda truth, step: replace(truth, orphans=truth.orphans - {step.guid}),
    "AddUnlocker": lambda truth, step: _changed(truth, step.user, listed=True),
    "RemoveUnlocker": lambda truth, step: _changed(truth, step.user, listed=False),
    "EnableFileVault": _volume(encrypted=True, recovery_key="a new one"),
    "DisableFileVault": _volume(encrypted=False, recovery_key=""),
    "ChangeKey": _volume(recovery_key="a new one"),
    "RemoveKey": _volume(recovery_key=""),
    "EscrowBootstrap": _volume(grants_at_login=True),
    "RemoveBootstrap": _volume(grants_at_login=False),
    "Note": lambda truth, step: replace(truth, notes=truth.notes | {step.work}),
    "Forget": lambda truth, step: replace(truth, notes=truth.notes - {step.work}),
    # Nothing that decides who unlocks and who grants.
    **dict.fromkeys(
        (
            "UpdatePreboot",
            "SetAttribute",
            "RememberAccount",
            "ForgetAccount",
            "DenySsh",
            "AllowSsh",
            "CreateHome",
            "ArchiveHome",
            "PlanDemotion",
            "DropDemotion",
            "DeferFileVault",
            "CancelDeferral",
            "RemoveKeyFile",
            "ArmRestart",
            "Restart",
        ),
        _nothing,
    ),
}
