# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what one reading says of a Mac, and what follows from it for each account. Pure: no I/O, no Ansible.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    EVERYWHERE,
    MOBILE,
    NO_TOKEN,
    NOWHERE,
    PENDING,
    PHANTOM,
    Account,
    in_order,
)
from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import Copy
from ansible_collections.keyholder.macos.plugins.module_utils._macos import BOOTSTRAP_GRANTS, VOLUME_OWNERS, Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._sso import PlatformSSO
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import StartUp
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import (
    creation,
    is_offboarding,
    leaving_directory,
    promoted_by,
    repairing,
)

ESCROWED = ("escrowed_unproven", "valid")
"""Bootstrap Token statuses in which the server has one."""


@dataclass(frozen=True)
class Volume:
    """Hold the boot volume. ``snapshot``: booted from a system snapshot, as a sealed macOS is. None: not readable."""

    device: str = ""
    apfs: bool | None = None
    snapshot: bool | None = None


@dataclass(frozen=True)
class FileVault:
    """Hold FileVault. ``state``: on, off, encrypting, decrypting, restart_to_enable, restart_to_finish,
    restart_to_disable, unknown."""

    state: str = "unknown"
    percent: float | None = None
    deferred_user: str = ""
    deferral_path: str = ""
    """Where the deferral will write its property list; "": no deferral, or not asked."""
    personal_key: bool | None = None
    institutional_key: bool | None = None
    icloud_key: bool | None = None
    """Whether an Apple Account opens the volume."""
    escrowed_at: int | None = None
    """When macOS last escrowed a key to MDM, in seconds since 1970; 0: never; None: not asked, or its file could not be
    looked at."""
    escrow_profile: bool | None = None
    """Whether a profile has macOS put each new key aside; None: the profiles could not be listed, or not asked."""
    authrestart: bool | None = None
    """Whether macOS says that it can restart without waiting at the unlock screen; None: not said, or not asked."""
    key_used: bool | None = None
    """Whether the Mac was unlocked with a recovery key when it started; None: not said, or not asked. On 10.15 this
    stays true until the next restart, also after a rotation (transcript fde-usingrecoverykey-10.15)."""

    @property
    def busy(self) -> bool:
        """Check whether it is on its way off: nothing can be changed until it is there."""
        return self.state in ("decrypting", "restart_to_disable")

    @property
    def escrows(self) -> bool:
        """Return whether a new key will be escrowed. An old key's file is the next best sign if no profile is seen."""
        return bool(self.escrowed_at) if self.escrow_profile is None else self.escrow_profile

    @property
    def settled(self) -> bool:
        """Check whether users and keys can be changed: fdesetup refuses that with status 28 at any other time (man)."""
        return self.state in ("on", "encrypting")

    @property
    def asks(self) -> bool:
        """Return whether the volume may ask for a key at start-up. A status that could not be read counts as on."""
        return self.state != "off"

    @property
    def on(self) -> bool:
        """Check whether the volume asks for a key at start-up, now or once what is under way has finished."""
        return self.state in ("on", "encrypting", "restart_to_enable", "restart_to_finish")


@dataclass(frozen=True)
class Management:
    """Hold the MDM. ``bootstrap``: unsupported, not_enrolled, not_escrowed, escrowed_unproven, valid or unknown.

    ``supported``: whether the server takes Bootstrap Tokens. ``preflight``: whether macOS would use the token to
    authorise an erase, see ERASE_PREFLIGHT. None: not said.
    """

    enrolled: bool | None = None
    automated: bool | None = None
    user_approved: bool | None = None
    server: str = ""
    bootstrap: str = "unknown"
    supported: bool | None = None
    preflight: bool | None = None
    bootstrap_crypto_user: bool | None = None
    token_dialog_suppressed: bool | None = None
    """Whether a profile keeps macOS from asking for a token administrator at a mobile account's login; None: not asked,
    or no such setting (before 10.13.5)."""
    preflight_asked: bool = False
    """Whether macOS was asked for the preflight: then None means that it did not answer."""


