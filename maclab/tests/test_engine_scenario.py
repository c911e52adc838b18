# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario: what it fills in, and what it says about mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import run

from maclab import directory, scenario
from maclab.state import Mac

SCENARIOS = Path(__file__).parent.parent / "scenarios"


def mac(text: str) -> Mac:
    (planned,) = scenario.parse({"macs": {"m": yaml.safe_load(text)}}, "test.yml").values()
    return planned.mac


MINIMAL = 'macos: "15.6"\naccounts: [{name: a, admin: true, password: p, token: true}]\n'


def test_version_and_one_account_are_enough() -> None:
    made = mac(MINIMAL)
    assert (made.version_tuple, made.build, made.hardware, made.device) == (
        (15, 6),
        "24G84",
        "apple-silicon",
        "disk3s1s1",
    )
    assert {"root", "daemon", "nobody", "_mbsetupuser", "_spotlight", "a"} == set(made.accounts)
    assert made.accounts["root"].authority == []
    assert made.groups["admin"].members == ["root", "a"]
    account = made.accounts["a"]
    assert (account.uid, account.gid, account.full_name, account.home) == (501, 20, "a", "/Users/a")
    assert account.has_authority_token and account.key_password == "p"
    assert made.crypto_users[account.generated_uid].owner
    assert made.preboot == [account.generated_uid]
    assert made.ssh_user == "a"


def test_guids_are_the_same_every_time_and_differ_between_macs() -> None:
    first, again = mac(MINIMAL), mac(MINIMAL)
    assert first.accounts["a"].generated_uid == again.accounts["a"].generated_uid
    both = scenario.parse({"macs": {name: yaml.safe_load(MINIMAL) for name in ("m", "n")}}, "t")
    assert both["m"].mac.accounts["a"].generated_uid != both["n"].mac.accounts["a"].generated_uid


@pytest.mark.parametrize(
    ("version", "hardware", "device", "build"),
    [
        ("10.13.6", "intel", "disk1s1", "17G66"),
        ("10.15.7", "t2", "disk1s5", "19H2"),
        ("11.7.10", "apple-silicon", "disk3s1s1", "20G1427"),
        ("13.6.9", "t2", "disk1s5s1", "22G830"),
        ("26.1", "apple-silicon", "disk3s1s1", "25B78"),
        ("14.3", "apple-silicon", "disk3s1s1", "23D100"),
    ],
)
def test_defaults_follow_version_and_hardware(version: str, hardware: str, device: str, build: str) -> None:
    made = mac(f'macos: "{version}"\nhardware: {hardware}\naccounts: [{{name: a}}]')
    assert (made.device, made.build) == (device, build)


def test_only_apple_silicon_has_volume_owners() -> None:
    made = mac(MINIMAL + "hardware: t2")
    assert [user.owner for user in made.crypto_users.values()] == [False]


def test_a_phantom_is_known_to_the_sources_that_the_scenario_names() -> None:
    made = mac(
        'macos: "15.6"\naccounts:\n'
        "- {name: a, password: p, token: {authority: true, filevault: true}}\n"
        "- {name: b, password: p, token: {crypto: true}}"
    )
    a, b = made.accounts["a"], made.accounts["b"]
    assert a.has_authority_token and a.generated_uid not in made.crypto_users
    assert made.filevault.ghosts == [a.generated_uid]
    assert not b.has_authority_token and b.generated_uid in made.crypto_users
    assert made.filevault.hidden_users == [b.generated_uid]


def test_a_tag_that_prevents_a_token_is_no_token() -> None:
    made = mac('macos: "15.6"\naccounts: [{name: a, password: p, disabled_tag: true}]')
    assert ";DisabledTags;SecureToken" in made.accounts["a"].authority
    assert not made.accounts["a"].has_authority_token


@pytest.mark.parametrize(
    ("written", "state"), [("on", "on"), ("off", "off"), ('"on"', "on"), ("encrypting", "encrypting")]
)
def test_yaml_booleans_are_words_where_words_are_allowed(written: str, state: str) -> None:
    assert mac(MINIMAL + f"filevault: {{state: {written}}}\nmdm: {{enrolled: no}}").filevault.state == state


