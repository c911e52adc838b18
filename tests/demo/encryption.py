# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second part of the demo: FileVault, its recovery key and the Bootstrap Token on one of the Macs."""

from __future__ import annotations

from collections.abc import Callable

from fleet import Fleet, Run
from screen import Cell, command, heading, table

from maclab.state import Mac

MAC = "reykjavik"
PLAYBOOKS = ("keyholder.macos.filevault", "keyholder.macos.escrow_bootstrap_token")
RUNS = (("check-2", "with --check", ("--check",)), ("first-2", "first run", ()), ("second-2", "second run", ()))


def show(fleet: Fleet, run: Callable[[str, str, Callable[[str], Run]], Run]) -> list[str]:
    """Put it on the screen; returns what is not as expected, in sentences."""
    heading(f"FILEVAULT AND BOOTSTRAP TOKEN ON {MAC}", "the recovery key is encrypted to a help desk, and stored here")
    fleet.make_help_desk()
    command(f"$ ansible-playbook {' '.join(PLAYBOOKS)} -e @encryption.yml")
    before = fleet.read()[MAC]
    check, first, second = (
        run(title, words, lambda name, options=options: fleet.encrypt(name, PLAYBOOKS, MAC, *options))  # type: ignore[misc]
        for title, words, options in RUNS
    )
    after = fleet.read()[MAC]
    read = fleet.read_stored_key(MAC)
    proven = bool(read) and read == after.filevault.prk
    rows = [("before", before, "none"), ("after", after, "validated, and the help desk can read it" if proven else "?")]
    table(
        ("", "FileVault", "recovery key", "Bootstrap Token"),
        [(Cell(word, "bold"), Cell(_filevault(mac)), Cell(key), Cell(_token(mac))) for word, mac, key in rows],
    )
    print()
    table(
        ("", "changed", "auths", "writes", "procs"),
        [
            (Cell(words, "bold"), *_numbers(done))
            for (_, words, _), done in zip(RUNS, (check, first, second), strict=True)
        ],
    )
    return _wrong(after, proven, check, first, second)


def _filevault(mac: Mac) -> str:
    return mac.filevault.state


def _token(mac: Mac) -> str:
    return "escrowed, and macOS would use it" if mac.mdm.bootstrap_escrowed else "not escrowed"


def _numbers(run: Run) -> list[Cell]:
    deeds = run.macs[MAC]
    return [Cell(str(number)) for number in (deeds.changed, deeds.authentications, deeds.writes, deeds.programs)]


def _wrong(after: Mac, proven: bool, check: Run, first: Run, second: Run) -> list[str]:
    foreseen, once, again = (run.macs[MAC] for run in (check, first, second))
    wrong = [f"{MAC}: {deeds.refused['msg']}" for deeds in (foreseen, once, again) if deeds.refused]
    if after.filevault.state != "on" or not after.mdm.bootstrap_escrowed or not proven:
        wrong.append(f"{MAC}: FileVault is not on, its key is not stored, or the Bootstrap Token is not escrowed")
    if foreseen.writes or foreseen.authentications or not foreseen.changed:
        wrong.append(f"{MAC}: --check wrote, authenticated somebody, or foresaw nothing")
    if again.changed or again.writes or again.authentications or not again.programs:
        wrong.append(f"{MAC}: the second run changed something, or authenticated somebody, or did not reach it")
    return wrong
