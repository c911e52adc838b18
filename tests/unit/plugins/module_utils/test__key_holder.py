# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the recovery key: every combination of what a Mac shows and what the store holds, against plain sentences."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import (
    CLOCKS,
    FATES,
    HOLDERS,
    KeyFacts,
    StoredKey,
    facts_in,
    key_holder,
)

AT = 1_760_000_000
LATER, SOON, BEFORE = AT + CLOCKS + 1, AT + CLOCKS, AT - 86400
TOLD = (True, False, None)
MACS = [
    KeyFacts(*facts)
    for facts in itertools.product(TOLD, TOLD, (None, 0, BEFORE, SOON, LATER), TOLD)
    if (facts[0] is None) == (facts[1] is None)
]
STORES = (
    None,
    StoredKey(),
    StoredKey(interrupted=True),
    StoredKey(AT),
    StoredKey(AT, True),
    StoredKey(problem="no such folder"),
)
ALL = list(itertools.product(MACS, STORES))


def owners(facts: KeyFacts, stored: StoredKey | None) -> str:
    """Who has it, as one would tell it: the first sentence that is true."""
    has_copy = stored is not None and stored.at is not None and not stored.problem
    made_since = bool(facts.escrowed_at and stored and stored.at and facts.escrowed_at > stored.at + CLOCKS)
    clear = has_copy and not made_since and not t.cast(StoredKey, stored).interrupted and facts.escrowed_at is not None
    went = bool(facts.escrowed_at)
    looked = stored is not None and not stored.problem
    in_doubt = has_copy and not clear and not made_since
    sentences = (
        (facts.personal is None, "unknown"),
        (not facts.personal and bool(facts.icloud), "apple_account"),
        (not facts.personal, "no_key"),
        (clear, "our_store"),
        (went and bool(facts.enrolled), "mdm"),
        (went and has_copy and made_since and facts.enrolled is False, "lost"),
        (went or facts.escrowed_at is None, "unknown"),
        (in_doubt or (stored is not None and bool(stored.problem)), "unknown"),
        (bool(facts.icloud), "apple_account"),
        (not looked, "unknown"),
        (True, "nobody"),
    )
    return next(word for is_true, word in sentences if is_true)


@pytest.mark.parametrize(("facts", "stored"), ALL)
def test_who_has_the_key(facts: KeyFacts, stored: StoredKey | None) -> None:
    said = key_holder(facts, stored)
    assert said.holder == owners(facts, stored)
    assert said.evidence


def test_every_answer_is_given() -> None:
    said = [key_holder(*one) for one in ALL]
    assert {one.holder for one in said} == set(HOLDERS)
    assert {one.stored for one in said} == set(FATES)


WHOLE = KeyFacts(True, False, 0, True)


@pytest.mark.parametrize(
    ("facts", "stored", "fate"),
    [
        (WHOLE, None, "not_asked"),
        (WHOLE, StoredKey(), "none"),
        (WHOLE, StoredKey(AT), "present"),
        (KeyFacts(True, False, BEFORE, True), StoredKey(AT), "present"),
        (KeyFacts(True, False, SOON, True), StoredKey(AT), "present"),
        (KeyFacts(True, False, LATER, True), StoredKey(AT), "dead"),
        (KeyFacts(True, False, LATER, True), StoredKey(AT, True), "dead"),
        (KeyFacts(False, False, 0, True), StoredKey(AT), "dead"),
        (KeyFacts(True, False, None, True), StoredKey(AT), "in_doubt"),
        (KeyFacts(None, None, 0, True), StoredKey(AT), "in_doubt"),
        (WHOLE, StoredKey(AT, True), "in_doubt"),
        (WHOLE, StoredKey(problem="no such folder"), "in_doubt"),
    ],
)
def test_what_becomes_of_the_stored_key(facts: KeyFacts, stored: StoredKey | None, fate: str) -> None:
    assert key_holder(facts, stored).stored == fate


def test_a_key_that_macos_has_replaced_by_itself_is_told_with_both_dates() -> None:
    said = key_holder(KeyFacts(True, False, LATER, True), StoredKey(AT))
    assert (said.holder, said.stored) == ("mdm", "dead")
    told = " ".join(said.evidence)
    assert "2025-10-09 08:53 UTC" in told and "2025-10-09 09:03 UTC" in told and "the one before died" in told


def test_an_interrupted_run_is_told_where_nothing_is_stored() -> None:
    assert "interrupted" in " ".join(key_holder(WHOLE, StoredKey(interrupted=True)).evidence)


def test_a_reading_of_an_older_version_tells_nothing_of_the_escrow() -> None:
    view = {"filevault": {"personal_recovery_key": True}, "management": {"enrolled": None}}
    assert facts_in(view) == KeyFacts(True, None, None, None)
    assert key_holder(facts_in(view), None).holder == _key_holder.UNKNOWN
