# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random Macs and requests for the property tests of the plan.

Everything is drawn by a function ``pick`` that chooses one of several values. Hypothesis picks where a failure is to
be made small (:func:`macs` and the other strategies); a random number generator picks where there are to be many. The
plainest value stands first, as Hypothesis makes things small by going there.

A Mac is drawn as it is first (:func:`whole_mac`), then some of it is hidden as a reading may miss it (:func:`hidden`).
So a test can judge what a plan would do to the Mac that is really there.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import cache

from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import Copy
from ansible_collections.keyholder.macos.plugins.module_utils._mac import (
    FileVault,
    Mac,
    Management,
    Missing,
    Network,
    PasswordPolicy,
    Person,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import Offer
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place, way
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.local import LocalAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.mobile import MobileAccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.parking import ParkRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import healed, with_healing
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import OPENS, RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.ssh_access import SshAccessRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.upgrade import UpgradeRequest
from ansible_collections.keyholder.macos.plugins.module_utils._power import Power
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import (
    archived,
    creation,
    offboarding,
    promotion,
    repairing,
)

NAMES = ("itadmin", "ana", "bob", "svc")
PEER = "ada"
"""Somebody whom the directory knows, and who has no account yet."""
DEFERRAL = "/var/db/keyholder-filevault.plist"
ARCHIVE = "/var/root/ana.tar.gz"
VERSIONS = tuple(
    Version.parse(text) for text in ("10.13.6", "10.14.6", "10.15.7", "11.7", "13.6", "15.6", "26.1", "27.0.1")
)
STATES = ("on", "off", "encrypting", "decrypting", "restart_to_enable", "restart_to_finish", "restart_to_disable")
HARDWARE = ((True, "Mac14,2"), (False, "MacBookPro16,1"), (False, "MacBookPro14,1"))
"""Apple silicon, an Intel Mac with a T2 chip, and one without."""
ORPHAN = "0A7B3C2D-1111-2222-3333-444455556666"
INSIDE, OF_ALL = "/Users/ana/inside.tgz", "/tmp/everybody.tgz"
_OTHERS = ("/private/tmp", "/Users/Shared")
"""Folders that others than root write in; homes are others."""


T = t.TypeVar("T")


def places(homes: t.Iterable[str], paths: t.Iterable[str]) -> tuple[Place, ...]:
    """Return what a reading says of the way to these homes, which are there, and to these paths, which are not."""
    homes = [home for home in homes if home.startswith("/")]
    known = {home: Place(home, "folder") for home in homes}
    for path in (*homes, *paths):
        *folders, last = way(path)
        for folder in folders:
            known.setdefault(folder, Place(folder, "folder", folder not in _OTHERS))
        known.setdefault(last, Place(last, "nothing"))
    return tuple(known.values())


def application(pick: Pick, path: str) -> tuple[Place, ...]:
    """Return what a reading says of an installer application, and of the program in it."""
    *folders, program = way(f"{path}/Contents/Resources/startosinstall")
    applications = Place(folders[1], "folder", False, 0)
    inside = [Place(folder, "folder", True, 0) for folder in folders[2:]]
    return (applications, *inside, Place(program, pick(("file", "file", "file", "nothing")), True, 0))


class Pick(t.Protocol):
    """Chooses one of ``values``."""

    def __call__(self, values: t.Sequence[T]) -> T:
        raise NotImplementedError


_BOOLS = (False, True)
_OFTEN = (True, True, True, False)
_SELDOM = (False,) * 7 + (True,)
_TOLD = (True, False, None)


# -- Macs -------------------------------------------------------------------------------------------------------------


def sources(pick: Pick) -> Sources:
    everywhere, nowhere = Sources(True, True, True), Sources(False, False, False)
    return pick((nowhere, everywhere, None)) or Sources(pick(_BOOLS), pick(_BOOLS), pick(_BOOLS))


def person(pick: Pick, name: str, uid: int) -> Account:
    primary = pick((20,) * 11 + (80,))
    said = sources(pick)
    return Account(
        name=name,
        guid=f"00000000-0000-0000-0000-{uid:012d}",
        full_name=name.title(),
        uid=uid,
        gid=primary,
        kind=pick(("local",) * 6 + (MOBILE,)),
        admin=pick(_BOOLS) or primary == 80,
        hidden=pick(_SELDOM),
        disabled_tag=pick(_SELDOM),
        home=pick((f"/Users/{name}",) * 14 + ("/Users/itadmin", "/Users/Shared")),
        shell="/bin/zsh",
        sources=said,
        has_password=pick(_OFTEN),
        disabled=pick(_SELDOM),
        volume_owner=bool(said.crypto),
        failed_logins=pick((0, 0, 0, 2, 12)),
    )


def _granter(who: Account) -> Account:
    """Most Macs have somebody who can grant; otherwise most requests would only be refused."""
    held = Sources(True, True, True)
    return replace(who, admin=True, sources=held, has_password=True, disabled=False, failed_logins=0, kind="local")


_POLICIES = (PasswordPolicy(),) * 5 + (
    PasswordPolicy(("failures",), max_failed_logins=5),
    PasswordPolicy(("failures",), max_failed_logins=5, lock_expires=True),
    PasswordPolicy(("unused",), unjudged=("unused",)),
)


def keys(pick: Pick) -> FileVault:
    state = pick(("off", "off", *("on",) * 5, *STATES))
    deferred = pick(("",) * 6 + NAMES[:2]) if state == "off" else ""
    return FileVault(
        state,
        deferred_user=deferred,
        deferral_path=pick(("", DEFERRAL)) if deferred else "",
        personal_key=pick(_BOOLS),
        institutional_key=pick(_SELDOM),
        icloud_key=pick(_SELDOM),
        escrowed_at=pick((0, 1_700_000_000)),
        escrow_profile=pick(_TOLD),
        authrestart=pick(_TOLD),
    )


def management(pick: Pick) -> Management:
    bootstrap = pick(("not_escrowed", "unsupported", "not_enrolled", "escrowed_unproven", "valid"))
    preflight = pick(_TOLD)
    return Management(
        enrolled=bootstrap != "not_enrolled",
        automated=pick(_BOOLS),
        user_approved=pick(_BOOLS),
        bootstrap=bootstrap,
        supported=bootstrap != "unsupported",
        preflight=preflight,
        preflight_asked=preflight is not None or pick(_BOOLS),
        bootstrap_crypto_user=bootstrap in ("escrowed_unproven", "valid") and pick(_OFTEN),
        token_dialog_suppressed=pick(_TOLD),
    )


def network(pick: Pick) -> Network | None:
    if not pick(_OFTEN):
        return None
    who = Person(pick((PEER,) * 4 + (PEER.title(),)), "Ada", pick((612, 612, 502)))
    bound = pick(_OFTEN)
    return Network(
        ("/Active Directory/CORP",) if bound else (),
        pick((True, True, False, None)) if bound else False,
        who if bound and pick(_OFTEN) else None,
    )


COPY = Copy((";LocalCachedUser;/Active Directory/X:ana:G",), ("OriginalNodeName",), hashed=True)


def notes_of_runs(pick: Pick, people: t.Sequence[Account]) -> frozenset[str]:
    """What earlier runs may have left on the Mac, one note or none: each kind, on somebody who is there or was."""
    kinds = [creation("bob"), repairing("ana"), repairing("itadmin"), promotion("ana"), promotion("itadmin"), "preboot"]
    for who in people[:2]:
        kinds += [offboarding(who.name, who.guid), archived(who.name, who.guid)]
    return frozenset({pick(kinds)}) if pick((False, False, True)) else frozenset()


OFFERS = (Offer("macOS-99.1", "macOS 99.1", Version(99, 1, 0)),)
"""What a Mac is offered: newer than each of :data:`VERSIONS`."""

INSTALLER = "/Applications/Install macOS.app"
"""Where an installer application lies, with a macOS of :data:`OFFERS`, an old one, or what could not be read."""

CHECKED = ("power", "recovery_key", "bootstrap_token", "recoverable")
"""Checks of the readiness that a caller may settle in another way."""


def whole_mac(pick: Pick) -> Mac:
    """A Mac as it is, with nothing hidden."""
    names = [name for name in NAMES if pick((False, True, True))]
    people = [person(pick, name, 501 + index) for index, name in enumerate(names)]
    # Of eight Macs four have a granter, one has a standard holder, on one nobody holds a token, two are as they come.
    lead = pick(("granter", "granter", "granter", "granter", "standard", "nobody", "", ""))
    if lead in ("granter", "standard"):
        people[:1] = [_granter(who) for who in people[:1]]
    if lead == "standard":
        people[:1] = [replace(who, admin=False, gid=20) for who in people[:1]]
    if lead == "nobody":
        people = [replace(who, sources=Sources(False, False, False), volume_owner=False) for who in people]
    silicon, model = pick(HARDWARE)
    homes = [who.home for who in people]
    paths = (DEFERRAL, ARCHIVE, *homes)
    return Mac(
        version=pick(VERSIONS),
        model=model,
        apple_silicon=silicon,
        volume=Volume("disk3s1s1", True, True),
        accounts=tuple(people),
        orphans=pick(((), (), (), (ORPHAN,))),
        filevault=keys(pick),
        management=management(pick),
        policy=pick(_POLICIES),
        network=network(pick),
        foreign_admins=pick(_SELDOM),
        files=frozenset(path for path in paths if pick(_BOOLS)),
        places=places(homes, [DEFERRAL, INSIDE, OF_ALL, *(f"/var/root/{name}.tar.gz" for name in (*NAMES, PEER))])
        + application(pick, INSTALLER),
        full_disk_access=pick((*_TOLD[::2], None, None, False)),
        own=frozenset(who.name for who in people[:1] if pick(_SELDOM)),
        sessions=pick((frozenset(), frozenset(), frozenset({"ana"}))),
        as_root=True,
        sshd_refuses=pick((False, False, True, None)),
        directory_copy=pick((COPY, COPY, COPY, replace(COPY, hashed=False), None)),
        pending=notes_of_runs(pick, people),
        offers=pick((OFFERS, OFFERS, OFFERS, OFFERS, (), None)),
        installer=pick((OFFERS[-1].version, OFFERS[-1].version, Version(10, 13), None)),
        power=pick((Power("ac"), Power("ac"), Power("battery", 20), None)),
        names=_names(people),
        taken=_taken(people),
    )


UNREAD = {
    "crypto": "crypto users of the boot volume",
    "list": "FileVault's list of users",
    "status": "FileVault's status",
    "groups": "groups of the local directory",
    "enrolment": "enrolment in MDM",
    "bootstrap": "Bootstrap Token",
    "escrow": "when a recovery key was last escrowed",
    "sessions": "",
    "network": "",
    "root": "failed logins and password dates",
    "apfs": "",
    "old": "",
}
"""What can be hidden, and as what a reading says that it missed it; "" where it says nothing, or where it is no lack:
"apfs" is a volume that is none, "old" a macOS before the oldest."""


def hidden(mac: Mac, what: str) -> Mac:
    """``mac`` as a reading shows it that missed one thing; "" for nothing."""
    if UNREAD.get(what):
        mac = replace(mac, missing=(*mac.missing, Missing(UNREAD[what], "exit status 1")))
    if what in ("crypto", "list", "root"):
        who = [replace(one, sources=_unread(one.sources, what)) for one in mac.accounts]
        mac = replace(mac, accounts=tuple(who))
    if what == "crypto":
        mac = replace(mac, volume=Volume(), orphans=(), accounts=_ownerless(mac))
        keys = replace(mac.filevault, personal_key=None, institutional_key=None, icloud_key=None)
        return replace(mac, filevault=keys, management=replace(mac.management, bootstrap_crypto_user=None))
    if what == "status":
        return replace(mac, filevault=replace(mac.filevault, state="unknown", deferred_user="", deferral_path=""))
    if what == "groups":
        nobody = tuple(replace(one, admin=False) for one in mac.accounts)
        return replace(mac, groups_read=False, accounts=nobody, foreign_admins=False)
    if what == "root":
        return replace(mac, as_root=False, accounts=tuple(replace(one, failed_logins=None) for one in mac.accounts))
    managed = {
        "enrolment": {"enrolled": None, "automated": None, "user_approved": None},
        "bootstrap": {"bootstrap": "unknown", "supported": None, "preflight": None},
    }
    if what in managed:
        return replace(mac, management=replace(mac.management, **t.cast("dict[str, t.Any]", managed[what])))
    changed: dict[str, dict[str, t.Any]] = {
        "escrow": {"filevault": replace(mac.filevault, escrowed_at=None)},
        "sessions": {"sessions": None},
        "network": {"network": None},
        "apfs": {"volume": replace(mac.volume, apfs=False)},
        "old": {"version": Version(10, 12, 6)},
    }
    return replace(mac, **changed.get(what, {}))


def _unread(sources: Sources, what: str) -> Sources:
    return replace(sources, crypto=None) if what == "crypto" else replace(sources, filevault=None)


def _ownerless(mac: Mac) -> tuple[Account, ...]:
    return tuple(replace(one, volume_owner=None) for one in mac.accounts)


LACKS = ("",) * 24 + ("status",) * 4 + ("escrow",) * 2 + ("bootstrap",) * 2 + tuple(sorted(UNREAD))
"""What a reading misses: mostly nothing. What lets a plan be made all the same comes more often."""


# -- requests ---------------------------------------------------------------------------------------------------------


def somebody(pick: Pick, people: t.Sequence[str]) -> str:
    """Whom a request is about: mostly one of ``people``."""
    strange = ("root", "_www", "nobody", "BOB", PEER, "-x")
    return pick((*people, *people, *people, None)) or pick((*NAMES, *strange))


def granter(pick: Pick, people: t.Sequence[str]) -> str:
    return pick((*people[:1], *people[:1], "", *people, NAMES[1]))


def given(pick: Pick, *options: str) -> frozenset[str]:
    return frozenset(options) if pick(_OFTEN) else frozenset(option for option in options if pick(_BOOLS))


def _maybe(pick: Pick, *values: T) -> T | None:
    return pick((None, None, *values))


def token_request(pick: Pick, people: t.Sequence[str]) -> TokenRequest:
    return TokenRequest(
        user=somebody(pick, people),
        state=pick(("present", "absent")),
        admin_user=granter(pick, people),
        first_token=pick(_BOOLS),
        allow_temporary_promotion=pick(_BOOLS),
        accept_pending=pick(_BOOLS),
    )


def account_request(pick: Pick, people: t.Sequence[str]) -> AccountRequest:
    return AccountRequest(
        name=somebody(pick, people),
        state=pick(("present", "present", "absent")),
        full_name=_maybe(pick, "Ana Sousa") if pick(_OFTEN) else _maybe(pick, "Bob", "Itadmin", "two\nlines"),
        uid=_maybe(pick, 501, 502, 700) if pick(_SELDOM) else None,
        gid=_maybe(pick, 20, 80) if pick(_SELDOM) else None,
        shell=_maybe(pick, "/bin/bash"),
        home=_maybe(pick, "/Users/elsewhere"),
        hint=_maybe(pick, "the usual"),
        picture=_maybe(pick, "/Library/picture.png"),
        admin=_maybe(pick, *_BOOLS),
        hidden=_maybe(pick, *_BOOLS),
        update_password=pick(("on_create", "always")),
        secure_token=pick(("omitted", "omitted", "present", "prevented", "allowed")),
        admin_user=granter(pick, people),
        first_token=pick(_BOOLS),
        allow_temporary_promotion=pick(_BOOLS),
        accept_pending=pick(_BOOLS),
        remove=pick(("keep_home", "delete_home", "secure")),
        given=given(pick, "password", "old_password", "admin_password"),
    )


def password_request(pick: Pick, people: t.Sequence[str]) -> PasswordRequest:
    return PasswordRequest(
        name=somebody(pick, people),
        admin_user=granter(pick, people),
        verify_key=pick(("on_change", "always", "never", "only")),
        given=given(pick, "old_password", "admin_password") | {"password"},
    )


def mobile_request(pick: Pick, people: t.Sequence[str]) -> MobileAccountRequest:
    return MobileAccountRequest(
        name=pick((PEER, PEER, PEER, *people)),
        home=_maybe(pick, "/Users/elsewhere") if pick(_OFTEN) else "elsewhere",
        secure_token=pick(("omitted", "present")),
        admin_user=granter(pick, people),
        given=given(pick, "password", "admin_password"),
    )


def offboard_request(pick: Pick, people: t.Sequence[str]) -> OffboardRequest:
    return OffboardRequest(
        name=somebody(pick, people),
        home=pick(("keep", "archive", "delete", "secure")),
        archive=pick(("",) * 5 + (ARCHIVE, INSIDE, OF_ALL)),
        force=pick(_BOOLS),
        admin_user=granter(pick, people),
        given=given(pick, "admin_password"),
    )


def repair_request(pick: Pick, people: t.Sequence[str]) -> RepairRequest:
    return RepairRequest(
        user=somebody(pick, people) if pick(_OFTEN) else "",
        admin_user=granter(pick, people),
        orphans=pick(_BOOLS),
        given=given(pick, "password") | pick((frozenset(), {"admin_password"}, {"admin_password", "old_password"})),
    )


def bootstrap_request(pick: Pick, people: t.Sequence[str]) -> BootstrapRequest:
    return BootstrapRequest(state=pick(("escrowed", "absent", "validated")), admin_user=granter(pick, people))


def filevault_request(pick: Pick, people: t.Sequence[str]) -> FileVaultRequest:
    return FileVaultRequest(
        state=pick(("enabled", "disabled", "deferred")),
        user=granter(pick, people),
        additional_users=tuple(name for name in people[1:] if not pick(_OFTEN)),
        recovery_key=pick(("discard", "return", "encrypt")),
        defer_path=pick((DEFERRAL, DEFERRAL, DEFERRAL, "", "relative")),
        force_at_login=_maybe(pick, 0, 3),
        ask_at_logout=pick(_BOOLS),
        show_key=pick(_BOOLS),
    )


def unlocker_request(pick: Pick, people: t.Sequence[str]) -> UnlockerRequest:
    return UnlockerRequest(
        user=somebody(pick, people),
        state=pick(("present", "absent", "absent")),
        admin_user=granter(pick, people),
        given=given(pick, "password", "admin_password"),
    )


def key_request(pick: Pick, people: t.Sequence[str]) -> KeyRequest:
    return KeyRequest(
        state=pick(("present", "rotated", "absent", "absent", "validated")),
        user=granter(pick, people),
        recovery_key=pick(("discard", "return", "encrypt")),
        given=given(pick, "password", "current_key"),
    )


def collect_request(pick: Pick, people: t.Sequence[str]) -> CollectRequest:
    how = pick(("discard", "return", "encrypt"))
    return CollectRequest(pick((DEFERRAL, DEFERRAL, DEFERRAL, "relative")), how, remove=pick(_BOOLS))


def restart_request(pick: Pick, people: t.Sequence[str]) -> RestartRequest:
    return RestartRequest(
        user=granter(pick, people), ssh_unlock=pick(_BOOLS), given=given(pick, "password", "current_key")
    )


def upgrade_request(pick: Pick, people: t.Sequence[str]) -> UpgradeRequest:
    return UpgradeRequest(
        version=pick(("99", "99", "99", "99.2", "10.13", "")),
        user=granter(pick, people),
        accept=pick((CHECKED, CHECKED, CHECKED, CHECKED[:2])),
        given=given(pick, "password"),
        installer=pick(("", "", INSTALLER, INSTALLER, "relative.app")),
    )


def park_request(pick: Pick, people: t.Sequence[str]) -> ParkRequest:
    return ParkRequest(
        name=somebody(pick, people),
        state=pick(("parked", "parked", "parked", "active")),
        admin=pick((None, None, False, True)),
        deny_ssh=pick(_BOOLS),
        shell=pick((None, None, "/bin/zsh", "zsh")),
        hidden=pick((None, None, False)),
        force=pick(_BOOLS),
        admin_user=granter(pick, people),
        given=given(pick, "admin_password"),
    )


def ssh_request(pick: Pick, people: t.Sequence[str]) -> SshAccessRequest:
    return SshAccessRequest(somebody(pick, people), pick(("denied", "denied", "allowed")))


def local_request(pick: Pick, people: t.Sequence[str]) -> LocalAccountRequest:
    return LocalAccountRequest(somebody(pick, people), force=pick(_BOOLS), given=given(pick, "password"))


REQUESTS: tuple[t.Callable[[Pick, t.Sequence[str]], t.Any], ...] = (
    token_request,
    account_request,
    password_request,
    mobile_request,
    offboard_request,
    repair_request,
    bootstrap_request,
    filevault_request,
    unlocker_request,
    key_request,
    collect_request,
    restart_request,
    upgrade_request,
    park_request,
    ssh_request,
    local_request,
)
"""Of every module that writes, with all options."""

_TAKERS = (
    park_request,
    local_request,
    account_request,
    account_request,
    offboard_request,
    offboard_request,
    unlocker_request,
    key_request,
)


def any_request(pick: Pick, people: t.Sequence[str]) -> t.Any:
    """Of any module, those that can take something away more often than the others."""
    return pick((*REQUESTS, *_TAKERS))(pick, people)


# -- for Hypothesis ---------------------------------------------------------------------------------------------------


@cache
def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1)


