# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode said what it would install, and installed nothing; the stub slept on."""

from __future__ import annotations

from typing import Any

from seen_by_macos import Mac, Seen

from maclab import journal

BARE = ("bergen", "graz", "quebec")


def test_nothing_was_written_and_no_dialog_opened(mac: Mac, seen: Seen) -> None:
    done = [run for run in journal.programs(mac.journal) if run.writes or run.program == "python3"]
    # reykjavik was given its Python by hand.
    assert [run.program for run in done] == (["installer"] if mac.name == "reykjavik" else [])
    assert not journal.programs(mac.journal, "curl")
    seen.mark(mac)


def test_it_predicted_an_installation_where_there_is_no_python(mac: Mac, result: Any) -> None:
    predicted = result("predicted")
    assert predicted["changed"] is (mac.name in BARE)
    assert (predicted["interpreter"] == "") is (mac.name in BARE)
