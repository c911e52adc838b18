# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that says half of what it should, or something beside it, and ends as if all were well: what it did not say
must not be taken for what is not there."""

from __future__ import annotations

import plistlib
import re
import typing as t
from dataclasses import dataclass, replace

import fakes
import pytest
from inmemory import LabRunner, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._command import diskutil, dscl, fdesetup, plists, system
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import KeyRequest, UnlockerRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, scenario, vault
from maclab.state import CryptoUser, Mac

Telling = t.Callable[[Ran], Ran]


@dataclass
class Odd(LabRunner):
    """A Mac one of whose commands answers otherwise."""

    odd: Command = diskutil.LIST_USERS
    tells: Telling = lambda ran: ran

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        ran = super().run(command, deadline)
        return self.tells(ran) if command == self.odd else ran


def cast(state: str = "on", hardware: str = "apple-silicon") -> Mac:
    """No recovery key. Of the two administrators one holds a token, and of the two others one can log in."""
    mac = fakes.mac("15.6", hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    mac.filevault.state, mac.filevault.prk = state, None
    fakes.person(mac, "itadmin", "it-pw-1", admin=True, token=True)
    fakes.person(mac, "ben", "ben-pw-2", admin=True)
    fakes.person(mac, "ana", "ana-pw-3", token=True)
    fakes.person(mac, "rui", "rui-pw-4", token=True).authority.append(directory.DISABLED_USER)
    return mac


def only_ana(state: str = "on", hardware: str = "apple-silicon") -> Mac:
    """Without ana nothing opens the volume."""
    mac = cast(state, hardware)
    directory.take_token(mac, mac.accounts["itadmin"])
    return mac


def flow(mac: Mac, request: t.Any, odd: Command, tells: Telling) -> Outcome:
    return Run(Odd(mac, odd=odd, tells=tells), {}, 5).run(request, False)


def refused(mac: Mac, request: t.Any, odd: Command, tells: Telling) -> str:
    before = snapshot(mac)
    outcome = flow(mac, request, odd, tells)
    assert outcome.refusal is not None
    assert mac == before
    return outcome.refusal.reason


def text(change: t.Callable[[str], str]) -> Telling:
    return lambda ran: replace(ran, out=change(ran.out))


def lines(first: int, last: int | None = None) -> Telling:
    return text(lambda out: "".join(out.splitlines(keepends=True)[first:last]))


TAKES: list[tuple[t.Callable[[], Mac], t.Any]] = [
    (cast, AccountRequest("itadmin", state="absent")),
    (cast, AccountRequest("itadmin", admin=False)),
    (cast, UnlockerRequest("itadmin", state="absent")),
    (cast, OffboardRequest("itadmin")),
    (only_ana, AccountRequest("ana", state="absent")),
    (only_ana, OffboardRequest("ana")),
]
"""Each takes away the last who can grant, or the last way in."""

HALF: dict[str, Telling] = {
    "only its headline": lines(0, 1),
    "headline and a bar": lines(0, 2),
    "one user, and no type": lines(0, 3),
    "the first user": lines(0, 5),
    "all but the last user": lines(0, -3),
    "cut off in a line": text(lambda out: out[:-8]),
    "without the end of its last line": text(lambda out: out[:-1]),
    "without one user": text(lambda out: re.sub(r"^\+-- .*$", "", out, count=1, flags=re.MULTILINE)),
    "without the types": text(lambda out: re.sub(r"^.*Type:.*\n", "", out, flags=re.MULTILINE)),
    "blanks after each line": text(lambda out: out.replace("\n", "  \n")),
    "NUL before each line": text(lambda out: out.replace("\n", "\n\0")),
    "old line ends": text(lambda out: out.replace("\n", "\r")),
    "two answers": text(lambda out: out + out),
    "failure after the first user": lambda ran: replace(ran, rc=1, out="".join(ran.out.splitlines(True)[:5])),
    "failure after all": lambda ran: replace(ran, rc=1),
    "without a number": text(lambda out: re.sub(r" \([0-9]+ found\)", "", out)),
}


@pytest.mark.parametrize("tells", HALF.values(), ids=HALF)
def test_half_a_list_of_crypto_users_is_none(tells: Telling) -> None:
    for make, request in TAKES:
        assert refused(make(), request, diskutil.LIST_USERS, tells) == "reading_incomplete"


def test_line_ends_of_another_system_change_nothing() -> None:
    crlf = text(lambda out: out.replace("\n", "\r\n"))
    for command in (diskutil.LIST_USERS, fdesetup.LIST, fdesetup.STATUS, system.SYSCTL):
        for mac in (cast(), cast("off"), only_ana("off_will_enable")):
            assert read_mac(Odd(mac, odd=command, tells=crlf), 5) == read_mac(LabRunner(mac), 5)
    for make, request in TAKES:
        outcome = flow(make(), request, diskutil.LIST_USERS, crlf)
        assert outcome.refusal is not None
        assert outcome.refusal.reason in ("last_admin_holder", "last_holder", "would_lock_out", "last_unlocker")


def test_half_a_line_of_filevaults_list_is_no_list() -> None:
    for make, request in TAKES:
        assert refused(make(), request, fdesetup.LIST, text(lambda out: out[:-9])) == "reading_incomplete"


OFF = "FileVault is Off.\n"
NOT_OFF: dict[str, Telling] = {
    "a word that nobody knows": text(lambda _out: "FileVault is Off, but something new is under way.\n"),
    "a line that nobody knows": text(lambda _out: OFF + "Encryption paused: Percent completed = 12\n"),
    "the reason in the same line": text(lambda _out: "FileVault is Off. Error: -69594\n"),
    "an error beside it": text(lambda _out: OFF + "Error: the volume could not be found.\n"),
    "both": text(lambda _out: OFF + "FileVault is On.\n"),
    "a failure": lambda ran: replace(ran, rc=1, out=OFF),
    "progress in another language": text(lambda _out: OFF + "Verschlüsselung: 12 %\n"),
}


@pytest.mark.parametrize("tells", NOT_OFF.values(), ids=NOT_OFF)
def test_off_is_what_says_nothing_else(tells: Telling) -> None:
    mac = only_ana()
    assert read_mac(Odd(mac, odd=fdesetup.STATUS, tells=tells), 5).filevault.asks
    for request in (AccountRequest("ana", state="absent"), OffboardRequest("ana")):
        assert refused(only_ana(), request, fdesetup.STATUS, tells) == "would_lock_out"


@pytest.mark.parametrize(
    "beside",
    [
        "",
        "Deferred enablement appears to be active for user 'ana'.\n",
        "FileVault master keychain appears to be installed.\n",
        "\n",
    ],
)
def test_off_is_off_beside_what_is_known(beside: str) -> None:
    said = Odd(cast("off"), odd=fdesetup.STATUS, tells=text(lambda _out: OFF + beside))
    assert read_mac(said, 5).filevault.state == "off"


Records = list[dict[str, t.Any]]


def records(users: t.Callable[[Records], t.Any] = list, groups: t.Callable[[Records], t.Any] = list) -> Telling:
    """The directory, with other records in it."""

    def said(out: str) -> str:
        held = plists.documents(out)
        changed = [users(held[0]), groups(held[1]), *held[2:]]
        return "".join(plistlib.dumps(content).decode() for content in changed)

    return text(said)


def of(name: str, key: str, value: t.Any) -> t.Callable[[Records], Records]:
    """The records, of which the one of that name has another value, or none."""

    def changed(held: Records) -> Records:
        for record in held:
            if record["dsAttrTypeStandard:RecordName"] == [name]:
                record.pop(f"dsAttrTypeStandard:{key}", None)
                record.update({} if value is None else {f"dsAttrTypeStandard:{key}": value})
        return held

    return changed


def without_admin(held: Records) -> Records:
    return [group for group in held if group["dsAttrTypeStandard:RecordName"] != ["admin"]]


def disabled_group(held: Records) -> Records:
    name = "dsAttrTypeStandard:RecordName"
    return [*held, {name: ["com.apple.access_disabled"], "dsAttrTypeStandard:GroupMembership": "itadmin"}]


NO_GROUPS: dict[str, Telling] = {
    "none at all": records(groups=lambda _held: []),
    "none with a name": records(groups=lambda held: [{} for _group in held]),
    "no admin": records(groups=without_admin),
    "nobody in admin": records(groups=of("admin", "GroupMembership", None)),
    "a text for a list": records(groups=of("admin", "GroupMembership", "itadmin")),
    "no text in the list": records(groups=of("admin", "GroupMembership", ["root", 5.5])),
    "GUIDs that are none": records(groups=of("admin", "GroupMembers", {"a": "b"})),
    "who is disabled is not said": records(groups=disabled_group),
}


@pytest.mark.parametrize("tells", NO_GROUPS.values(), ids=NO_GROUPS)
def test_groups_that_do_not_name_the_administrators_are_unread(tells: Telling) -> None:
    for make, request in TAKES:
        mac = make()
        for group in mac.groups.values():
            group.member_guids.clear()
        assert refused(mac, request, dscl.READ_ALL, tells) == "reading_incomplete"


GUID = "GeneratedUID"


@pytest.mark.parametrize("value", [None, [], "text", [""]])
def test_without_its_guid_nobody_knows_the_key_of_an_account(value: t.Any) -> None:
    """Its crypto user would read as one that is nobody's, and stay in every prediction."""
    tells = records(users=of("ana", GUID, value))
    assert refused(only_ana(), AccountRequest("ana", state="absent"), dscl.READ_ALL, tells) == "reading_incomplete"
    assert "which key ana has" in [
        missing.what for missing in read_mac(Odd(only_ana(), odd=dscl.READ_ALL, tells=tells), 5).missing
    ]


