# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac that lies: its programs answer as ever, and one thing afterwards is not so."""

from __future__ import annotations

import copy
from typing import Any

import fakes
import pytest

from maclab import directory, vault
from maclab.lab import Handle
from maclab.state import Fault, Mac


def broken(name: str, **options: Any) -> Mac:
    mac = fakes.people(fakes.mac())
    mac.faults.append(Fault(name, options))
    return mac


def grant(mac: Mac) -> fakes.Run:
    words = ("-secureTokenOn", "user", "-password", "user-pw", "-adminUser", "admin", "-adminPassword", "admin-pw")
    return fakes.run(mac, "sysadminctl", *words)


def seen(mac: Mac) -> tuple[bool, bool, bool]:
    user = mac.accounts["user"]
    listed = user.generated_uid in vault.listed(mac)
    return directory.TOKEN in user.authority, user.generated_uid in mac.crypto_users, listed


def test_nothing_of_what_a_program_says_has_happened() -> None:
    mac = broken("does_nothing", program="sysadminctl", argument="-secureTokenOn")
    honest, run = grant(fakes.people(fakes.mac())), grant(mac)
    assert (run.status, run.err.split("] ")[1:]) == (honest.status, honest.err.split("] ")[1:])
    assert "Done!" in run.err
    assert (seen(mac), run.record.writes, run.commits) == ((False, False, False), [], 0)


def test_other_arguments_and_other_programs_work() -> None:
    mac = broken("does_nothing", program="sysadminctl", argument="-deleteUser")
    grant(mac)
    assert seen(mac) == (True, True, True)


def test_over_ssh_nothing_lasts_either(mac: Handle) -> None:
    mac.set_fault("does_nothing", program="dseditgroup")
    assert mac.ssh("sudo -n dseditgroup -o edit -d itadmin -t user admin").rc == 0
    assert mac.state().is_admin("itadmin")


@pytest.mark.parametrize(("source", "index"), [("authority", 0), ("crypto_user", 1), ("filevault_list", 2)])
def test_one_of_three_sources_stands_still(source: str, index: int) -> None:
    mac = broken("source_stands_still", user="user", source=source)
    grant(mac)
    # FileVault lists crypto users: who is none is not listed.
    expected = (True, False, False) if source == "crypto_user" else tuple(at != index for at in range(3))
    assert seen(mac) == expected
    granted = fakes.people(fakes.mac())
    grant(granted)
    granted.faults = copy.deepcopy(mac.faults)
    words = ("-secureTokenOff", "user", "-password", "user-pw", "-adminUser", "admin", "-adminPassword", "admin-pw")
    fakes.run(granted, "sysadminctl", *words)
    assert seen(granted) == ((False, True, True) if source == "crypto_user" else tuple(at == index for at in range(3)))


def test_a_deleted_account_leaves_its_key() -> None:
    mac = broken("delete_keeps_key")
    grant(mac)
    guid = mac.accounts["user"].generated_uid
    fakes.run(mac, "sysadminctl", "-deleteUser", "user")
    assert ("user" in mac.accounts, guid in mac.crypto_users) == (False, True)


def test_a_name_is_taken_over_once() -> None:
    mac = broken("name_taken_over", user="user")
    before = mac.accounts["user"].generated_uid
    fakes.run(mac, "dscl", ".", "-read", "/Users/user")
    assert mac.accounts["user"].generated_uid == before
    fakes.run(mac, "dscl", ".", "-create", "/Users/user", "AuthenticationHint", "x")
    after = mac.accounts["user"].generated_uid
    assert after != before
    fakes.run(mac, "dscl", ".", "-create", "/Users/user", "AuthenticationHint", "y")
    assert mac.accounts["user"].generated_uid == after


def test_an_escrow_stands_still() -> None:
    mac = broken("escrow_stands_still")
    mac.mdm.escrow_profile = True
    vault.escrow_key(mac, 5.0)
    mac.filevault.state = "on"
    entered = "<plist version='1.0'><dict><key>Username</key><string>admin</string><key>Password</key>"
    run = fakes.run(
        mac,
        "fdesetup",
        "changerecovery",
        "-personal",
        "-inputplist",
        stdin=f"{entered}<string>admin-pw</string></dict></plist>",
    )
    assert (run.status, mac.filevault.keys_made, mac.mdm.prk_escrowed_at) == (0, 1, 5.0)
    assert mac.files[vault.ESCROW_FILE].changed_at == 5.0


def test_an_archive_is_cut_off() -> None:
    mac = broken("archive_cut_off")
    mac.accounts["user"].home, mac.accounts["user"].home_exists = "/Users/user", True
    path = "/var/root/user.tar.gz"
    assert fakes.run(mac, "tar", "-c", "-z", "-f", path, "-C", "/Users", "user").status == 0
    assert fakes.run(mac, "tar", "-t", "-z", "-f", path).status == 1


def test_a_home_belongs_to_another_account() -> None:
    mac = broken("home_of_another")
    mac.accounts["user"].home, mac.accounts["user"].home_exists = "/Users/user", False
    assert fakes.run(mac, "createhomedir", "-c", "-u", "user").status == 0
    assert fakes.run(mac, "stat", "-f", "%HT|%u", "/Users/user").out == "Directory|12345\n"
