# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test what a preflight makes of what it sees: each verdict, with the next step, and the report that is short."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, MOBILE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac, PasswordPolicy
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight_controller as here
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import CHECKS, Verdict, ok, stop, warn, whole
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_mac import (
    CLOCK_SECONDS,
    Wanted,
    access_verdict,
    clock_verdict,
    macos_verdict,
    person_verdict,
    python_verdict,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_report import (
    Report,
    fleet_verdicts,
    verdicts_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_way import (
    KnownKey,
    Met,
    Route,
    parse_route,
    pipelining_verdict,
    socket_verdict,
    way_verdicts,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import AgeError

# --- the way ---

SSH_G = """\
host mac
user itadmin
hostname mac.example.com
port 2022
stricthostkeychecking ask
globalknownhostsfile /etc/ssh/ssh_known_hosts
userknownhostsfile "/home/me/my hosts" /home/me/.ssh/known_hosts2
controlpath /home/me/.ansible/cp/0123456789
proxyusefdpass no
"""


def test_a_route_is_what_ssh_makes_of_its_configuration() -> None:
    assert parse_route(SSH_G) == Route(
        "mac.example.com",
        "2022",
        called="[mac.example.com]:2022",
        files=("/home/me/my hosts", "/home/me/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts"),
        socket="/home/me/.ansible/cp/0123456789",
    )


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("proxyjump bastion", "through", "bastion"),
        ("proxycommand nc %h %p", "through", "nc %h %p"),
        ("proxycommand none", "through", ""),
        ("hostkeyalias its-name", "called", "its-name"),
        ("port 22", "called", "mac.example.com"),
        ("stricthostkeychecking false", "checks", False),
        ("stricthostkeychecking accept-new", "checks", False),
        ("stricthostkeychecking true", "checks", True),
        ("controlpath none", "socket", ""),
    ],
)
def test_a_line_of_the_configuration_is_understood(line: str, field: str, value: t.Any) -> None:
    key = line.split(" ", 1)[0]
    rest = "".join(f"{one}\n" for one in SSH_G.splitlines() if not one.startswith(f"{key} "))
    assert getattr(parse_route(f"{rest}{line}\n"), field) == value


ROUTE = Route("mac.example.com", "2022", called="[mac.example.com]:2022")
KNOWN = KnownKey(True, "/home/me/.ssh/known hosts")
CHANGED = "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ Host key verification failed."
ALL_METHODS = "itadmin@mac: Permission denied (publickey,password,keyboard-interactive)."
LET_IN = {"name": "ok", "port": "ok", "host_key": "ok", "login": "ok", "become": "ok"}

# What came of the connections -> the states that are not as usual, and a part of the words and of the remedy.
MET: dict[str, tuple[Met, dict[str, str], str, str]] = {
    "in": (Met(denied=""), {}, "", ""),
    "refuses connections": (
        Met(refused="ssh: connect to host mac port 2022: Connection refused"),
        {"port": "failed", "host_key": "not_asked", "login": "not_asked", "become": "not_asked"},
        "its port refuses connections",
        "Turn Remote Login on",
    ),
    "drops": (
        Met(refused="kex_exchange_identification: Connection closed by remote host"),
        {"port": "failed", "host_key": "not_asked", "login": "not_asked", "become": "not_asked"},
        "drops them before SSH says a word",
        "Unlock it at its screen",
    ),
    "no such name": (
        Met(refused="ssh: Could not resolve hostname mac: Name or service not known"),
        {"name": "failed", "port": "not_asked", "host_key": "not_asked", "login": "not_asked", "become": "not_asked"},
        "its name was not found",
        "Correct ansible_host",
    ),
    "another key": (
        Met(refused=CHANGED),
        {"host_key": "failed", "login": "not_asked", "become": "not_asked"},
        "its host key is not the one in known_hosts",
        "ssh-keygen -f '/home/me/.ssh/known hosts' -R '[mac.example.com]:2022'.",
    ),
    "no key": (
        Met(refused="No ED25519 host key is known for mac. Host key verification failed."),
        {"host_key": "failed", "login": "not_asked", "become": "not_asked"},
        "its host key is not in known_hosts",
        "(ssh -p 2022 mac.example.com)",
    ),
    "locked": (
        Met(refused=f"This system is locked. To unlock it, use a local account name and password. {ALL_METHODS}"),
        {"login": "failed", "become": "not_asked"},
        "it waits at FileVault's unlock screen",
        "Unlock it over SSH with the playbook unlock",
    ),
    "refused, or locked": (
        Met(refused=ALL_METHODS),
        {"login": "failed", "become": "not_asked"},
        "the login was refused; a Mac with macOS 26 or newer says this",
        "Unlock the Mac if it was restarted",
    ),
    "key refused": (
        Met(refused="itadmin@mac: Permission denied (publickey)."),
        {"login": "failed", "become": "not_asked"},
        "the login was refused",
        "Check ansible_user and its key",
    ),
    "password wrong": (
        Met(refused="Invalid/incorrect password: Permission denied (password).", by_password=True),
        {"login": "failed", "become": "not_asked"},
        "the login's password is wrong",
        "Correct ansible_password",
    ),
    "no sshpass": (
        Met(refused="to use the 'ssh' connection type with passwords, you must install the sshpass program"),
        {"port": "not_asked", "host_key": "not_asked", "login": "failed", "become": "not_asked"},
        "the controller has no sshpass",
        "Install sshpass",
    ),
    "no sudo password": (
        Met(denied="Missing sudo password"),
        {"become": "failed"},
        "the sudo password is missing",
        "Give ansible_become_password",
    ),
    "wrong sudo password": (
        Met(denied="Incorrect sudo password", given=True),
        {"become": "failed"},
        "the sudo password is wrong",
        "Correct ansible_become_password",
    ),
    "silent sudo": (
        Met(denied="Timeout (12s) waiting for privilege escalation prompt: "),
        {"become": "failed"},
        "sudo on it did not answer",
        "sudo -v",
    ),
    "not root": (
        Met(denied="", root=False),
        {"become": "failed"},
        "does not become root",
        "Set ansible_become to true",
    ),
    "terminal": (
        Met(denied="sudo on this Mac demands a terminal (requiretty)", reason="needs_terminal"),
        {"become": "failed"},
        "demands a terminal",
        "!requiretty",
    ),
    "no administrator": (
        Met(denied="/bin/sh: rc 1, no answer: itadmin is not in the sudoers file."),
        {"become": "failed"},
        "sudo is not allowed to the account",
        "Connect as an administrator",
    ),
}


@pytest.mark.parametrize("what", MET)
def test_the_way_is_judged_by_what_ssh_and_sudo_said(what: str) -> None:
    met, odd, words, remedy = MET[what]
    verdicts = way_verdicts(ROUTE, "", KNOWN, met)
    assert {one.check: one.state for one in verdicts} == {**LET_IN, **odd}
    failed = [one for one in verdicts if one.state == "failed"]
    assert len(failed) == len([state for state in odd.values() if state == "failed"])
    for one in failed:
        assert one.stops and words in one.words and remedy in one.remedy, one
        assert "mac.example.com" not in one.words


def test_a_name_that_is_not_found_ends_the_way() -> None:
    states = [one.state for one in way_verdicts(ROUTE, "Name or service not known", KNOWN, Met())]
    assert states == ["failed", "not_asked", "not_asked", "not_asked", "not_asked"]


def test_behind_a_proxy_the_name_is_the_proxys() -> None:
    assert way_verdicts(replace(ROUTE, through="bastion"), "", KNOWN, Met(denied=""))[0].state == "not_asked"


def test_a_connection_that_is_not_ssh_has_no_port() -> None:
    verdicts = way_verdicts(Route(other="local"), "", KnownKey(), Met(denied=""))
    assert [one.state for one in verdicts] == ["not_asked", "not_asked", "not_asked", "ok", "ok"]


@pytest.mark.parametrize(
    ("key", "errors", "words"),
    [
        (KnownKey(False), "", "its host key is not in known_hosts, and the check of host keys is off"),
        (KNOWN, CHANGED, "its host key is not the one in known_hosts, and the check of host keys is off"),
        (KNOWN, "", ""),
        (KnownKey(), "", ""),
    ],
)
def test_a_host_key_that_nothing_checks_stops_no_run(key: KnownKey, errors: str, words: str) -> None:
    verdict = way_verdicts(replace(ROUTE, checks=False), "", key, Met(denied="", errors=errors))[2]
    assert (verdict.words, verdict.state) == (words, "failed" if words else "ok")
    assert not verdict.stops


def test_pipelining_is_no_matter_but_a_terminal_is() -> None:
    assert {pipelining_verdict(on, True, "sudo").state for on in (True, False)} == {"ok"}
    assert pipelining_verdict(True, False, "the become method su").stops


@pytest.mark.parametrize(("system", "longest"), [("linux", 107), ("darwin", 103), ("sunos5", 103)])
def test_the_control_sockets_path_fits_or_not(system: str, longest: int) -> None:
    """With the dot and 16 letters that ssh puts behind it while it makes the socket."""
    fits = "/" + "x" * (longest - 18)
    assert socket_verdict(Route(socket=fits), system).state == "ok"
    assert socket_verdict(Route(socket=f"{fits}x"), system).stops
    assert socket_verdict(Route(), system).state == "not_asked"


# --- the Mac ---

MAC = Mac(Version(15, 6), as_root=True)


def test_the_macos_is_known_or_too_old_or_too_new_or_none() -> None:
    assert macos_verdict(MAC, "Darwin", "", "") == ok("macos", "15.6")
    assert macos_verdict(replace(MAC, version=Version(10, 13)), "Darwin", "", "").state == "ok"
    assert macos_verdict(replace(MAC, version=Version(10, 12, 6)), "Darwin", "", "").stops
    assert macos_verdict(replace(MAC, version=Version(27, 1)), "Darwin", "", "").state == "ok"
    newer = macos_verdict(replace(MAC, version=Version(28)), "Darwin", "", "")
    assert (newer.state, newer.stops) == ("failed", False)
    linux = macos_verdict(None, "Linux", "said", "not_a_mac")
    assert linux.stops and linux.words == "this is no Mac: it runs Linux"
    assert macos_verdict(None, "", "said", "not_a_mac").stops
    assert macos_verdict(None, "Darwin", "no answer", "no_answer").state == "unknown"


STUB = "/usr/bin/python3"
REAL = "/opt/homebrew/bin/python3"


@pytest.mark.parametrize(
    ("named", "found", "stub", "needed", "state", "stops", "remedy"),
    [
        ("", REAL, "", False, "ok", False, ""),
        (REAL, REAL, STUB, True, "ok", False, ""),
        ("", REAL, STUB, False, "failed", False, f"Set ansible_python_interpreter to {REAL}."),
        ("", "", STUB, False, "failed", False, "Run the role keyholder.macos.python"),
        ("", "", "", False, "failed", False, "Run the role keyholder.macos.python"),
        ("", "", "", True, "failed", True, "Run the role keyholder.macos.python"),
        (STUB, REAL, STUB, False, "failed", False, f"set it to {REAL}"),
        (STUB, "", STUB, True, "failed", True, "take it out"),
        ("/no/python3", "", "", False, "failed", False, "take it out"),
    ],
)
def test_the_python_is_real_or_the_stub_or_none(
    named: str, found: str, stub: str, needed: bool, state: str, stops: bool, remedy: str
) -> None:
    verdict = python_verdict(named, found, stub, needed)
    assert (verdict.state, verdict.stops) == (state, stops)
    assert remedy in verdict.remedy
    assert ("stub" in verdict.words) is (bool(stub) and state == "failed")


def test_full_disk_access_is_what_the_session_may_list() -> None:
    assert access_verdict(replace(MAC, full_disk_access=True)).state == "ok"
    denied = access_verdict(replace(MAC, full_disk_access=False))
    assert (denied.state, denied.stops) == ("failed", False)
    assert "full disk" in denied.remedy
    assert access_verdict(MAC).state == "unknown"
    assert access_verdict(Mac(Version(10, 13, 6))).state == "not_asked"


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        ("1000", "ok", ""),
        ("1010", "ok", ""),
        ("1004", "ok", ""),
        (str(1010 + CLOCK_SECONDS), "ok", "300 s away"),
        (str(1011 + CLOCK_SECONDS), "failed", "ahead of"),
        (str(999 - CLOCK_SECONDS), "ok", "300 s away"),
        (str(998 - CLOCK_SECONDS), "failed", "behind"),
        ("", "unknown", "did not say"),
        ("soon", "unknown", "did not say"),
    ],
)
def test_the_clock_was_asked_between_two_moments(said: str, state: str, words: str) -> None:
    verdict = clock_verdict(1000.0, 1010.0, said)
    assert (verdict.state, verdict.stops) == (state, False)
    assert words in verdict.words


