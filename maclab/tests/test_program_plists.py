# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""defaults, PlistBuddy and plutil read and write the same property lists of a Mac."""

from __future__ import annotations

import datetime
import plistlib
from pathlib import Path
from typing import Any

import pytest

from maclab import state_files
from maclab.call import UNMODELLED
from maclab.state import Mac, ModelFile
from tests.fakes import Run, mac, people, run

PLIST = "/Library/Preferences/com.example.test.plist"
HELD: dict[str, Any] = {
    "Name": "Ana Sousa",
    "Count": 3,
    "Share": 0.5,
    "On": True,
    "Off": False,
    "List": ["a", {"Inner": "b"}],
    "Map": {"com.example.key": "dotted"},
    "Blob": b"\x01\x02\x03\x04",
    "When": datetime.datetime(2025, 1, 2, 3, 4, 5),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "root" / PLIST.lstrip("/")
    place.parent.mkdir(parents=True)
    place.write_bytes(plistlib.dumps(HELD, fmt=plistlib.FMT_BINARY, sort_keys=False))
    return tmp_path


def on(folder: Path, *words: str, this: Mac | None = None, root: bool = True, stdin: str = "") -> Run:
    env = {"HOME": "/Users/admin"}
    return run(this or people(mac()), *words, folder=folder, root=root, stdin=stdin, env=env)


def held(folder: Path, path: str = PLIST) -> Any:
    return plistlib.loads((folder / "root" / path.lstrip("/")).read_bytes())


# --- defaults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("Name", "Ana Sousa"),
        ("Count", "3"),
        ("On", "1"),
        ("Off", "0"),
        ("Share", "0.5"),
        ("List", "(\n    a,\n        {\n        Inner = b;\n    }\n)"),
        ("Map", '{\n    "com.example.key" = dotted;\n}'),
        ("Blob", "{length = 4, bytes = 0x01020304}"),
        ("When", "2025-01-02 03:04:05 +0000"),
    ],
)
def test_defaults_reads_a_key(folder: Path, key: str, said: str) -> None:
    for domain in (PLIST, PLIST.removesuffix(".plist")):
        done = on(folder, "defaults", "read", domain, key, root=False)
        assert (done.status, done.err) == (0, "")
        assert "".join(done.out.split()) == "".join(said.split())


def test_defaults_reads_a_whole_domain_sorted_as_a_description(folder: Path) -> None:
    lines = on(folder, "defaults", "read", PLIST).out.splitlines()
    assert lines[0] == "{" and lines[-1] == "}"
    names = [line.split(" = ")[0].strip() for line in lines if line.startswith("    ") and line[4] not in " }()"]
    assert names == sorted(HELD)


@pytest.mark.parametrize(
    ("version", "domain", "key"),
    [
        ("26.1", "does not exist", "does not exist"),
        (
            "27.0.1",
            "Error: Domain 'com.example.none' not found.",
            "Error: Could not find key 'None' in domain 'com.example.test'.",
        ),
    ],
)
def test_defaults_says_what_is_missing_in_the_words_of_its_version(
    folder: Path, version: str, domain: str, key: str
) -> None:
    this = people(mac(version))
    for words, text in ((("com.example.none",), domain), ((PLIST, "None"), key)):
        done = on(folder, "defaults", "read", *words, this=this)
        assert (done.status, done.out) == (1, "") and text in done.err


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("text",), "text"),
        (("-string", "yes"), "yes"),
        (("-int", "7"), 7),
        (("-float", "1.5"), 1.5),
        (("-bool", "YES"), True),
        (("-boolean", "false"), False),
        (("-data", "0a0b"), b"\n\x0b"),
        (("-array", "a", "-int", "1"), ["a", 1]),
        (("-dict", "k", "-bool", "true", "l", "v"), {"k": True, "l": "v"}),
    ],
)
def test_defaults_writes_a_value_that_the_others_read(folder: Path, words: tuple[str, ...], value: Any) -> None:
    done = on(folder, "defaults", "write", "/Library/Preferences/com.example.test", "New", *words)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert held(folder) == {**HELD, "New": value}
    assert done.record.writes == [f"file {PLIST} written"]


