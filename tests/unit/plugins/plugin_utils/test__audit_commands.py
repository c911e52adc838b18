# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that an audit suggests names whom it needs, is safe to paste, and is not there if it could not help."""

from __future__ import annotations

import json
import shlex
import typing as t
from dataclasses import replace

import pytest
from readings import ANA, BO, ITADMIN, MAC, PHANTOM, WAITING, reading

from ansible_collections.keyholder.macos.plugins.module_utils._account import NOWHERE
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit import commands
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import load_policy

LENT = "-e grant_user=itadmin -e grant_admin_user=ana -e grant_allow_temporary_promotion=true -e @secrets.yml"
DEPUTY = replace(ITADMIN, name="deputy", guid="E" * 36, uid=505)
WAITING_DEPUTY = replace(WAITING, name="deputy", guid="E" * 36, uid=505)
OFF = FileVault("off", personal_key=False, institutional_key=False)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: commands.to_grant(reading(), "bo"), "-e grant_user=bo -e grant_admin_user=itadmin -e @secrets.yml"),
        (lambda: commands.to_grant(reading(accounts=(WAITING, ANA))), LENT),
        (
            lambda: commands.to_grant(reading(accounts=(WAITING, BO), filevault=OFF)),
            "-e grant_user=itadmin -e grant_first_token=true -e @secrets.yml",
        ),
        # FileVault is on, and nobody holds a token: no grant helps. Nor where nobody could give or get one.
        (lambda: commands.to_grant(reading(accounts=(WAITING, BO))), ""),
        (lambda: commands.to_grant(reading(accounts=(ANA, BO))), ""),
        (lambda: commands.to_grant(reading(accounts=(WAITING, replace(ANA, disabled=True)))), ""),
        (lambda: commands.to_grant(reading(accounts=(replace(WAITING, disabled=True), ANA))), ""),
        (
            lambda: commands.to_repair(reading(), "rui"),
            "-e repair_user=rui -e repair_admin_user=itadmin -e repair_apply=true -e @secrets.yml",
        ),
        (lambda: commands.to_repair(reading(), "itadmin"), ""),
        # Who is granted a token owns the volume: an administrator without one, or one of two who have it.
        (lambda: commands.to_own(reading(accounts=(ITADMIN, ANA))), ""),
        (
            lambda: commands.to_own(reading(accounts=(ITADMIN, WAITING_DEPUTY))),
            "keyholder.macos.grant -e grant_user=deputy -e grant_admin_user=itadmin -e @secrets.yml",
        ),
        (
            lambda: commands.to_own(reading(accounts=(ITADMIN, DEPUTY))),
            "keyholder.macos.repair -e repair_user=itadmin -e repair_admin_user=deputy -e repair_apply=true"
            " -e @secrets.yml",
        ),
        (
            lambda: commands.to_rotate({"name": "it admin"}),
            """-e '{"managed_admin_name": "it admin"}' -e managed_admin_rotate=true -e @secrets.yml""",
        ),
        (lambda: commands.to_rotate({"name": "{{ x }}"}), ""),
        (lambda: commands.to_remove_orphans(reading()), ""),
        (lambda: commands.to_remove_orphans(reading(apple_silicon=False, model="MacBookPro15,1")), ""),
        (
            lambda: commands.to_remove_orphans(reading(apple_silicon=False, model="iMac19,1")),
            "-e repair_apply=true -e repair_orphans=true",
        ),
        (lambda: commands.to_finish(reading(pending=frozenset(["preboot"]))), "-e repair_apply=true"),
        (lambda: commands.to_finish(reading(pending=frozenset(["creating ana"]))), ""),
        (
            lambda: commands.to_escrow(reading()),
            "-e escrow_bootstrap_token_admin_user=itadmin -e @secrets.yml",
        ),
        (lambda: commands.to_escrow(reading(accounts=(ANA,))), ""),
        (lambda: commands.to_encrypt(reading()), "-e filevault_user=itadmin -e @secrets.yml"),
        (
            lambda: commands.to_encrypt(reading(accounts=(ANA,)), rotate=True),
            "-e filevault_user=ana -e filevault_rotate=true -e @secrets.yml",
        ),
        (lambda: commands.to_encrypt(reading(accounts=(BO,))), ""),
        (lambda: commands.to_onboard(reading()), "-e onboard_user_admin_user=itadmin -e @secrets.yml"),
        (lambda: commands.to_onboard(reading(accounts=(ANA,))), ""),
    ],
)
def test_what_a_playbook_needs(made: t.Callable[[], str], expected: str) -> None:
    assert made() == expected


