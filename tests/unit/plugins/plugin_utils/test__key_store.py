# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the store of recovery keys: in any order of two runs, and cut anywhere, no dead key is called good."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import socket
import subprocess
import typing as t
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.action.recovery_key_store import _kept
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils import _key_store
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import (
    FORGOTTEN,
    KEPT,
    MARKER,
    Contents,
    KeyStore,
    Noted,
    demand_marker,
    goes_on,
    mark,
    marked_at,
    must_be_marked,
    stored_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._store_options import store_of

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "recovery-keys", "mac-1.example.com", dead)


def dead(_noted: Noted, _now: datetime.datetime) -> bool:
    return False


def living(_noted: Noted, _now: datetime.datetime) -> bool:
    return True


def stored(store: KeyStore, key: str, kind: str = "age") -> Contents:
    return store.store({kind: key}, True, store.begin(NOW).seen, NOW)


def texts(paths: tuple[Path, ...]) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in paths]


def test_a_key_is_stored_where_it_always_was(store: KeyStore) -> None:
    assert store.look() == Contents((), (), (), False, store.look().seen)
    assert store.begin(NOW).interrupted
    contents = store.store({"age": "first"}, True, store.begin(NOW).seen, NOW)
    assert contents.present == (store.folder / "mac-1.example.com.age",)
    assert (texts(contents.present), contents.interrupted, contents.earlier) == (["first"], False, ())
    assert (store.folder.stat().st_mode & 0o777, contents.present[0].stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_is_replaced_is_kept_and_no_more_than_a_few(store: KeyStore) -> None:
    for number in range(KEPT + 3):
        contents = stored(store, f"key {number}")
        os.utime(contents.present[0], (number, number))
    assert texts(contents.present) == [f"key {KEPT + 2}"]
    assert texts(contents.earlier) == [f"key {number}" for number in range(2, KEPT + 2)]


def test_a_store_of_before_goes_on(store: KeyStore) -> None:
    """HOST.pem and HOST.pending, as the role has always written them."""
    store.folder.mkdir()
    (store.folder / "mac-1.example.com.pem").write_text("old", encoding="utf-8")
    assert not store.look().interrupted
    (store.folder / "mac-1.example.com.pending").write_text("A recovery key of ...", encoding="utf-8")
    assert store.look().interrupted
    contents = stored(store, "new")
    assert [path.name for path in contents.present] == ["mac-1.example.com.age"]
    assert (texts(contents.earlier), contents.interrupted) == (["old"], False)


def test_a_key_for_both_kinds_of_recipients_is_one_key(store: KeyStore) -> None:
    contents = store.store({"age": "a", "pem": "p"}, True, store.begin(NOW).seen, NOW)
    assert texts(contents.present) == ["a", "p"]
    contents = stored(store, "b", "pem")
    assert (texts(contents.present), sorted(texts(contents.earlier))) == (["b"], ["a", "p"])


def test_a_key_that_nobody_validated_takes_no_place(store: KeyStore) -> None:
    stored(store, "good")
    contents = store.store({"age": "perhaps"}, False, store.begin(NOW).seen, NOW)
    assert (texts(contents.present), texts(contents.unproven), contents.interrupted) == (["good"], ["perhaps"], True)


def test_a_note_goes_only_with_the_run_that_made_it(store: KeyStore) -> None:
    both = KeyStore(store.folder, store.host, living)
    mine, other = both.begin(NOW).seen, both.begin(NOW).seen
    assert both.forget(mine).interrupted
    assert both.forget(mine).interrupted
    assert not both.forget(other).interrupted


def test_a_deferrals_key_needs_no_note_and_takes_nobodys_place(store: KeyStore) -> None:
    looked = store.look().seen
    stored(store, "made since")
    with pytest.raises(Refusal) as caught:
        store.store({"age": "collected"}, True, looked, NOW)
    assert caught.value.reason == "store_conflict"
    contents = store.look()
    assert (texts(contents.present), texts(contents.unproven)) == (["made since"], ["collected"])
    assert contents.interrupted
    assert not stored(store, "healed").interrupted


def test_a_run_goes_on_as_long_as_its_process_or_an_hour_elsewhere() -> None:
    here = Noted("x", socket.gethostname(), os.getpid(), 0)
    assert goes_on(here, NOW)
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not goes_on(replace(here, process=ended.pid), NOW)
    elsewhere = Noted("x", "another.example.com", os.getpid(), int(NOW.timestamp()))
    assert goes_on(elsewhere, NOW + datetime.timedelta(seconds=FORGOTTEN - 1))
    assert not goes_on(elsewhere, NOW + datetime.timedelta(seconds=FORGOTTEN))
    assert Noted.read(elsewhere.line) == elsewhere
    assert Noted.read("run x y z 1") is None


def orders() -> Iterator[tuple[str, ...]]:
    """Every order of two runs, each of which notes, makes a key on the Mac and stores it, and may be cut anywhere."""
    for mine, other in itertools.product(range(4), repeat=2):
        steps = ["A"] * mine + ["B"] * other
        yield from set(itertools.permutations(steps))


@pytest.mark.parametrize("order", sorted(set(orders())), ids="".join)
def test_a_key_that_is_called_present_is_the_macs(tmp_path: Path, order: tuple[str, ...]) -> None:
    store = KeyStore(tmp_path, "mac", living)
    stored(store, "before")
    mac, done, seen = "before", {"A": 0, "B": 0}, {"A": "", "B": ""}
    for run in order:
        done[run] += 1
        if done[run] == 1:
            seen[run] = store.begin(NOW).seen
        elif done[run] == 2:
            mac = f"made by {run}"
        else:
            try:
                store.store({"age": f"made by {run}"}, True, seen[run], NOW)
            except Refusal as exc:
                assert exc.reason == "store_conflict"
                assert store.look().interrupted
        contents = store.look()
        if not contents.interrupted:
            assert texts(contents.present) == [mac]
    kept = texts((*contents.present, *contents.unproven, *contents.earlier)) if order else ["before"]
    for run in "AB":
        # Whatever a run has made and stored is still there, dead or not.
        assert done[run] < 3 or f"made by {run}" in kept
    assert "before" in kept
    # Both have ended by now, wherever they were cut.
    contents = stored(KeyStore(tmp_path, "mac", dead), "healed")
    assert (texts(contents.present), contents.interrupted) == (["healed"], False)


@pytest.mark.parametrize("cut", range(12))
def test_a_cut_leaves_the_old_key_or_the_new_one_and_its_note(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """Cut before each thing that is done to the disk while a key is stored."""
    stored(store, "old", "pem")
    seen = store.begin(NOW).seen
    left = iter(range(cut))

    def cutting(name: str) -> None:
        real = getattr(os, name)

        def instead(*arguments: object, **named: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, instead)

    for name in ("replace", "fsync", "unlink"):
        cutting(name)
    complete = False
    try:
        store.store({"age": "new"}, True, seen, NOW)
        complete = True
    except KeyboardInterrupt:
        pass
    monkeypatch.undo()
    contents = store.look()
    assert contents.interrupted or texts(contents.present) == ["new"]
    assert complete == (not contents.interrupted)
    assert "old" in texts((*contents.present, *contents.earlier))


def test_a_full_disk_is_told_before_a_key_is_made(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refusal, match="No space left") as caught:
        store.begin(NOW)
    assert caught.value.reason == "store_failed"
    assert not store.look().interrupted


def test_a_file_that_reads_back_otherwise_is_not_stored(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = store.begin(NOW).seen
    monkeypatch.setattr(_key_store.os, "replace", lambda part, path: Path(path).write_text("", encoding="utf-8"))
    with pytest.raises(Refusal, match="does not read back") as caught:
        store.store({"age": "new"}, True, seen, NOW)
    assert caught.value.reason == "store_failed"


def test_the_marker_is_made_once_and_demanded(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with pytest.raises(Refusal) as caught:
        demand_marker(folder)
    assert caught.value.reason == "store_not_durable"
    assert (mark(folder, NOW), mark(folder, NOW)) == (True, False)
    assert marked_at(folder) == "2026-03-01T00:00:00+00:00"
    demand_marker(folder)
    for wrong in ("", "[]", "{}"):
        (folder / MARKER).write_text(wrong, encoding="utf-8")
        with pytest.raises(Refusal, match="is not the marker") as caught:
            demand_marker(folder)
        assert caught.value.reason == "store_failed"
    assert json.loads((tmp_path / "store" / MARKER).read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize("host", ["", ".", "..", "a/b", "../a", "a\0"])
def test_a_host_is_no_path(tmp_path: Path, host: str) -> None:
    with pytest.raises(Refusal) as caught:
        KeyStore(tmp_path, host)
    assert caught.value.reason == "value_unusable"


def test_a_job_of_awx_needs_a_marker_unless_somebody_says_otherwise() -> None:
    job = {"awx_job_id": 7}
    assert [must_be_marked(asked, job) for asked in (None, True, False)] == [True, True, False]
    assert [must_be_marked(asked, {}) for asked in (None, True, False)] == [False, True, False]
    assert must_be_marked(None, {"tower_job_id": 7})


def no_lookup(*dummy: t.Any, **_options: t.Any) -> t.Any:
    raise AssertionError("an age file is read without a lookup")


def test_an_age_store_of_passwords_needs_the_marker_too(tmp_path: Path) -> None:
    store = {"kind": "age", "directory": str(tmp_path), "recipients": ["age1"], "identity": "/i", "marked": None}
    with pytest.raises(Refusal) as caught:
        store_of(store, "mac", "itadmin", {"awx_job_id": 7}, no_lookup)
    assert caught.value.reason == "store_not_durable"
    store_of(store, "mac", "itadmin", {}, no_lookup)
    mark(tmp_path, NOW)
    store_of(store, "mac", "itadmin", {"awx_job_id": 7}, no_lookup)


@pytest.mark.parametrize("ending", ["age", "pem", "keys"])
def test_a_store_that_could_take_no_key_is_known_before_there_is_one(store: KeyStore, ending: str) -> None:
    place = store.folder / f"{store.host}.{ending}"
    store.folder.mkdir()
    if ending == "keys":
        place.write_text("no folder", encoding="utf-8")
    else:
        place.mkdir()
    with pytest.raises(Refusal) as caught:
        store.begin(NOW)
    assert caught.value.reason == "store_failed"
    assert str(place) in caught.value.msg
    assert not store.note.exists()


def test_what_was_there_need_not_be_text(store: KeyStore) -> None:
    store.folder.mkdir()
    (store.folder / f"{store.host}.age").write_bytes(b"age-encryption.org/v1\n\xff\xfe\0")
    contents = stored(store, "new")
    assert texts(contents.present) == ["new"]
    assert [path.read_bytes() for path in contents.earlier] == [b"age-encryption.org/v1\n\xff\xfe\0"]


def storing(store: KeyStore, seen: str, **others: object) -> dict[str, object]:
    given = {"recovery_key_age": "an age file", "recovery_key_encrypted": "", "validated": True, "marked": None}
    return _kept(
        {"state": "stored", "folder": str(store.folder), "host": store.host, "seen": seen, **given}, others, False
    )


def test_a_key_is_stored_although_the_marker_went_meanwhile(store: KeyStore) -> None:
    mark(store.folder, NOW)
    seen = store.begin(NOW).seen
    (store.folder / MARKER).unlink()
    answer = storing(store, seen, awx_job_id=7)
    assert (answer["failed"], answer["reason"]) == (True, "store_not_durable")
    assert answer["recovery_key_age"] == "an age file"
    assert texts(store.look().present) == ["an age file"]


def test_a_key_that_cannot_be_stored_is_given_back(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = store.begin(NOW).seen

    def full(_path: Path, _content: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_key_store, "_write", full)
    answer = storing(store, seen)
    assert (answer["failed"], answer["reason"], answer["recovery_key_age"]) == (True, "store_failed", "an age file")
    assert "recovery_key_encrypted" not in answer
    assert store.look().interrupted


def test_a_folder_that_went_meanwhile_is_made_again(store: KeyStore) -> None:
    seen = store.begin(NOW).seen
    store.note.unlink()
    store.folder.rmdir()
    answer = storing(store, seen)
    assert (answer["failed"], answer["reason"]) == (True, "store_conflict")
    assert texts(store.look().unproven) == ["an age file"]


def test_what_a_link_leads_to_is_replaced(store: KeyStore, tmp_path: Path) -> None:
    store.folder.mkdir()
    link, real = store.folder / f"{store.host}.age", tmp_path / "elsewhere.age"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    contents = stored(store, "new")
    assert (link.is_symlink(), real.read_text(encoding="utf-8"), texts(contents.earlier)) == (True, "new", ["old"])


@pytest.mark.parametrize("host", ["a/b", "..", ""])
def test_the_host_of_a_stored_password_is_no_path(tmp_path: Path, host: str) -> None:
    store = {"kind": "age", "directory": str(tmp_path), "recipients": ["age1"], "identity": "/i", "marked": None}
    with pytest.raises(Refusal) as caught:
        store_of(store, host, "itadmin", {}, no_lookup)
    assert caught.value.reason == "value_unusable"


def test_what_the_store_says_of_a_mac(store: KeyStore) -> None:
    assert stored_of(store.folder, store.host).problem.endswith("is no folder")
    store.begin(NOW)
    assert stored_of(store.folder, store.host) == StoredKey(None, interrupted=True)
    (present,) = stored(store, "a key").present
    os.utime(present, (1_700_000_000, 1_700_000_000))
    assert stored_of(store.folder, store.host) == StoredKey(1_700_000_000)
    assert stored_of(store.folder, "mac-2") == StoredKey()
    # Of a key in two kinds the older one counts: the later one may be a copy.
    present.with_suffix(".pem").write_text("the same", encoding="utf-8")
    assert stored_of(store.folder, store.host) == StoredKey(1_700_000_000)
    store.begin(NOW)
    assert stored_of(store.folder, store.host) == StoredKey(1_700_000_000, interrupted=True)
    assert stored_of(store.folder, "a/b").problem