def test_defaults_adds_to_what_is_there(folder: Path) -> None:
    on(folder, "defaults", "write", PLIST, "List", "-array-add", "c")
    on(folder, "defaults", "write", PLIST, "Map", "-dict-add", "more", "m")
    assert held(folder)["List"][-1] == "c" and held(folder)["Map"] == {"com.example.key": "dotted", "more": "m"}


def test_defaults_writes_a_domain_by_name_into_the_callers_own_folder(folder: Path) -> None:
    on(folder, "defaults", "write", "com.example.own", "Key", "mine", root=False)
    assert held(folder, "/Users/admin/Library/Preferences/com.example.own.plist") == {"Key": "mine"}
    assert on(folder, "defaults", "read", "com.example.own", "Key", root=False).out == "mine\n"


def test_defaults_deletes_a_key_and_a_domain(folder: Path) -> None:
    assert on(folder, "defaults", "delete", PLIST, "Name").status == 0
    assert "Name" not in held(folder)
    again = on(folder, "defaults", "delete", PLIST, "Name", this=people(mac("27.0.1")))
    assert again.err == (
        "Error: Could not find key 'Name' in domain 'com.example.test'.\nDefaults have not been changed.\n"
    )
    assert again.status == 1
    assert on(folder, "defaults", "delete", PLIST).status == 0
    assert on(folder, "defaults", "read", PLIST).status == 1


def test_who_is_not_root_writes_no_preferences_of_the_mac(folder: Path) -> None:
    for words in (
        ("defaults", "write", PLIST, "Name", "x"),
        ("defaults", "delete", PLIST, "Name"),
        ("defaults", "delete", PLIST),
    ):
        done = on(folder, *words, root=False)
        assert done.status == 1 and "Could not write domain" in done.err
    assert on(folder, "PlistBuddy", "-c", "Set :Name x", PLIST, root=False).status == 1
    assert on(folder, "plutil", "-replace", "Name", "-string", "x", PLIST, root=False).status == 1
    assert held(folder) == HELD


@pytest.mark.parametrize(
    "words",
    [
        ("domains",),
        ("read",),
        ("-currentHost", "read", "x"),
        ("write", PLIST, "Key", "{a = b;}"),
        ("write", PLIST, "Key", "-bool", "perhaps"),
        ("write", PLIST, "Key"),
        ("read", PLIST, "a", "b"),
    ],
)
def test_defaults_refuses_what_it_does_not_model(folder: Path, words: tuple[str, ...]) -> None:
    done = on(folder, "defaults", *words)
    assert done.status == UNMODELLED and done.err.startswith("maclab: defaults ")
    assert held(folder) == HELD


@pytest.mark.parametrize("version", ["10.15.7", "15.6", "27.0.1"])
def test_the_version_is_in_a_file_as_well(folder: Path, version: str) -> None:
    this = people(mac(version))
    path = "/System/Library/CoreServices/SystemVersion"
    assert on(folder, "defaults", "read", path, "ProductVersion", this=this).out == f"{version}\n"
    assert (
        on(folder, "PlistBuddy", "-c", "Print :ProductBuildVersion", f"{path}.plist", this=this).out
        == f"{this.build}\n"
    )
    assert on(folder, "defaults", "write", path, "ProductVersion", "99", this=this).status == 1


def test_what_a_profile_has_set_is_in_its_domain(folder: Path) -> None:
    this = people(mac())
    this.mdm.forbids_filevault = True
    domain = "/Library/Managed Preferences/com.apple.MCX"
    assert on(folder, "defaults", "read", domain, "dontAllowFDEEnable", this=this).out == "1\n"
    this.mdm.forbids_filevault = False
    assert on(folder, "defaults", "read", domain, "dontAllowFDEEnable", this=this).status == 1


LOGIN_WINDOW = "/Library/Preferences/com.apple.loginwindow"


def test_who_is_logged_in_by_itself_is_one_answer(folder: Path) -> None:
    this = people(mac())
    this.settings.autologin = "user"
    assert on(folder, "defaults", "read", LOGIN_WINDOW, "autoLoginUser", this=this).out == "user\n"
    on(folder, "defaults", "write", LOGIN_WINDOW, "Hide500Users", "-bool", "true", this=this)
    assert this.settings.autologin == "user"
    assert held(folder, f"{LOGIN_WINDOW}.plist") == {"Hide500Users": True}
    assert "autoLoginUser = user;" in on(folder, "defaults", "read", LOGIN_WINDOW, this=this).out
    on(folder, "defaults", "delete", LOGIN_WINDOW, "autoLoginUser", this=this)
    assert this.settings.autologin == ""
    assert on(folder, "defaults", "read", LOGIN_WINDOW, "Hide500Users", this=this).out == "1\n"
    on(folder, "PlistBuddy", "-c", "Add :autoLoginUser string admin", f"{LOGIN_WINDOW}.plist", this=this)
    assert this.settings.autologin == "admin"


