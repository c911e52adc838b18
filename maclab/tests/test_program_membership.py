# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask every program about every account and every group, by whatever name: no two of them may disagree."""

from __future__ import annotations

import plistlib

import pytest
from fakes import mac, person, run
from hypothesis import given, settings
from hypothesis import strategies as st

from maclab import directory, models, scenario
from maclab.state import Account, Group, Mac

CASES = [str.lower, str.upper, str.title]


def born() -> Mac:
    """Return a Mac of a scenario, with the records that every Mac has."""
    accounts = [
        {"name": "ana", "full_name": "Ana Sousa", "password": "pw", "admin": True},
        {"name": "Bo.Li", "password": "pw"},
        {"name": "cy", "password": "pw", "disabled": True, "gid": 501},
    ]
    groups = {"Crew": {"gid": 501, "members": ["Bo.Li"]}, "outer": {"gid": 502, "nested": ["Crew", "admin"]}}
    described = {"macs": {"m": {"macos": "15.6", "accounts": accounts, "groups": groups}}}
    return scenario.parse(described, "test")["m"].mac


def by_dseditgroup(made: Mac, user: str, group: str) -> bool:
    done = run(made, "dseditgroup", "-o", "checkmember", "-m", user, group)
    assert done.out == f"{'yes' if done.status == 0 else 'no'} {user} is {'' if done.status == 0 else 'NOT '}" + (
        f"a member of {group}\n"
    )
    return {0: True, 67: False}[done.status]


def by_dsmemberutil(made: Mac, *words: str) -> bool:
    done = run(made, "dsmemberutil", "checkmembership", *words)
    assert (done.status, done.err) == (0, "")
    return {"user is a member of the group\n": True, "user is not a member of the group\n": False}[done.out]


def all_say(made: Mac, account: Account, group: Group) -> set[bool]:
    """Return what the programs say; one word is right."""
    user, uid, gid = account.name, str(account.uid), str(group.gid)
    said = {group.name in run(made, "id", "-Gn", user).out.split()}
    said.add(str(group.gid & 0xFFFFFFFF) in run(made, "id", "-G", user).out.split())
    said.add(f"({group.name})" in run(made, "id", user).out.replace("groups=", ",").replace(",", " ").split("gid=")[1])
    said.add(group.name in run(made, "id", "-p", user).out.splitlines()[1].split("\t")[1].split(" "))
    for change in CASES:
        said.add(by_dseditgroup(made, change(user), change(group.name)))
    said.add(by_dsmemberutil(made, "-U", user, "-G", group.name))
    said.add(by_dsmemberutil(made, "-u", uid, "-g", gid))
    said.add(by_dsmemberutil(made, "-x", account.generated_uid, "-X", group.generated_uid))
    return said


def test_all_programs_say_the_same_of_every_account_and_every_group() -> None:
    made = born()
    for account in made.accounts.values():
        for group in made.groups.values():
            said = all_say(made, account, group)
            assert said == {directory.is_member(made, account, group)}, (account.name, group.name, said)


@pytest.mark.parametrize(
    ("user", "member_of"),
    [
        ("ana", "everyone localaccounts staff admin outer _developer _lpoperator"),
        ("Bo.Li", "everyone localaccounts staff Crew outer _lpoperator"),
        ("cy", "everyone localaccounts Crew outer com.apple.access_disabled _lpoperator"),
        ("nobody", "everyone localaccounts _lpoperator"),
    ],
)
def test_who_is_in_which_group(user: str, member_of: str) -> None:
    said = set(run(born(), "id", "-Gn", user).out.split())
    assert set(member_of.split()) <= said
    of_administrators = {"admin", "_appstore", "_lpadmin", "_developer"}
    assert said & of_administrators == (of_administrators if user == "ana" else set())
    assert "netaccounts" not in said


