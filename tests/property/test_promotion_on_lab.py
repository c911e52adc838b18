# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights that are lent for a grant, on modelled Macs: cut anywhere, refused anywhere, and nobody keeps them."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted, snapshot
from test_core_on_lab import MACS

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import UnlockerRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, launchd
from maclab.state import Fault, Mac

WANTED = TokenRequest("itadmin", admin_user="salma", allow_temporary_promotion=True)
NEW = AccountRequest(
    "nova",
    admin=True,
    secure_token="present",
    admin_user="salma",
    allow_temporary_promotion=True,
    given=frozenset({"password"}),
)
RIGHT = {"password": "it-pw-1", "admin_password": "salma-pw-2"}
LATER: dict[str, t.Any] = {
    "the same again": WANTED,
    "an account that is as it should be": AccountRequest("bob"),
    "a refusal": TokenRequest("bob", admin_user="nobody"),
    "something else": AccountRequest("bob", hidden=True),
    "FileVault": UnlockerRequest("bob", state="absent"),
}


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    root = fakes.person(mac, "root", None, uid=0)
    root.service = True
    fakes.person(mac, "salma", RIGHT["admin_password"], full_name="Salma Idrissi", token=True)
    fakes.person(mac, "itadmin", RIGHT["password"], admin=True)
    fakes.person(mac, "bob", "bob-pw-3")
    return mac


def flow(runner: LabRunner, request: t.Any, passwords: dict[str, str] | None = None, check: bool = False) -> Outcome:
    given_ = RIGHT if passwords is None else passwords
    return counted(Run(runner, {option: Secret(value) for option, value in given_.items()}, 5).run(request, check))


def nothing_is_left(mac: Mac) -> bool:
    notes = mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")
    return not mac.is_admin("salma") and not notes and not mac.jobs and not mac.files


@pytest.mark.parametrize(("version", "hardware"), MACS)
@pytest.mark.parametrize("request_", [WANTED, NEW])
def test_the_holder_grants_and_is_what_it_was(version: str, hardware: str, request_: t.Any) -> None:
    mac = cast(version, hardware)
    checked = flow(LabRunner(mac), request_, check=True)
    assert mac == snapshot(mac)
    outcome = flow(LabRunner(mac), request_)
    assert (outcome.refusal, outcome.changed) == (None, True)
    assert outcome.plan == checked.plan
    assert admin_holders(mac) == {getattr(request_, "name", "itadmin")}
    assert mac.accounts["salma"].has_authority_token
    assert nothing_is_left(mac)
    again = LabRunner(mac)
    assert flow(again, request_, {}).plan == []
    assert (again.writes, again.authentications) == ([], [])


def cuts(request: t.Any) -> list[Mac]:
    """The Mac as each write of the run leaves it."""
    whole = LabRunner(cast())
    flow(whole, request)
    broken = []
    for cut in range(1, len(whole.writes) + 1):
        mac = cast()
        with pytest.raises(PowerCut):
            flow(LabRunner(mac, cut=cut), request)
        broken.append(mac)
    return broken


@pytest.mark.parametrize("request_", [WANTED, NEW])
@pytest.mark.parametrize("later", LATER)
def test_cut_anywhere_the_next_run_takes_the_rights_back(request_: t.Any, later: str) -> None:
    lent = 0
    for mac in cuts(request_):
        if mac.is_admin("salma"):
            lent += 1
            assert read_mac(LabRunner(mac), 5).promoted == ("salma",)
            assert list(mac.jobs) == ["keyholder.macos.demote"]
        outcome = flow(LabRunner(mac), LATER[later])
        if later == "a refusal" or (later, request_) == ("the same again", NEW):
            # Once nova is an administrator with a token, nobody has to be promoted any more.
            assert outcome.refusal is None or outcome.refusal.reason in ("granter_unknown", "granter_not_admin")
        else:
            assert outcome.refusal is None
        assert not mac.is_admin("salma")
        assert not mac.jobs
        assert not mac.files
        assert read_mac(LabRunner(mac), 5).promoted == ()
    assert lent > 1


@pytest.mark.parametrize("request_", [WANTED, NEW])
def test_cut_anywhere_the_same_run_gets_there(request_: t.Any) -> None:
    for mac in cuts(request_):
        assert flow(LabRunner(mac), request_).refusal is None
        assert admin_holders(mac) == {getattr(request_, "name", "itadmin")}
        assert nothing_is_left(mac)
        assert flow(LabRunner(mac), request_).plan == []