@pytest.mark.parametrize(
    ("option", "domain", "key"),
    [
        ("-guestAccount", LOGIN_WINDOW, "GuestEnabled"),
        ("-smbGuestAccess", "/Library/Preferences/SystemConfiguration/com.apple.smb.server", "AllowGuestAccess"),
    ],
)
def test_a_switch_is_one_answer_whoever_sets_it(folder: Path, option: str, domain: str, key: str) -> None:
    this = people(mac())
    assert on(folder, "defaults", "read", domain, key, this=this).status == 1
    for state, number, word in (("on", "1", "enabled"), ("off", "0", "disabled")):
        on(folder, "sysadminctl", option, state, this=this)
        assert on(folder, "defaults", "read", domain, key, this=this).out == f"{number}\n"
        on(folder, "defaults", "write", domain, key, "-bool", "NO" if state == "on" else "YES", this=this)
        assert word not in on(folder, "sysadminctl", option, "status", this=this).err
    on(folder, "defaults", "delete", domain, key, this=this)
    assert "disabled" in on(folder, "sysadminctl", option, "status", this=this).err


def test_the_password_of_an_automatic_login_can_be_read_back(folder: Path) -> None:
    this = people(mac())
    this.settings.autologin = "user"
    mixed, mode = state_files.contents(this)["/etc/kcpassword"]
    key = bytes.fromhex("7d895223d2bcddeaa3b91f")
    plain = bytes(letter ^ key[place % 11] for place, letter in enumerate(mixed))
    assert (plain.rstrip(b"\0"), mode, len(mixed) % 12) == (b"user-pw", 0o600, 0)
    this.settings.autologin = ""
    assert "/etc/kcpassword" not in state_files.contents(this)


# --- PlistBuddy -----------------------------------------------------------------------------------


def buddy(folder: Path, *commands: str, path: str = PLIST, flags: tuple[str, ...] = ()) -> Run:
    words = [word for command in commands for word in ("-c", command)]
    return on(folder, "PlistBuddy", *flags, *words, path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (":Name", "Ana Sousa"),
        ("Name", "Ana Sousa"),
        (":On", "true"),
        (":Count", "3"),
        (":List:0", "a"),
        (":List:1:Inner", "b"),
        (":Map:com.example.key", "dotted"),
        (":Share", "0.500000"),
        (":List", "Array {\n    a\n    Dict {\n        Inner = b\n    }\n}"),
    ],
)
def test_plistbuddy_prints_an_entry(folder: Path, entry: str, said: str) -> None:
    assert buddy(folder, f"Print {entry}").out == f"{said}\n"


def test_plistbuddy_prints_all_of_a_file_and_xml_where_it_is_asked_to(folder: Path) -> None:
    whole = buddy(folder, "Print").out
    assert whole.startswith("Dict {\n    Name = Ana Sousa\n") and whole.endswith("}\n")
    assert plistlib.loads(buddy(folder, "Print :Map", flags=("-x",)).out.encode()) == HELD["Map"]


def test_plistbuddy_reads_standard_input_by_its_path(folder: Path) -> None:
    document = plistlib.dumps(HELD).decode()
    assert on(folder, "PlistBuddy", "-c", "Print :Name", "/dev/stdin", stdin=document).out == "Ana Sousa\n"
    assert on(folder, "plutil", "-extract", "Name", "raw", "/dev/stdin", stdin=document).out == "Ana Sousa\n"


def test_plistbuddy_says_what_is_missing(folder: Path) -> None:
    for verb in ("Print", "Delete"):
        done = buddy(folder, f"{verb} :None")
        assert (done.status, done.out, done.err) == (1, "", f'{verb}: Entry, ":None", Does Not Exist\n')
    assert buddy(folder, "Set :None x").err == 'Set: Entry, ":None", Does Not Exist\n'
    gone = buddy(folder, "Print :Name", path="/Library/none.plist")
    assert (gone.status, gone.out) == (1, "File Doesn't Exist, Will Create: /Library/none.plist\n")
    assert not (folder / "root" / "Library" / "none.plist").exists()


