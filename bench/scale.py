# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what a sliced audit costs AWX: jobs by ansible-runner, as AWX runs them, and the merge of their statistics.

.venv/bin/python bench/scale.py --macs 1000 --slices 4 --merge 10000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / ".cache" / "tree"
sys.path[:0] = [str(TREE), str(ROOT / "maclab"), str(ROOT / "bench")]

import report  # noqa: E402

from ansible_collections.keyholder.macos.plugins.action.audit_report import _packed  # noqa: E402
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import answer_from  # noqa: E402
from maclab.lab import Lab  # noqa: E402

BIN = Path(sys.executable).parent
PEOPLE = [
    {"name": "itadmin", "password": "bench-1-admin", "admin": True, "token": True},
    {"name": "ana", "password": "bench-2-ana", "full_name": "Ana Sousa", "token": True},
    {"name": "bo", "password": "bench-3-bo", "full_name": "Bo Lind", "token": True},
    {"name": "mo", "password": "bench-4-mo", "full_name": "Mo Farah"},
]


@dataclass
class Job:
    """Hold what one job cost. Sizes in bytes; ``cpu``: seconds of one core, without the lab; ``memory``: of its largest
    process."""

    seconds: float
    cpu: float
    memory: int
    events: int
    events_size: int
    largest: int
    statistics: dict[str, Any]

    @property
    def statistics_size(self) -> int:
        return len(json.dumps(self.statistics))


def run(folder: Path, inventory: str, playbook: str, extra: dict[str, Any], sockets: str, forks: int) -> Job:
    """Run one job in a folder of its own, laid out as AWX does it, and return what it cost."""
    for name in ("inventory", "env", "project"):
        (folder / name).mkdir(parents=True)
    (folder / "inventory" / "macs.yml").write_text(inventory)
    (folder / "env" / "extravars").write_text(json.dumps(extra))
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_FORKS": str(forks),
        "ANSIBLE_HOME": f"{sockets}/home",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
        "HOME": f"{sockets}/home",
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    argv = [str(BIN / "ansible-runner"), "run", str(folder), "-p", playbook, "--ident", "job", "-q"]
    begun = time.perf_counter()
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=output)
        dummy, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    artifacts = folder / "artifacts" / "job"
    if process.returncode:
        raise SystemExit((folder / "output").read_text()[-2000:] + (artifacts / "stdout").read_text()[-4000:])
    sizes, statistics = [], {}
    for path in (artifacts / "job_events").glob("*.json"):
        text = path.read_text()
        sizes.append(len(text))
        if '"playbook_on_stats"' in text:
            statistics = json.loads(text)["event_data"].get("artifact_data", {})
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Job(seconds, usage.ru_utime + usage.ru_stime, memory, len(sizes), sum(sizes), max(sizes), statistics)


def inventory_of(hosts: Iterable[str]) -> str:
    return json.dumps({"all": {"children": {"macs": {"hosts": dict.fromkeys(hosts, {})}}}})


def told(what: str, macs: int, job: Job) -> str:
    return (
        f"{what}: {job.seconds:.0f} s ({job.cpu:.0f} s of one core), {job.memory / 2**20:.0f} MiB,"
        f" {job.events} events of {job.events_size / 1e6:.1f} MB ({job.events_size / macs:.0f} bytes a Mac,"
        f" the largest {job.largest / 1e6:.2f} MB), statistics of {job.statistics_size / 1e6:.2f} MB"
        f" ({job.statistics_size / macs:.0f} bytes a Mac)"
    )


def sliced(place: Path, sockets: str, macs: int, slices: int, forks: int) -> None:
    """Run the slices one after the other, and then the merge: each alone, so that none waits for another."""
    shape = {"macos": "15.6", "python": "none", "accounts": PEOPLE}
    # A name of the lab stands for 999 Macs at most.
    described = {f"mac-{first}": {**shape, "count": min(500, macs - first)} for first in range(0, macs, 500)}
    with Lab({"sudo_password": False, "macs": described}, place / "lab") as lab:
        text = Path(lab.inventory).read_text()
        names = sorted(lab.names)
        packed: dict[str, Any] = {}
        for number in range(slices):
            # As AWX cuts an inventory: every n-th host, by name.
            mine = names[number::slices]
            limited = _only(text, set(mine))
            job = run(
                place / f"slice-{number}", limited, "keyholder.macos.audit", {"keyholder_pack": True}, sockets, forks
            )
            packed |= job.statistics
            print(told(f"slice {number + 1} of {slices}, {len(mine)} Macs, {forks} forks", len(mine), job), flush=True)
    merge(place / "merge", sockets, packed, names)


def _only(text: str, names: set[str]) -> str:
    """Return the lab's inventory with some of its Macs."""

    def cut(group: dict[str, Any]) -> dict[str, Any]:
        kept = dict(group)
        if "hosts" in kept:
            kept["hosts"] = {name: value for name, value in kept["hosts"].items() if name in names}
        if "children" in kept:
            kept["children"] = {name: cut(child or {}) for name, child in kept["children"].items()}
        return kept

    return json.dumps({name: cut(group) for name, group in yaml.safe_load(text).items()})


def merge(folder: Path, sockets: str, packed: dict[str, Any], names: list[str]) -> None:
    """Run the last node of the workflow, which gets the statistics of all slices as extra variables."""
    extra = {**packed, "keyholder_report": str(folder / "report"), "keyholder_history": str(folder / "history.sqlite")}
    job = run(folder, inventory_of(names), "keyholder.macos.audit_merge", extra, sockets, 5)
    made = json.loads((folder / "report" / "audit.json").read_text())["summary"]["macs"]
    files = {path.name: path.stat().st_size / 1e6 for path in (folder / "report").iterdir()}
    history = (folder / "history.sqlite").stat().st_size / 1e6
    print(told(f"merge, {made} Macs, extra variables of {len(json.dumps(packed)) / 1e6:.2f} MB", made, job))
    print(
        f"    page {files['audit.html']:.1f} MB, report {sum(files.values()):.1f} MB, history {history:.1f} MB",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/scale.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--macs", type=int, default=1000, help="how many Macs the lab has (default: %(default)s)")
    parser.add_argument("--slices", type=int, default=4, help="how many jobs read them (default: %(default)s)")
    parser.add_argument("--forks", type=int, default=25, help="of each job (default: %(default)s)")
    parser.add_argument("--merge", type=int, nargs="*", default=[], help="merge so many made-up readings, too")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory(prefix="bench-") as place, tempfile.TemporaryDirectory(prefix="kh-") as sockets:
        if options.macs:
            sliced(Path(place), sockets, options.macs, options.slices, options.forks)
        for macs in options.merge:
            answers = [answer_from(json.loads(line)) for line in report.lines(macs)]
            merge(Path(place) / f"merge-{macs}", sockets, dict(map(_packed, answers)), [one.host for one in answers])
    return 0


if __name__ == "__main__":
    sys.exit(main())
