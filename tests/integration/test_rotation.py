# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password from the old one to a new one, over SSH, and one that a store on the controller keeps, cut off in between.

Every macOS, every cut and what else may stand in the way are in tests/property/test_rotation_on_lab.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import expect
from harness.ansible import Ansible
from harness.batch import Answer, Played, Step, play
from harness.macs import PASSWORDS, mac, name, secret
from harness.recipients import Safe
from harness.wait import processes, until
from maclab.lab import Lab
from maclab.state import Account, Mac

# The account changes its own password, and dscl asks root for the old one; tests/property tries every macOS and cut.
HOSTS = [name(version) for version in ("10.13.6", "26.1")]
CUT = {
    "after-pending-13": ("13.6.9", {"fault": "kill", "step": 1, "before": True}),
    "after-change-26": ("26.1", {"fault": "kill", "step": 1}),
}
# The controller is cut off: the Mac has done everything, and the store never heard of it.
BEFORE_PROMOTION = "before-promotion-13"
CHANGED = ("after-change-26", BEFORE_PROMOTION)
HEALED = (*CUT, BEFORE_PROMOTION)
NO_STORE = "no-store-13"

NEW = secret("new")
CHANGE = Step("change", "account_password", {"name": "stan", "password": NEW, "old_password": PASSWORDS["stan"]})
SAFE = Safe.new()
# What has nothing pending is not taken.
NEVER_PROMOTES = 'content=$(cat); case $content in *\'"pending": ""\'*) exit 9;; esac; printf "%s" "$content" > "$1"'


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "identity").write_text(str(SAFE.identity))
    (folder / "file").write_text("no folder")
    return folder


def manage(kept: Path, title: str = "manage", **changes: Any) -> Step:
    store = {"kind": "age", "recipients": [SAFE.recipient], "identity": str(kept / "identity")}
    store |= {"directory": str(kept / "store")}
    return Step(title, "managed_password", {"name": "deputy", "store": store}).but(title, **changes)


def by_command(file: Path, script: str) -> dict[str, Any]:
    """``script`` gets the object on stdin, and the file as its first argument."""
    read = ["sh", "-c", 'test ! -e "$1" || cat "$1"', "-", str(file)]
    return {"kind": "command", "read": read, "write": ["sh", "-c", script, "-", str(file)]}


def stored(kept: Path, host: str) -> dict[str, str]:
    if host == BEFORE_PROMOTION:
        return dict(json.loads((kept / "plain").read_text()))
    return dict(json.loads(SAFE.opened((kept / "store" / f"{host}.deputy.age").read_text())))


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    def described(version: str, *faults: dict[str, Any]) -> dict[str, Any]:
        people = ("itadmin", "deputy", "stan")
        return mac(version, *people, filevault={"state": "on", "prk": True}, faults=list(faults))

    macs = {host: described(host.partition("-")[2]) for host in HOSTS}
    macs |= {host: described(version, fault) for host, (version, fault) in CUT.items()}
    return bring_up(macs | {BEFORE_PROMOTION: described("13.6.9"), NO_STORE: described("13.6.9")})


@pytest.fixture(scope="module")
def at_first(lab: Lab) -> dict[str, Mac]:
    return {host: lab.mac(host).state() for host in lab.names}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, kept: Path, at_first: dict[str, Mac]) -> Played:
    """The runs, and those that are cut off."""
    assert at_first
    first = {"current_password": PASSWORDS["deputy"]}
    steps = {
        host: [
            CHANGE.but("change: check", check=True),
            CHANGE,
            CHANGE.but("change: again", old_password=None),
            manage(kept, "manage: check", **first).but("manage: check", check=True),
            manage(kept, **first),
            manage(kept, "manage: again"),
            manage(kept, "rotate", rotate=True),
        ]
        for host in HOSTS
    }
    steps |= {host: [manage(kept, **first)] for host in CUT}
    never = by_command(kept / "plain", NEVER_PROMOTES)
    steps[BEFORE_PROMOTION] = [manage(kept, store=never, **first)]
    steps[NO_STORE] = [
        manage(kept, "says no", store=by_command(kept / "nowhere", "exit 1"), **first),
        manage(kept, "keeps nothing", store=by_command(kept / "nowhere", "cat > /dev/null"), **first),
        manage(kept, "no folder", **first).but("no folder", store=_below_a_file(kept)),
    ]
    return play(ansible, lab, steps)


def _below_a_file(kept: Path) -> dict[str, Any]:
    store: dict[str, Any] = dict(manage(kept).options["store"])
    return store | {"directory": str(kept / "file" / "store")}


def the_password(account: Account) -> str:
    """Its own and its key's: one is no password without the other."""
    assert account.password == account.key_password
    assert account.has_authority_token
    return account.password or ""