# --- the accounts ---


def person(name: str, **more: t.Any) -> Account:
    return Account(name, f"GUID-{name}", uid=501, admin=True, sources=EVERYWHERE, **more)


ADMIN, OTHER = person("itadmin"), person("deputy")
PHANTOM = Sources(authority=True, crypto=False, filevault=True)
GRANTER = Wanted("itadmin", "granter", ("onboard_user_admin_user",), "onboard_user_admin_password")

# The account on the Mac, what is wanted of it, whether the password matches -> state, a part of words and remedy.
PEOPLE: dict[str, tuple[Account | None, Wanted, bool | None, str, str, str]] = {
    "right": (ADMIN, GRANTER, True, "ok", "", ""),
    "missing": (None, GRANTER, None, "failed", "has no account", "Set onboard_user_admin_user to one of: deputy."),
    "standard": (replace(ADMIN, admin=False), GRANTER, True, "failed", "no administrator", "one of: deputy."),
    "spared": (replace(ADMIN, admin=False), replace(GRANTER, spared=True), True, "ok", "", ""),
    "no token": (replace(ADMIN, sources=Sources(False, False, False)), GRANTER, True, "failed", "no Secure Token", ""),
    "phantom": (replace(ADMIN, sources=PHANTOM), GRANTER, True, "failed", "disagree", "repair_user=itadmin"),
    "unread": (replace(ADMIN, sources=Sources()), GRANTER, True, "unknown", "could not be read", ""),
    "disabled": (replace(ADMIN, disabled=True), GRANTER, True, "failed", "disabled or locked", "pwpolicy"),
    "locked": (replace(ADMIN, failed_logins=9), GRANTER, True, "failed", "disabled or locked", "pwpolicy"),
    "wrong": (
        ADMIN,
        GRANTER,
        False,
        "failed",
        "onboard_user_admin_password is not the password of itadmin",
        "Correct onboard_user_admin_password",
    ),
    "no hash": (ADMIN, GRANTER, None, "unknown", "is not known", ""),
    "mobile": (replace(ADMIN, kind=MOBILE), GRANTER, False, "unknown", "is not known", ""),
    "no password": (
        ADMIN,
        replace(GRANTER, password=""),
        None,
        "failed",
        "without a password",
        "Set onboard_user_admin_password.",
    ),
    "unlocks": (replace(ADMIN, admin=False), replace(GRANTER, purpose="holder"), True, "ok", "", ""),
    "managed": (replace(ADMIN, sources=PHANTOM), replace(GRANTER, purpose="account"), True, "ok", "", ""),
    "managed, to be made": (None, replace(GRANTER, purpose="account", spared=True), None, "ok", "to be made", ""),
    "managed, missing": (None, replace(GRANTER, purpose="account"), None, "failed", "no account", "Correct"),
    "managed, first": (ADMIN, replace(GRANTER, purpose="account", password=""), None, "ok", "not given", ""),
}


