# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac in memory is unlocked, or is not: in every state that it can be in, against an oracle that knows the state."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.plugin_utils import _restart, _unlock
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Entered, Look, Tried
from ansible_collections.keyholder.macos.plugins.plugin_utils._unlock import Ended, Unlock

DENIED = "itadmin@mac: Permission denied (publickey,password,keyboard-interactive)."
KEY_ONLY = "itadmin@mac: Permission denied (publickey)."
BANNER = "This system is locked. To unlock it, use a local account name and password.\n"
SILENT = "ssh: connect to host mac port 22: Operation timed out"
RESET = "kex_exchange_identification: read: Connection reset by peer"
UNKNOWN = "No ED25519 host key is known for mac and you have requested strict checking.\nHost key verification failed."
CHANGED = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed."
ODD = "sysctl: unknown oid 'kern.boottime'"
BOOTED = 1_700_000_000.0

STANDS = ("up", "waits", "off", "resets", "unknown key", "changed key", "no mac")
ANSWERS = ("right", "wrong", "locked out", "unknown", "mute, right", "mute, wrong", "cut before")


@dataclass
class World:
    """One Mac. ``stands``: how; ``greets``: whether it tells the first visitor what it waits for; ``key``: whether it
    takes Ansible's; ``passwords``: whether its sshd takes them once it is up; ``answer``: what it makes of the one that
    is sent; ``listens``: seconds until it answers; ``boots``: those until it is up once it is unlocked."""

    stands: str = "waits"
    greets: bool = False
    key: bool = True
    passwords: bool = True
    answer: str = "right"
    listens: float = 0.0
    boots: float = 10.0
    now: float = 0.0
    unlocked_at: float | None = None
    passwords_sent: int = 0
    events: list[str] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        if self.unlocked_at is not None:
            return self.now >= self.unlocked_at + self.boots
        return self.stands == "up"

    def by_key(self) -> Look:
        self.events.append("look")
        self.now += 0.5
        said = {"off": SILENT, "resets": RESET, "unknown key": UNKNOWN, "changed key": CHANGED}.get(self.stands)
        if self.now < self.listens or (self.unlocked_at is not None and not self.is_up):
            return Look(None, SILENT)
        if said is not None:
            return Look(None, said)
        if self.stands == "no mac":
            return Entered(None, ODD)
        if self.is_up:
            return Look(BOOTED, "") if self.key else Look(None, DENIED if self.passwords else KEY_ONLY)
        greets, self.greets = self.greets, False
        return Look(None, (BANNER if greets else "") + DENIED)

    def by_password(self) -> Tried:
        """What a password comes to that is sent to this Mac, by the method that asks for it."""
        self.now += 1
        if self.answer == "cut before":
            self.stands = "off"
            return Tried(None, SILENT, "no_answer", False)
        self.passwords_sent += 1
        self.events.append("password")
        if self.is_up:
            right = self.answer in ("right", "mute, right")
            return Tried(BOOTED, "", "no_answer", True) if right else Tried(None, DENIED, "refused", True)
        if self.answer in ("right", "mute, right"):
            self.unlocked_at = self.now
        said = {"right": "unlocked", "wrong": "refused", "locked out": "locked_out", "unknown": "unknown_user"}
        outcome: Any = said.get(self.answer, "no_answer")
        return Tried(None, "what ssh said", outcome, True)


