# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try dseditgroup as DSTools' dseditgroup.c takes its words, and asks who may."""

from __future__ import annotations

import pytest
from fakes import Run, mac, people, run

from maclab.call import UNMODELLED
from maclab.state import Mac


def dseditgroup(made: Mac, line: str, root: bool = True, stdin: str = "", user: str = "admin") -> Run:
    return run(made, "dseditgroup", *line.split(), root=root, stdin=stdin, user=user)


@pytest.mark.parametrize(
    "line",
    [
        "-o checkmember -m admin admin",
        "-o checkmember -m admin admin /",
        "-o checkmember -m admin admin user -m user",
        "-ocheckmember -madmin admin",
        "-qo CHECKMEMBER -m admin admin",
        "-o checkmember -u admin admin",
    ],
)
def test_the_group_is_the_first_word_and_the_rest_is_not_looked_at(line: str) -> None:
    done = dseditgroup(people(mac()), line, root=False)
    assert (done.out, done.err, done.status) == ("yes admin is a member of admin\n", "", 0)


def test_without_a_name_it_asks_for_the_caller() -> None:
    assert dseditgroup(people(mac()), "-o checkmember admin", root=False, user="user").status == 67
    assert dseditgroup(people(mac()), "-o checkmember admin", root=False).status == 0


def test_options_behind_the_group_do_nothing() -> None:
    made = people(mac())
    assert dseditgroup(made, "-o edit admin -a user -t user").status == 0
    assert made.groups["admin"].members == ["root", "admin"]
    assert dseditgroup(made, "-o edit -a user -t user admin").status == 0
    assert made.groups["admin"].members == ["root", "admin", "user"]


@pytest.mark.parametrize(
    ("line", "err", "status"),
    [
        ("-o checkmember -m nosuch admin", "Unable to find the user record\n", 64),
        ("-o checkmember -m admin nosuch", "Group not found.\n", 64),
        ("-o edit -a nosuch -t user admin", "Record was not found.\n", 200),
        ("-o edit -a nosuch -t group admin", "Record was not found.\n", 200),
        ("-o edit -i 20 admin", "GID already exists\n", 64),
        ("-o checkmember", "No group name provided\n", 64),
        ("-x admin", "dseditgroup: illegal option -- x\n", 64),
        ("-o", "dseditgroup: option requires an argument -- o\n", 64),
    ],
)
def test_what_macos_itself_refuses(line: str, err: str, status: int) -> None:
    done = dseditgroup(people(mac()), line)
    assert (done.err, done.status) == (err, status)


@pytest.mark.parametrize("line", ["-v -o read admin", "-o read -n /LDAPv3/x admin", "-o edit -a x -t computer admin"])
def test_what_a_mac_has_and_the_lab_has_not(line: str) -> None:
    done = dseditgroup(people(mac()), line)
    assert (done.status, done.out) == (UNMODELLED, "")


@pytest.mark.parametrize(
    ("line", "stdin", "status"),
    [
        ("-o edit -a user -t user admin", "", 64),
        ("-p -o edit -a user -t user admin", "admin-pw\n", 0),
        ("-o edit -u admin -P admin-pw -a user -t user admin", "", 0),
        ("-o edit -u admin -a user -t user admin", "admin-pw\n", 0),
        ("-o edit -u admin -P wrong -a user -t user admin", "", 64),
        ("-o edit -u user -P user-pw -a user -t user admin", "", 64),
    ],
)
def test_a_change_wants_an_administrators_password(line: str, stdin: str, status: int) -> None:
    made = people(mac())
    done = dseditgroup(made, line, root=False, stdin=stdin, user="admin")
    assert done.status == status
    assert ("user" in made.groups["admin"].members) == (status == 0)
    assert "admin-pw" not in done.out + done.err


def test_a_group_that_is_there_is_replaced_with_its_members_gone() -> None:
    made = people(mac())
    dseditgroup(made, "-o create -i 700 -r Crew crew")
    dseditgroup(made, "-o edit -a user crew")
    refused = dseditgroup(made, "-o create crew", stdin="n\n")
    assert (refused.status, made.groups["crew"].members) == (73, ["user"])
    assert "do you want to overwrite" in refused.out
    assert dseditgroup(made, "-q -o create crew").status == 0
    assert (made.groups["crew"].members, made.groups["crew"].gid) == ([], 501)


def test_a_read_shows_what_was_written() -> None:
    made = people(mac())
    dseditgroup(made, "-o create -i 700 -r Crew crew")
    shown = dseditgroup(made, "crew").out
    assert "dsAttrTypeStandard:RealName -\n\t\tCrew\n" in shown
    assert "dsAttrTypeStandard:PrimaryGroupID -\n\t\t700\n" in shown