@pytest.mark.parametrize("what", PEOPLE)
def test_an_account_is_what_the_variables_take_it_for(what: str) -> None:
    account, wanted, matches, state, words, remedy = PEOPLE[what]
    policy = PasswordPolicy(max_failed_logins=5)
    mac = replace(MAC, accounts=(*([account] if account else []), OTHER), policy=policy)
    mac = replace(mac, accounts=tuple(replace(one, failed_logins=one.failed_logins or 0) for one in mac.accounts))
    verdict = person_verdict(mac, wanted, matches)
    assert (verdict.state, verdict.stops) == (state, state == "failed"), verdict
    assert words in verdict.words and remedy in verdict.remedy, verdict


def test_only_root_can_compare() -> None:
    verdict = person_verdict(replace(MAC, as_root=False, accounts=(ADMIN,)), GRANTER, None)
    assert verdict.state == "not_asked"


def test_who_shares_a_name_and_a_password_comes_once() -> None:
    values = {
        "onboard_user_admin_user": "itadmin",
        "onboard_user_admin_password": "one",
        "grant_admin_user": "itadmin",
        "grant_admin_password": "one",
        "offboard_user_admin_user": "itadmin",
        "offboard_user_admin_password": "two",
        "filevault_user": "ana",
        "filevault_password": "three",
        "managed_admin_name": "itadmin",
        "managed_admin_current_password": "four",
    }
    people = here.people_of(values)
    told = [(one.name, one.purpose, one.variables, one.password, secret) for one, secret in people]
    both = ("onboard_user_admin_user", "grant_admin_user")
    assert told == [
        ("itadmin", "granter", both, "onboard_user_admin_password", "one"),
        ("itadmin", "granter", ("offboard_user_admin_user",), "offboard_user_admin_password", "two"),
        ("ana", "holder", ("filevault_user",), "filevault_password", "three"),
        ("itadmin", "account", ("managed_admin_name",), "managed_admin_current_password", "four"),
    ]
    assert here.people_of(values, "kept")[-1][1] == "kept"
    assert here.people_of({}) == []


