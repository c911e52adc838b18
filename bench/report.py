# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what a report about a large fleet costs: readings in, every form and the history out.

.venv/bin/python bench/report.py --macs 100000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / ".cache" / "tree"), str(ROOT / "tests" / "unit" / "plugins" / "plugin_utils")]

from readings import ANA, BO, ITADMIN, MAC, NOW, reading  # noqa: E402
from test__audit_report import make  # noqa: E402

from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault  # noqa: E402
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version  # noqa: E402
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History  # noqa: E402
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.saved import saved_answers  # noqa: E402

POLICY = {"parameters": {"managed_admins": ["itadmin"]}}


def lines(macs: int) -> Iterator[str]:
    """Readings as they are saved: four accounts a Mac in the mean, one Mac in five not as it should be."""
    dice = random.Random(1)
    off = FileVault("off", personal_key=False, institutional_key=False)
    for index in range(macs):
        guids = [f"{index:08X}-0000-4000-8000-{number:012X}" for number in range(6)]
        people = [replace(ITADMIN, guid=guids[0], sources=BO.sources if dice.random() < 0.05 else ITADMIN.sources)]
        for number in range(1, dice.randrange(2, 7)):
            kind = ANA if dice.random() < 0.6 else BO
            people.append(replace(kind, name=f"user{number}", uid=502 + number, guid=guids[number % 6]))
        mac = reading(
            accounts=tuple(people),
            filevault=off if dice.random() < 0.06 else MAC.filevault,
            version=Version(13, 6) if dice.random() < 0.1 else MAC.version,
        )
        yield json.dumps({"host": f"mac-{index:06}.example.com", "status": "read", "read_at": NOW, "mac": mac}) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/report.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--macs", type=int, default=100_000, help="how many readings (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        saved = folder / "saved.jsonl"
        with saved.open("w", encoding="utf-8") as stream:
            stream.writelines(lines(options.macs))
        history = History(str(folder / "history.sqlite"))
        begun, used = time.perf_counter(), time.process_time()
        make(folder, saved_answers(str(saved), []), POLICY, history=history)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - used
        history.close()
        page = (folder / "audit.html").stat().st_size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024
    print(
        f"{options.macs} readings, every form and the history: {seconds:.0f} s ({cpu:.0f} s of one core of"
        f" {os.cpu_count()}), {memory:.2f} GiB; the page has {page / 1e6:.1f} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
