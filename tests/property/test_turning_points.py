# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's table of macOS against the lab's: two that were written apart must name the same versions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from transcripts import TRANSCRIPTS

from ansible_collections.keyholder.macos.plugins.module_utils import _macos
from ansible_collections.keyholder.macos.plugins.module_utils._macos import TURNING_POINTS, Version
from maclab import rules

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "plugins" / "module_utils"

# The product's turning point -> the lab's rule, and the value that the rule has from there on.
BOTH: dict[str, tuple[rules.Rule[object], object]] = {
    "SECURE_TOKENS": (rules.FIRST_TOKEN, "only_user_authenticates"),
    "SYSCTL_VERSION": (rules.SYSCTL_PRODUCT_VERSION, True),
    "KEY_AUTHENTICATES": (rules.KEY_AUTHENTICATES, True),
    "GRANTER_BYTES": (rules.STDIN_LIMIT_GRANTER, 1022),
    "FIRST_TOKEN_TO_ADMIN": (rules.FIRST_TOKEN, "administrator_authenticates"),
    "BOOTSTRAP_TOKEN": (rules.PROFILES_BOOTSTRAP, True),
    "USER_APPROVED_ESCROWS": (rules.BOOTSTRAP_ENROLLMENT, "user_approved"),
    "FIRST_TOKEN_BY_PASSWORD": (rules.FIRST_TOKEN, "password_set"),
    "PREVENTION_TAG": (rules.DISABLED_TAG, True),
    "BOOTSTRAP_GRANTS": (rules.BOOTSTRAP_GRANTS, "everybody"),
    "VOLUME_OWNERS": (rules.VOLUME_OWNER_SHOWN, True),
    "ADD_USER_GID": (rules.ADDUSER_FLAGS_11, True),
    "SEALED_SNAPSHOT": (rules.SEALED, True),
    "COMPATIBLE_NAME": (rules.SYSTEM_VERSION_COMPAT, True),
    "PLATFORM_SSO": (rules.PLATFORM_SSO, True),
    "SSO_POLICIES": (rules.SSO_POLICIES, True),
    "ERASE_PREFLIGHT": (rules.EACS_PREFLIGHT, True),
    "SSHD_INCLUDES": (rules.SSHD_INCLUDES, True),
    "SSH_UNLOCKS": (rules.SSH_UNLOCKS, True),
    "ADD_USER_ACCESS": (rules.ADDUSER_NEEDS_ACCESS, True),
    "KEY_IN_PLIST_ONLY": (rules.ENABLE_SHOWS_KEY, False),
    "DEFERRAL_HIDES_KEY": (rules.DEFERRAL_SHOWS_KEY, False),
}
# The lab plays these the same way on each version, or knows another fact: see the test of ASKS_OLD_PASSWORD.
PRODUCT_ALONE = {
    "TOKEN_DIALOG",
    "SSH_UNLOCKS_BY_WIFI",
    "PROTECTED_FOLDER",
    "ERASES_CONTENT",
    "ASKS_OLD_PASSWORD",
    "DISABLED_BY_GROUP",
}


def numbers(version: Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch


def test_each_turning_point_is_compared_or_known_to_one_side_only() -> None:
    assert not BOTH.keys() & PRODUCT_ALONE
    assert BOTH.keys() | PRODUCT_ALONE == TURNING_POINTS.keys()


@pytest.mark.parametrize("name", BOTH)
def test_both_tables_name_the_same_version(name: str) -> None:
    rule, value = BOTH[name]
    first = min(row.first for row in rule.rows if row.value == value)
    assert numbers(TURNING_POINTS[name].first) == (*first, 0, 0)[:3]


def test_the_lab_takes_each_way_to_a_password_on_the_versions_that_the_product_chooses_it_on() -> None:
    """The product changes its way where the new one is known to work; the old one works in the lab until 26.5."""
    turn = numbers(_macos.ASKS_OLD_PASSWORD.first)
    assert rules.ROOT_PASSWD_ON_HOLDER.at(turn) == "asks_old"
    assert all(rules.SELF_CHANGE_OVER_SSH.at(row.first) for row in rules.FIRST_TOKEN.rows if row.first < turn)


def test_rows_are_in_the_order_of_the_versions_and_each_has_a_source() -> None:
    points = list(TURNING_POINTS.values())
    assert [point.first for point in points] == sorted(point.first for point in points)
    for point in points:
        assert point.changed and point.source


def test_each_transcript_that_a_row_names_is_there() -> None:
    named = [
        words.strip()
        for point in TURNING_POINTS.values()
        for found in re.findall(r"transcripts? ([^;]+)", point.source)
        for words in found.split(",")
        if " " not in words.strip()
    ]
    assert len(named) >= 8
    assert set(named) <= set(TRANSCRIPTS)


def test_no_other_file_of_the_core_compares_versions_with_numbers() -> None:
    """A turning point that stands elsewhere is in no table, and no guide tells of it."""
    looked_at = found = 0
    for path in sorted(CORE.rglob("*.py")):
        looked_at += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Version"
            if called and any(isinstance(one, ast.Constant) for one in node.args):
                found += 1
                assert path.name == "_macos.py", path
    assert looked_at > 40
    assert found == len(TURNING_POINTS)
