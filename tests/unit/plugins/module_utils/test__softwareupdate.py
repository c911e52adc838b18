# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What softwareupdate prints: lists as they were seen on real Macs, and words of failures."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import softwareupdate
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._offer import choose, minimum, wanted
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

HEAD = "Software Update Tool\n\nFinding available software\n"
FOUND = f"{HEAD}Software Update found the following new or updated software:\n"

# Macjutsu/super issues 290 and 151, WaveBirdDash/install-or-defer issue 60, JamfProScripts issue 14.
VENTURA = f"""{FOUND}* Label: Safari18.3.1VenturaAuto-18.3.1
\tTitle: Safari, Version: 18.3.1, Size: 175218KiB, Recommended: YES,\x20
* Label: macOS Ventura 13.7.4-22H420
\tTitle: macOS Ventura 13.7.4, Version: 13.7.4, Size: 1555614KiB, Recommended: YES, Action: restart,\x20
* Label: macOS Sequoia 15.3.1-24D70
\tTitle: macOS Sequoia 15.3.1, Version: 15.3.1, Size: 9687761KiB, Recommended: YES, Action: restart,\x20
"""
BIG_SUR = f"""{FOUND}* Label: Safari15.0BigSurAuto-15.0
\tTitle: Safari, Version: 15.0, Size: 119059K, Recommended: YES,\x20
* Label: macOS Big Sur 11.6-20G165
\tTitle: macOS Big Sur 11.6, Version: 11.6, Size: 2575888K, Recommended: YES, Action: restart,\x20
"""
HIGH_SIERRA = f"""{FOUND}   * macOS High Sierra 10.13.4 Update-
\tmacOS High Sierra 10.13.4 Update ( ), 2299964K [recommended] [restart]
"""
RESPONSE = f"""{FOUND}* Label: macOS Security Response 13.3.1 (a)-22E772610a
\tTitle: macOS Security Response 13.3.1 (a), Version: 13.3.1 (a), Size: 1000KiB, Recommended: YES, Action: restart,\x20
"""
STRAY = f"2024-02-12 07:12:07.968 softwareupdate[91464:9805959] XType: Using static font registry.\n{VENTURA}"


def ran(out: str, err: str = "", rc: int | None = 0) -> Ran:
    return Ran(softwareupdate.LIST, rc, out, err)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (VENTURA, [("macOS Ventura 13.7.4", "13.7.4", "22H420"), ("macOS Sequoia 15.3.1", "15.3.1", "24D70")]),
        (
            VENTURA.replace("\n", "\r\n"),
            [("macOS Ventura 13.7.4", "13.7.4", "22H420"), ("macOS Sequoia 15.3.1", "15.3.1", "24D70")],
        ),
        (STRAY, [("macOS Ventura 13.7.4", "13.7.4", "22H420"), ("macOS Sequoia 15.3.1", "15.3.1", "24D70")]),
        (BIG_SUR, [("macOS Big Sur 11.6", "11.6", "20G165")]),
        (HIGH_SIERRA, [("macOS High Sierra 10.13.4 Update", "10.13.4", "")]),
        (RESPONSE, []),
        (f"{HEAD}No new software available.\n", []),
    ],
)
def test_a_list_holds_each_macos_and_nothing_else(said: str, found: list[tuple[str, str, str]]) -> None:
    offers = softwareupdate.parse_list(ran(said))
    assert offers is not None
    assert [(one.title, str(one.version), one.build) for one in offers] == found


def test_the_label_is_the_one_that_the_program_is_told() -> None:
    assert [one.label for one in softwareupdate.parse_list(ran(VENTURA)) or ()] == [
        "macOS Ventura 13.7.4-22H420",
        "macOS Sequoia 15.3.1-24D70",
    ]
    assert [one.label for one in softwareupdate.parse_list(ran(HIGH_SIERRA)) or ()] == [
        "macOS High Sierra 10.13.4 Update-"
    ]


@pytest.mark.parametrize("said", ["", HEAD, "softwareupdate: unrecognized option\n", "Can't connect to the server\n"])
def test_what_is_no_list_is_not_an_empty_one(said: str) -> None:
    assert softwareupdate.parse_list(ran(said)) is None
    assert softwareupdate.parse_list(ran("", said, 1)) is None


def test_nothing_new_may_be_said_on_either_stream() -> None:
    assert softwareupdate.parse_list(ran(HEAD, "No new software available.\n")) == ()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Downloaded: macOS Sonoma 14.5\nFailed to authenticate\n", "owner_refused"),
        ("Error: failed to authorize for installation. Provide a password with --stdinpass", "owner_refused"),
        ("Error: could not get authorization...", "owner_refused"),
        ("Not enough free disk space: a total of 16.37 GB is required.\n", "disk_full"),
        ("macOS High Sierra 10.13.4: No such update\n", "update_not_offered"),
        ("Downloaded: macOS Ventura 13.3\nRestarting...\n", ""),
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_a_failure_is_told_by_its_words(said: str, code: str, status: int) -> None:
    assert softwareupdate.refusal_said(ran(said, rc=status)) == code
    assert softwareupdate.refusal_said(ran("", said, status)) == code


def test_the_password_is_a_line_of_stdin_and_no_argument() -> None:
    command = softwareupdate.install("macOS Sequoia 15.6.1-24G90", "itadmin", Secret("s3cret ü"))
    assert command.input() == "s3cret ü\n".encode()
    assert command.argv[-3:] == ("--user", "itadmin", "--stdinpass")
    assert command.restarts and "s3cret" not in str(command)
    plain = softwareupdate.install("macOS Monterey 12.7.7-21H", "", None)
    assert plain.input() == b"" and "--user" not in plain.argv and plain.restarts


@pytest.mark.parametrize(
    "text", ["", "x", "15.6.1.2", "1", "026", "15.", ".15", "15.6 ", "15.6\n", "٢٦", "-26", "15.999"]
)
def test_what_is_no_version(text: str) -> None:
    assert wanted(text) is None


@pytest.mark.parametrize(
    ("text", "above", "taken"),
    [
        ("13", "12.7", "13.7.4"),
        ("15", "13.6", "15.3.1"),
        ("15.3", "13.6", "15.3.1"),
        ("15.3.1", "15.3.0", "15.3.1"),
        ("15.3.1", "15.3.1", None),
        ("15.4", "15.3", None),
        ("13.7", "13.7.4", None),
    ],
)
def test_the_newest_that_begins_as_asked_is_chosen(text: str, above: str, taken: str | None) -> None:
    parts = wanted(text)
    assert parts is not None and minimum(parts) <= Version(*parts)
    offer = choose(softwareupdate.parse_list(ran(VENTURA)) or (), parts, Version.parse(above))
    assert (None if offer is None else str(offer.version)) == taken