def test_everyone_is_nobodys_record() -> None:
    """A script asks `dseditgroup -o checkmember -m NAME everyone` whether there is an account of that name."""
    made = born()
    assert run(made, "dseditgroup", "-o", "checkmember", "-m", "ana", "everyone").status == 0
    assert run(made, "dseditgroup", "-o", "checkmember", "-m", "nosuch", "everyone").status == 64
    assert made.groups["everyone"].members == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_all_programs_say_the_same_whatever_records_hold(data: st.DataObject) -> None:
    """Groups by name alone, by identity alone, inside each other and in circles."""
    made = mac()
    people = [person(made, name) for name in ("ana", "Bo")]
    names = ["g1", "g2", "g3"]
    for number, name in enumerate(names):
        made.groups[name] = Group(name, 701 + number, models.group_guid(701 + number))
    for name in names:
        group = made.groups[name]
        group.members = data.draw(st.lists(st.sampled_from(["ana", "Bo", "gone"]), unique=True))
        group.member_guids = data.draw(
            st.lists(st.sampled_from([each.generated_uid for each in people] + ["GONE"]), unique=True)
        )
        inside = data.draw(st.lists(st.sampled_from([*names, "everyone"]), unique=True, max_size=2))
        group.nested = [made.groups[other].generated_uid for other in inside]
    for account in people:
        for name in names:
            assert all_say(made, account, made.groups[name]) == {directory.is_member(made, account, made.groups[name])}


@pytest.mark.parametrize("change", CASES)
@pytest.mark.parametrize("name", ["ana", "Bo.Li", "root", "ann"])
def test_every_program_finds_an_account_by_any_of_its_names(name: str, change: object) -> None:
    made = born()
    made.accounts["ana"].attributes["RecordName"] = ["ann"]
    asked = change(name)  # type: ignore[operator]
    account = made.accounts["ana" if name == "ann" else name]
    assert run(made, "id", "-u", asked).out == f"{account.uid}\n"
    assert run(made, "id", "-un", asked).out == f"{account.name}\n"
    assert run(made, "id", "-F", asked).out == f"{account.full_name}\n"
    assert run(made, "dsmemberutil", "getuuid", "-U", asked).out == f"{account.generated_uid}\n"
    assert run(made, "dsmemberutil", "getid", "-U", asked).out == f"uid: {account.uid}\n"
    read = run(made, "dscl", "-plist", ".", "-read", f"/Users/{asked}", "UniqueID", "RecordName")
    assert plistlib.loads(read.out.encode())["dsAttrTypeStandard:UniqueID"] == [str(account.uid)]
    assert plistlib.loads(read.out.encode())["dsAttrTypeStandard:RecordName"][0] == account.name
    if account.password:
        assert run(made, "dscl", ".", "-authonly", asked, "pw").status == 0
        assert run(made, "pwpolicy", "-u", asked, "-authentication-allowed").status == 0


@pytest.mark.parametrize("change", CASES)
def test_every_program_finds_a_group_in_any_case(change: object) -> None:
    made = born()
    asked = change("crew")  # type: ignore[operator]
    assert run(made, "dsmemberutil", "getid", "-G", asked).out == "gid: 501\n"
    assert run(made, "dscl", ".", "-read", f"/Groups/{asked}", "RecordName").out == "RecordName: Crew\n"
    assert "\t\tCrew\n" in run(made, "dseditgroup", "-o", "read", asked).out


def test_a_name_in_another_case_makes_no_second_account() -> None:
    made = born()
    before = set(made.accounts)
    run(made, "dscl", ".", "-create", "/Users/ANA", "RealName", "Ana Two")
    assert set(made.accounts) == before
    assert made.accounts["ana"].full_name == "Ana Two"


def test_numbers_that_nobody_has_still_have_an_identity() -> None:
    made = born()
    assert run(made, "dsmemberutil", "getuuid", "-u", "9999").out == "FFFFEEEE-DDDD-CCCC-BBBB-AAAA0000270F\n"
    assert run(made, "dsmemberutil", "getuuid", "-g", "9999").out == "ABCDEFAB-CDEF-ABCD-EFAB-CDEF0000270F\n"
    assert run(made, "dsmemberutil", "getuuid", "-g", "0").out == f"{made.groups['wheel'].generated_uid}\n"


def test_the_screen_is_the_same_persons_for_all() -> None:
    made = born()
    assert directory.console_user(made) == "root"
    assert run(made, "who").out == ""
    made.logged_in = ["ana", "Bo.Li"]
    assert directory.console_user(made) == "ana"
    assert run(made, "who").out.split()[0] == "ana"
