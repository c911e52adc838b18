# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""sshd's settings for single accounts: what is written is tried and shown, and on old versions nobody reads it."""

from __future__ import annotations

import fakes
import pytest
from fakes import mac, people

from maclab import directory, sshd_config
from maclab.call import UNMODELLED
from maclab.state import Mac

FILE = f"{sshd_config.FOLDER}040-user.conf"
SETTINGS = "Match User user\n    DenyUsers *\n    PasswordAuthentication no\nMatch all\n"
FOR_USER = ("-T", "-C", "user=user,host=localhost,addr=127.0.0.1")


def with_settings(text: str = SETTINGS, version: str = "15.6") -> Mac:
    made = people(mac(version))
    assert fakes.run(made, "tee", FILE, stdin=text).status == 0
    return made


def test_what_is_written_counts_for_its_account_alone() -> None:
    made = with_settings()
    assert fakes.run(made, "sshd", "-t").status == 0
    said = fakes.run(made, "sshd", *FOR_USER).out
    assert "denyusers *\n" in said and "passwordauthentication no\n" in said
    other = fakes.run(made, "sshd", "-T", "-C", "user=admin,host=localhost,addr=127.0.0.1").out
    assert "denyusers" not in other and "passwordauthentication yes\n" in other
    assert sshd_config.denies(made, "user") and not sshd_config.denies(made, "admin")
    assert fakes.run(made, "rm", "-f", FILE).status == 0
    assert not sshd_config.denies(made, "user")


@pytest.mark.parametrize("text", ["Colour blue\n", "DenyUsers\n", "Match User\n"])
def test_settings_that_sshd_does_not_take_are_told(text: str) -> None:
    made = with_settings(text)
    for words in (("-t",), FOR_USER):
        run = fakes.run(made, "sshd", *words)
        assert run.status == 255 and FILE in run.err


def test_before_macos_12_nobody_reads_the_folder() -> None:
    made = with_settings("Colour blue\n", "11.7.10")
    assert fakes.run(made, "sshd", "-t").status == 0
    assert not sshd_config.denies(made, "user")


def test_only_root_asks_and_nobody_starts_it() -> None:
    made = with_settings()
    assert fakes.run(made, "sshd", *FOR_USER, root=False).status == 1
    assert fakes.run(made, "sshd", "-D").status == UNMODELLED


@pytest.mark.parametrize(("version", "goes"), [("10.13.6", False), ("10.14.4", True), ("15.6", True)])
def test_the_hash_goes_with_the_value_that_names_it(version: str, goes: bool) -> None:
    made = people(mac(version))
    value = directory.SHADOW_HASH
    assert fakes.run(made, "dscl", ".", "-delete", "/Users/user", "AuthenticationAuthority", value).status == 0
    assert (made.accounts["user"].password is None) == goes
