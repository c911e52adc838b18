# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reason that the code can give is in the table, and the reverse."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._command import fdesetup, profiles, sysadminctl
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal

ROOT = Path(__file__).resolve().parents[4]
SOURCES = sorted((ROOT / "plugins").rglob("*.py"))


def test_every_code_given_is_in_the_table() -> None:
    assert given() - set(REASONS) == set()


def test_every_code_in_the_table_can_be_given() -> None:
    assert set(REASONS) - given() == set()


def test_codes_and_words_are_fit_to_be_read() -> None:
    for code, reason in REASONS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)
        assert reason.meaning.endswith(".") and reason.remedy.endswith("."), code


def test_a_refusal_knows_the_way_out() -> None:
    refusal = Refusal("no_holder", "no account holds a token")
    assert str(refusal) == "no account holds a token"
    assert refusal.remedy == REASONS["no_holder"].remedy


def test_documentation_names_only_codes_that_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    named = {code for text in texts for code in re.findall(r"RV\(reason=(\w+)\)", text)}
    named |= {code for text in texts for code in re.findall(r"^  sample: (\w+)\nevidence:", text, re.MULTILINE)}
    assert named
    assert named <= set(REASONS)


def given() -> set[str]:
    """Codes by every way that the code has to give one: a Refusal, a failure, a command's words, a ``reason = ...``."""
    codes = {reason for _pattern, reason in sysadminctl._MEANINGS + profiles._MEANINGS}
    codes |= {f"fdesetup_{status}" for status in fdesetup.EXIT}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in ("Refusal", "_Stop", "_failure") and node.args:
                first = node.args[0]
                codes |= set().union(*map(_values, first.values if isinstance(first, ast.BoolOp) else [first]))
            elif isinstance(node, ast.Call) and _name(node.func) == "fail" and len(node.args) > 1:
                codes |= _values(node.args[1])
            elif isinstance(node, ast.Assign) and [_name(target) for target in node.targets] == ["reason"]:
                codes |= {
                    constant.value
                    for constant in ast.walk(node.value)
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
                }
    return codes


def _values(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.JoinedStr):
        # f"{step.role}_disabled": a role is one of two words.
        parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        assert parts[0] == "{}" and parts.count("{}") == 1, ast.dump(node)
        return {"".join(parts).format(role) for role in ("user", "granter")}
    return set()


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
