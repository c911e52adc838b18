# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password from the old one to a new one, over SSH, and one that a store on the controller keeps.

Every macOS, every cut and what else may stand in the way are in tests/property/test_rotation_on_lab.py; a connection
that is cut in between is in test_not_run.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import expect
from harness.ansible import Ansible
from harness.batch import Played, Step, play
from harness.macs import PASSWORDS, mac, name, secret
from harness.recipients import Safe
from maclab.lab import Lab
from maclab.state import Account, Mac

# The account changes its own password, and dscl asks root for the old one; tests/property tries every macOS and cut.
HOSTS = [name(version) for version in ("10.13.6", "26.1")]
NO_STORE = "no-store-13.6.9"

NEW = secret("new")
CHANGE = Step("change", "account_password", {"name": "stan", "password": NEW, "old_password": PASSWORDS["stan"]})
SAFE = Safe.new()


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
    return dict(json.loads(SAFE.opened((kept / "store" / f"{host}.deputy.age").read_text())))


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    on = {"state": "on", "prk": True}
    hosts = [*HOSTS, NO_STORE]
    return bring_up({host: mac(host.rpartition("-")[2], "itadmin", "deputy", "stan", filevault=on) for host in hosts})


@pytest.fixture(scope="module")
def at_first(lab: Lab) -> dict[str, Mac]:
    return {host: lab.mac(host).state() for host in lab.names}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, kept: Path, at_first: dict[str, Mac]) -> Played:
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
    steps[NO_STORE] = [
        manage(kept, "says no", store=by_command(kept / "nowhere", "exit 1"), **first),
        manage(kept, "keeps nothing", store=by_command(kept / "nowhere", "cat > /dev/null"), **first),
        manage(kept, "no folder", **first).but("no folder", store=_below_a_file(kept)),
        manage(kept, "knows nothing"),
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


def test_what_is_missing_is_named_as_this_modules_option(played: Played) -> None:
    answer = played[NO_STORE, "knows nothing"]
    assert answer.reason == "option_missing", answer
    assert "neither the store nor current_password" in answer.result["msg"]
    assert "old_password" not in answer.result["msg"]
    assert answer.touched_nothing, answer


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