# -- account_password -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_a_change_is_foreseen_made_once_and_found_made(played: Played, lab: Lab, host: str) -> None:
    check, run, again = (played[host, title] for title in ("change: check", "change", "change: again"))
    expect.predicted(check, run)
    expect.done(run)
    expect.found_done(again)
    assert run.after["secure_token"] == "holder"
    assert set(run.authentications) == {("stan", True)}
    assert the_password(lab.mac(host).state().accounts["stan"]) == NEW


# -- managed_password -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_a_managed_password_is_foreseen_set_and_left_alone(played: Played, lab: Lab, kept: Path, host: str) -> None:
    check, run, again, rotated = (
        played[host, title] for title in ("manage: check", "manage", "manage: again", "rotate")
    )
    for answer in (check, run, rotated):
        assert answer.ok, answer
        assert (answer.changed, answer.result["rotated"], answer.result["healed"]) == (True, True, False)
    assert check.touched_nothing, check
    assert check.result["plan"] == run.result["plan"]
    assert again.ok, again
    assert (again.changed, again.result["rotated"], again.touched_nothing) == (False, False, True)
    assert all(right for _, right in run.authentications + rotated.authentications)
    content = stored(kept, host)
    assert content["pending"] == ""
    assert the_password(lab.mac(host).state().accounts["deputy"]) == content["current"] != PASSWORDS["deputy"]


@pytest.mark.parametrize("title", ["says no", "keeps nothing", "no folder"])
def test_a_store_that_fails_is_known_before_the_mac_is_touched(
    played: Played, lab: Lab, at_first: dict[str, Mac], title: str
) -> None:
    answer = played[NO_STORE, title]
    assert answer.reason == "store_failed", answer
    assert not answer.changed
    assert (answer.writes, answer.authentications) == ([], []), answer
    # It has read the Mac's policy for the password, but for a store that could not even be held.
    assert bool(answer.programs) == (title != "no folder"), answer
    assert lab.mac(NO_STORE).state().accounts == at_first[NO_STORE].accounts


# -- cuts -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left(played: Played, lab: Lab, kept: Path) -> dict[str, tuple[Mac, dict[str, str]]]:
    """Each Mac, and its store, as the cut left them."""
    assert played
    until(lambda: not processes(*map(lab.mac, HEALED)), "nothing runs on the Macs any more")
    return {host: (lab.mac(host).state(), stored(kept, host)) for host in HEALED}


@pytest.fixture(scope="module")
def healed(ansible: Ansible, lab: Lab, kept: Path, left: dict[str, Any]) -> Played:
    assert left
    works = by_command(kept / "plain", 'cat > "$1"')

    def step(host: str, title: str) -> Step:
        return manage(kept, title, **({"store": works} if host == BEFORE_PROMOTION else {}))

    # Nobody asks for a rotation, and nobody knows the first password any more.
    return play(ansible, lab, {host: [step(host, "heal"), step(host, "again")] for host in HEALED})


@pytest.mark.parametrize("host", HEALED)
def test_the_cut_came_between_two_steps(played: Played, left: dict[str, tuple[Mac, dict[str, str]]], host: str) -> None:
    state, content = left[host]
    cut = played[host, "manage"]
    assert cut.reason == "store_failed" if host == BEFORE_PROMOTION else cut.line.status == "unreachable", cut
    assert content["current"] == PASSWORDS["deputy"]
    assert content["pending"] not in ("", PASSWORDS["deputy"])
    assert the_password(state.accounts["deputy"]) == content["pending" if host in CHANGED else "current"]


def reset(answer: Answer) -> list[str]:
    return [run.program for run in answer.programs if "-resetPasswordFor" in run.argv]


@pytest.mark.parametrize("host", HEALED)
def test_the_next_run_finishes_it_without_a_reset(
    healed: Played, lab: Lab, kept: Path, left: dict[str, tuple[Mac, dict[str, str]]], host: str
) -> None:
    answer, again = healed[host, "heal"], healed[host, "again"]
    assert answer.ok, answer
    assert (answer.changed, answer.result["healed"], answer.result["rotated"]) == (True, True, False)
    assert reset(answer) == []
    assert all(right for _, right in answer.authentications)
    # What the Mac has already is found by its hash.
    assert answer.touched_nothing is (host in CHANGED), answer
    content = stored(kept, host)
    assert (content["current"], content["pending"]) == (left[host][1]["pending"], "")
    assert the_password(lab.mac(host).state().accounts["deputy"]) == content["current"]
    assert again.ok, again
    assert (again.changed, again.result["healed"], again.touched_nothing) == (False, False, True)
