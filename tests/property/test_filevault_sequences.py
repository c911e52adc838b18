# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is asked for in whatever order, and wherever it is cut off: a Mac with FileVault on keeps a way in.

A way in is a holder whom FileVault knows, or a recovery key that somebody has: one that a run has returned, or that
macOS has put aside for the device management. A key that came into being and reached nobody is none.
"""

from __future__ import annotations

import copy
import random
import typing as t
from dataclasses import dataclass, field

import fakes
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import (
    CollectRequest,
    FileVaultRequest,
    KeyRequest,
    UnlockerRequest,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import vault
from maclab.state import Mac

MACS = (
    ("10.13.6", "intel"),
    ("10.15.7", "t2"),
    ("11.7.10", "apple-silicon"),
    ("13.6.9", "t2"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
    ("27.0.1", "apple-silicon"),
)
NAMES = ("itadmin", "ana", "bob")
PATH = "/var/db/keyholder-filevault.plist"
NOW = 1_700_000_000.0
# What takes a way in away, or makes another of it, comes more often.
KINDS = (
    "enable disable defer listed unlisted unlisted rotate rotate rotate make remove remove collect grant revoke revoke "
    "delete delete demote password restart"
).split()
EVENTS = ["converted", "login"]


@dataclass(frozen=True)
class Errand:
    """What is asked for, of whom and by whom; ``cut``: whether the power goes before it is through."""

    kind: str
    user: str
    by: str
    delivered: bool
    by_key: bool
    cut: bool


@dataclass
class World:
    """A Mac, the passwords of its people, and the recovery keys that somebody has."""

    mac: Mac
    keys: set[str] = field(default_factory=set)

    def way_in(self) -> bool:
        mac = self.mac
        people = [account for account in mac.accounts.values() if vault.may_unlock(mac, account)]
        return not vault.is_on(mac) or bool(people) or mac.filevault.prk in self.keys

    def note_escrow(self, before: str | None) -> None:
        key = self.mac.filevault.prk
        if key is not None and key != before and self.mac.mdm.escrow_profile:
            self.keys.add(key)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    mac = fakes.mac(*draw(st.sampled_from(MACS)))
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    held_by = draw(st.sampled_from([(), ("itadmin",), ("ana",), ("itadmin", "ana"), ("ana", "bob"), NAMES]))
    for name in NAMES:
        account = fakes.person(mac, name, f"{name}-pw-1", admin=draw(st.booleans()), token=name in held_by)
        if name not in held_by and draw(st.integers(0, 4)) == 0:
            # A phantom: the list names somebody who has no key.
            mac.filevault.ghosts.append(account.generated_uid)
    mac.mdm.escrow_profile = draw(st.booleans())
    world = World(mac)
    if draw(st.integers(0, 3)):
        vault.make_key(mac, NOW)
        world.keys |= {str(mac.filevault.prk)} if draw(st.integers(0, 3)) else set()
        world.note_escrow(None)
    mac.filevault.state = draw(st.sampled_from(["off", "on", "on"]))
    return world


errands = st.builds(
    Errand,
    kind=st.sampled_from(KINDS + EVENTS),
    user=st.sampled_from(NAMES),
    by=st.sampled_from(NAMES),
    delivered=st.booleans(),
    by_key=st.booleans(),
    cut=st.booleans(),
)


def requested(errand: Errand) -> t.Any:
    how = "return" if errand.delivered else "discard"
    by = "" if errand.by_key else errand.by
    given = frozenset({"current_key"} if errand.by_key else {"password"})
    return {
        "enable": FileVaultRequest("enabled", errand.user, recovery_key=how),
        "disable": FileVaultRequest("disabled", errand.user),
        "defer": FileVaultRequest("deferred", errand.user, defer_path=PATH),
        "listed": UnlockerRequest(errand.user, "present", errand.by),
        "unlisted": UnlockerRequest(errand.user, "absent"),
        "rotate": KeyRequest("rotated", by, how, given),
        "make": KeyRequest("present", by, how, given),
        "remove": KeyRequest("absent", by, how, given),
        "collect": CollectRequest(PATH, how, remove=errand.by_key),
        "grant": TokenRequest(errand.user, "present", errand.by, first_token=errand.by_key),
        "revoke": TokenRequest(errand.user, "absent", errand.by),
        "delete": AccountRequest(errand.user, state="absent"),
        "demote": AccountRequest(errand.user, admin=errand.by_key),
        "password": AccountRequest(
            errand.user,
            update_password="always",
            admin_user="" if errand.by_key else errand.by,
            given=frozenset({"password", "old_password"} if errand.by_key else {"password", "admin_password"}),
        ),
        "restart": RestartRequest(by, given=given),
    }[errand.kind]


def secrets(world: World, errand: Errand) -> dict[str, Secret]:
    """Right ones, and the recovery key only where somebody has it."""
    accounts = world.mac.accounts
    user, by = (accounts[name].password if name in accounts else "gone" for name in (errand.user, errand.by))
    asks_by = errand.kind in ("rotate", "make", "remove", "restart")
    found = {"password": (by if asks_by else user) or "", "admin_password": by or "", "old_password": user or ""}
    if errand.kind == "password":
        found["password"] = f"{errand.user}-pw-2"
    if errand.by_key and asks_by:
        del found["password"]
    if world.mac.filevault.prk in world.keys:
        found["current_key"] = str(world.mac.filevault.prk)
    return {option: Secret(value) for option, value in found.items()}


def happen(world: World, errand: Errand, cut: int | None = None) -> tuple[str, int]:
    """What macOS or a person does without us; or what we are asked for, cut off after so many writes. What came of
    it, in a word, and how many writes it took."""
    mac, before = world.mac, world.mac.filevault.prk
    if errand.kind == "converted":
        mac.filevault.state = {"encrypting": "on", "decrypting": "off"}.get(mac.filevault.state, mac.filevault.state)
        return "done", 0
    if errand.kind == "login":
        account = mac.accounts.get(errand.user)
        if account is None or not vault.fires(mac, account):
            return "nothing", 0
        vault.fire(mac, account, NOW)
        world.note_escrow(before)
        return "fired", 0
    runner = LabRunner(mac, cut=cut)
    try:
        outcome = counted(Run(runner, secrets(world, errand), 5).run(requested(errand), False))
    except PowerCut:
        world.note_escrow(before)
        return "cut", len(runner.writes)
    world.keys |= {outcome.recovery_key} - {""}
    world.note_escrow(before)
    came = outcome.refusal.reason if outcome.refusal else "changed" if outcome.changed else "ok"
    return came, len(runner.writes)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.lists(errands, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_mac_keeps_a_way_in_whatever_is_asked_for_and_wherever_it_is_cut(
    world: World, errands: list[Errand], chance: random.Random
) -> None:
    history = []
    for errand in errands:
        safe, had = world.way_in(), admin_holders(world.mac)
        ends = []
        whole = copy.deepcopy(world)
        came, writes = happen(whole, errand)
        event(f"{errand.kind}: {came}")
        for cut in range(1, writes + 1):
            broken = copy.deepcopy(world)
            happen(broken, errand, cut)
            ends.append((f"cut after {cut}", broken))
        for how, end in [(came, whole), *ends]:
            assert end.way_in() or not safe, [*history, (errand, how)]
            assert admin_holders(end.mac) or not had, [*history, (errand, how)]
        how, world = chance.choice(ends) if errand.cut and ends else (came, whole)
        history.append((errand, how))
