# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab writes by itself is to the letter what plistlib writes."""

from __future__ import annotations

import datetime
import plistlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maclab import plists

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = TEXTS | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.booleans() | st.binary(max_size=90)
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4), max_leaves=12
)


def said(write: Any, value: Any) -> str:
    try:
        return str(write(value))
    except (ValueError, TypeError, OverflowError) as error:
        return repr(error)


@given(VALUES)
def test_as_plistlib(value: Any) -> None:
    assert said(plists.dumps, value) == said(lambda one: plistlib.dumps(one, sort_keys=False).decode(), value)


SELDOM = ["a\x07b", "\ud800", {1: "one"}, {"of": None}, ("a", ["b"]), datetime.datetime(2026, 1, 2), {"a\rb": "<\r\n>"}]


@pytest.mark.parametrize("value", SELDOM, ids=repr)
def test_what_is_seldom(value: Any) -> None:
    assert said(plists.dumps, value) == said(lambda one: plistlib.dumps(one, sort_keys=False).decode(), value)
