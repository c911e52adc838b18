# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change on every macOS: check mode predicts it, the run makes it, and a second run finds nothing to do.

Every macOS is a Mac in memory. The oldest one, with an old Python, is behind SSH too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness import expect
from harness.ansible import Ansible
from harness.batch import Played, Step, account, play, token
from harness.macs import PASSWORDS, PEOPLE, VERSIONS, mac, name, person, secret
from maclab.lab import Handle, Lab

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
NEW_PASSWORDS = {who: secret(f"{who}-new") for who in ("stan", "nova", "svc")}
UID = 2777


@dataclass(frozen=True)
class Change:
    """What is asked for, and what is asked for afterwards: the same, without what is needed only to change."""

    run: Step
    again: Step

    def steps(self) -> list[Step]:
        check = replace(self.run, title=f"{self.run.title}: check", check=True, diff=True)
        return [check, replace(self.run, diff=True), replace(self.again, title=f"{self.run.title}: again")]


def without_passwords(step: Step) -> Step:
    return step.but(step.title, password=None, admin_user=None, admin_password=None)


GRANT = token("grant", "ana", password=PASSWORDS["ana"], **IT)
REVOKE = token("revoke", "ana", state="absent", password=PASSWORDS["ana"], **IT)
CREATE = account(
    "create",
    "nova",
    full_name="Nova {{ lookup('pipe', 'id') }} O'Neill",
    uid=UID,
    shell="/bin/bash",
    hint="the $usual one",
    admin=True,
    hidden=True,
    secure_token="present",
    password=secret("nova"),
    **IT,
)
MODIFY = account("modify", "nova", full_name="Nova Neu", shell="/bin/zsh", hint="none", admin=False, hidden=False)
RESET = account("password by granter", "stan", password=NEW_PASSWORDS["stan"], update_password="always", **IT)
RENEW = account(
    "password by the old one",
    "nova",
    password=NEW_PASSWORDS["nova"],
    old_password=CREATE.options["password"],
    update_password="always",
)
PREVENT = account(
    "prevent",
    "svc",
    full_name="Service Account",
    admin=True,
    hidden=True,
    secure_token="prevented",
    password=NEW_PASSWORDS["svc"],
)
DELETE = account("delete, keep home", "keeps", state="absent")
PURGE = account("delete, home too", "loses", state="absent", remove="delete_home")
BURN = account("delete, erase home", "burns", state="absent", remove="secure")

# In this order, on each Mac.
CHANGES = [
    Change(GRANT, without_passwords(GRANT)),
    Change(REVOKE, without_passwords(REVOKE)),
    Change(CREATE, without_passwords(CREATE)),
    Change(MODIFY, MODIFY),
    Change(RESET, RESET),
    Change(RENEW, RENEW),
    Change(PREVENT, without_passwords(PREVENT)),
    Change(DELETE, DELETE),
]
MORE = [PURGE, BURN]
FINE = [token("a holder already", "stan"), token("no token already", "ana", state="absent")]
# sysadminctl of 26.3 gives another UID than the one it is asked for.
CONTRARY = "mac-26.3"


SSH = [name(VERSIONS[0])]
HOSTS = [*SSH, *(memory_play.name(version) for version in VERSIONS)]
STEPS = FINE + [step for change in CHANGES for step in change.steps()] + [replace(step, diff=True) for step in MORE]


def described(host: str) -> dict[str, Any]:
    if host == CONTRARY:
        return mac("26.3")
    leavers = (person(leaver, password=secret(leaver), token=True) for leaver in ("keeps", "loses", "burns"))
    return mac(host.rpartition("-")[2], *PEOPLE, *leavers)


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: described(host) for host in SSH})


@pytest.fixture(scope="module")
def in_memory() -> dict[str, MemoryMac]:
    return {host: MemoryMac(host, described(host)) for host in [*HOSTS, CONTRARY] if host not in SSH}


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, in_memory: dict[str, MemoryMac]) -> Played:
    create = Change(CREATE, without_passwords(CREATE)).steps()
    remembered = memory_play.play(in_memory, {host: create if host == CONTRARY else STEPS for host in in_memory})
    return memory_play.both(play(ansible, lab, dict.fromkeys(SSH, STEPS)), remembered)


on_each_mac = pytest.mark.parametrize("host", HOSTS)
each_change = pytest.mark.parametrize("change", [change.run.title for change in CHANGES])
each_run = pytest.mark.parametrize("change", [step.title for step in [*(change.run for change in CHANGES), *MORE]])


@pytest.fixture
def left(lab: Lab, in_memory: dict[str, MemoryMac], played: Played, host: str) -> Handle | MemoryMac:
    """The Mac as the last step left it."""
    assert played.answers
    return lab.mac(host) if host in SSH else in_memory[host]


def authenticates(left: Handle | MemoryMac, who: str, password: str) -> bool:
    if isinstance(left, MemoryMac):
        return left.authenticates(who, password)
    # Without a terminal the prompt reads its standard input.
    return left.ssh(f"dscl . -authonly {who}", input=f"{password}\n").rc == 0