def test_a_run_that_heals_says_so_also_where_it_is_refused_and_check_mode_only_foresees_it() -> None:
    mac = next(mac for mac in cuts(WANTED) if mac.is_admin("salma"))
    before = snapshot(mac)
    foreseen = flow(LabRunner(mac), LATER["a refusal"], check=True)
    assert mac == before
    assert "take administrator rights from salma" in foreseen.plan
    done = flow(LabRunner(mac), LATER["a refusal"])
    assert done.refusal is not None
    assert done.changed
    assert foreseen.changed
    assert any("salma" in note for note in done.notes)


@pytest.mark.parametrize("fault", [Fault("token_does_not_stick", {"user": "itadmin"}), None])
def test_a_grant_that_fails_leaves_no_administrator(fault: Fault | None) -> None:
    mac = cast()
    if fault is None:
        mac.accounts["salma"].key_password = "the one before"
    else:
        mac.faults.append(fault)
    outcome = flow(LabRunner(mac), WANTED)
    assert outcome.refusal is not None
    assert outcome.refusal.reason == ("not_proven" if fault else "key_refused")
    assert not outcome.changed
    assert nothing_is_left(mac)


def test_a_mac_that_loads_no_job_promotes_nobody() -> None:
    mac = cast()
    # A job of that path is loaded already, so launchd refuses another one, and nothing may build on it.
    mac.jobs["another"] = launchd.Job("/Library/LaunchDaemons/keyholder.macos.demote.plist", ["/bin/sh"], 5)
    runner = LabRunner(mac)
    outcome = flow(runner, WANTED)
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "command_failed"
    assert "group admin changed" not in runner.writes
    assert not mac.is_admin("salma")


def cut_in_the_middle(mac: Mac) -> None:
    """A run that promoted salma and never came back."""
    for cut in range(1, 20):
        trial = snapshot(mac)
        with contextlib.suppress(PowerCut):
            flow(LabRunner(trial, cut=cut), WANTED)
        if trial.is_admin("salma"):
            with contextlib.suppress(PowerCut):
                flow(LabRunner(mac, cut=cut), WANTED)
            return


@dataclass
class Meanwhile(LabRunner):
    """While this run creates an account, ``other`` happens to the Mac."""

    other: t.Callable[[Mac], None] | None = None

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        if self.other is not None and "-addUser" in command.argv:
            other, self.other = self.other, None
            other(self.mac)
        return super().run(command, deadline)


def test_a_run_at_the_same_time_takes_no_note_but_its_own() -> None:
    mac = cast()
    runner = Meanwhile(mac, other=cut_in_the_middle)
    assert flow(runner, AccountRequest("nova", given=frozenset({"password"}))).refusal is None
    assert read_mac(LabRunner(mac), 5).pending == {"promoted salma"}
    assert flow(LabRunner(mac), AccountRequest("bob")).changed
    assert nothing_is_left(mac)


@dataclass
class NoGroups(LabRunner):
    """The directory answers for people and not for groups."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        ran = super().run(command, deadline)
        if command.argv[:3] != ("dscl", "-q", "-plist"):
            return ran
        return replace(ran, out=ran.out[: ran.out.find("</plist>") + len("</plist>")] + "\n")


def test_without_the_groups_the_note_and_the_job_stay() -> None:
    mac = cast()
    cut_in_the_middle(mac)
    before = snapshot(mac)
    outcome = flow(NoGroups(mac), WANTED)
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "reading_incomplete"
    assert mac == before
    flow(LabRunner(mac), WANTED)
    assert nothing_is_left(mac)


def test_a_job_that_was_left_over_does_not_stand_in_the_way() -> None:
    mac = cast()
    cut_in_the_middle(mac)
    mac.accounts["root"].attributes.clear()
    directory.drop_member(mac.groups["admin"], mac.accounts["salma"])
    assert mac.jobs
    assert flow(LabRunner(mac), WANTED).refusal is None
    assert nothing_is_left(mac)


@given(st.lists(st.sampled_from([*LATER, "promotion", "new"]), min_size=2, max_size=5), st.data())
def test_whatever_runs_are_cut_no_right_survives_a_run_that_ends(names: list[str], data: st.DataObject) -> None:
    mac = cast()
    for name in names:
        request = {"promotion": WANTED, "new": NEW, **LATER}[name]
        cut = data.draw(st.none() | st.integers(1, 12))
        try:
            flow(LabRunner(mac, cut=cut), request)
        except PowerCut:
            assert not mac.is_admin("salma") or read_mac(LabRunner(mac), 5).promoted == ("salma",)
        else:
            assert not mac.is_admin("salma")
            assert not mac.jobs