class Lookout:
    """Stands in for the one that connects."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.logins: int | None = None

    def forget(self) -> None:
        self._world.events.append("forget")

    def by_key(self) -> Look:
        return self._world.by_key()

    def look(self) -> Look:
        return self._world.by_key()

    def shares(self, login: object) -> bool:
        return False


class Login:
    def __init__(self, world: World) -> None:
        self._world = world

    def attempt(self) -> Tried:
        return self._world.by_password()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[World]]:
    """Time passes for the Mac in memory alone."""
    worlds: list[World] = []

    class Time:
        @staticmethod
        def monotonic() -> float:
            return worlds[-1].now

        @staticmethod
        def sleep(seconds: float) -> None:
            worlds[-1].now += seconds

    for module in (_unlock, _restart):
        monkeypatch.setattr(module, "time", Time)
    yield worlds


def unlock(world: World, clock: list[World], check: bool = False, wait: float = 0, **given: Any) -> Ended:
    clock.append(world)
    version = given.get("version")
    worker: Any = Unlock(Lookout(world), Login(world), "itadmin", version)  # type: ignore[arg-type]
    ended: Ended = worker.run(check, wait, given.get("reboot_timeout", 120))
    return ended


def expected(world: World, version: Version | None) -> tuple[str, str, int]:
    """What has to come of it, its reason and how many passwords are sent: by the truth about the Mac."""
    fixed = {
        "off": ("no_answer", "unlock_no_answer"),
        "resets": ("broken", "preboot_ssh_broken"),
        "unknown key": ("not_tried", "host_key_unknown"),
        "changed key": ("not_tried", "host_key_changed"),
        "no mac": ("not_tried", "not_a_mac"),
    }
    if world.stands in fixed:
        return (*fixed[world.stands], 0)
    old = version is not None and version < Version(26)
    if world.stands == "up" and world.key:
        return "already", "", 0
    greets = world.stands == "waits" and world.greets
    if (old and not greets) or (world.stands == "up" and not world.passwords):
        return "not_tried", "login_refused", 0
    if world.answer == "cut before":
        return "no_answer", "unlock_no_answer", 0
    if world.stands == "up":
        return ("already", "", 1) if world.answer in ("right", "mute, right") else ("refused", "unlock_refused", 1)
    if world.answer in ("right", "mute, right"):
        if world.key:
            return "unlocked", "", 1
        return ("unlocked", "not_back", 1) if world.answer == "right" else ("no_answer", "waits_for_unlock", 1)
    return {
        "wrong": ("refused", "unlock_refused", 1),
        "locked out": ("locked_out", "unlock_locked_out", 1),
        "unknown": ("unknown_user", "unlock_unknown_user", 1),
        "mute, wrong": ("no_answer", "waits_for_unlock", 1),
    }[world.answer]


WORLDS = [
    World(stands, greets, key, passwords, answer)
    for stands, greets, key, passwords, answer in itertools.product(
        STANDS, (False, True), (False, True), (False, True), ANSWERS
    )
]
VERSIONS = (None, Version(15, 6), Version(26, 1))


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_every_mac_ends_as_its_state_demands(clock: list[World], version: Version | None) -> None:
    for described in WORLDS:
        world = replace(described, events=[])
        ended = unlock(world, clock, version=version)
        reason = "" if ended.refusal is None else ended.refusal.reason
        told = (described, ended)
        assert (ended.outcome, reason, world.passwords_sent) == expected(described, version), told
        assert ended.sent is (world.passwords_sent == 1), told
        assert ended.up is (ended.refusal is None), told
        # What was unlocked is said to be changed; what may have been too.
        assert ended.changed or world.unlocked_at is None, told
        assert not (world.unlocked_at is not None and ended.outcome in ("already", "refused")), told


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_check_mode_sends_nothing_and_foresees_each_refusal(clock: list[World], version: Version | None) -> None:
    for described in WORLDS:
        world = replace(described, events=[])
        foreseen = unlock(world, clock, check=True, version=version)
        assert world.passwords_sent == 0 and not foreseen.sent, described
        outcome, reason, sent = expected(described, version)
        if sent or described.answer == "cut before":
            continue
        told = "" if foreseen.refusal is None else foreseen.refusal.reason
        assert (foreseen.outcome, told) == (outcome, reason), (described, foreseen)
        assert not foreseen.changed


def test_a_look_without_a_password_comes_before_each_password(clock: list[World]) -> None:
    for described in WORLDS:
        world = replace(described, events=[])
        unlock(world, clock)
        assert world.events[:2] == ["forget", "look"], described
        assert world.events.count("password") <= 1


@pytest.mark.parametrize(("wait", "outcome"), [(0, "no_answer"), (20, "no_answer"), (60, "unlocked")])
def test_a_mac_that_still_starts_is_waited_for(clock: list[World], wait: float, outcome: str) -> None:
    world = World(listens=45)
    assert unlock(world, clock, wait=wait).outcome == outcome
    assert world.passwords_sent == (outcome == "unlocked")


def test_the_time_until_macos_is_up_is_limited_and_told(clock: list[World]) -> None:
    ended = unlock(World(boots=40), clock, reboot_timeout=120)
    assert ended.refusal is None and ended.elapsed is not None and 40 <= ended.elapsed < 45
    ended = unlock(World(boots=400), clock, reboot_timeout=120)
    assert ended.refusal is not None and ended.refusal.reason == "not_back"
    assert ended.changed and ended.elapsed is None


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (None, "a macOS before 26"),
        (Version(15, 6), "as macOS 15.6 does not at FileVault's unlock screen"),
        (Version(26, 1), "where macOS 26.1 answers if it can"),
    ],
)
def test_silence_is_told_by_what_is_known_of_the_mac(clock: list[World], version: Version | None, words: str) -> None:
    refusal = unlock(World("off"), clock, version=version).refusal
    assert refusal is not None and words in str(refusal)
    assert "unlock it at its screen as a holder" in refusal.remedy


def test_a_mac_that_may_be_up_is_told_of(clock: list[World]) -> None:
    assert unlock(World(), clock, check=True).notes == (_unlock.MAY_BE_UP,)
    assert unlock(World(greets=True), clock, check=True).notes == ()
    assert unlock(World("up", key=False), clock).notes == (_unlock.BY_PASSWORD,)


@pytest.mark.parametrize(("greets", "stands"), [(True, "waits"), (False, "waits"), (False, "up")])
def test_a_refusal_names_the_unlock_screen_only_where_the_mac_waits_for_certain(
    clock: list[World], greets: bool, stands: str
) -> None:
    ended = unlock(World(stands, greets, key=False, answer="wrong"), clock)
    assert ended.refusal is not None
    assert "the password of itadmin" in str(ended.refusal)
    assert ("or after it has started" in str(ended.refusal)) is not greets