def _picking(draw: st.DrawFn) -> Pick:
    def pick(values: t.Sequence[T]) -> T:
        return values[draw(_below(len(values)))]

    return pick


@st.composite
def macs(draw: st.DrawFn) -> Mac:
    """A Mac as it was read: any state, and mostly with nothing missing."""
    pick = _picking(draw)
    return hidden(whole_mac(pick), pick(LACKS))


@st.composite
def _drawn(draw: st.DrawFn, make: t.Callable[[Pick, t.Sequence[str]], t.Any]) -> t.Any:
    return make(_picking(draw), NAMES)


token_requests: st.SearchStrategy[TokenRequest] = _drawn(token_request)
account_requests: st.SearchStrategy[AccountRequest] = _drawn(account_request)
requests: st.SearchStrategy[t.Any] = st.one_of(token_requests, account_requests)


# -- plans ------------------------------------------------------------------------------------------------------------


def plan_or_refusal(request: t.Any, mac: Mac, same: bool | None = False, opens: bool | None = None) -> Plan | Refusal:
    """As a run makes it: what an earlier one left of a promotion is taken back first. What came of it is counted.

    ``same``: what each comparison of a password says; ``opens``: what macOS says where a password is tried against a
    key.
    """
    sound = healed(mac)
    compared: dict[str, bool | None] = dict.fromkeys(request.compares(sound), same)
    if hasattr(request, "tries") and request.tries(sound, compared) is not None:
        compared[OPENS] = opens
    made: Plan | Refusal
    try:
        made = with_healing(mac, request.plan(sound, compared))
    except Refusal as refusal:
        made = refusal
    if currently_in_test_context():
        event(outcome(made))
    return made


