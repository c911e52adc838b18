# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench runs, and what it counts (never what it times) is what the README says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench" / "run.py"


def test_one_mac_and_one_repeat(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    argv = [sys.executable, str(BENCH), "--macs", "1", "--repeats", "1", "--output", str(output)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "maclab")}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    costs = json.loads(output.read_text())["macs"]["1"]
    assert {play: cost["execs"] for play, cost in costs.items()} == {
        "ping": 1,
        "trust_info": 1,
        "trust_info_shell": 1,
        "read_by_hand": 12,
        "secure_token": 1,
        "grant_by_hand": 4,
        "grant_by_status": 1,
        "filevault": 1,
        "filevault_by_hand": 3,
        "bootstrap_token": 1,
        "bootstrap_by_hand": 4,
    }
    assert costs["ping"]["processes"] == 0
    assert 0 < costs["trust_info"]["processes"] <= 7
    assert 0 < costs["secure_token"]["processes"] <= 7
    assert 0 < costs["filevault"]["processes"] <= 7
    # mdmclient is the eighth.
    assert 0 < costs["bootstrap_token"]["processes"] <= 8
