# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the ways in which people write a dscl command: they are DSTools' ways, and lead to the same records."""

from __future__ import annotations

import plistlib

import pytest
from fakes import Run, mac, people, run
from fakes import person as add_person

from maclab.call import UNMODELLED
from maclab.state import DirectoryUser, Mac, NetworkDirectory

NODE = "/Active Directory/EXAMPLE/example.test"


def dscl(made: Mac, line: str, root: bool = True, stdin: str = "") -> Run:
    return run(made, "dscl", *line.split(), root=root, stdin=stdin)


def bound() -> Mac:
    made = people(mac())
    person = DirectoryUser("ad1", "Ada One", 4711, "AD-GUID", "secret")
    made.network = NetworkDirectory(NODE, True, {"ad1": person})
    return made


@pytest.mark.parametrize(
    "line",
    [
        ". -read /Groups/admin GroupMembership",
        ". read /groups/admin GroupMembership",
        ". -read groups/ADMIN GroupMembership",
        ". -cat /GROUPS/admin/ GroupMembership",
        ". . Groups/admin GroupMembership",
        "/Local/Default -read /Groups/./admin GroupMembership",
        "/Search -read /Groups/admin GroupMembership",
        "localhost -read /Local/Default/groups/admin GroupMembership",
        "LOCALHOST -read Local/Default/Users/../Groups/admin GroupMembership",
        "localhost -read /Search/Groups/admin GroupMembership",
        ". -read /dsRecTypeStandard:Groups/admin dsAttrTypeStandard:GroupMembership",
        "-q . -read /Groups/admin GroupMembership",
    ],
)
def test_all_ways_lead_to_the_same_record(line: str) -> None:
    done = dscl(people(mac()), line, root=False)
    assert (done.out, done.err, done.status) == ("GroupMembership: root admin\n", "", 0)


@pytest.mark.parametrize(
    ("line", "out", "status"),
    [
        (". -read /Group/admin", "read: Invalid Path\n", 185),
        (". -list /Nothing", "list: Invalid Path\n", 185),
        (". -delete /Users/nosuch", "delete: Invalid Path\n", 185),
        (". -append /Users/nosuch Comment x", "append: Invalid Path\n", 185),
        (". -passwd /Users/nosuch x", "passwd: Invalid Path\n", 185),
        (". -create /Nothing/x", "create: Invalid Path\n", 185),
        (". -read /Users/nosuch", "", 56),
        (". -frobnicate /Users/user", "", 0),
        (". -READ /Users/user", "", 0),
        (". -merge /Users/user Comment", "", 64),
        ("/nowhere -list /", "Data source (/nowhere) is not valid.\n", 69),
    ],
)
def test_what_macos_itself_refuses(line: str, out: str, status: int) -> None:
    done = dscl(people(mac()), line)
    assert (done.out, done.status) == (out, status)
    assert "maclab" not in done.err


@pytest.mark.parametrize(
    "line",
    [
        ". -list /Computers",
        ". -read /SharePoints/x",
        "localhost -list /Config",
        "-u admin . -read /Users/user",
        "-f /x localonly -list /",
        ". -mcxread /Users/user",
        "/Search -create /Users/x",
        "localhost -delete /Search CSPSearchPath x",
        ". -delete /Users",
    ],
)
def test_what_a_mac_has_and_the_lab_has_not(line: str) -> None:
    made = people(mac())
    done = dscl(made, line)
    assert (done.status, done.out) == (UNMODELLED, "")
    assert "user" in made.accounts


def test_it_tells_whether_the_mac_is_bound() -> None:
    """One script reads the first line, one takes away Local, Search, Contact and blank lines."""
    assert dscl(people(mac()), "localhost -list .").out == "Local\n\nSearch\nContact\n"
    assert dscl(bound(), "localhost -list .").out == "Active Directory\nLocal\n\nSearch\nContact\n"
    assert run(bound(), "dscl", "localhost", "-list", "/Active Directory").out == "EXAMPLE\n"
    assert run(bound(), "dscl", "localhost", "-list", "/Active Directory/EXAMPLE").out == "example.test\n"
    assert run(bound(), "dscl", NODE, "-list", "/Users").out == "ad1\n"
    assert dscl(people(mac()), "/Search -read / CSPSearchPath").out == "CSPSearchPath: /Local/Default\n"
    assert dscl(bound(), "/Search -read / CSPSearchPath").out == f"CSPSearchPath:\n /Local/Default\n {NODE}\n"


