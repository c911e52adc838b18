# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histories of several controllers become one that has each audit once, and none is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from readings import NOW, PHANTOM, reading
from test__audit_report import make

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History, HistoryError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.united import unite


def audited(path: Path, *times: float, broken: bool = False, partial: bool = False) -> Path:
    (path.parent / "report").mkdir(exist_ok=True)
    for at in times:
        history = History(str(path))
        mac = reading(accounts=(PHANTOM,)) if broken else reading()
        make(path.parent / "report", [Answer("a", "read", at, mac)], history=history, now=at, partial=partial)
        history.close()
    return path


def told(path: Path) -> list[tuple[float, bool, list[str]]]:
    history = History(str(path))
    try:
        return [
            (run.at, run.partial, [f"{one['host']} {bool(one['mac'])}" for one in history.readings(run)])
            for run in history.runs()
        ]
    finally:
        history.close()


def test_each_audit_is_there_once_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    first = audited(tmp_path / "first", NOW, NOW + 10)
    second, third = Path(shutil.copy(first, tmp_path / "second")), tmp_path / "third"
    audited(first, NOW + 20)
    audited(second, NOW + 15, broken=True, partial=True)
    audited(third, NOW + 5)
    unite([first, second, third], tmp_path / "all")
    assert told(tmp_path / "all") == [
        (NOW, False, ["a True"]), (NOW + 5, False, ["a True"]), (NOW + 10, False, ["a True"]),
        (NOW + 15, True, ["a True"]), (NOW + 20, False, ["a True"]),
    ]  # fmt: skip
    history = History(str(tmp_path / "all"))
    before = history.before("a", NOW + 17)
    assert before is not None and before.failed
    assert history.run_before(NOW + 100) == max(history.runs(), key=lambda run: run.at)
    history.close()
    # It can only be added to, as any other.
    audited(tmp_path / "all", NOW + 30)
    assert len(told(tmp_path / "all")) == 6


def test_one_that_has_all_is_taken_as_it_is(tmp_path: Path) -> None:
    less = audited(tmp_path / "less", NOW)
    more = audited(Path(shutil.copy(less, tmp_path / "more")), NOW + 10)
    content = more.read_bytes()
    unite([less, more], less)
    assert less.read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"less", "more", "report"}


def test_what_is_no_whole_history_changes_nothing(tmp_path: Path) -> None:
    mine = audited(tmp_path / "mine", NOW)
    content = mine.read_bytes()
    half = audited(tmp_path / "half", *(NOW + number for number in range(20)))
    half.write_bytes(half.read_bytes()[:-4096])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "page").write_text("<html>Not found</html>" * 50)
    for name in ("half", "empty", "page", "nowhere"):
        with pytest.raises(HistoryError, match=name):
            unite([mine, tmp_path / name], mine)
        assert mine.read_bytes() == content