def test_two_accounts_with_one_guid_have_one_key() -> None:
    """Whoever of the two is deleted takes the other's key along."""
    mac = only_ana()
    mac.accounts["ben"].generated_uid = mac.accounts["ana"].generated_uid
    before = snapshot(mac)
    outcome = Run(LabRunner(mac), {}, 5).run(AccountRequest("ben", state="absent"), False)
    assert outcome.refusal is not None
    assert (outcome.refusal.reason, mac) == ("reading_incomplete", before)


def test_unread_rules_may_have_locked_anybody() -> None:
    mac = cast()
    mac.policy.max_failed, mac.accounts["itadmin"].failed_logins = 3, 3

    def first_two(out: str) -> str:
        return "".join(plistlib.dumps(content).decode() for content in plists.documents(out)[:2])

    reading = read_mac(Odd(mac, odd=dscl.READ_ALL, tells=text(first_two)), 5)
    assert (recoverability(reading).verdict, reading.granters) == ("unknown", ())
    assert "rules for passwords" in [missing.what for missing in reading.missing]


def test_that_there_are_no_rules_is_said_by_dscl() -> None:
    def none(ran: Ran) -> Ran:
        held = [plistlib.dumps(content).decode() for content in plists.documents(ran.out)[:2]]
        return replace(ran, out="".join(held), err="<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n")

    reading = read_mac(Odd(cast(), odd=dscl.READ_ALL, tells=none), 5)
    assert (recoverability(reading).verdict, reading.missing) == ("yes", ())