def test_lists_ignore_case_and_leave_room_for_the_longest_name() -> None:
    made = people(mac())
    add_person(made, "B" * 30, uid=601)
    assert dscl(made, ". -list /Users").out == "admin\n" + "B" * 30 + "\nuser\n"
    wide = dscl(made, ". -list /Users UniqueID").out.splitlines()
    assert wide[1] == "B" * 30 + "   601"
    assert dscl(people(mac()), ". -list /Users UniqueID").out.splitlines()[0] == "admin" + " " * 20 + "501"


def test_names_that_dscl_has_for_its_commands() -> None:
    made = people(mac())
    for line in (
        ". -mk /Users/new RealName New",
        ". -createprop /Users/new Comment a b c",
        ". -changei /Users/new Comment 1 x",
        ". -destroyprop /Users/new Comment a",
    ):
        assert dscl(made, line).status == 0
    assert made.accounts["new"].attributes["Comment"] == ["x", "c"]
    assert dscl(made, ". -rm /Users/NEW").status == 0
    assert "new" not in made.accounts


def test_a_value_that_is_not_there_is_not_changed() -> None:
    made = people(mac())
    dscl(made, ". -create /Users/user Comment a")
    assert dscl(made, ". -change /Users/user Comment b c").status == 14143 & 0xFF
    assert dscl(made, ". -change /Users/user Keywords b c").status == 14134 & 0xFF
    assert made.accounts["user"].attributes["Comment"] == ["a"]


def test_property_lists_inside_attributes() -> None:
    made = people(mac())
    made.accounts["user"].failed_logins = 3
    read = ". -readpl /Users/user accountPolicyData failedLoginCount"
    assert dscl(made, read).out == "failedLoginCount: 3\n"
    assert dscl(made, read.replace("readpl", "readpli").replace("Data ", "Data 0 ")).out == "failedLoginCount: 3\n"
    assert dscl(made, ". -deletepl /Users/user accountPolicyData failedLoginCount").status == 0
    assert made.accounts["user"].failed_logins == 0
    assert dscl(made, ". -readpl /Users/user accountPolicyData nothing:here").status == 14261 & 0xFF
    assert dscl(made, ". -readpl /Users/user Comment x").out == "Invalid key.\n"


def test_property_lists_are_written_and_taken_away() -> None:
    made = people(mac())
    content = plistlib.dumps({"list": ["a", "b"], "inner": {}}).decode()
    run(made, "dscl", ".", "-create", "/Users/user", "policy", content)
    for line in (
        ". -createpl /Users/user policy inner:key v1",
        ". -createpli /Users/user policy 0 list:2 c",
        ". -deletepl /Users/user policy list 0",
    ):
        assert dscl(made, line).status == 0
    (stored,) = made.accounts["user"].attributes["dsAttrTypeNative:policy"]
    assert plistlib.loads(stored.encode()) == {"inner": {"key": "v1"}, "list": ["b", "c"]}
    assert dscl(made, ". -deletepl /Users/user policy list", root=False).status == 40


def test_readall_names_no_missing_key() -> None:
    done = dscl(people(mac()), ". -readall /Users RecordName NoSuchThing")
    assert done.err == ""
    assert done.out == "RecordName: admin\n-\nRecordName: user\n"
    assert dscl(people(mac()), ". -read /Users/user NoSuchThing NoSuchThing").err == "No such key: NoSuchThing\n"


def test_all_standard_attributes() -> None:
    said = dscl(people(mac()), ". -read /Users/user dsAttributesStandardAll").out
    assert "RealName:" in said
    assert "dsAttrTypeNative" not in said


def test_what_is_written_into_a_group_is_read_again() -> None:
    made = people(mac())
    dscl(made, ". -create /Groups/crew RealName Crew")
    assert dscl(made, ". -read /Groups/crew RealName").out == "RealName: Crew\n"


def test_differences_between_two_records() -> None:
    done = dscl(people(mac()), ". -diff /Users/user /Users/admin RecordName UserShell")
    assert done.out == "- RecordName: user\n+ RecordName: admin\n"
