# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides say of the lab what the lab is: every key, every fault, everything that is assumed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from maclab import faults, scenario

ROOT = Path(__file__).resolve().parents[2]
LAB_GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_lab.rst").read_text(encoding="utf-8")
# Cells of the first two columns are single words in literals.
WORDS = set(re.findall(r"``([^`]+)``", LAB_GUIDE))


def test_generated_parts_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "maclab")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_of_a_scenario_is_in_the_guide() -> None:
    keys = {*scenario.MAC_KEYS, *scenario.ACCOUNT_KEYS, *scenario.FILEVAULT_STATES}
    keys |= {*scenario.FILEVAULT_KEYS, *scenario.MDM_KEYS, *scenario.BOOTSTRAP_KEYS}
    keys |= {*scenario.SETTINGS_KEYS, *scenario.DIRECTORY_KEYS, *scenario.DIRECTORY_USER_KEYS, *scenario.UPDATE_KEYS}
    keys |= {*scenario.INSTALLER_KEYS}
    assert keys - WORDS == set()


def test_every_fault_and_its_options_are_in_the_guide() -> None:
    rows = re.findall(r"^   \* - ``(\w+)``\n     -(.*)\n     - ", LAB_GUIDE.split("\nFaults\n")[1], re.MULTILINE)
    assert {name: set(re.findall(r"``(\w+)``", options)) for name, options in rows} == {
        name: set(options) for name, options in faults.OPTIONS.items()
    }


def test_the_scenario_in_the_guide_is_one() -> None:
    block = re.search(r"^A scenario\n-+\n\n\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", LAB_GUIDE, re.MULTILINE)
    assert block is not None
    planned = scenario.parse(yaml.safe_load(block[1]), "guide_lab.rst")
    assert "quebec" in planned and "kiosk-020" in planned


def test_links_of_the_readme_lead_somewhere() -> None:
    """Galaxy shows README without the files beside it, so each link is absolute. What it leads to is in this tree."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#][^)]*)\)", text)
    assert [link for link in links if not link.startswith("https://")] == []
    ours = (
        r"github\.com/keyholder/keyholder\.macos/(?:blob|tree)|raw\.githubusercontent\.com/keyholder/keyholder\.macos"
    )
    here = re.compile(rf"https://(?:{ours})/main/(.+)")
    files = [found[1] for found in map(here.match, links) if found]
    assert len(files) > 15
    assert [file for file in files if not (ROOT / file).exists()] == []
    headings = {
        re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_readme_is_short() -> None:
    text = re.sub(
        r"<!--.*?-->|\(https?://[^)]*\)", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert len(text.split()) <= 1100


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "lab"} <= named <= targets
