# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test that one task at a time works in a folder, and that stores and reports work in theirs so."""

from __future__ import annotations

import datetime
import fcntl
import os
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from ansible_collections.keyholder.macos.plugins.action.audit_report import ActionModule
from ansible_collections.keyholder.macos.plugins.plugin_utils._folder_lock import alone_in
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import KeyStore

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)


def taken(folder: Path) -> bool:
    """Check, as another run would, whether some run is at work in the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def test_another_run_is_kept_out_until_the_work_is_done(tmp_path: Path) -> None:
    with alone_in(tmp_path):
        assert taken(tmp_path)
    assert not taken(tmp_path)
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path):
        raise ZeroDivisionError
    assert not taken(tmp_path)


def test_a_file_system_without_locks_stops_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_file: int, _how: int) -> None:
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    done = []
    with alone_in(tmp_path):
        done.append(True)
    assert done


def test_a_store_of_keys_is_read_and_written_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, seen = KeyStore(tmp_path / "keys", "mac-1.example.com", lambda *_: False), []
    contents = KeyStore._contents

    def looked(self: KeyStore, *args: t.Any) -> t.Any:
        seen.append(taken(self.folder))
        return contents(self, *args)

    monkeypatch.setattr(KeyStore, "_contents", looked)
    begun = store.begin(NOW)
    store.store({"age": "a key"}, True, begun.seen, NOW)
    store.forget(store.begin(NOW).seen)
    assert len(seen) >= 4 and all(seen)


def test_a_report_is_made_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def reported(*_args: t.Any) -> dict[str, t.Any]:
        seen.append(taken(tmp_path / "new"))
        return {"changed": False, "notes": []}

    monkeypatch.setattr(ActionModule, "_report", reported)
    task = MagicMock(args={"dest": str(tmp_path / "new")}, async_val=0, check_mode=False)
    ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), None).run(None, {"hostvars": {}})
    assert seen == [True]
