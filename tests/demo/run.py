# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Onboards two people on seven Macs of the lab, twice; beside that takes two Macs from the box to recoverable, and
through a power cut. Shows what happened and what was refused, on a screen each."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import road
import took
from fleet import CHIPS, PLACE, PLAYBOOK, Deeds, DemoError, Fleet, Run, given, people, standing
from screen import Cell, colour, command, fact, heading, table

from checks.environments import alone
from maclab.state import Mac

# The one Mac that is broken on purpose, and why it has to be refused.
BROKEN = {"tangier": "granter_no_token"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the Macs up afterwards, to look at them")
    keep = parser.parse_args().keep
    # Without this, a demo that is told to end would leave its Macs behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        # Two demos at a time would pull the Macs from under each other.
        with alone("demo"), Fleet(keep) as fleet, Fleet(keep, road.SCENARIO, PLACE / "road") as two:
            beside = ThreadPoolExecutor(1)
            try:
                office = road.Office.new(two)
                travelled = beside.submit(road.travel, office)
                return _show(fleet, lambda: road.show(office, travelled.result, _run), two, keep)
            finally:
                # Without the Macs, which go first, what still plays on them ends by itself.
                beside.shutdown(wait=False)
    except DemoError as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130


def _show(fleet: Fleet, road_shown: Callable[[], list[str]], two: Fleet, keep: bool) -> int:
    who = people()
    before = fleet.read()
    print(colour("bold", f"Onboarding {' and '.join(who)} on {len(before)} Macs"))
    print("  Everybody is to have an account and a Secure Token on each, granted by itadmin. The Macs are the")
    print("  lab's: real SSH, real Ansible, and a model of macOS behind them.\n")
    print(f"  $ ansible-playbook {PLAYBOOK} -i inventory.yml -e @onboarding.yml")
    check = _run("with --check", lambda: fleet.onboard("check", "--check"))
    first = _run("first run", lambda: fleet.onboard("first"))
    second = _run("second run", lambda: fleet.onboard("second"))
    after = fleet.read()

    _before_and_after(before, after, who, first)
    _refusals(first)
    heading("WHAT IT TOOK", "accounts changed by Ansible's word; authentications, writes, processes by the Macs' own")
    took.show({"--check": check, "first run": first, "second run": second}, total=True)
    wrong = _wrong(after, who, check, first, second) + road_shown() + _leaks(fleet, two)
    if wrong:
        heading("NOT AS EXPECTED")
        for words in wrong:
            print(colour("bad", f"  - {words}"))
        print(f"  The output of Ansible: {_short(first.log.parent)}/*.log")
        return 1
    _try_next(fleet, keep)
    return 0


def _run(words: str, play: Callable[[], Run]) -> Run:
    print(f"    {words:<14}", end="", flush=True)
    run = play()
    print(f"{run.seconds:4.1f} s   {_short(run.log)}", flush=True)
    return run


def _before_and_after(before: Mapping[str, Mac], after: Mapping[str, Mac], who: list[str], first: Run) -> None:
    heading("BEFORE -> AFTER", "a token counts where all three sources of truth on the Mac agree")
    rows = []
    for name, mac in before.items():
        people_there = [_person(standing(mac, user), standing(after[name], user)) for user in who]
        chip = Cell(CHIPS[mac.hardware])
        rows.append(
            (Cell(name, "bold"), Cell(mac.version), chip, *people_there, _outcome(after[name], who, first.macs[name]))
        )
    table(("Mac", "macOS", "chip", *who, "outcome"), rows)


def _person(was: str, now: str) -> Cell:
    if was == now:
        return Cell("token already" if was == "token" else was, "dim")
    return Cell(f"{was:<10} -> {now}", "good" if now == "token" else "bad")


def _outcome(mac: Mac, who: list[str], deeds: Deeds) -> Cell:
    if deeds.refused:
        return Cell("REFUSED", "bad")
    return Cell("onboarded", "good") if {standing(mac, user) for user in who} == {"token"} else Cell("FAILED", "bad")


def _refusals(first: Run) -> None:
    for name, deeds in first.macs.items():
        if deeds.refused is None:
            continue
        reason, remedy = deeds.refused["reason"], deeds.refused["remedy"]
        heading(f"WHY {name} WAS REFUSED", f"reason: {reason}")
        fact("because", deeds.refused["msg"].removesuffix(f" {remedy} [{reason}]"))
        for evidence in deeds.refused["evidence"]:
            fact("evidence", evidence)
        fact("what to do", remedy)
        fact(
            "touched",
            "nothing"
            if not deeds.writes + deeds.authentications
            else f"{deeds.writes} writes, {deeds.authentications} authentications",
        )


def _wrong(after: Mapping[str, Mac], who: list[str], check: Run, first: Run, second: Run) -> list[str]:
    """What differs from what this demo is to show, in sentences."""
    wrong = []
    for name, mac in after.items():
        once, again, foreseen = first.macs[name], second.macs[name], check.macs[name]
        reasons = [(run.refused or {}).get("reason") for run in (foreseen, once, again)]
        if reasons != [BROKEN.get(name)] * 3:
            wrong.append(f"{name}: in check, first and second run it was refused for {reasons}")
        if name in BROKEN and once.writes:
            wrong.append(f"{name}: was refused, and yet written to")
        if name not in BROKEN and any(standing(mac, user) != "token" for user in who):
            wrong.append(f"{name}: not everybody holds a token")
        if foreseen.changed != once.changed or foreseen.writes or foreseen.authentications:
            wrong.append(f"{name}: --check foresaw {foreseen.changed} changes, {once.changed} came")
        if again.changed or again.writes or again.authentications:
            wrong.append(f"{name}: the second run changed something, or authenticated somebody")
        if not (once.programs and again.programs and foreseen.programs):
            wrong.append(f"{name}: a run did not reach it")
    if not first.changed:
        wrong.append("nothing was changed at all")
    return wrong


def _leaks(fleet: Fleet, two: Fleet) -> list[str]:
    each = fleet.leaks(given()), two.leaks(road.given())
    found, searched = (sum(numbers) for numbers in zip(*each, strict=True))
    heading(
        "PASSWORDS AND RECOVERY KEYS",
        f"found {found} times in {searched:,} characters of output, results, arguments and environments",
    )
    return [f"a password was found {found} times"] if found else []


def _try_next(fleet: Fleet, keep: bool) -> None:
    place = _short(fleet.folder.path)
    maclab = "PYTHONPATH=maclab .venv/bin/python -m maclab"
    heading("TRY NEXT")
    print("  Look at a Mac, and at everything that was done to it:")
    command(f"{maclab} show tangier --dir {place}")
    command(f"{maclab} journal lisbon -n 40 --dir {place}")
    print("  Rehearse on Macs that stay up: make demo ARGS=--keep, or make lab. On real ones, predict first:")
    command(f"ansible-playbook {PLAYBOOK} -i your-macs.yml -e @your-people.yml --check --diff")
    if keep:
        print("  The Macs are up. To end them:")
        command(f"{maclab} down --dir {place}")


def _short(path: Path) -> str:
    here = Path(os.path.relpath(path))
    return shlex.quote(str(path if str(here).startswith("..") else here))


if __name__ == "__main__":
    sys.exit(main())
