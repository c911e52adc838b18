# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a Mac of the lab what a real one was asked: the lab's runner of GitHub's, with that macOS and that hardware."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from maclab.lab import Lab
from proving.compare import Record, records

ROOT = Path(__file__).resolve().parents[3]
SCENARIO = ROOT / "maclab" / "scenarios" / "github-runner.yml"


def described(said: list[Record]) -> dict[str, Any]:
    """Return the scenario's Mac, made to look like the one of these records."""
    answers = {tuple(record["command"]): str(record["stdout"] or "") for record in said}
    versions = dict(line.split(":", 1) for line in answers.get(("sw_vers",), "").splitlines() if ":" in line)
    blind = any("Full Disk Access no" in str(record["context"]) for record in said)
    mac: dict[str, Any] = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))["macs"]["ssh" if blind else "step"]
    macos = versions.get("ProductVersion", "").strip() or str(next(one["macos"] for one in said))
    changes = {
        "macos": macos,
        "build": versions.get("BuildVersion", "").strip(),
        "model": answers.get(("sysctl", "-n", "hw.model"), "").strip(),
        "hardware": {"x86_64": "intel"}.get(answers.get(("uname", "-m"), "").strip(), ""),
    }
    return mac | {key: value for key, value in changes.items() if value}


def record(real: Path, into: Path) -> None:
    """Write beside each file of ``real``, at the same place in ``into``, what the lab says."""
    for path in sorted(real.rglob("*.jsonl")):
        target = into / path.relative_to(real)
        with tempfile.TemporaryDirectory(prefix="keyholder-") as kept:
            with Lab({"macs": {"twin": described(records(path))}}, Path(kept, "lab")) as lab:
                _ask(lab, Path(kept, "said"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(kept, "said", "mac-1.jsonl").read_bytes())


def _ask(lab: Lab, into: Path) -> None:
    program = ROOT / "tests" / "integration" / "on_macs.py"
    argv: list[str | Path] = [sys.executable, program, "record", "--inventory", lab.inventory, "--record", into]
    ours = [str(ROOT / folder) for folder in ("tests/utils", "tests/macos", "maclab")]
    folders = [*ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the lab could not be asked:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