@pytest.mark.parametrize(
    "name", ["ana b", "o'neil", "zoë", "a;touch x", "$(id)", "a`id`", 'a"b', "--become-user=x", "@x"]
)
def test_a_name_from_a_mac_reaches_the_playbook_as_it_is_and_the_shell_not_at_all(name: str) -> None:
    made = commands.to_grant(reading(accounts=(ITADMIN, replace(BO, name=name))), name)
    words = shlex.split(made)
    given = dict(zip(words[::2], words[1::2]))
    assert set(words[::2]) == {"-e"} and given
    first = words[1]
    variables = json.loads(first) if first.startswith("{") else {words[1].split("=", 1)[0]: words[1].split("=", 1)[1]}
    assert variables["grant_user"] == name


@pytest.mark.parametrize("name", ["{{ lookup('pipe', 'id') }}", "a{% set x %}", "a{#"])
def test_a_name_that_ansible_would_carry_out_is_in_no_command(name: str) -> None:
    assert commands.to_grant(reading(), name) == ""


def test_a_whole_command_names_the_inventory_and_the_mac() -> None:
    mac = reading(accounts=(ITADMIN, PHANTOM, replace(PHANTOM, name="ghost", uid=505)))
    (finding,) = [one for one in load_policy().evaluate("mac 1", mac, 0.0) if one.rule.id == "no_phantom"]
    runs = [
        f"keyholder.macos.repair -e repair_user={who} -e repair_admin_user=itadmin -e repair_apply=true -e @secrets.yml"
        for who in ("rui", "ghost")
    ]
    assert list(finding.run) == finding.view()["commands"] == runs
    assert commands.command(runs[0], ["mac 1", "b"], "-i inventory.yml") == (
        f"ansible-playbook {runs[0]} -i inventory.yml --limit 'mac 1,b'"
    )
    assert commands.command("own.yml", ["m"]) == "ansible-playbook own.yml --limit m"


def test_who_is_exempt_is_in_no_command() -> None:
    exemption = {"rule": "no_phantom", "macs": ["m"], "accounts": ["rui"], "by": "x", "until": "2999-01-01", "why": "y"}
    mac = reading(accounts=(ITADMIN, PHANTOM, replace(PHANTOM, name="ghost", uid=505)))
    policy = load_policy({"exemptions": [exemption]})
    (finding,) = [one for one in policy.evaluate("m", mac, 0.0) if one.rule.id == "no_phantom"]
    assert [("rui" in one, "ghost" in one) for one in finding.run] == [(False, True)]


def test_a_rule_of_ones_own_has_its_playbook_alone_or_with_its_options() -> None:
    own = {
        "id": "mine",
        "title": "x",
        "severity": "low",
        "fail_when": "true",
        "rationale": "x",
        "remedy": "x",
        "run": "own.yml",
    }
    for more, expected in (
        ({}, ("own.yml",)),
        ({"run_with": "-e version={{ mac.os.version }}"}, ("own.yml -e version=15.6",)),
        ({"run_with": "{{ '' }}"}, ()),
        ({"run_with": "{{ 1 // (mac.accounts | length - mac.accounts | length) }}"}, ()),
    ):
        policy = load_policy({"rules": [{**own, **more}]})
        (finding,) = [one for one in policy.evaluate("m", reading(), 0.0) if one.rule.id == "mine"]
        assert finding.run == expected


def test_nobody_is_asked_to_grant_who_holds_no_token() -> None:
    stranded = reading(accounts=(replace(ITADMIN, sources=NOWHERE), replace(ANA, sources=NOWHERE)))
    assert commands.to_grant(stranded) == ""
    assert commands.to_onboard(stranded) == ""
    assert MAC.accounts
