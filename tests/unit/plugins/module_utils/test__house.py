# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core is a house whose arrows point down only, and in which no file is too long to be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
CORE = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.keyholder.macos.plugins.module_utils"

# From the ground up, as CONTRIBUTING.md shows them. What stands in one line may use each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "_code",
        "_text",
        "_kind",
        "_runner",
        "_macos",
        "_unfinished",
        "_parking",
        "_offer",
        "_place",
        "_power",
        "_sso",
        "_start_up",
        "_account",
        "_command",
    ),
    ("_reasons", "_reason", "_mac", "_key_holder"),
    ("_recoverable", "_comes_back", "_ready", "_lock", "_shape", "_reading"),
    ("_step",),
    ("_plan",),
    ("_run",),
    ("_module", "_module_info", "_module_change"),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
FILES = sorted(path for path in CORE.rglob("*.py") if path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_file_imports_from_its_own_floor_and_those_below(path: Path) -> None:
    mine = FLOOR[path.relative_to(CORE).parts[0].removesuffix(".py")]
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"^ *from {re.escape(PACKAGE)}\.(\w+)", text, re.MULTILINE)
    named += re.findall(rf"^ *from {re.escape(PACKAGE)} import \(?\s*(\w+)", text, re.MULTILINE)
    assert [name for name in named if FLOOR[name] > mine] == []
    assert "import ansible\n" not in text and (mine == len(FLOORS) - 1 or "from ansible.module_utils.basic" not in text)


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_no_file_is_longer_than_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
