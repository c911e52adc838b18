# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reason that the code can give is in the table, and the reverse."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal

ROOT = Path(__file__).resolve().parents[4]
SOURCES = sorted((ROOT / "plugins").rglob("*.py"))
TABLES = {"_code.py", "_reasons"}


def test_the_type_and_the_table_name_the_same_codes() -> None:
    """So that mypy, which knows the type, refuses a code that is not in the table."""
    assert set(t.get_args(Code)) == set(REASONS)


@pytest.mark.parametrize("code", [code for code in t.get_args(Code) if not code.startswith("fdesetup_")])
def test_every_code_is_given_somewhere(code: str) -> None:
    assert any(
        f'"{code}"' in path.read_text(encoding="utf-8")
        for path in SOURCES
        if not TABLES & {path.name, path.parent.name}
    )


def test_codes_and_words_are_fit_to_be_read() -> None:
    for code, reason in REASONS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)
        assert reason.meaning.endswith(".") and reason.remedy.endswith("."), code


def test_a_refusal_knows_the_way_out() -> None:
    refusal = Refusal("no_holder", "no account holds a token")
    assert str(refusal) == "no account holds a token"
    assert refusal.remedy == REASONS["no_holder"].remedy
    assert refusal.told == f"no account holds a token. {refusal.remedy} [no_holder]"


def test_documentation_names_only_codes_that_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    named = {code for text in texts for code in re.findall(r"RV\(reason=(\w+)\)", text)}
    named |= {code for text in texts for code in re.findall(r"^  sample: (\w+)\nevidence:", text, re.MULTILINE)}
    assert named
    assert named <= set(REASONS)
