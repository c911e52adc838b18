# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mobile accounts: who decides on their password, what the Mac keeps of it, and what becomes of their keys."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
import yaml
from fakes import mac, people

from maclab import bootstrap, directory, network, scenario
from maclab.call import UNMODELLED
from maclab.directory import Outcome, Verdict
from maclab.lab import Handle, Lab
from maclab.state import DirectoryUser, Fault, Mac, NetworkDirectory, from_json, to_json

NODE = "/Active Directory/CORP/corp.example.com"
GUID = "E9F6E0ED-138E-40C9-B9E7-A7F3F661DB14"
OLD, NEW = "old-pw-1", "new-pw-2"
VERSIONS = ("10.13.6", "10.15.7", "11.7.10", "15.6", "26.1")


def bound(version: str = "15.6") -> Mac:
    made = people(mac(version, "t2"))
    made.network = NetworkDirectory(NODE, True, {"ad1": DirectoryUser("ad1", "Ada D'Irectory", 1234567, GUID, OLD)})
    return made


def with_account(version: str = "15.6") -> Mac:
    made = bound(version)
    assert fakes.run(made, "createmobileaccount", "-n", "ad1").status == 0
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_the_account_is_the_directorys_person_without_a_password_or_token(version: str) -> None:
    account = with_account(version).accounts["ad1"]
    assert (account.kind, account.uid, account.full_name, account.generated_uid) == (
        "mobile",
        1234567,
        "Ada D'Irectory",
        GUID,
    )
    assert account.authority == [f";LocalCachedUser;{NODE}:ad1:{GUID}"]
    assert (account.password, account.key_password, account.home_exists) == (None, None, True)


def test_a_cut_leaves_an_account_without_a_home_and_the_next_call_makes_it() -> None:
    made = bound()
    assert fakes.run(made, "createmobileaccount", "-n", "ad1", cut_after=1).status == fakes.KILLED
    assert not made.accounts["ad1"].home_exists
    again = fakes.run(made, "createmobileaccount", "-n", "ad1")
    assert made.accounts["ad1"].home_exists and again.record.writes == ["home created"]
    assert fakes.run(made, "createmobileaccount", "-n", "ad1").record.writes == []


@pytest.mark.parametrize(
    ("words", "root", "online"),
    [(["-n", "ad1"], False, True), (["-n", "ad1"], True, False), (["-n", "nobody-there"], True, True)],
)
def test_it_makes_nothing_without_root_or_of_nobody_it_can_find(words: list[str], root: bool, online: bool) -> None:
    made = bound()
    made.network.online = online
    run = fakes.run(made, "createmobileaccount", *words, root=root)
    assert (run.status, run.record.writes) == (1, [])
    assert "ad1" not in made.accounts


def test_it_leaves_a_local_account_alone_and_takes_no_password_as_an_argument() -> None:
    made = bound()
    made.network.users["user"] = DirectoryUser("user", "Uma", 1234568, "AAAA", "x")
    assert fakes.run(made, "createmobileaccount", "-n", "user").status == 1
    assert made.accounts["user"].kind == "local"
    assert fakes.run(made, "createmobileaccount", "-n", "ad1", "-p", "x").status == UNMODELLED


def test_it_can_say_nothing_and_do_nothing() -> None:
    made = bound()
    made.faults.append(Fault("mobile_account_not_made"))
    assert fakes.run(made, "createmobileaccount", "-n", "ad1").status == 0
    assert "ad1" not in made.accounts


@pytest.mark.parametrize("version", VERSIONS)
def test_the_directory_decides_while_it_answers_and_the_mac_while_it_does_not(version: str) -> None:
    made = with_account(version)
    assert directory.authenticate(made, "ad1", OLD) is Verdict.OK
    assert made.accounts["ad1"].password == OLD
    network.change_password(made, "ad1", NEW)
    assert directory.authenticate(made, "ad1", OLD) is Verdict.WRONG
    made.network.online = False
    assert directory.authenticate(made, "ad1", NEW) is Verdict.WRONG
    assert directory.authenticate(made, "ad1", OLD) is Verdict.OK
    made.network.online = True
    assert directory.authenticate(made, "ad1", NEW) is Verdict.OK
    assert made.accounts["ad1"].password == NEW


def test_nobody_gets_in_before_a_password_was_kept_while_the_directory_is_away() -> None:
    made = with_account()
    made.network.online = False
    assert directory.authenticate(made, "ad1", OLD) is Verdict.WRONG


@pytest.mark.parametrize("version", VERSIONS)
def test_a_password_changed_elsewhere_leaves_the_key_stale(version: str) -> None:
    made = with_account(version)
    assert directory.grant(made, "ad1", OLD, "admin", "admin-pw") is Outcome.DONE
    account = made.accounts["ad1"]
    assert directory.unlock_key(made, account, OLD)
    network.change_password(made, "ad1", NEW)
    assert "ad1" in made.accounts and bootstrap.log_in(made, "ad1", None, 0.0) == []
    assert (account.password, account.key_password) == (NEW, OLD)
    assert not directory.unlock_key(made, account, NEW)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mobile_account_is_never_the_first_holder(version: str) -> None:
    made = bound(version)
    made.accounts.clear()
    made.crypto_users.clear()
    fakes.run(made, "createmobileaccount", "-n", "ad1")
    directory.make_admin(made, made.accounts["ad1"])
    assert directory.authenticate(made, "ad1", OLD)
    assert directory.holders(made) == []