CHANGES, CHANGES_NOTHING = PLANNED = ("a plan that changes something", "a plan that changes nothing")


def outcome(made: Plan | Refusal) -> str:
    """One word for what became of a request: the reason of its refusal, or whether its plan changes anything."""
    if isinstance(made, Refusal):
        return made.reason
    return CHANGES if made.changes else CHANGES_NOTHING


def misses_something(mac: Mac) -> bool:
    """Whether no plan is to be expected from this reading, whatever is asked."""
    sound = mac.as_root and mac.groups_read and mac.volume.apfs and mac.version >= VERSIONS[0]
    return not sound or any(None in (who.sources.crypto, who.sources.filevault) for who in mac.accounts)


def settled(mac: Mac) -> Mac:
    """``mac`` as the next reading would show it: what a plan leaves open is filled in by macOS."""
    filled = []
    for index, account in enumerate(mac.accounts):
        defaults: dict[str, t.Any] = {
            "uid": account.uid or 900 + index,
            "gid": account.gid or 20,
            "home": account.home or f"/Users/{account.name}",
            "shell": account.shell or "/bin/zsh",
            "guid": account.guid if account.guid[0] != "(" else f"11111111-0000-0000-0000-{index:012d}",
        }
        filled.append(replace(account, **defaults))
    return replace(mac, accounts=tuple(filled), taken=_taken(filled), names=_names(filled))


def _names(people: t.Sequence[Account]) -> frozenset[str]:
    return frozenset({"root", "daemon", "_www", *(folded(who.name) for who in people)})


def _taken(people: t.Sequence[Account]) -> frozenset[str]:
    """What a reading calls taken, in the very form in which it does (see ``_reading.parse``)."""
    words = (word for who in people for word in (who.name, who.full_name, f"uid:{who.uid}"))
    return frozenset(map(folded, words))
