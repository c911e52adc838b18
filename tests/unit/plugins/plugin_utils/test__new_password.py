# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new password is what the Mac's rules allow, and what every prompt takes."""

from __future__ import annotations

import re

import pytest

from ansible_collections.keyholder.macos.plugins.plugin_utils import _new_password
from ansible_collections.keyholder.macos.plugins.plugin_utils._new_password import LONGEST, PolicyError, new_password


@pytest.mark.parametrize(
    "patterns",
    [
        [],
        [".{15,}"],
        [".{8,}+", "(.*[0-9].*){1,}+", "(.*[A-Z].*){2,}+", "(.*[a-z].*){1,}+", "(.*[^a-zA-Z0-9].*){1,}+"],
        ["^(?=.*[0-9])(?=.*[a-zA-Z])(?=.*[^a-zA-Z0-9]).+$"],
        [".{8,16}"],
        [".{40,}"],
        ["[0-9A-Za-z.,:+=%@-]+", "a rule that Python cannot (read"],
    ],
)
def test_it_meets_the_rules(patterns: list[str]) -> None:
    for _dummy in range(20):
        password = new_password(patterns, 24)
        assert len(password.encode()) <= LONGEST
        readable = [pattern.replace("}+", "}") for pattern in patterns if "Python cannot" not in pattern]
        assert all(re.fullmatch(pattern, password) for pattern in readable)
        assert password.isprintable()
        assert not re.search(r"[lIO01'\"\\$`{}\s]", password)
        assert password[0].isalnum()
        assert password[-1].isalnum()


def test_each_is_another_one_with_every_kind_of_character() -> None:
    passwords = {new_password([], 12) for dummy in range(200)}
    assert len(passwords) == 200
    for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"):
        assert all(re.search(kind, password) for password in passwords)


def test_rules_that_nothing_meets_are_an_error_and_no_password() -> None:
    with pytest.raises(PolicyError):
        new_password(["[0-9]{4}"], 24)


@pytest.mark.parametrize("pattern", ["([a-zA-Z0-9.,+:=%@-]+)*!", "(?:[^!]*)*!"])
def test_a_pattern_that_takes_for_ever_ends_in_words(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_new_password, "DEADLINE", 1)
    with pytest.raises(PolicyError, match="could not be tried in 1 seconds.*account_password"):
        new_password([pattern], 24)


def test_a_thousand_patterns_are_tried_at_once() -> None:
    assert len(new_password([f"(?=.{{{number % 20}}}).*" for number in range(1000)], 24)) == 24


def test_a_pattern_that_is_no_regular_expression_is_left_to_macos() -> None:
    assert len(new_password(["(", "*", "a{99999999999999}", "(" * 5000], 24)) == 24


def test_no_secret_is_an_argument_and_two_processes_try_all(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    run = _new_password.subprocess.run

    def watch(argv: list[str], **options: object) -> object:
        assert options["start_new_session"]
        assert "env" not in options
        started.append(argv)
        return run(argv, check=bool(options.pop("check", False)), **options)  # type: ignore[call-overload]

    monkeypatch.setattr(_new_password.subprocess, "run", watch)
    password = new_password(["[0-9A-Za-z.,:+=%@-]{30}"], 24)
    assert len(password) == 30
    assert len(started) == 2
    assert all(password not in part for argv in started for part in argv)
