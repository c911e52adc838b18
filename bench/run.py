# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what a task of this collection costs, beside a ping and beside the play that an admin writes by hand.

Everything is measured in one run, on the same Macs of the lab: SSH execs and macOS processes by the lab's journal, the
time by the clock. Only ratios are worth comparing between machines, so those are what the table ends with.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from maclab import journal
from maclab.lab import Handle, Lab

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / ".cache" / "bench" / "result.json"
GUIDE = HERE.parent / "docs" / "docsite" / "rst" / "guide_costs.rst"
BEGIN, END = ".. made by: make bench ARGS=--guide\n", ".. end of what bench made\n"
PASSWORDS = {
    "itadmin_password": "bench-1-admin",
    "ana_password": "bench-2-ana",
    "bo_password": "bench-3-bo",
    "mo_password": "bench-4-mo",
}
IT = {"admin_user": "itadmin", "admin_password": "{{ itadmin_password }}"}
ANA = {"name": "ana", "password": "{{ ana_password }}"}
UNLOCKS = {"user": "itadmin", "password": "{{ itadmin_password }}"}
GRANT = {"user": "bo", "password": "{{ bo_password }}", **IT}
STORE = {"kind": "command", "read": ["cat", "{{ store }}"], "write": ["false"]}


@dataclass(frozen=True)
class Work:
    """One play: what ``--plays`` and the table call it, and the play that does the same by hand.

    ``module`` is its one task; without it, the play is a file in plays/. A work changes nothing unless it is ``fresh``:
    then the Macs are reset before and after.
    """

    play: str
    title: str
    by_hand: tuple[str, ...] = ()
    module: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    fresh: bool = False
    file: str = ""


def _nothing_to_do(module: str, *by_hand: str, **options: Any) -> Work:
    return Work(module, f"{module}, nothing to do", by_hand, module, options)


WORKS = (
    Work("ping", "ansible.builtin.ping"),
    Work("trust_info", "trust_info", ("read_by_hand",), "trust_info"),
    Work("trust_info_module", "trust_info, reader: module", (), "trust_info", {"reader": "module"}),
    Work("read_by_hand", "  the same by hand"),
    _nothing_to_do("secure_token", "grant_by_hand", "grant_by_status", user="ana", password=ANA["password"], **IT),
    Work("grant_by_hand", "  the same by hand"),
    Work("grant_by_status", "  by the status line alone"),
    _nothing_to_do("filevault", "filevault_by_hand", state="enabled", **UNLOCKS),
    Work("filevault_by_hand", "  the same by hand"),
    _nothing_to_do("bootstrap_token", "bootstrap_by_hand", state="escrowed", **IT),
    Work("bootstrap_by_hand", "  the same by hand"),
    _nothing_to_do("account", **ANA, secure_token="present", **IT),
    _nothing_to_do("account_password", **ANA),
    _nothing_to_do("filevault_user", user="ana"),
    _nothing_to_do("filevault_recovery_key", state="present", **UNLOCKS),
    _nothing_to_do("managed_password", name="ana", store=STORE),
    _nothing_to_do("mobile_account", name="mo", secure_token="present"),
    _nothing_to_do("offboard", name="nobody-of-that-name"),
    _nothing_to_do("local_account", name="ana"),
    _nothing_to_do("parked_holder", name="ana", state="active"),
    _nothing_to_do("repair"),
    _nothing_to_do("ssh_access", name="ana", state="allowed"),
    Work("grant_checked", "a grant, --check", (), "secure_token", GRANT, check=True),
    Work(
        "grant_python",
        "a grant, runner: python",
        ("grant_by_commands",),
        "secure_token",
        GRANT | {"runner": "python"},
        fresh=True,
    ),
    Work("grant_shell", "a grant, runner: shell", (), "secure_token", GRANT | {"runner": "shell"}, fresh=True),
    Work("grant_by_commands", "  the same by hand", fresh=True, file="grant_by_hand"),
)


@dataclass(frozen=True)
class Cost:
    """What one run of a play took, for each Mac; ``seconds`` are for all Macs together."""

    execs: float
    processes: float
    seconds: float