INSTITUTIONAL = diskutil.INSTITUTIONAL[0]


@pytest.mark.parametrize("hardware", ["apple-silicon", "intel"])
def test_an_institutional_key_opens_no_hardware_that_nobody_knows(hardware: str) -> None:
    """Apple silicon takes none, and where sysctl is silent only the version is asked elsewhere."""

    def silent(ran: Ran) -> Ran:
        return replace(ran, rc=None, out="", timed_out=True)

    request = AccountRequest("ana", state="absent")
    mac = only_ana("on", hardware)
    mac.crypto_users[INSTITUTIONAL] = CryptoUser(INSTITUTIONAL, "InstitutionalRecovery", owner=False)
    assert refused(mac, request, system.SYSCTL, silent) == "would_lock_out"
    assert (flow(mac, request, system.SYSCTL, lambda ran: ran).refusal is None) == (hardware == "intel")


BUT: dict[str, str] = {
    "by its number": "Error: -69557: The given APFS crypto user's passphrase is incorrect\n",
    "in words": "Passphrase incorrect\n",
    "another failure": "Error: -69594: Could not open the volume\n",
    "a failure without a number": "Verification failed\n",
}


@pytest.mark.parametrize("words", BUT.values(), ids=BUT)
def test_a_status_of_0_beside_a_failure_proves_no_key(words: str) -> None:
    """The last recovery key goes only where a password was proven to open the volume."""

    @dataclass
    class Says(LabRunner):
        def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
            ran = super().run(command, deadline)
            return replace(ran, rc=0, out="", err=words) if "-verify" in command.argv else ran

    mac = cast("off")
    vault.turn_on(mac)
    mac.filevault.state, mac.filevault.percent, mac.filevault.advance = "on", None, None
    request = KeyRequest("absent", "itadmin", given=frozenset({"password"}))
    outcome = Run(Says(mac), {"password": Secret("it-pw-1")}, 5).run(request, False)
    assert outcome.refusal is not None
    assert outcome.refusal.reason in ("stale_key", "key_unproven")
    assert mac.filevault.prk
    assert Run(LabRunner(mac), {"password": Secret("it-pw-1")}, 5).run(request, False).refusal is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [("true\n", True), ("Enter:\ntrue\n", True), ("false\n", False), ("true\nfalse\n", None), ("", None)],
)
def test_true_and_false_at_once_is_no_answer(said: str, answer: bool | None) -> None:
    assert fdesetup.says_true(Ran(fdesetup.STATUS, 0, said)) is answer