@dataclass(frozen=True)
class Person:
    """Hold a user of a directory, who may have no account on this Mac. ``name``: as the directory has it."""

    name: str
    full_name: str = ""
    uid: int | None = None


@dataclass(frozen=True)
class Network:
    """Hold what was asked of the directories that this Mac is bound to. ``online``: whether one answers; None: not
    said.

    ``person``: whom they know under the name that was asked for. An account of this Mac with that name hides him.
    """

    nodes: tuple[str, ...] = ()
    online: bool | None = None
    person: Person | None = None


@dataclass(frozen=True)
class PasswordPolicy:
    """Hold the Mac's own rules for passwords, as far as it says them (to root only). None: no such rule."""

    rules: tuple[str, ...] = ()
    max_failed_logins: int | None = None
    lock_expires: bool = False
    """Whether an account that wrong guesses have locked opens again by itself, at an unknown time."""
    patterns: tuple[str, ...] = ()
    """Regular expressions that a whole password must match."""
    unjudged: tuple[str, ...] = ()
    """Identifiers of the rules that may refuse a login and that no reading can judge: one that locks unused accounts,
    for instance."""


@dataclass(frozen=True)
class Missing:
    """Hold what could not be read, and the evidence."""

    what: str
    evidence: str


T2_MODELS = frozenset(
    "iMac20,1 iMac20,2 iMacPro1,1 MacBookAir8,1 MacBookAir8,2 MacBookAir9,1 MacBookPro15,1 MacBookPro15,2"
    " MacBookPro15,3 MacBookPro15,4 MacBookPro16,1 MacBookPro16,2 MacBookPro16,3 MacBookPro16,4 MacPro7,1"
    " Macmini8,1".split()
)
"""Model identifiers of the Macs with a T2 chip (Apple, "Mac models with the Apple T2 Security Chip"). MacPro7,1 is both
the tower and the rack."""