def test_a_granter_may_be_a_standard_account_where_its_role_says_so() -> None:
    values = {"grant_admin_user": "ana", "grant_allow_temporary_promotion": True}
    assert [one.spared for one, dummy in here.people_of(values)] == [True]
    assert [one.spared for one, dummy in here.people_of({**values, "grant_allow_temporary_promotion": "false"})] == [
        False
    ]


def test_whose_login_encrypts_the_volume_needs_no_token() -> None:
    values = {"filevault_user": "ana", "filevault_state": "deferred"}
    assert [one.purpose for one, dummy in here.people_of(values)] == ["account"]
    assert [one.purpose for one, dummy in here.people_of({**values, "filevault_state": "enabled"})] == ["holder"]


def test_a_password_without_a_name_is_told() -> None:
    (verdict,) = here.unnamed({"grant_admin_password": "secret-1"})
    assert verdict.words == "grant_admin_password is given, and grant_admin_user is not"


# --- the controller ---


def store(values: dict[str, t.Any]) -> tuple[Verdict, str]:
    def lookup(name: str, terms: list[str], **options: t.Any) -> t.Any:
        return {"current": "kept-1"}

    return here.store_verdict({"managed_admin_name": "itadmin", **values}, "mac-1", {}, lookup)


def test_a_store_is_read_and_not_written(tmp_path: Path) -> None:
    document = tmp_path / "document"
    document.write_text(json.dumps({"current": "kept-1"}), encoding="utf-8")
    command = {"kind": "command", "read": ["cat", str(document)], "write": ["tee", str(document)]}
    assert store({"managed_admin_store": command}) == (ok("store", "command"), "kept-1")
    assert document.read_text(encoding="utf-8") == json.dumps({"current": "kept-1"})
    assert store({"managed_admin_store": {**command, "read": ["true"]}}) == (ok("store", "command, empty"), "")
    lookup = {"kind": "lookup", "lookup": "any", "write": ["tee", str(document)]}
    assert store({"managed_admin_store": lookup})[1] == "kept-1"
    assert store({})[0].state == "not_asked"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "command", "read": ["no-such-program"], "write": ["tee"]}, "no program no-such-program (read)"),
        ({"kind": "command", "read": ["true"], "write": ["no-such-program"]}, "no program no-such-program (write)"),
        ({"kind": "command", "read": ["true"]}, "a store of kind command needs write"),
        ({"kind": "command", "read": ["false"], "write": ["tee"]}, "false ended with status 1"),
        ({"kind": "command", "read": ["echo", "x mac-1"], "write": ["tee"]}, "not JSON"),
        ({"kind": "age", "directory": "/x", "recipients": ["age1x"], "identity": "/no/identity"}, "cannot be read"),
        ({"kind": "box"}, "value of kind must be one of"),
        ("a text", "store"),
    ],
)
def test_a_store_that_would_fail_says_why(given: t.Any, words: str) -> None:
    verdict, stored = store({"managed_admin_store": given})
    assert verdict.stops and words in verdict.words, verdict
    assert verdict.remedy and not stored