def test_recovery_key_and_bootstrap_token_are_crypto_users_too() -> None:
    made = mac(MINIMAL + "filevault: {prk: true}\nmdm: {enrolled: ade, bootstrap: {escrowed: true}}")
    assert {user.kind for user in made.crypto_users.values()} == {
        "LocalOpenDirectory",
        "PersonalRecovery",
        "MDMRecovery",
    }


def test_sudo_asks_unless_the_scenario_or_the_mac_says_otherwise() -> None:
    spared = {**yaml.safe_load(MINIMAL), "sudo_password": False}
    both = {"usual": yaml.safe_load(MINIMAL), "spared": spared}
    assert [one.mac.sudo_password for one in scenario.parse({"macs": both}, "t").values()] == [True, False]
    asked = {"usual": yaml.safe_load(MINIMAL), "asked": {**spared, "sudo_password": True}}
    found = scenario.parse({"sudo_password": False, "macs": asked}, "t").values()
    assert [one.mac.sudo_password for one in found] == [False, True]


def test_count_stamps_macs() -> None:
    planned = scenario.parse({"macs": {"pc": {**yaml.safe_load(MINIMAL), "count": 12, "port": 3000}}}, "t")
    assert list(planned)[0::11] == ["pc-001", "pc-012"]
    assert planned["pc-012"].port == 3011
    assert planned["pc-003"].mac.name == "pc-003"


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"macos": 15.6}, ["macos: 15.6", "in quotes"]),
        ({"macos": "10.12.6"}, ["macos: '10.12.6'", "10.13"]),
        ({"hardware": "m1"}, ["hardware: 'm1'", "apple-silicon, t2, intel"]),
        ({"macos": "10.15.7", "hardware": "apple-silicon"}, ["hardware: 'apple-silicon'"]),
        ({"hardwear": "t2"}, ["no such key: 'hardwear'", "hardware"]),
        ({"accounts": []}, ["accounts: []", "at least one"]),
        ({"accounts": [{"name": "a b"}]}, ["accounts[0]: name: 'a b'"]),
        ({"accounts": [{"name": "a"}, {"name": "a"}]}, ["accounts[1]: name: 'a'", "no other account"]),
        ({"accounts": [{"name": "a", "uid": 0}]}, ["uid: 0", "root"]),
        ({"accounts": [{"name": "a", "admin": "yes"}]}, ["admin: 'yes'", "true, false"]),
        ({"accounts": [{"name": "a", "password": 1234}]}, ["password: 1234", "quotes"]),
        ({"accounts": [{"name": "a", "token": True}]}, ["token: True", "password"]),
        ({"accounts": [{"name": "a", "token": {"key": True}}]}, ["token: no such key: 'key'", "crypto"]),
        ({"filesystem": "hfs"}, ["token: True", "apfs"]),
        ({"filevault": {"state": "half"}}, ["filevault: state: 'half'", "encrypting"]),
        ({"filevault": {"percent": 120}}, ["percent: 120", "0 to 100"]),
        ({"filevault": {"deferred_user": "b"}}, ["deferred_user: 'b'", "accounts of this Mac: a"]),
        ({"mdm": {"enrolled": "dep"}}, ["mdm: enrolled: 'dep'", "no, user, ade"]),
        ({"logged_in": ["b"]}, ["logged_in: 'b'", "a"]),
        ({"ssh_user": "b"}, ["ssh_user: 'b'"]),
        ({"port": 70000}, ["port: 70000", "65535"]),
        ({"requiretty": "yes"}, ["requiretty: 'yes'", "true, false"]),
        ({"sudo_password": 1}, ["sudo_password: 1", "true, false"]),
        ({"accounts": [{"name": "a", "sudo_password": "no"}]}, ["accounts[0]: sudo_password: 'no'", "true, false"]),
        ({"accounts": [{"name": "a", "shell_banner": "1\n2"}]}, ["accounts[0]: shell_banner: '1\\n2'", "one line"]),
        ({"python": "latest"}, ["python: 'latest'", "3.9"]),
        ({"faults": [{"fault": "gremlins"}]}, ["faults[0]", "'gremlins'", "hang"]),
        ({"faults": [{"fault": "kill"}]}, ["faults[0]", "needs step"]),
        ({"faults": [{"fault": "kill", "step": 0}]}, ["step: 0", "from 1"]),
        ({"faults": [{"fault": "hang", "at": "end"}]}, ["at: 'end'", "start, prompt"]),
        ({"faults": [{"fault": "locked", "user": "b"}]}, ["user: 'b'", "account"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(change: dict[str, Any], parts: list[str]) -> None:
    described = {**yaml.safe_load(MINIMAL), **change}
    with pytest.raises(scenario.ScenarioError) as caught:
        scenario.parse({"macs": {"oslo": described}}, "fleet.yml")
    assert str(caught.value).startswith("fleet.yml: oslo: ")
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "macs: {}", "machines: {}", "macs: [", "macs: {1: {}}"])
def test_a_file_that_is_no_scenario_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(scenario.ScenarioError, match=r"x\.yml"):
        scenario.load(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(scenario.ScenarioError, match=r"none.yml: No such file"):
        scenario.load(tmp_path / "none.yml")


def test_the_scenarios_we_ship() -> None:
    demo = scenario.load(SCENARIOS / "demo.yml")
    assert len(demo) == 7
    whole = [plan.mac for plan in demo.values() if plan.mac.accounts["itadmin"].has_authority_token]
    assert len(whole) == 6
    broken = demo["tangier"].mac
    assert broken.is_admin("itadmin")
    holders = [account.name for account in broken.accounts.values() if account.has_authority_token]
    assert holders and not any(broken.is_admin(name) for name in holders)
    assert len(scenario.load(SCENARIOS / "fleet-200.yml")) == 200


def test_what_management_and_filevault_know() -> None:
    made = mac(
        MINIMAL
        + "filevault: {state: 'on', prk: true, deferral_path: /x.plist}\nlocked: true\nreboot_seconds: 0.5\n"
        + "mdm: {enrolled: user, escrow_profile: true, managed_admin: a, bootstrap: {escrowed: true, stale: true}}\n"
    )
    assert (made.locked, made.reboot_seconds, made.filevault.deferral.path) == (True, 0.5, "/x.plist")
    assert made.mdm.supervised and made.mdm.bootstrap_stale and made.mdm.managed_admin == "a"
    assert made.mdm.prk_escrowed_at is not None and "/var/db/FileVaultPRK.dat" in made.files
    made = mac(MINIMAL + "filevault: {prk: true}\nmdm: {escrow_profile: true, prk_escrowed: false}\n")
    assert made.mdm.prk_escrowed_at is None and made.files == {}
    assert mac(MINIMAL + "filevault: {deferred_user: ''}\n").filevault.deferred_user == ""


def test_a_mac_waits_to_be_unlocked_only_with_filevault() -> None:
    with pytest.raises(scenario.ScenarioError, match=r"locked: True .allowed: true only where FileVault is on"):
        mac(MINIMAL + "locked: true\n")


def test_a_mac_that_logs_somebody_in_by_itself_keeps_the_password_for_root() -> None:
    made = mac(MINIMAL + "settings: {autologin: a}\n")
    # "p" and zeros up to twelve bytes, each combined with the key of eleven.
    key = bytes.fromhex("7d895223d2bcddeaa3b91f7d")
    wanted = bytes([key[0] ^ ord("p"), *key[1:]])
    assert run(made, "cat", "/etc/kcpassword").out.encode(errors="surrogateescape") == wanted
    assert run(made, "cat", "/etc/kcpassword", root=False).status == 1
    assert run(mac(MINIMAL), "cat", "/etc/kcpassword").out == ""


def test_a_virtual_mac_says_so() -> None:
    for text, said in (("model: 'VirtualMac2,1'\n", "1\n"), ("", "0\n")):
        assert run(mac(MINIMAL + text), "sysctl", "-n", "kern.hv_vmm_present").out == said


@pytest.mark.parametrize(
    ("more", "right"),
    [("password: p", True), ("password: p, token: true", False), ("kind: local", False)],
)
def test_only_a_password_without_a_token_can_have_come_as_a_hash(more: str, right: bool) -> None:
    text = f'macos: "15.6"\naccounts: [{{name: a, prehashed: true, {more}}}]'
    if right:
        assert mac(text).accounts["a"].attributes == {directory.PREHASHED: ["1"]}
        return
    with pytest.raises(scenario.ScenarioError, match="prehashed"):
        mac(text)
