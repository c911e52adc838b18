# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""There is a Python, a module ran on it, and nobody has ever started the stub."""

from __future__ import annotations

from typing import Any

from seen_by_macos import PLACE, Mac, Seen

from maclab import journal

WHERE = "root/usr/local/bin/managed_python3"


def test_a_module_ran_on_the_python_that_was_found(mac: Mac, result: Any) -> None:
    reached = result("reached")
    assert reached["interpreter"] == str(PLACE / "lab" / "macs" / mac.name / WHERE)
    assert reached["os"]
    assert mac.host.run(f"{reached['interpreter']} -c 'print(6*7)'").stdout == "42\n"


def test_the_package_was_installed_once_and_only_where_there_was_none(mac: Mac, seen: Seen) -> None:
    installs = journal.programs(seen.since(mac), "installer")
    wanted = 1 if mac.name in ("bergen", "graz", "quebec") else 0
    assert [run.status for run in installs] == [0] * wanted
    fetched = journal.programs(seen.since(mac), "curl")
    assert len(fetched) == (1 if mac.name in ("graz", "quebec") else 0)


def test_the_stub_was_never_started(mac: Mac, seen: Seen) -> None:
    assert not journal.programs(mac.journal, "python3")
    seen.mark(mac)