def test_plistbuddy_changes_what_is_there_and_keeps_its_type(folder: Path) -> None:
    done = buddy(
        folder, "Set :Name Someone 'Else'", "Set :Count 4", "Set :On false", "Set :List:0 'one two'", "Delete :Map"
    )
    assert (done.status, done.out, done.err) == (0, "", "")
    after = held(folder)
    assert (after["Name"], after["Count"], after["On"], after["List"][0]) == ("Someone 'Else'", 4, False, "one two")
    assert "Map" not in after
    assert buddy(folder, "Set :Count many").status == 1 and held(folder)["Count"] == 4


def test_plistbuddy_adds_entries_and_makes_a_file(folder: Path) -> None:
    path = "/Library/LaunchDaemons/com.example.job.plist"
    commands = [
        "Add :Label string com.example.job",
        "Add :ProgramArguments array",
        "Add :ProgramArguments: string /bin/sh",
    ]
    commands += ["Add :ProgramArguments:0 string first", "Add :RunAtLoad bool true", "Add :Deep:Inner integer 5"]
    assert buddy(folder, *commands, path=path).status == 0
    assert held(folder, path) == {
        "Label": "com.example.job",
        "ProgramArguments": ["first", "/bin/sh"],
        "RunAtLoad": True,
        "Deep": {"Inner": 5},
    }
    again = buddy(folder, "Add :Label string other", path=path)
    assert (again.status, again.err) == (1, 'Add: ":Label" Entry Already Exists\n')
    assert buddy(folder, "Add :New strange x", path=path).status == 1


@pytest.mark.parametrize("words", [(PLIST,), ("-c", "Merge other", PLIST), ("-c", "Import :Blob f", PLIST), ("-h",)])
def test_plistbuddy_refuses_what_it_does_not_model(folder: Path, words: tuple[str, ...]) -> None:
    assert on(folder, "PlistBuddy", *words).status == UNMODELLED


# --- plutil ---------------------------------------------------------------------------------------


def test_plutil_prints_in_its_own_form(folder: Path) -> None:
    path = "/Library/small.plist"
    (folder / "root" / "Library" / "small.plist").write_bytes(
        plistlib.dumps({"b": [1, "x"], "Enabled": True, "d": b"\x01"})
    )
    body = (
        '{{\n  "Enabled" => {}\n  "b" => [\n    0 => 1\n    1 => "x"\n  ]\n  "d" => {{length = 1, bytes = 0x01}}\n}}\n'
    )
    assert on(folder, "plutil", "-p", path).out == body.format("true")
    assert on(folder, "plutil", "-p", path, this=people(mac("10.15.7"))).out == body.format("1")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("Name", "Ana Sousa"),
        ("Count", "3"),
        ("On", "true"),
        ("List", "2"),
        ("List.1.Inner", "b"),
        ("Map", "com.example.key"),
        ("Map.com\\.example\\.key", "dotted"),
        ("Blob", "AQIDBA=="),
        ("When", "2025-01-02T03:04:05Z"),
    ],
)
def test_plutil_extracts_one_value(folder: Path, key: str, said: str) -> None:
    assert on(folder, "plutil", "-extract", key, "raw", "-o", "-", PLIST).out == f"{said}\n"
    assert on(folder, "plutil", "-extract", key, "raw", "-n", PLIST).out == said
    assert held(folder) == HELD


def test_plutil_extracts_documents_and_types(folder: Path) -> None:
    assert on(folder, "plutil", "-extract", "List", "json", "-o", "-", PLIST).out == '["a",{"Inner":"b"}]'
    done = on(folder, "plutil", "-extract", "Map", "xml1", "-o", "-", PLIST)
    assert plistlib.loads(done.out.encode()) == HELD["Map"]
    assert on(folder, "plutil", "-type", "List", PLIST).out == "array\n"
    assert on(folder, "plutil", "-extract", "Name", "raw", "-expect", "integer", PLIST).err == (
        f"{PLIST}: Value at [Name] expected to be integer but is string\n"
    )
    gone = on(folder, "plutil", "-extract", "None", "raw", "-o", "-", PLIST)
    assert (gone.status, gone.out) == (1, "")
    assert gone.err == f"{PLIST}: Could not extract value, error: No value at that key path or invalid key path: None\n"


