# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where root may write, and whose home folder may be deleted."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place, canonical, way
from ansible_collections.keyholder.macos.plugins.module_utils._plan.paths import (
    for_root_alone,
    for_root_to_start,
    home_problem,
    may_be_deleted,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies

ANA = Account("ana", "B" * 36, "Ana Sousa", 502, 20, home="/Users/ana")
BOB = Account("bob", "C" * 36, "Bob", 503, 20, home="/Users/bob")
ROOT = Account("root", "D" * 36, "System Administrator", 0, 0, home="/var/root")


def code(judge: t.Callable[..., None], *arguments: t.Any) -> str:
    try:
        judge(*arguments)
    except Refusal as refusal:
        return refusal.reason
    return ""


def roots(path: str, **others: Place) -> Mac:
    """A Mac where root alone may write on the way to ``path``, which is not there, but for the ``others``."""
    *folders, last = way(path)
    places = {folder: Place(folder, "folder", True) for folder in folders} | {last: Place(last, "nothing")}
    places |= {place.path: place for place in others.values()}
    return Mac(Version(15, 6), places=tuple(places.values()))


@pytest.mark.parametrize(
    "path",
    [
        "/var/root/x.tgz",
        "/private/var/root/x.tgz",
        "/var/db/keyholder-filevault.plist",
        "/VAR/root/x.tgz",
        "/System/Volumes/Data/private/var/root/x.tgz",
        "/x.tgz",
        "/var/root/..x",
        "/var/root/a|b c",
    ],
)
def test_a_file_in_roots_own_folders(path: str) -> None:
    assert code(for_root_alone, roots(path), "archive", path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x.tgz",
        "/",
        "//Users/Shared/x.tgz",
        "//var/root/x.tgz",
        "/users/Shared/../x.tgz",
        "/var/root/../../Users/Shared/x",
        "/private/../tmp/x.tgz",
        "/var/root/./x",
        "/var/root/",
        "/var/root/..",
        "/var/root/a\nb",
        "/var/root/a\x00b",
    ],
)
def test_a_path_that_hides_where_it_leads(path: str) -> None:
    assert code(for_root_alone, roots("/var/root/x"), "archive", path) == "value_unusable"


@pytest.mark.parametrize(
    "path", ["/Volumes/USB/x", "/volumes/USB/x", "/System/Volumes/Data/Volumes/USB/x", "/.vol/1/2/x", "/.nofollow/x"]
)
def test_other_volumes_are_left_out_whatever_they_say(path: str) -> None:
    assert code(for_root_alone, roots(path), "archive", path) == "path_unsafe"


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize(
    ("kind", "of_root", "expected"),
    [
        ("folder", False, "path_unsafe"),
        ("link", True, "path_unsafe"),
        ("file", True, "path_unsafe"),
        ("nothing", False, "path_unsafe"),
        ("unread", False, "reading_incomplete"),
    ],
)
def test_each_folder_on_the_way_counts(index: int, kind: str, of_root: bool, expected: str) -> None:
    path = "/var/db/x.tgz"
    bad = Place(way(path)[index], kind, of_root)
    assert code(for_root_alone, roots(path, bad=bad), "archive", path) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nothing", ""),
        ("file", ""),
        ("link", "path_unsafe"),
        ("folder", "path_unsafe"),
        ("unread", "reading_incomplete"),
    ],
)
def test_what_is_there_already(kind: str, expected: str) -> None:
    path = "/var/db/x.tgz"
    assert code(for_root_alone, roots(path, last=Place(way(path)[-1], kind, True)), "archive", path) == expected


APPLICATION = "/Applications/Install macOS Tahoe.app"
PROGRAM = f"{APPLICATION}/Contents/Resources/startosinstall"


def installer(*others: Place) -> Mac:
    """A Mac with an installer application as Apple leaves it, but for the ``others``."""
    *folders, last = way(PROGRAM)
    places = {folder: Place(folder, "folder", True, 0) for folder in folders} | {last: Place(last, "file", True, 0)}
    places["/Applications"] = Place("/Applications", "folder", False, 0)
    return Mac(Version(15, 6), places=tuple((places | {place.path: place for place in others}).values()))


