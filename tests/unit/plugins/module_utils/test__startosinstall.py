# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installer application says of its macOS, and what its startosinstall says of a failure."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import startosinstall
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

APPLICATION = "/Applications/Install macOS Tahoe.app"
READ = startosinstall.read_version(APPLICATION)
STRAY = "IOServiceMatchingfailed for: AppleM2ScalerParavirtDriver\n"
LICENSE = """By using the agreetolicense option, you are agreeing that you have run this tool with the license only \
option and have read and agreed to the terms.
If you do not agree, press CTRL-C and cancel this process immediately.
"""
# kc9wwh/macOSUpgrade issues 44 and 165, grahampugh/erase-install issue 457.
DONE = f"{LICENSE}Preparing to run macOS Installer...\nPreparing: 0.2%\nPreparing: 100%\nRestarting...\n"
NO_PASSWORD = (
    f"Error: failed to authorize for installation. Provide a password with --stdinpass or --passprompt.\n{LICENSE}"
)
NOT_AUTHORISED = f"{LICENSE}Error: could not get authorization...\n"


@pytest.mark.parametrize(
    ("said", "rc", "version"),
    [
        ("26.1\n", 0, "26.1"),
        ("10.15.7\n", 0, "10.15.7"),
        ("15\n", 0, "15"),
        ("26.1\r\n", 0, "26.1"),
        (f"{STRAY}26.1\n", 0, "26.1"),
        ("26.1\n", 1, None),
        ("26.1\n", None, None),
        ("", 0, None),
        ("GM\n", 0, None),
        ("26.1 beta\n", 0, None),
        ("126.1\n", 0, None),
        ("26.1\n26.2\n", 0, None),
    ],
)
def test_the_version_of_an_application(said: str, rc: int | None, version: str | None) -> None:
    expected = None if version is None else Version.parse(version)
    assert startosinstall.parse_version(Ran(READ, rc, said)) == expected


@pytest.mark.parametrize(
    ("said", "rc", "code"),
    [
        (DONE, 0, ""),
        # The restart ends it.
        (DONE, -15, ""),
        (DONE, 255, ""),
        (f"{LICENSE}Preparing to run macOS Installer...\nPreparing: 16.8%", 1, "update_failed"),
        ("", 1, "update_failed"),
        ("sh: startosinstall: not found", 127, "update_failed"),
        (NO_PASSWORD, 1, "owner_refused"),
        (NO_PASSWORD, 0, "owner_refused"),
        (NOT_AUTHORISED, 0, "owner_refused"),
        ("Error: Not enough free disk space: a total of 16.37 GB is required.\n", 0, "disk_full"),
    ],
)
def test_a_failure_is_told_by_its_words(said: str, rc: int, code: str) -> None:
    command = startosinstall.install(APPLICATION, "", None)
    assert startosinstall.refusal_said(Ran(command, rc, said)) == code
    assert startosinstall.refusal_said(Ran(command, rc, "", said)) == code


def test_the_password_is_a_line_of_stdin_and_no_argument() -> None:
    command = startosinstall.install(APPLICATION, "itadmin", Secret("s3cret ü"))
    assert command.input() == "s3cret ü\n".encode()
    assert command.argv[0] == f"{APPLICATION}/Contents/Resources/startosinstall"
    assert command.argv[-3:] == ("--user", "itadmin", "--stdinpass")
    assert command.restarts and "s3cret" not in str(command)
    plain = startosinstall.install(APPLICATION, "", None)
    assert plain.input() == b"" and "--user" not in plain.argv and plain.restarts