class BenchError(Exception):
    """A play failed, so there is nothing to compare."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    works = [work for work in WORKS if work.play in ("ping", *options.plays)]
    results = {}
    for macs in options.macs:
        try:
            results[macs] = measure(macs, options.repeats, options.forks, works)
        except BenchError as problem:
            print(problem, file=sys.stderr)
            return 1
        print(f"\n{table(macs, results[macs])}", flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    result = _result(options, results)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\n{_machine_line(result)}\n{options.output}")
    if options.guide:
        before, rest = GUIDE.read_text(encoding="utf-8").split(BEGIN)
        GUIDE.write_text(f"{before}{BEGIN}{guide(result)}{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


def measure(macs: int, repeats: int, forks: int, works: Sequence[Work]) -> dict[str, Cost]:
    """The median cost of each play. One repeat runs them all, so that a slow minute is slow for every one of them."""
    runs: dict[str, list[Cost]] = {work.play: [] for work in works}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Lab(scenario(macs), Path(folder, "lab")) as lab:
        handles = [lab.mac(name) for name in lab.names]
        _play(works[0], lab, folder, forks)  # the first run of all fills caches that the others find full
        for repeat in range(repeats):
            for number in range(len(works)):
                work = works[(number + repeat) % len(works)]
                _progress(f"{macs} Macs, repeat {repeat + 1} of {repeats}: {work.play}")
                runs[work.play].append(_cost(work, lab, handles, folder, forks))
    _progress("")
    return {play: _median(costs) for play, costs in runs.items()}


def scenario(macs: int) -> dict[str, Any]:
    """Ordinary Macs: an administrator, three people, FileVault on, enrolled; all but one have their tokens."""
    people = [
        {"name": "itadmin", "admin": True, "password": PASSWORDS["itadmin_password"], "token": True},
        {"name": "ana", "full_name": "Ana Sousa", "password": PASSWORDS["ana_password"], "token": True},
        {"name": "bo", "full_name": "Bo Berg", "password": PASSWORDS["bo_password"]},
        {"name": "mo", "full_name": "Mo Moen", "kind": "mobile", "password": PASSWORDS["mo_password"], "token": True},
    ]
    mac = {
        "count": macs,
        "macos": "15.6",
        "accounts": people,
        "filevault": {"state": "on", "prk": True},
        "mdm": {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": True}},
        "directory": {
            "node": "/Active Directory/CORP/corp.example.com",
            "users": [{"name": "mo", "full_name": "Mo Moen", "password": PASSWORDS["mo_password"]}],
        },
    }
    return {"sudo_password": False, "macs": {"bench": mac}}


def table(macs: int, costs: dict[str, Cost]) -> str:
    rows = [(f"{macs} {'Mac' if macs == 1 else 'Macs'}", "SSH execs", "macOS processes", "seconds", "x ping", "x ours")]
    works = [work for work in WORKS if work.play in costs]
    ours: dict[str, Cost] = {other: costs[work.play] for work in works for other in work.by_hand}
    for work in works:
        cost = costs[work.play]
        against = f"{cost.seconds / ours[work.play].seconds:.2f}" if work.play in ours else ""
        ping = f"{cost.seconds / costs['ping'].seconds:.2f}"
        rows.append((work.title, f"{cost.execs:g}", f"{cost.processes:g}", f"{cost.seconds:.2f}", ping, against))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def guide(result: dict[str, Any]) -> str:
    """Return the ratios of one result for the guide: counts hold for any number of Macs, times are against a ping."""
    fleets: dict[str, dict[str, dict[str, float]]] = result["macs"]
    first = next(iter(fleets.values()))
    times = [f"time, {macs} {'Mac' if macs == '1' else 'Macs'}" for macs in fleets]
    rows = [["on each Mac", "SSH execs", "macOS processes", *times]]
    for work in (work for work in WORKS if work.play in first):
        ratios = [fleet[work.play]["seconds"] / fleet["ping"]["seconds"] for fleet in fleets.values()]
        cost = first[work.play]
        # Spaces at its beginning would go; this one stays.
        title = work.title.replace("  ", "\u2003")
        rows.append([title, f"{cost['execs']:g}", f"{cost['processes']:g}", *(f"{ratio:.1f} x" for ratio in ratios)])
    lines = [f"   {'  -' if place else '* -'} {cell}" for row in rows for place, cell in enumerate(row)]
    head = [f"{_machine_line(result)}:", "", ".. list-table::", "   :header-rows: 1", ""]
    return "\n".join(["", *head, *lines, "", ""])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--macs", type=int, nargs="+", default=[1, 10, 50], help="how many Macs (default: 1 10 50)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each play (default: %(default)s)")
    parser.add_argument(
        "--forks", type=int, default=10, help="Macs that Ansible works on at once (default: %(default)s)"
    )
    parser.add_argument(
        "--plays", nargs="+", default=[work.play for work in WORKS], help="which plays beside the ping (default: all)"
    )
    parser.add_argument("--output", type=Path, default=RESULT, help="where the numbers go (default: %(default)s)")
    parser.add_argument("--guide", action="store_true", help="put the ratios into the guide What it costs")
    return parser.parse_args(argv)


def _cost(work: Work, lab: Lab, handles: Sequence[Handle], folder: str, forks: int) -> Cost:
    for handle in handles if work.fresh else ():
        handle.reset()
    before = [len(handle.journal()) for handle in handles]
    start = time.perf_counter()
    _play(work, lab, folder, forks)
    seconds = time.perf_counter() - start
    entries = [entry for handle, seen in zip(handles, before, strict=True) for entry in handle.journal()[seen:]]
    # sudo is Ansible's own way to root, the same for every task.
    programs = [run for run in journal.programs(entries) if run.program != "sudo"]
    if work.fresh:
        # The next work finds the Macs as all others did.
        for handle in handles:
            handle.reset()
    return Cost(len(journal.execs(entries)) / len(handles), len(programs) / len(handles), seconds)


def _written(work: Work, folder: str) -> Path:
    """Return the playbook of a work."""
    if not work.module:
        return HERE / "plays" / f"{work.file or work.play}.yml"
    task = {"name": work.title, f"keyholder.macos.{work.module}": dict(work.options), "check_mode": work.check}
    expected = "is changed" if work.fresh or work.check else "is not changed"
    task |= {"register": "done", "failed_when": f"done is failed or not (done {expected})"}
    play = {"name": work.title, "hosts": "macs", "gather_facts": False, "become": True, "tasks": [task]}
    path = Path(folder, f"{work.play}.yml")
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return path


def _play(work: Work, lab: Lab, folder: str, forks: int) -> None:
    # Each run makes its own connections, as a run from a crontab or a pipeline does, and cannot borrow another's.
    with tempfile.TemporaryDirectory(prefix="cp-", dir=folder) as sockets:
        # An empty one: a person's own settings must not decide what is measured.
        configuration = Path(folder, "ansible.cfg")
        configuration.touch()
        own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        path = {name: os.environ[name] for name in ("ANSIBLE_COLLECTIONS_PATH",) if name in os.environ}
        settings = {
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_HOME": str(Path(folder, "ansible")),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=5s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
        }
        argv = ["ansible-playbook", "-i", str(lab.inventory), "-f", str(forks), str(_written(work, folder))]
        passwords = Path(folder, "passwords.json")
        store = Path(folder, "store.json")
        kept = {"current": PASSWORDS["ana_password"], "pending": "", "set_at": "2026-03-01T00:00:00+00:00"}
        store.write_text(json.dumps(kept), encoding="utf-8")
        variables = {**PASSWORDS, "store": str(store), "grants": "bo" if work.fresh else "ana"}
        passwords.write_text(json.dumps(variables), encoding="utf-8")
        argv += ["-e", f"@{passwords}"]
        done = subprocess.run(
            argv,
            env={**own, **path, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchError(f"{work.play} failed with exit status {done.returncode}:\n{done.stdout[-4000:]}")


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.execs for cost in costs),
        statistics.median(cost.processes for cost in costs),
        statistics.median(cost.seconds for cost in costs),
    )


def _result(options: argparse.Namespace, results: dict[int, dict[str, Cost]]) -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "ansible_core": metadata.version("ansible-core"),
        "repeats": options.repeats,
        "forks": options.forks,
        "macs": {str(macs): {play: asdict(cost) for play, cost in costs.items()} for macs, costs in results.items()},
    }


def _machine_line(result: dict[str, Any]) -> str:
    machine = (
        f"{result['cores']} cores, {result['system']}, Python {result['python']}, ansible-core {result['ansible_core']}"
    )
    how = f"medians of {result['repeats']}, {result['forks']} forks, pipelining on"
    return f"{result['date']}, {machine}, {how}"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
