# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runner of GitHub's is told from every other machine, and its password is read and hidden."""

from __future__ import annotations

import pytest

from proving import autologin, place

JOB = {
    "GITHUB_ACTIONS": "true",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "RUNNER_OS": "macOS",
    "GITHUB_RUN_ID": "17",
}
MAC = {"user": "runner\n", "uid": "501\n", "system": "Darwin\n", "virtual": "1\n", "root": "0\n"}


def test_a_hosted_job_on_a_runner_is_one() -> None:
    assert place.refusals_of_environment(JOB) == []
    assert place.refusals_of_mac(MAC) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNNER_ENVIRONMENT", "self-hosted"),
        ("RUNNER_ENVIRONMENT", ""),
        ("GITHUB_ACTIONS", "false"),
        ("RUNNER_OS", "Linux"),
        ("GITHUB_RUN_ID", ""),
    ],
)
def test_another_job_is_none(name: str, value: str) -> None:
    (reason,) = place.refusals_of_environment({**JOB, name: value})
    assert name in reason


@pytest.mark.parametrize("name", JOB)
def test_what_is_not_set_is_no_yes(name: str) -> None:
    assert place.refusals_of_environment({key: value for key, value in JOB.items() if key != name})


@pytest.mark.parametrize("name", MAC)
@pytest.mark.parametrize("value", ["", "other", "10"])
def test_another_mac_is_none(name: str, value: str) -> None:
    assert len(place.refusals_of_mac({**MAC, name: value})) == 1


def test_every_question_is_judged() -> None:
    assert set(MAC) == set(place.QUESTIONS)
    assert len(place.refusals_of_mac({})) == len(place.QUESTIONS)


# "vagrant", byte by byte: v 76, a 61, g 67, r 72, a 61, n 6e, t 74, combined with 7d 89 52 23 d2 bc dd; then zeros.
VAGRANT = " 0b e8 35 51 b3 d2 a9 ea\n a3 b9 1f\n"


def test_the_password_is_read() -> None:
    assert autologin.password_from(VAGRANT) == "vagrant"


def test_a_password_longer_than_the_key_is_read() -> None:
    twice = "".join(f"{ord('x') ^ byte:02x} " for byte in (0x7D, 0x89, 0x52, 0x23, 0xD2, 0xBC, 0xDD, 0xEA, 0xA3, 0xB9))
    assert autologin.password_from(twice + f"{ord('x') ^ 0x1F:02x} {ord('y') ^ 0x7D:02x} 89") == "x" * 11 + "y"


@pytest.mark.parametrize("said", ["", "7d 89", "cat: /etc/kcpassword: No such file or directory", "82 ff", "77 e8"])
def test_what_holds_no_password_is_refused_and_not_quoted(said: str) -> None:
    with pytest.raises(ValueError, match="known") as error:
        autologin.password_from(said)
    assert said.strip() == "" or said.strip() not in str(error.value)


def test_a_secret_cannot_end_its_own_mask() -> None:
    assert autologin.masked("a%0Ab\nc") == "::add-mask::a%250Ab%0Ac"