def start(mac: Mac, application: str = APPLICATION) -> str:
    return code(for_root_to_start, mac, "installer", application, f"{application}/Contents/Resources/startosinstall")


def test_a_program_that_root_starts_is_roots_on_the_whole_way() -> None:
    assert start(installer()) == ""
    assert start(Mac(Version(15, 6))) == "reading_incomplete"
    assert start(installer(), "/Volumes/USB/Install macOS Tahoe.app") == "path_unsafe"


@pytest.mark.parametrize("place", [path for path in way(PROGRAM) if path != "/Applications"])
@pytest.mark.parametrize(
    ("kind", "of_root", "expected"),
    [("same", False, "path_unsafe"), ("link", True, "path_unsafe"), ("unread", True, "reading_incomplete")],
)
def test_each_place_of_an_application_counts(place: str, kind: str, of_root: bool, expected: str) -> None:
    kind = ("file" if place == PROGRAM else "folder") if kind == "same" else kind
    assert start(installer(Place(place, kind, of_root, 0))) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("/Applications", "folder", False, 0, others=True), "path_unsafe"),
        (Place("/Applications", "folder", False, 501), "path_unsafe"),
        (Place("/Applications", "link", True, 0), "path_unsafe"),
        (Place(APPLICATION, "nothing"), "installer_unusable"),
        (Place(PROGRAM, "nothing"), "installer_unusable"),
        (Place(PROGRAM, "folder", True, 0), "path_unsafe"),
    ],
)
def test_the_folder_of_all_administrators_and_what_is_not_there(place: Place, expected: str) -> None:
    assert start(installer(place)) == expected


def test_what_was_not_read_is_not_safe() -> None:
    assert code(for_root_alone, Mac(Version(15, 6)), "archive", "/var/root/x") == "reading_incomplete"
    assert code(may_be_deleted, Mac(Version(15, 6), accounts=(ANA,)), ANA) == "reading_incomplete"


def judged(home: str, *others: Account, **places: Place) -> str:
    of_ana = replace(ANA, home=home)
    known = {place.path: place for place in strategies.places([home], ())} | {p.path: p for p in places.values()}
    return code(may_be_deleted, Mac(Version(15, 6), accounts=(of_ana, *others), places=tuple(known.values())), of_ana)


@pytest.mark.parametrize(
    "home",
    [
        "/Users/ana",
        "/Users/Ana Sousa",
        "/System/Volumes/Data/Users/ana",
        "/Users/students/ana",
        "/Users/bobby",
        "/Users/shared2",
        "/var/ana",
        "/private/var/ANA",
        "/Volumes/USB/ana",
        "/srv/ana",
    ],
)
def test_a_home_folder_of_ones_own(home: str) -> None:
    assert judged(home, BOB, ROOT) == ""


@pytest.mark.parametrize(
    "home",
    [
        "",
        "ana",
        "Users/ana",
        "/",
        "//",
        "/Users",
        "/users",
        "/Users/",
        "/Users/.",
        "/Users/..",
        "/Users/../Users/ana",
        "//Users/ana",
        "/Users/Shared",
        "/Users/shared/ana",
        "/Users/Deleted Users",
        "/System/Volumes/Data",
        "/System/Volumes/Data/Users",
        "/System/Volumes/Data/Users/Shared",
        "/System/Volumes/VM",
        "/Users/bob",
        "/users/BOB",
        "/System/Volumes/Data/Users/bob",
        "/Users/bob/Documents",
        "/Users/a\nb",
        "/var",
        "/var/root",
        "/private/var/root",
        "/var/db",
        "/var/empty",
        "/var/other",
        "/var/ana/deeper",
        "/tmp/ana",
        "/etc",
        "/private",
        "/private/tmp",
        "/Library",
        "/Library/Caches",
        "/Applications",
        "/usr/local/ana",
        "/dev/null",
        "/opt/ana",
        "/Volumes",
        "/Volumes/USB",
        "/.vol/1/2",
        "/ana",
    ],
)
def test_a_home_folder_that_is_not_ones_own(home: str) -> None:
    assert judged(home, BOB, ROOT) == "home_unsafe"


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("/Users/ana", "home_unsafe"),
        ("//Users//ana/", "home_unsafe"),
        ("/Users/bob/../ana", "home_unsafe"),
        ("/Users/ana/bob", "home_unsafe"),
        ("/Users/anabel", ""),
        ("/Users/an", ""),
        ("/", ""),
        ("/Users", ""),
        ("", ""),
        ("ana", ""),
    ],
)
def test_another_account_with_this_home(theirs: str, expected: str) -> None:
    assert judged("/Users/ana", replace(BOB, home=theirs)) == expected