def test_a_login_that_failed_with_status_0_is_not_accepted() -> None:
    failed = "Authentication for node /Local/Default failed. (-14090, eDSAuthFailed)\n"
    ran = Ran(dscl.authenticate("ana", Secret("x")), 0, failed)
    assert dscl.authentication_answer(ran) == "unknown"
    assert dscl.authentication_answer(replace(ran, out="")) == "right"


@pytest.mark.parametrize("policy", [{}, {"max_failed": 3}])
def test_an_account_that_a_scenario_calls_locked_shows_it(policy: dict[str, int]) -> None:
    """Who is locked is left as the last one by nobody."""
    people = [{"name": name, "admin": True, "password": f"{name}-pw-1", "token": True} for name in ("itadmin", "ana")]
    people[0]["locked"] = True
    described = {"macos": "15.6", "accounts": people, "filevault": {"state": "on"}, "policy": policy}
    mac = scenario.parse({"macs": {"m": described}}, "test.yml")["m"].mac
    assert [who.name for who in read_mac(LabRunner(mac), 5).granters] == ["ana"]
    for request in (AccountRequest("ana", state="absent"), AccountRequest("ana", admin=False), OffboardRequest("ana")):
        outcome = Run(LabRunner(mac), {}, 5).run(request, False)
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "last_admin_holder"


@pytest.mark.parametrize("zeros", ["", "00"])
def test_a_uid_is_no_name(zeros: str) -> None:
    """Who writes the UID of an account is not told that it is gone, and gets no second account of that name."""
    mac = cast()
    uid = f"{zeros}{mac.accounts['ana'].uid}"
    for request in (
        AccountRequest(uid, state="absent"),
        AccountRequest(uid, given=frozenset({"password"})),
        OffboardRequest(uid),
        UnlockerRequest(uid, state="absent"),
        TokenRequest(uid, state="absent"),
    ):
        before = snapshot(mac)
        outcome = Run(LabRunner(mac), {"password": Secret("new-pw-5")}, 5).run(request, False)
        assert outcome.refusal is not None
        assert (outcome.refusal.reason, mac) == ("name_differs", before)
        assert "write ana" in outcome.refusal.msg
    assert Run(LabRunner(mac), {}, 5).run(AccountRequest("60999", state="absent"), False).refusal is None
