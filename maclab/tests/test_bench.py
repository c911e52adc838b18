# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench runs, and what it counts (never what it times) is what the guide on costs says."""

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
        "trust_info_module": 1,
        "read_by_hand": 13,
        "secure_token": 1,
        "grant_by_hand": 4,
        "grant_by_status": 1,
        "filevault": 1,
        "filevault_by_hand": 3,
        "bootstrap_token": 2,
        "bootstrap_by_hand": 4,
        "account": 1,
        "account_password": 1,
        "filevault_user": 1,
        "filevault_recovery_key": 1,
        "managed_password": 1,
        "mobile_account": 1,
        "parked_holder": 1,
        "ssh_access": 1,
        "local_account": 2,
        "offboard": 1,
        "repair": 1,
        "grant_checked": 1,
        "grant_python": 2,
        "grant_shell": 13,
        "grant_by_commands": 5,
    }
    assert costs["ping"]["processes"] == 0
    assert 0 < costs["trust_info"]["processes"] <= 8
    assert 0 < costs["secure_token"]["processes"] <= 8
    # When a key was last escrowed, and the profile that says so.
    assert 0 < costs["filevault"]["processes"] <= 10
    # mdmclient is the ninth, and takes an exec of its own.
    assert 0 < costs["bootstrap_token"]["processes"] <= 9
