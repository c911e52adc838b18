# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store of keys adds to the answers of an audit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from readings import DAY, MAC, NOW, reading

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.keys import check_store, with_store
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import READ, UNREACHABLE, Answer

SILENT = Answer("mac-3", UNREACHABLE, None, None, "it does not answer")


def test_each_mac_that_was_read_has_its_own_key_looked_for(tmp_path: Path) -> None:
    for host, days in (("mac-1", 5), ("mac-2", 6)):
        path = tmp_path / f"{host}.age"
        path.write_text("a key", encoding="utf-8")
        os.utime(path, (NOW - days * DAY,) * 2)
    answers = [Answer(host, READ, NOW, reading()) for host in ("mac-1", "mac-2", "mac-4")]
    found = list(with_store([*answers, SILENT], str(tmp_path)))
    assert found[-1] == SILENT
    said = [one.mac["filevault"] for one in found if one.mac is not None]
    holders = [(one["recovery_key_holder"], one["stored_recovery_key"]) for one in said]
    assert holders == [("our_store", "present"), ("mdm", "dead"), ("mdm", "none")]
    assert all(one["recovery_key_evidence"] for one in said)
    assert answers[0].mac == reading()


def test_without_a_store_an_answer_is_as_it_was() -> None:
    answers = [Answer("mac-1", READ, NOW, reading()), SILENT]
    assert list(with_store(answers, None)) == answers


def test_a_reading_of_an_older_version_is_in_doubt(tmp_path: Path) -> None:
    old = reading(MAC)
    for key in [key for key in old["filevault"] if "recovery_key_" in key or key.startswith("stored")]:
        if key not in ("personal_recovery_key", "institutional_recovery_key"):
            del old["filevault"][key]
    (tmp_path / "mac-1.age").write_text("a key", encoding="utf-8")
    (found,) = with_store([Answer("mac-1", READ, NOW, old)], str(tmp_path))
    assert found.mac is not None
    assert found.mac["filevault"]["stored_recovery_key"] == "in_doubt"
    assert found.mac["filevault"]["recovery_key_holder"] == "unknown"


def test_a_store_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for given in (None, "", str(tmp_path)):
        check_store(given)
    with pytest.raises(Refusal) as caught:
        check_store(str(tmp_path / "missing"))
    assert caught.value.reason == "value_unusable"