def test_a_store_with_a_pending_password_is_told() -> None:
    text = json.dumps({"current": "kept-1", "pending": "next-1"})
    command = {"kind": "command", "read": ["echo", text], "write": ["tee"]}
    verdict, stored = store({"managed_admin_store": command})
    assert (verdict.state, verdict.stops, stored) == ("failed", False, "kept-1")
    assert "managed_admin" in verdict.remedy


def test_a_folder_is_there_or_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert here.no_folder(tmp_path) == ""
    assert here.no_folder(tmp_path / "new" / "newer") == ""
    assert list(tmp_path.iterdir()) == [file]
    assert here.no_folder(file) == f"{file} is no folder"
    assert here.no_folder(file / "new") == f"{file}/new is not there, and cannot be made in {file}"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert here.no_folder(tmp_path) == f"{tmp_path} is not writable"
    assert here.no_folder(tmp_path / "new") == f"{tmp_path}/new is not there, and cannot be made in {tmp_path}"


def keys(folder: Path, **values: t.Any) -> Verdict:
    return here.key_store_verdict({"filevault_store_dir": str(folder), **values}, {})


def test_the_store_of_recovery_keys_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "recovery-keys"
    assert keys(folder).state == "ok"
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    assert keys(folder) == ok("key_store", str(folder))
    folder.chmod(0o755)
    verdict = keys(folder)
    assert (verdict.state, verdict.stops) == ("failed", False)
    assert "mode 0755" in verdict.words and f"chmod 700 {folder}" in verdict.remedy
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert keys(folder).stops
    marked = keys(folder, filevault_store_marked=True)
    assert marked.stops and ".keyholder-store" in marked.words
    assert keys(folder, filevault_recovery_key="none").state == "not_asked"
    assert here.key_store_verdict({}, {}).state == "not_asked"
    by_default = here.key_store_verdict({"filevault_recipients": ["x"]}, {"inventory_dir": str(tmp_path)})
    assert str(folder) in by_default.words


