# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second part of the demo: two Macs from the box to recoverable in one play, and back after a power cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import took
import yaml
from fleet import CHIPS, HERE, Fleet, Run, standing
from screen import Cell, command, heading, table

from harness.recipients import Safe
from maclab import bootstrap, vault
from maclab.state import Mac

SCENARIO = "zero_touch.yml"
VARIABLES = HERE / "road.yml"
ADMIN = "itadmin"
ZERO_TOUCH, UNLOCK = "keyholder.macos.zero_touch", "keyholder.macos.unlock"

Macs = Mapping[str, Mac]
Shown = Callable[[str, Callable[[], Run]], Run]
"""Puts a run on the screen: its words, and what gives it."""


@dataclass(frozen=True)
class Office:
    """What the people have who look after the two Macs: an age identity, which opens both stores."""

    fleet: Fleet
    safe: Safe

    @classmethod
    def new(cls, fleet: Fleet) -> Office:
        safe = Safe.new()
        (fleet.place / "identity.txt").write_text(str(safe.identity), encoding="utf-8")
        return cls(fleet, safe)

    def run(self, title: str, playbook: str, *options: str) -> Run:
        given = ("-e", f"@{VARIABLES}", "-e", f"demo_place={self.fleet.place}")
        return self.fleet.run(title, playbook, *given, "-e", f"demo_recipient={self.safe.recipient}", *options)

    def key(self, name: str) -> str:
        """The recovery key that the store holds for a Mac; "" where there is none."""
        stored = self.fleet.place / "recovery-keys" / f"{name}.age"
        return self.safe.opened(stored.read_text()) if stored.exists() else ""

    def password(self, name: str) -> str:
        """The administrator's password that the store holds for a Mac; "" where there is none."""
        stored = self.fleet.place / "passwords" / f"{name}.{ADMIN}.age"
        return str(json.loads(self.safe.opened(stored.read_text()))["current"]) if stored.exists() else ""

    def knows_password(self, mac: Mac) -> bool:
        account = mac.accounts[ADMIN]
        return self.password(mac.name) == account.password == account.key_password


@dataclass(frozen=True)
class Road:
    """Hold what was played, and how the Macs stood before, between and afterwards."""

    before: Macs
    check: Run
    first: Run
    second: Run
    recoverable: Macs
    cut: Macs
    unlock: Run
    after: Macs


def travel(office: Office) -> Road:
    """Play all of it, without a word: the first part of the demo has the screen meanwhile."""
    fleet = office.fleet
    before = fleet.read()
    check = office.run("check", ZERO_TOUCH, "--check")
    first = office.run("first", ZERO_TOUCH)
    second = office.run("second", ZERO_TOUCH)
    recoverable = fleet.read()
    fleet.cut_power()
    cut = fleet.read()
    unlock = office.run("unlock", UNLOCK)
    return Road(before, check, first, second, recoverable, cut, unlock, fleet.read())


def show(office: Office, travelled: Callable[[], Road], shown: Shown) -> list[str]:
    """Put it on the screen; returns what is not as expected, in sentences. `travelled` waits for the last play."""
    heading("FROM THE BOX TO RECOVERABLE", "in one play; it ran beside the one above")
    print("  Nobody was ever at the screen of these two. The MDM made itadmin and sent its password as a hash, so")
    print("  nobody holds a Secure Token, and nothing can be escrowed, encrypted or updated.\n")
    command("$ ansible-playbook keyholder.macos.zero_touch -i inventory.yml -e @road.yml")
    road = travelled()
    return _from_the_box(office, road, shown) + _power_cut(office, road, shown)


def _from_the_box(office: Office, road: Road, shown: Shown) -> list[str]:
    before, after = road.before, road.recoverable
    check = shown("with --check", lambda: road.check)
    first = shown("first run", lambda: road.first)
    second = shown("second run", lambda: road.second)
    print()
    rows = []
    for name in before:
        rows.append(
            (
                Cell(name, "bold"),
                Cell(before[name].version),
                Cell(CHIPS[before[name].hardware]),
                Cell("before"),
                *_stands(office, before[name]),
            )
        )
        rows.append((Cell(""), Cell(""), Cell(""), Cell("after"), *_stands(office, after[name])))
    table(("Mac", "macOS", "chip", "", "token", "password", "Bootstrap", "FileVault", "recovery key"), rows)
    print()
    took.show({"--check": check, "first run": first, "second run": second})
    return [words for mac in after.values() for words in _not_recoverable(office, mac, check, first, second)]


def _stands(office: Office, mac: Mac) -> list[Cell]:
    """How a Mac stands, by its own state and by what opens the stores."""
    holder, works, on = standing(mac, ADMIN) == "token", bootstrap.works(mac), vault.is_on(mac)
    stored = bool(mac.filevault.prk) and office.key(mac.name) == mac.filevault.prk
    known = office.knows_password(mac)
    return [
        Cell(ADMIN, "good") if holder else Cell("nobody", "dim"),
        Cell("stored", "good") if known else Cell("the MDM's", "dim"),
        Cell("escrowed", "good") if works else Cell("none", "dim"),
        Cell("on", "good") if on else Cell("off", "dim"),
        Cell("stored", "good") if stored else Cell("none", "dim"),
    ]


def _not_recoverable(office: Office, mac: Mac, *runs: Run) -> list[str]:
    name = mac.name
    check, first, second = (run.macs[name] for run in runs)
    wrong = [f"{name}: {deeds.refused['msg']}" for deeds in (check, first, second) if deeds.refused]
    if any(cell.mood != "good" for cell in _stands(office, mac)):
        wrong.append(f"{name}: it is not recoverable")
    if check.writes or check.authentications or check.changed != first.changed:
        wrong.append(f"{name}: --check wrote, authenticated somebody, or foresaw other changes than came")
    if second.changed or second.writes or second.authentications or not second.programs:
        wrong.append(f"{name}: the second run changed something, or authenticated somebody, or did not reach it")
    return wrong


def _power_cut(office: Office, road: Road, shown: Shown) -> list[str]:
    fleet, cut, after = office.fleet, road.cut, road.after
    heading("AND BACK AFTER A POWER CUT", "the password comes out of the store, and goes to a known host key once")
    command("$ maclab power-cut")
    command("$ ansible-playbook keyholder.macos.unlock -i inventory.yml -e @road.yml")
    run = shown("the run", lambda: road.unlock)
    rows, wrong = [], []
    for name, deeds in run.macs.items():
        sent = fleet.passwords_sent(name, run.start)
        up = not after[name].locked
        waits = Cell("waits at the unlock screen") if cut[name].locked else Cell("is up", "bad")
        rows.append(
            (
                Cell(name, "bold"),
                waits,
                Cell(deeds.outcome or "?", "good" if up else "bad"),
                Cell("up" if up else "waits", "good" if up else "bad"),
                Cell(str(sent)),
            )
        )
        if not (cut[name].locked and up and deeds.outcome == "unlocked" and sent == 1):
            wrong.append(f"{name}: it was not unlocked by one password: {deeds.outcome}, {sent} sent")
    print()
    table(("Mac", "after the power cut", "outcome", "now", "passwords sent"), rows)
    return wrong


def given() -> set[str]:
    """The password that this part of the demo knows."""
    return {yaml.safe_load(VARIABLES.read_text(encoding="utf-8"))["zero_touch_admin_password"]}
