# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account is never made in vain without saying so: macOS makes it all the same where its granter is refused."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

import fakes
import pytest
from inmemory import LabRunner, PowerCut

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from harness.macs import VERSIONS
from maclab import directory
from maclab.state import Account, Mac

IT, NEW, OTHER, HASH = "itadmin-pw", "nova-pw-12", "another-pw", "dsAttrTypeNative:ShadowHashData"
CREATE = AccountRequest(
    "nova", secure_token="present", admin_user="itadmin", full_name="Nova", given=frozenset({"password"})
)


def _another_password(mac: Mac, who: Account) -> None:
    directory.set_password(mac, who, OTHER, rewrap=True)


def _stale(mac: Mac, who: Account) -> None:
    who.key_password = OTHER


def _disabled(mac: Mac, who: Account) -> None:
    directory.disable(mac, who)


def _standard(mac: Mac, who: Account) -> None:
    for group in mac.groups.values():
        directory.drop_member(group, who) if group.name == "admin" else None


BETWEEN: dict[str, t.Callable[[Mac, Account], None]] = {
    "another password": _another_password,
    "a stale key": _stale,
    "disabled": _disabled,
    "no administrator": _standard,
}


@dataclass
class Meanwhile(LabRunner):
    """Something happens to the granter once the new account is there: the check before that was passed."""

    readable: bool = True
    happens: t.Callable[[Mac, Account], None] | None = None

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        if not self.readable and HASH in command.argv:
            return Ran(command, 1, "", "no\n")
        ran = super().run(command, deadline)
        if "-addUser" in command.argv and self.happens is not None:
            self.happens(self.mac, self.mac.accounts["itadmin"])
        return ran


def mac_of(version: str) -> Mac:
    mac = fakes.mac(version)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", IT, admin=True, token=True)
    fakes.person(mac, "deputy", "deputy-pw", admin=True, token=True)
    return mac


def play(runner: LabRunner, granter: str = IT, check: bool = False) -> Outcome:
    secrets = {"password": Secret(NEW), "admin_password": Secret(granter)}
    return Run(runner, secrets, 5, pause=lambda _: None).run(CREATE, check)


def reason(outcome: Outcome) -> str:
    return outcome.refusal.reason if outcome.refusal is not None else ""


def unharmed(mac: Mac) -> None:
    """The granter is whole again, however it was: somebody has mended it."""
    who = mac.accounts["itadmin"]
    directory.enable(mac, who)
    directory.make_admin(mac, who)
    who.password = who.key_password = IT


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_granter_makes_nothing(version: str, readable: bool) -> None:
    runner = Meanwhile(mac_of(version), readable=readable)
    outcome = play(runner, OTHER)
    assert (reason(outcome), outcome.changed) == ("granter_password_wrong", False)
    assert "nova" not in runner.mac.accounts
    assert runner.writes == []
    assert len(runner.authentications) == (0 if readable else 1)


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("what", BETWEEN)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_made_in_vain_is_told_and_finished_by_the_next_run(version: str, what: str, readable: bool) -> None:
    runner = Meanwhile(mac_of(version), readable=readable, happens=BETWEEN[what])
    outcome = play(runner)
    assert outcome.refusal is not None
    assert outcome.refusal.reason in ("key_refused", "granter_refused", "password_refused", "account_refused")
    assert "has made the account nova, which is left without its Secure Token" in outcome.refusal.msg
    assert outcome.changed
    assert outcome.after["exists"]
    guid = runner.mac.accounts["nova"].generated_uid
    assert "-adminUser" not in "".join(line for line in runner.argv.split("\n") if "-addUser" in line)
    unharmed(runner.mac)
    done = play(Meanwhile(runner.mac, readable=readable))
    assert (reason(done), done.changed, done.after["secure_token"]) == ("", True, "holder")
    assert runner.mac.accounts["nova"].generated_uid == guid
    assert directory.unlock_key(runner.mac, runner.mac.accounts["nova"], NEW)
    again = play(Meanwhile(runner.mac, readable=readable))
    assert (reason(again), again.changed) == ("", False)


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_cut_off_anywhere_the_next_run_finishes_it(version: str, readable: bool) -> None:
    """Also a run whose granter was refused meanwhile."""
    whole = Meanwhile(mac_of(version), readable=readable)
    assert reason(play(whole)) == ""
    for happens in (None, _another_password):
        for cut in range(1, len(whole.writes) + 1):
            runner = Meanwhile(mac_of(version), cut=cut, readable=readable, happens=happens)
            with contextlib.suppress(PowerCut):
                play(runner)
            unharmed(runner.mac)
            done = play(Meanwhile(runner.mac, readable=readable))
            nova = runner.mac.accounts["nova"]
            assert (reason(done), directory.unlock_key(runner.mac, nova, NEW)) == ("", True), cut
            assert not runner.mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending"), cut


def test_of_an_account_that_was_there_before_nothing_is_said() -> None:
    mac = mac_of("15.6")
    fakes.person(mac, "nova", NEW)
    outcome = play(Meanwhile(mac, happens=None), IT)
    assert reason(outcome) == ""
    mac = mac_of("15.6")
    fakes.person(mac, "nova", NEW)
    mac.accounts["itadmin"].key_password = OTHER
    refusal = play(Meanwhile(mac)).refusal
    assert refusal is not None
    assert "has made the account" not in refusal.msg