@pytest.mark.parametrize("given", ["no recipient", ["no recipient"], ["age1notone"], [7]])
def test_recipients_that_nothing_can_be_encrypted_to(given: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_age(recipients: t.Sequence[str]) -> None:
        raise AgeError(f"age cannot encrypt to the recipients: {recipients}")

    monkeypatch.setattr(here, "check_age", no_age)
    verdict = here.recipients_verdict({"filevault_recipients": given})
    assert verdict.stops and "filevault_recipients" in verdict.remedy
    assert here.recipients_verdict({}).state == "not_asked"


# --- the report ---

SUDO = stop("become", "the sudo password is missing", "Give ansible_become_password.")
DISK = warn("full_disk_access", "the SSH session has none", "Switch it on.")


def test_each_mac_has_a_verdict_for_each_check() -> None:
    assert [one.check for one in whole([SUDO])] == [check.name for check in CHECKS]
    gone = {"unreachable": True, "msg": "Connection refused"}
    results: list[dict[str, t.Any] | None] = [None, {}, {"verdicts": []}, {"msg": "x"}, gone]
    for result in results:
        assert {one.check for one in verdicts_of("mac-1", result, [])} == {check.name for check in CHECKS}


def test_a_mac_without_an_answer_of_its_own_says_why() -> None:
    def trouble(result: t.Any, names: t.Sequence[str] = ()) -> list[tuple[str, str, str]]:
        found = verdicts_of("mac-1", result, names)
        return [(one.check, one.state, one.words) for one in found if one.state != "not_asked"]

    gone = {"unreachable": True, "msg": "ssh: connect to host mac-1 port 22: Connection refused"}
    assert trouble(gone) == [("login", "failed", "its port refuses connections")]
    undefined = {"failed": True, "msg": "Task failed: 'vault_mac-1' is undefined"}
    assert trouble(undefined) == [("variables", "failed", "they cannot be resolved: 'vault_HOST' is undefined")]
    assert trouble(undefined, ["vault_x"]) == [("variables", "failed", "vault_x cannot be decrypted")]
    assert trouble(None) == [("login", "unknown", "it was not asked")]
    read = {"verdicts": [ok("variables").view(), ok("port").view()]}
    assert trouble(read) == [("variables", "ok", ""), ("port", "ok", "")]
    assert trouble(read, ["vault_x"]) == [("variables", "failed", "vault_x cannot be decrypted"), ("port", "ok", "")]


def test_what_steers_a_terminal_does_not_arrive() -> None:
    hostile = {"check": "variables", "words": "\x1b[2J", "state": "?"}
    verdict = verdicts_of("mac-1", {"verdicts": [hostile]}, [])[0]
    assert (verdict.words, verdict.state) == ("?[2J", "unknown")


def fleet(number: int) -> Report:
    """Every tenth Mac lacks a password for sudo, every third of the others Full Disk Access."""
    found = {
        f"mac-{index:03d}": whole([SUDO] if index % 10 == 0 else [DISK] if index % 3 == 0 else [ok("login")])
        for index in range(number)
    }
    return Report(found, fleet_verdicts(list(found), list(found), False, "", 5))


def test_a_report_of_300_macs_is_a_page() -> None:
    report = fleet(300)
    lines = report.lines()
    assert len(lines) < 30
    assert max(map(len, lines)) < 180
    assert lines[-1] == "300 Macs: 180 in order, 30 on which a run would stop, 90 with other trouble"
    told = lines.index("30 Macs: the sudo password is missing [sudo, stops a run]")
    assert lines[told + 2] == "    Give ansible_become_password."
    assert "90 Macs: the SSH session has none [disk, failed]" in lines
    assert any(line.startswith("failed  how many Macs at a time: 5 Macs at a time, of 300") for line in lines)


def test_alike_macs_share_a_row_without_what_none_was_asked() -> None:
    lines = fleet(10).lines()
    assert [line.split("  ")[0] for line in lines[:4]] == [
        "Mac",
        "mac-000",
        "mac-003, mac-006, mac-009",
        "mac-001, mac-002, mac-004 and 3 more",
    ]
    assert lines[0].split()[1:] == ["login", "sudo", "disk"]
    assert lines[1].split()[1:] == ["-", "FAILED", "-"]


@pytest.mark.parametrize(
    ("fail_on", "found", "problem"),
    [
        ("stops", [SUDO], "something would stop a run: 1 Mac: mac-1"),
        ("any", [SUDO], "something is not in order: 1 Mac: mac-1"),
        ("never", [SUDO], ""),
        ("stops", [DISK], ""),
        ("any", [DISK], "something is not in order: 1 Mac: mac-1"),
        ("any", [ok("login")], ""),
    ],
)
def test_what_the_task_fails_for_is_the_users_choice(fail_on: str, found: list[Verdict], problem: str) -> None:
    assert Report({"mac-1": whole(found)}).problem(fail_on) == problem


def test_what_is_looked_at_once_fails_too() -> None:
    report = Report({}, fleet_verdicts([], ["mac-1"], False, "unknown variable: filevault_stat", 5))
    assert report.problem("stops") == "something would stop a run: the names of the variables"
    assert report.problem("never") == ""


def test_the_group_is_there_or_another_is_named() -> None:
    def group(macs: list[str] | None, chosen: bool = False) -> tuple[str, str]:
        verdict = fleet_verdicts([], macs, chosen, "", 5)[0]
        return verdict.state, verdict.words

    assert group(["a"]) == ("ok", "1 Mac")
    assert group([]) == ("failed", "it has no hosts")
    assert group(None) == ("failed", "the inventory has none")
    assert group(None, True)[0] == "ok"


def test_a_remedy_that_differs_is_an_example() -> None:
    found = {name: whole([replace(SUDO, remedy=f"For {name}.")]) for name in ("a", "b")}
    assert "    for example: For a." in Report(found).lines()
