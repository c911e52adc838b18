# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first holder is harmless and still a holder, and nothing is left of the account that only unlocked."""

from __future__ import annotations

from seen_by_macos import Mac, Seen


def test_the_first_holder_is_still_one(mac: Mac) -> None:
    assert set(mac.by_all_three_sources("setup")) == {True}


def test_nobody_can_use_it(mac: Mac) -> None:
    assert mac.attribute("setup", "UserShell") == "/usr/bin/false"
    assert mac.attribute("setup", "IsHidden").endswith("1")
    with mac.host.sudo():
        assert mac.host.run("pwpolicy -u setup -authentication-allowed").rc != 0
        assert mac.host.run("dseditgroup -o checkmember -m setup admin").rc != 0
    assert "denyusers *" in mac.root("sshd -T -C user=setup,host=localhost,addr=127.0.0.1").stdout


def test_the_other_one_is_gone(mac: Mac, seen: Seen) -> None:
    assert not mac.exists("unlock")
    seen.mark(mac)