def test_another_home_is_compared_letter_by_letter() -> None:
    assert judged("/Xusers/ana", replace(BOB, home="/Xusers/ana")) == "home_unsafe"
    assert judged("/Xusers/ana", replace(BOB, home="/users/ana")) == ""


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("nothing", "/private/var/db is not there"), ("link", "/private/var/db is a link"), ("file", "is a file")],
)
def test_what_a_folder_on_the_way_is_instead(kind: str, problem: str) -> None:
    path = "/var/db/x.tgz"
    with pytest.raises(Refusal) as refused:
        for_root_alone(roots(path, bad=Place("/private/var/db", kind, True)), "archive", path)
    assert problem in refused.value.msg


@pytest.mark.parametrize("path", ["/", "/Users", "/Users/ana"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [("link", "home_unsafe"), ("file", "home_unsafe"), ("unread", "reading_incomplete"), ("nothing", "")],
)
def test_a_home_folder_is_not_reached_through_a_link(path: str, kind: str, expected: str) -> None:
    assert judged("/Users/ana", BOB, other=Place(path, kind, True)) == expected


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/Users/Ana", "/users/ana"),
        ("/var/root", "/private/var/root"),
        ("/var/db/x/y", "/private/var/db/x/y"),
        ("/tmp", "/private/tmp"),
        ("/System/Volumes/Data/etc/x/y", "/private/etc/x/y"),
        ("/variable", "/variable"),
        ("/System/Volumes/Data", "/"),
        ("/System/Volumes/Data/tmp/x", "/private/tmp/x"),
        ("/System/Volumes/Database", "/system/volumes/database"),
        ("/Users/Zoe\u0308", "/users/zo\u00eb"),
        ("/", "/"),
    ],
)
def test_one_name_for_what_macos_takes_for_one_place(path: str, same: str) -> None:
    assert canonical(path) == same


def test_the_way_to_a_path() -> None:
    assert way("/var/root/x") == ("/", "/private", "/private/var", "/private/var/root", "/private/var/root/x")
    assert way("/tmp") == ("/", "/private", "/private/tmp")
    assert way("/Users/ana") == ("/", "/Users", "/Users/ana")


@pytest.mark.parametrize(
    ("kind", "owner", "said"),
    [
        ("folder", 502, ""),
        ("folder", 503, "the home folder /Users/ana belongs to UID 503, and not to 502"),
        ("folder", 0, "the home folder /Users/ana belongs to UID 0, and not to 502"),
        ("file", 502, "the home folder /Users/ana is a file"),
        ("nothing", None, "the home folder /Users/ana is not there"),
        ("unread", None, "whether the home folder /Users/ana is there could not be read"),
        ("link", 0, ""),
    ],
)
def test_a_home_is_a_folder_of_its_account(kind: str, owner: int | None, said: str) -> None:
    mac = Mac(Version(15, 6), accounts=(ANA, BOB))
    assert home_problem(mac, ANA, Place("/Users/ana", kind, owner=owner)) == said


@pytest.mark.parametrize("home", ["/var/empty", "/dev/null", "/Network/Servers/x/ana", "/Users/bob"])
def test_a_folder_that_is_no_accounts_is_nobodys_missing_home(home: str) -> None:
    ana = replace(ANA, home=home)
    assert home_problem(Mac(Version(15, 6), accounts=(ana, BOB)), ana, Place(home, "folder", True, 0)) == ""