def test_plutil_of_an_old_version_knows_no_raw(folder: Path) -> None:
    done = on(folder, "plutil", "-extract", "Name", "raw", "-o", "-", PLIST, this=people(mac("11.7.10")))
    assert (done.status, done.err) == (1, "Unknown format specifier: raw\n")


def test_plutil_converts_in_place_to_a_file_and_through_a_pipe(folder: Path) -> None:
    place = folder / "root" / PLIST.lstrip("/")
    assert on(folder, "plutil", "-convert", "xml1", PLIST).status == 0
    assert place.read_bytes().startswith(b"<?xml") and held(folder) == HELD
    on(folder, "plutil", "-convert", "binary1", "-o", "/Library/copy.plist", PLIST)
    assert (folder / "root/Library/copy.plist").read_bytes().startswith(b"bplist")
    text = '{"a": "b/c", "n": [1, true]}'
    done = on(folder, "plutil", "-convert", "xml1", "-o", "-", "-", stdin=text)
    assert plistlib.loads(done.out.encode()) == {"a": "b/c", "n": [1, True]}
    assert on(folder, "plutil", "-convert", "json", "-o", "-", "-", stdin=done.out).out == '{"a":"b\\/c","n":[1,true]}'
    assert on(folder, "plutil", "-extract", "a", "raw", "-", stdin=done.out).out == "b/c\n"


def test_plutil_says_of_data_and_dates_that_json_has_none(folder: Path) -> None:
    done = on(folder, "plutil", "-convert", "json", "-o", "-", PLIST)
    assert (done.status, done.err) == (1, f"{PLIST}: invalid object in plist for destination format\n")


def test_plutil_inserts_replaces_and_removes(folder: Path) -> None:
    on(folder, "plutil", "-insert", "New", "-bool", "YES", PLIST)
    on(folder, "plutil", "-replace", "Count", "-integer", "9", PLIST)
    on(folder, "plutil", "-insert", "List.0", "-json", '{"x": 1}', PLIST)
    on(folder, "plutil", "-remove", "Name", PLIST)
    after = held(folder)
    assert (after["New"], after["Count"], after["List"][0]) == (True, 9, {"x": 1}) and "Name" not in after
    for words in (("-insert", "New", "-bool", "NO"), ("-remove", "Name"), ("-replace", "None.Inner", "-string", "x")):
        assert on(folder, "plutil", *words, PLIST).status == 1
    assert held(folder) == after


def test_plutil_checks_files(folder: Path) -> None:
    (folder / "root/Library/bad.plist").write_text("no property list")
    done = on(folder, "plutil", "-lint", PLIST, "/Library/bad.plist", "/Library/none.plist")
    assert done.status == 1
    assert f"{PLIST}: OK\n" in done.out and "/Library/bad.plist: " in done.err
    assert "/Library/none.plist: file does not exist or is not readable or is not a regular file\n" in done.out
    assert on(folder, "plutil", "-s", PLIST).out == ""


@pytest.mark.parametrize("words", [(), ("-help",), ("-convert", "xml1"), ("-insert", "K", "-colour", "red", PLIST)])
def test_plutil_refuses_what_it_does_not_model(folder: Path, words: tuple[str, ...]) -> None:
    assert on(folder, "plutil", *words).status == UNMODELLED


# --- what only the Mac's state has ----------------------------------------------------------------


def test_a_file_of_the_state_is_read_by_root_alone(folder: Path) -> None:
    this = people(mac())
    this.files["/var/root/fv.plist"] = ModelFile(plistlib.dumps({"RecoveryKey": "ABCD"}).decode(), 0.0)
    for path in ("/var/root/fv.plist", "/private/var/root/fv.plist"):
        assert on(folder, "PlistBuddy", "-c", "Print :RecoveryKey", path, this=this).out == "ABCD\n"
        assert on(folder, "plutil", "-extract", "RecoveryKey", "raw", path, this=this).out == "ABCD\n"
    assert on(folder, "PlistBuddy", "-c", "Print", "/var/root/fv.plist", this=this, root=False).status == 1
