# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs on random Macs of the lab, judged by the oracle after every write, and so at every point of a cut.

The Mac may fall silent, refuse or hide what it knows, from the beginning or half-way. After a cut the same or another
run goes on, and is judged in the same way. KEYHOLDER_FLOWS sets the number of runs, KEYHOLDER_SEED the first seed.
"""

from __future__ import annotations

import copy
import os
import random
import typing as t
from dataclasses import dataclass, field

import fakes
from inmemory import LabRunner, PowerCut
from oracle import Truth, of_lab, stale, worse

from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils import strategies
from ansible_collections.keyholder.macos.tests.unit.plugins.module_utils.strategies import Pick
from maclab import bootstrap, directory, vault
from maclab.state import CryptoUser, DirectoryUser, Mac, NetworkDirectory

FLOWS = int(os.environ.get("KEYHOLDER_FLOWS", "300"))
SEED = int(os.environ.get("KEYHOLDER_SEED", "1"))
BOOLS, OFTEN, SELDOM = (False, True), (True, True, True, False), (False,) * 7 + (True,)
MODELS = (
    ("10.13.6", "intel"),
    ("10.14.6", "intel"),
    ("10.15.7", "t2"),
    ("11.7.10", "apple-silicon"),
    ("13.6.9", "t2"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
    ("26.3", "intel"),
    ("27.0.1", "apple-silicon"),
)
STATES = ("on",) * 5 + ("off", "off", "encrypting", "decrypting", "off_will_enable", "on_needs_restart")
STATES += ("off_needs_restart",)


# -- Macs -------------------------------------------------------------------------------------------------------------


def lab_mac(pick: Pick) -> Mac:
    mac = fakes.mac(*pick(MODELS))
    fakes.person(mac, "root", None, uid=0).service = True
    _people(mac, pick)
    if pick(SELDOM):
        stray = directory.new_guid()
        mac.crypto_users[stray] = CryptoUser(stray, directory.LOCAL_USER, True)
    if pick(SELDOM):
        mac.groups["admin"].nested.append(directory.new_guid())
    mac.filevault.state = pick(STATES)
    if pick(BOOLS):
        mac.mdm.escrow_profile = pick(BOOLS)
        vault.make_key(mac)
    mac.filevault.irk = pick(SELDOM)
    mac.mdm.enrolled = pick(("ade", "ade", "no"))
    mac.mdm.supervised = mac.mdm.user_approved = mac.mdm.bootstrap_supported = mac.mdm.enrolled == "ade"
    if mac.mdm.enrolled == "ade" and pick(BOOLS):
        bootstrap.create(mac)
        bootstrap.escrow(mac)
        mac.mdm.bootstrap_stale = pick(SELDOM)
    if pick(SELDOM):
        mac.logged_in.append("ana")
    if pick(BOOLS):
        ada = DirectoryUser(strategies.PEER, "Ada", 612, directory.new_guid(), f"{strategies.PEER}-pw")
        mac.network = NetworkDirectory("/Active Directory/CORP", pick(OFTEN), {ada.name: ada})
    mac.preboot = vault.listed(mac)
    return mac


def _people(mac: Mac, pick: Pick) -> None:
    mac.policy.max_failed = pick((0, 0, 0, 5))
    lead = pick(("granter", "granter", "granter", "standard", ""))
    for name in strategies.NAMES:
        if name != strategies.NAMES[0] and not pick(OFTEN):
            continue
        good = lead if name == strategies.NAMES[0] else ""
        admin = good == "granter" or (not good and pick(BOOLS))
        account = fakes.person(mac, name, f"{name}-pw", admin=admin, token=bool(good) or pick(BOOLS))
        if pick(SELDOM) and account.key_password is not None:
            account.key_password = "before"
        if good:
            continue
        odd = pick(("",) * 6 + ("no mark", "no key", "unlisted", "disabled", "locked", "tagged", "no password"))
        _make_odd(mac, account, odd)


def _make_odd(mac: Mac, account: t.Any, odd: str) -> None:
    if odd == "no mark" and account.has_authority_token:
        account.authority.remove(";SecureToken;")
    elif odd == "no key":
        mac.crypto_users.pop(account.generated_uid, None)
        account.authority.append(";SecureToken;")
    elif odd == "unlisted" and account.has_authority_token:
        mac.filevault.hidden_users.append(account.generated_uid)
    elif odd == "disabled":
        account.authority.append(directory.DISABLED_USER)
    elif odd == "locked" and mac.policy.max_failed:
        account.failed_logins, account.locked = mac.policy.max_failed, True
    elif odd == "tagged":
        account.authority.append(directory.DISABLED_TAG)
    elif odd == "no password" and account.key_password is None:
        account.password = None
        account.authority.clear()


UNTRIED = "it was not checked that its password opens its key"

# -- runs -------------------------------------------------------------------------------------------------------------

HEADLESS = "Encryption in progress: Percent completed = 50\n"
SILENT = Ran(Command(("x",)), None, timed_out=True)
REFUSED = Ran(Command(("x",)), 1, "", "Operation not permitted\n")
ANSWERS = {
    "": None,
    "silent": SILENT,
    "refused": REFUSED,
    "nothing": Ran(Command(("x",)), 0),
    "no headline": Ran(Command(("x",)), 0, HEADLESS),
}
READINGS = (
    ("fdesetup", "status"),
    ("fdesetup", "list"),
    ("diskutil", "listUsers"),
    ("dscl", "-q"),
    ("dscl", "-read"),
    ("profiles", "status"),
    ("who", "who"),
    ("stat", "stat"),
)


@dataclass
class Lack:
    """What a Mac says instead of an answer, and after how many writes it begins to."""

    program: str = ""
    word: str = ""
    answer: str = ""
    after: int = 0

    def instead(self, command: Command, writes: int) -> Ran | None:
        said = ANSWERS[self.answer]
        meant = command.argv[0] == self.program and self.word in command.argv
        if said is None or not meant or writes < self.after:
            return None
        return Ran(command, said.rc, said.out, said.err, said.timed_out)


@dataclass
class Judged(LabRunner):
    """A runner that asks the oracle after every command that has written. ``said``: what got worse, and by what."""

    lack: Lack = field(default_factory=Lack)
    own: t.Sequence[str] = ()
    said: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    truth: Truth | None = None

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        instead = self.lack.instead(command, len(self.writes))
        if instead is not None:
            return instead
        before = self.truth or of_lab(self.mac)
        written = len(self.writes)
        try:
            return super().run(command, deadline)
        finally:
            self.truth = of_lab(self.mac)
            if len(self.writes) > written or self.truth != before:
                what = " ".join(command.argv)
                self.said += [f"{what}: {words}" for words in worse(before, self.truth, self.own)]
                self.doubts += [f"{what}: {words}" for words in stale(before, self.truth)]


@dataclass
class Errand:
    """What is asked of a Mac, with which passwords, and what goes wrong meanwhile."""

    request: t.Any
    secrets: dict[str, Secret]
    lack: Lack
    root: bool
    own: str = ""

    def carried_out(self, mac: Mac, cut: int | None = None) -> tuple[Outcome | None, Judged]:
        own = [self.own] if self.own else []
        runner = Judged(mac, root=self.root, cut=cut, lack=self.lack, own=own)
        try:
            return Run(runner, self.secrets, 5, own=lambda: own).run(self.request, False), runner
        except PowerCut:
            return None, runner


def errand(pick: Pick, mac: Mac) -> Errand:
    people = [name for name in strategies.NAMES if name in mac.accounts]
    request = strategies.any_request(pick, people)
    lack = Lack()
    if pick(OFTEN) is False:
        lack = Lack(*pick(READINGS), pick(tuple(ANSWERS)), pick((0, 0, 1, 3)))
    own = pick(("", "", "", *people[:1]))
    return Errand(request, _secrets(pick, mac, request), lack, not pick(SELDOM), own)


def _secrets(pick: Pick, mac: Mac, request: t.Any) -> dict[str, Secret]:
    def right(name: str) -> str:
        account = mac.accounts.get(name)
        return (account and account.password) or f"{name}-pw"

    user = getattr(request, "name", "") or getattr(request, "user", "")
    granter = getattr(request, "admin_user", "")
    values = {
        "password": pick((right(user),) * 4 + ("another-pw-9",)),
        "old_password": pick((right(user), "before")),
        "admin_password": pick((right(granter),) * 5 + ("wrong-pw-7",)),
        "current_key": mac.filevault.prk or "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF",
    }
    for index, name in enumerate(getattr(request, "additional_users", ())):
        values[f"additional_users[{index}].password"] = right(name)
    given = getattr(request, "given", None)
    # What a request says that it was given is what it was given.
    kept = (
        values if given is None else {key: value for key, value in values.items() if key in {*given, "admin_password"}}
    )
    return {option: Secret(value) for option, value in kept.items()}


def complaints(outcome: Outcome | None, runner: Judged) -> list[str]:
    """What got worse, and what may have got worse without a word. A run that was cut off had no chance to say it."""
    notes = " ".join(outcome.notes) if outcome is not None else UNTRIED
    return runner.said + [f"{doubt}, and no note says so" for doubt in runner.doubts if UNTRIED not in notes]


def lived(seed: int) -> t.Iterator[tuple[Errand, Outcome | None, Judged]]:
    """A run, then the same from the beginning with a cut somewhere, then the run after that: the same or another."""
    pick = random.Random(seed).choice
    mac = lab_mac(pick)
    first = errand(pick, mac)
    whole = copy.deepcopy(mac)
    outcome, runner = first.carried_out(whole)
    yield first, outcome, runner
    if not runner.writes:
        return
    cut = pick(range(1, len(runner.writes) + 1))
    yield first, *first.carried_out(mac, cut)
    second = pick((first, first, errand(pick, mac)))
    yield second, *second.carried_out(mac)


def test_no_write_of_any_run_makes_a_mac_worse() -> None:
    for seed in range(SEED, SEED + FLOWS):
        for errand_, outcome, runner in lived(seed):
            said = complaints(outcome, runner)
            assert not said, f"seed {seed}: {said}\n{errand_}\nwrites: {runner.writes}\n{outcome}"