@dataclass(frozen=True)
class Mac:
    """Hold one reading of a whole Mac."""

    version: Version
    as_root: bool = False
    """Whether the reading holds what only root may read."""
    build: str = ""
    model: str = ""
    apple_silicon: bool | None = False
    """None: which hardware this is could not be read."""
    virtual: bool = False
    volume: Volume = Volume()
    accounts: tuple[Account, ...] = ()
    orphans: tuple[str, ...] = ()
    """GUIDs of crypto users that belong to no account of this Mac."""
    filevault: FileVault = FileVault()
    management: Management = Management()
    policy: PasswordPolicy = PasswordPolicy()
    network: Network | None = None
    """None: not asked."""
    missing: tuple[Missing, ...] = ()
    groups_read: bool = True
    foreign_admins: bool = False
    """Whether a group that is none of this Mac's is nested in group admin: a directory's, as is assumed. This Mac does
    not know who is in it."""
    files: frozenset[str] = frozenset()
    """Those of the paths that were asked for at which there is something."""
    full_disk_access: bool | None = None
    """Whether this session may change what macOS protects; None: not asked, or not said."""
    full_disk_evidence: str = ""
    own: frozenset[str] = frozenset()
    """Accounts that the run itself came in by, and that it may not take away from itself."""
    places: tuple[Place, ...] = ()
    """What is on the way to the paths that were asked for so."""
    sessions: frozenset[str] | None = None
    """Who is logged in, at the screen or by a terminal; None: not asked, or not readable."""
    pending: frozenset[str] = frozenset()
    """Work that earlier runs began and did not finish."""
    power: Power | None = None
    """None: not asked."""
    activation_lock: bool | None = None
    """Whether Activation Lock is on; None: not asked, or not said."""
    recovery_lock: bool | None = None
    """Whether Recovery asks for a password that MDM has set (Intel: the firmware's); None: not asked, or not said."""
    directory_copy: Copy | None = None
    """What the record that was asked about has of a directory; None: not asked, or not readable."""
    sshd_refuses: bool | None = None
    """Whether sshd lets the account that was asked about in by no method; None: not asked, or not said."""
    offers: tuple[Offer, ...] | None = None
    """Which macOS it is offered, as ``installer`` is the one an application has; None: not asked, or not said."""
    names: frozenset[str] = field(default=frozenset(), repr=False)
    """Short names of all records of the directory, also of those that are no account, as :func:`folded`."""
    taken: frozenset[str] = field(default=frozenset(), repr=False)
    """Names, full names and numbers (``uid:501``) that other records of the directory use, as :func:`folded`."""
    sso: PlatformSSO | None = None
    start_up: StartUp | None = None
    """None, as for Platform SSO: not asked."""
    installer: Version | None = None

    def account(self, name: str) -> Account | None:
        """Return the account of that short name, None if there is none."""
        return next((account for account in self.accounts if account.name == name), None)

    def with_account(self, account: Account) -> Mac:
        """Return this Mac with ``account`` added, or put in the place of the one of its name."""
        others = tuple(other for other in self.accounts if other.name != account.name)
        return replace(self, accounts=in_order(others + (account,)))

    def without_account(self, name: str) -> Mac:
        """Return this Mac without the account of that name."""
        return replace(self, accounts=tuple(account for account in self.accounts if account.name != name))

    def decided_elsewhere(self, account: Account) -> bool:
        """Check whether the account's password hash on this Mac may be outdated: as long as its directory can be
        reached, that one decides."""
        return account.kind == MOBILE and (self.network is None or self.network.online is not False)

    @property
    def unread(self) -> tuple[str, ...]:
        """Return what could not be read, as evidence."""
        return tuple(f"{missing.what}: {missing.evidence}" for missing in self.missing)

    @property
    def owners_known(self) -> bool:
        """Return whether this macOS says who owns the volume."""
        return self.version >= VOLUME_OWNERS.first

    def lacks_ownership(self, account: Account) -> bool:
        """Check whether a holder does not own the volume of a Mac with Apple silicon: it cannot authorise updates."""
        return bool(self.apple_silicon) and account.holder and account.volume_owner is False

    @property
    def secure_enclave(self) -> bool:
        """Check for Apple silicon or a T2 chip: there macOS does not remove a crypto user that belongs to no
        account."""
        return self.apple_silicon is not False or self.model in T2_MODELS

    @property
    def grants_at_login(self) -> bool:
        """Return whether macOS grants every account a token at a graphical login, by the Bootstrap Token. That a token
        grants nothing that is escrowed and no crypto user of the volume is assumed."""
        management = self.management
        escrowed = management.bootstrap in ESCROWED and management.bootstrap_crypto_user is not False
        denied = management.preflight is False or (management.preflight is None and management.preflight_asked)
        return self.version >= BOOTSTRAP_GRANTS.first and escrowed and not denied

    def verdict_of(self, account: Account) -> str:
        """Return the account's verdict with what this Mac will do by itself taken into account: never for an account
        that has no login."""
        able = account.able and self.locked(account) is not True
        waits = account.verdict == NO_TOKEN and self.grants_at_login and able
        return PENDING if waits else account.verdict

    @property
    def holders(self) -> tuple[Account, ...]:
        """Return the accounts that hold a token."""
        return tuple(account for account in self.accounts if account.holder)

    @property
    def promoted(self) -> tuple[str, ...]:
        """Return who is an administrator for the moment only, by the note that stands before the promotion."""
        return tuple(sorted(filter(None, map(promoted_by, self.pending))))

    def notes_on(self, name: str) -> tuple[str, ...]:
        """Return the notes on an account that have no meaning once it is gone. A promotion is not among them: rights
        are taken back first."""
        plain = self.pending & {creation(name), repairing(name), leaving_directory(name)}
        return tuple(sorted(plain | self.leaving(name)))

    def leaving(self, name: str) -> frozenset[str]:
        """Return the notes on an offboarding of ``name``, of any account that has or had that name."""
        return frozenset(note for note in self.pending if is_offboarding(note, name))

    def has_other_admin(self, name: str) -> bool:
        """Return whether another account than ``name`` is an administrator that can log in, and not for the moment."""
        others = (who for who in self.accounts if who.name not in (name, *self.promoted) and who.uid != 0)
        return any(who.admin and who.able for who in others)

    @property
    def token_admins(self) -> tuple[Account, ...]:
        """Return the administrators with a key: also those that cannot log in, or that FileVault's list lacks, as both
        can be mended. Those who are administrators for the moment do not count."""
        return tuple(
            account
            for account in self.accounts
            if account.admin
            and account.name not in self.promoted
            and account.sources.authority
            and account.sources.crypto is not False
        )

    @property
    def admin_holders(self) -> tuple[Account, ...]:
        """Return the holders that are administrators, whether or not they can log in today."""
        return tuple(account for account in self.token_admins if account.holder)

    @property
    def granters(self) -> tuple[Account, ...]:
        """Return who may authorise a grant today: only a token admin can (Apple Platform Deployment; transcript
        ston-5101-not-authorized), and none that cannot log in, or may be locked by a rule."""
        return tuple(account for account in self.admin_holders if self.opens(account))

    @property
    def likely_granters(self) -> tuple[Account, ...]:
        """Return the granters, and those of whom it is not known whether a rule of the Mac has locked them."""
        return tuple(who for who in self.admin_holders if who.able and self.locked(who) is not True)

    @property
    def waiting_admins(self) -> tuple[Account, ...]:
        """Return the administrators who need no more than a login at the screen to be holders. Root is left out: it has
        none."""
        people = (who for who in self.accounts if who.admin and who.uid != 0 and self.opens(who))
        return tuple(who for who in people if who.name not in self.promoted and self.verdict_of(who) == PENDING)

    def locked(self, account: Account) -> bool | None:
        """Return whether wrong guesses have locked the account. None: unknown, because the lock opens by itself at a
        time that is not read, the failed logins could not be read, or a rule of the Mac cannot be judged."""
        limits = [(self.policy.max_failed_logins, self.policy.lock_expires)]
        limits += [(account.max_failed_logins, account.lock_expires)]
        known = [(limit, expires) for limit, expires in limits if limit is not None and limit > 0]
        if known and account.failed_logins is None:
            return None if self.as_root else False
        reached = [
            expires for limit, expires in known if account.failed_logins is not None and account.failed_logins >= limit
        ]
        if reached:
            return None if all(reached) else True
        return None if self.policy.unjudged or account.unjudged else False

    def opens(self, account: Account) -> bool:
        """Return whether a right password of the account is surely accepted."""
        return account.able and self.locked(account) is False

    @property
    def unlockers(self) -> tuple[Account, ...]:
        """Return whom FileVault's list names: the people that may unlock the volume at start-up."""
        return tuple(account for account in self.accounts if account.sources.filevault)

    @property
    def unknown_to_preboot(self) -> tuple[Account, ...]:
        """Return the holders of whom the preboot volume does not know, though FileVault's list names them."""
        return tuple(who for who in self.able_unlockers if who.in_preboot is False and self.filevault.on)

    @property
    def able_unlockers(self) -> tuple[Account, ...]:
        """Return those of FileVault's list who hold a token: a phantom is on the list, and opens nothing."""
        return tuple(account for account in self.unlockers if account.holder)

    @property
    def phantoms(self) -> tuple[Account, ...]:
        """Return the accounts about whose token the sources disagree."""
        return tuple(account for account in self.accounts if account.verdict == PHANTOM)


def with_token(mac: Mac, account: Account) -> Account:
    """Return ``account`` as it reads once it holds a token."""
    return replace(account, sources=EVERYWHERE, volume_owner=True if mac.owners_known else None)


def without_token(mac: Mac, account: Account) -> Account:
    """Return ``account`` as it reads once it holds no token."""
    return replace(account, sources=NOWHERE, volume_owner=False if mac.owners_known else None)