def test_dscl_finds_people_by_the_search_path_and_in_their_node() -> None:
    made = bound()
    for node in ("/Search", NODE):
        run = fakes.run(made, "dscl", node, "-read", "/Users/ad1", "UniqueID", "AppleMetaNodeLocation")
        assert run.out == f"AppleMetaNodeLocation:\n {NODE}\nUniqueID: 1234567\n"
    assert fakes.run(made, "dscl", ".", "-read", "/Users/ad1", "UniqueID").status == 56
    assert fakes.run(made, "dscl", NODE, "-read", "/Users/user", "UniqueID").status == 56
    assert fakes.run(made, "dscl", NODE, "-create", "/Users/ad1", "RealName", "x").status == 40
    made.network.online = False
    assert fakes.run(made, "dscl", "/Search", "-read", "/Users/ad1", "UniqueID").status == 56
    assert "is not valid" in fakes.run(made, "dscl", NODE, "-read", "/Users/ad1").out


def test_dscl_authenticates_people_who_have_no_account_here() -> None:
    made = bound()
    for node, password, status in (("/Search", OLD, 0), ("/Search", NEW, 10), (NODE, OLD, 0)):
        assert fakes.run(made, "dscl", node, "-authonly", "ad1", stdin=password + "\n").status == status
    assert fakes.run(made, "dscl", "/Local/Default", "-authonly", "ad1", stdin=OLD + "\n").status == 56
    assert "ad1" not in made.accounts


def test_odutil_says_which_directories_answer() -> None:
    made = bound()
    assert fakes.run(made, "odutil", "show", "nodenames").out == f"/Local/Default  Online\n{NODE}  Online\n"
    made.network.online = False
    assert f"{NODE}  Offline\n" in fakes.run(made, "odutil", "show", "nodenames").out
    assert NODE not in fakes.run(people(mac()), "odutil", "show", "nodenames").out
    assert fakes.run(made, "odutil", "show", "all").status == UNMODELLED


@pytest.mark.parametrize(("value", "out", "status"), [(None, "", 1), (True, "1\n", 0), (False, "0\n", 0)])
def test_defaults_reads_what_a_profile_says_of_the_dialog(value: bool | None, out: str, status: int) -> None:
    made = bound()
    made.mdm.token_dialog_bypass = value
    key = "cachedaccounts.askForSecureTokenAuthBypass"
    for suffix in ("", ".plist"):
        run = fakes.run(made, "defaults", "read", f"/Library/Managed Preferences/com.apple.MCX{suffix}", key)
        assert (run.out, run.status) == (out, status)
        assert value is not None or f"{key}) does not exist" in run.err
    assert fakes.run(made, "defaults", "write", "x", "y").status == UNMODELLED


def test_state_survives_its_file() -> None:
    made = with_account()
    assert from_json(to_json(made)) == made


# --- in a scenario, and in a lab that is up -------------------------------------------------------

SCENARIO = f"""
sudo_password: false
macs:
  lisbon:
    macos: "15.6"
    directory:
      node: {NODE}
      users:
        - {{name: ad1, full_name: Ada Directory, password: {OLD}}}
        - {{name: ad2, uid: 5000, password: x}}
    mdm: {{enrolled: ade, token_dialog_bypass: true}}
    accounts:
      - {{name: itadmin, admin: true, password: pw-it, token: true}}
      - {{name: ad2, kind: mobile, password: x, token: true}}
"""


def test_a_scenario_describes_a_directory() -> None:
    made = scenario.parse(yaml.safe_load(SCENARIO), "x")["lisbon"].mac
    assert (made.network.node, made.network.online, list(made.network.users)) == (NODE, True, ["ad1", "ad2"])
    assert made.network.users["ad1"].uid >= 1000 and made.network.users["ad2"].uid == 5000
    assert made.mdm.token_dialog_bypass is True
    assert f";LocalCachedUser;{NODE}:ad2:" in made.accounts["ad2"].authority[-2]
    assert made.accounts["ad2"].authority[-1] == ";SecureToken;"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"node: {NODE}", "node: corp"),
        ("uid: 5000", "uid: 5"),
        ("name: ad1", "name: ad2"),
        (f"password: {OLD}", "uid: 2000"),
    ],
)
def test_a_mistake_in_a_directory_is_told(old: str, new: str) -> None:
    with pytest.raises(scenario.ScenarioError, match="directory"):
        scenario.parse(yaml.safe_load(SCENARIO.replace(old, new, 1)), "x")


def test_a_running_lab_loses_its_directory_and_hears_of_a_new_password(empty: Path) -> None:
    with Lab(yaml.safe_load(SCENARIO), empty) as lab:
        here: Handle = lab.mac("lisbon")
        here.directory(online=False)
        assert not here.state().network.online
        assert here.ssh("sudo createmobileaccount -n ad1").rc == 1
        here.directory(online=True, user="ad1", password=NEW)
        assert here.state().network.users["ad1"].password == NEW
        assert here.ssh("sudo createmobileaccount -n ad1").rc == 0
        assert here.login("ad1") == []
        assert here.state().accounts["ad1"].password == NEW
        with pytest.raises(Exception, match="does not know"):
            here.directory(user="nobody", password="x")