@on_each_mac
@each_change
def test_check_mode_predicts_and_touches_nothing(played: Played, host: str, change: str) -> None:
    expect.predicted(played[host, f"{change}: check"], played[host, change])


@on_each_mac
@each_run
def test_run_changes_and_shows_the_difference(played: Played, host: str, change: str) -> None:
    run = played[host, change]
    expect.done(run)
    assert run.result["diff"] == {"before": run.before, "after": run.after}


@on_each_mac
@each_change
def test_second_run_finds_nothing_to_do(played: Played, host: str, change: str) -> None:
    expect.found_done(played[host, f"{change}: again"], played[host, change])


@on_each_mac
@each_run
def test_each_password_is_used_once_at_most(played: Played, host: str, change: str) -> None:
    run = played[host, change]
    assert all(ok for _who, ok in run.authentications), run
    assert max(Counter(run.authentications).values(), default=0) <= 1, run


@on_each_mac
@pytest.mark.parametrize("step", [step.title for step in FINE])
def test_what_is_fine_is_left_alone_without_any_password(played: Played, host: str, step: str) -> None:
    answer = played[host, step]
    assert answer.ok, answer
    assert not answer.changed
    assert answer.touched_nothing


@on_each_mac
def test_tokens_come_and_go_in_all_three_sources(played: Played, host: str) -> None:
    everywhere = {"authority": True, "crypto_user": True, "filevault_list": True}
    nowhere = dict.fromkeys(everywhere, False)
    assert played[host, "grant"].after["sources"] == everywhere
    assert played[host, "revoke"].after["sources"] == nowhere
    assert played[host, "create"].after["sources"] == everywhere
    assert played[host, "prevent"].after["sources"] == nowhere


@on_each_mac
def test_prevented_is_tagged_where_the_tag_means_something(played: Played, host: str) -> None:
    """Before macOS 11 an account gets no token by itself where somebody holds one, and nothing else is needed."""
    tagged = not host.endswith(("-10.13.6", "-10.15.7"))
    assert played[host, "prevent"].after["first_token_prevented"] is tagged
    assert played[host, "create"].after["first_token_prevented"] is False


@pytest.mark.parametrize("host", [*HOSTS, CONTRARY])
def test_account_is_made_as_asked(played: Played, host: str) -> None:
    asked = {key: CREATE.options[key] for key in ("full_name", "uid", "shell", "hint", "admin", "hidden")}
    after = played[host, "create"].after
    assert {key: after[key] for key in asked} == asked
    assert after["secure_token"] == "holder"


def test_the_contrary_mac_is_contrary(played: Played) -> None:
    """Else the UID of the test above would prove nothing."""
    added = [run for run in played[CONTRARY, "create"].programs if "-addUser" in run.argv]
    written = [run for run in played[CONTRARY, "create"].programs if run.argv[-2:] == ["UniqueID", str(UID)]]
    assert len(added) == len(written) == 1


@on_each_mac
def test_new_passwords_open_the_door_and_the_volume(left: Handle | MemoryMac) -> None:
    for who, password in NEW_PASSWORDS.items():
        assert authenticates(left, who, password)
    people = left.state().accounts
    assert people["stan"].key_password == NEW_PASSWORDS["stan"]
    assert people["nova"].key_password == NEW_PASSWORDS["nova"]
    assert people["svc"].key_password is None


@on_each_mac
def test_old_password_opens_nothing(left: Handle | MemoryMac) -> None:
    """And so the test above can fail."""
    assert not authenticates(left, "stan", PASSWORDS["stan"])


@on_each_mac
def test_deleted_accounts_are_gone_and_only_the_wanted_home_stays(left: Handle | MemoryMac, played: Played) -> None:
    mac = left.state()
    assert not {"keeps", "loses", "burns"} & set(mac.accounts)
    flags = {
        change: next(run.argv[2:] for run in played[left.name, change].programs if "-deleteUser" in run.argv)
        for change in ("delete, keep home", "delete, home too", "delete, erase home")
    }
    assert flags == {"delete, keep home": ["-keepHome"], "delete, home too": [], "delete, erase home": ["-secure"]}


@on_each_mac
def test_preboot_volume_knows_who_may_unlock(left: Handle | MemoryMac) -> None:
    mac = left.state()
    people = {person.generated_uid for person in mac.accounts.values()}
    assert set(mac.preboot) == people & set(mac.crypto_users)
    assert not mac.accounts["root"].attributes.get("dsAttrTypeNative:keyholder_pending")


@on_each_mac
def test_admins_of_the_mac_still_hold_their_tokens(left: Handle | MemoryMac) -> None:
    mac = left.state()
    for who in ("itadmin", "deputy"):
        assert mac.accounts[who].has_authority_token
        assert mac.accounts[who].key_password == PASSWORDS[who]
