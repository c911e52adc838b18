# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each store gives back what it was given, tells nothing when it fails, and never loses what it had."""

from __future__ import annotations

import importlib
import os
import stat
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import (
    AgeStore,
    CommandStore,
    LookupStore,
    VaultStore,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored, StoreError

FIRST = Stored("old pw \u00e9", "new-pw", "2026-01-02T03:04:05+00:00")
SECOND = Stored("new-pw", "", "2026-02-02T03:04:05+00:00")

_READ = "import pathlib, sys; f = pathlib.Path(sys.argv[1]); sys.stdout.write(f.read_text() if f.exists() else '')"
_WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"


def test_commands(tmp_path: Path) -> None:
    place = str(tmp_path / "document")
    store = CommandStore([sys.executable, "-c", _READ, place], [sys.executable, "-c", _WRITE, place])
    assert store.read() == Stored()
    store.write(FIRST)
    assert store.read() == FIRST


def test_a_lookup_and_a_command(tmp_path: Path) -> None:
    place = tmp_path / "document"
    asked: list[t.Any] = []

    def lookup(name: str, terms: list[str], **options: t.Any) -> str:
        asked.append((name, terms, options))
        return place.read_text() if place.exists() else ""

    store = LookupStore(lookup, "my.own.lookup", ["host"], {"url": "x"}, [sys.executable, "-c", _WRITE, str(place)])
    assert store.read() == Stored()
    store.write(FIRST)
    assert store.read() == FIRST
    assert asked[0] == ("my.own.lookup", ["host"], {"url": "x"})


@pytest.mark.parametrize("printed", ["no json", "[1]", '{"current": 5}', '{"password": "the-only-copy"}'])
def test_a_document_that_is_none_is_an_error_without_its_content(printed: str) -> None:
    with pytest.raises(StoreError) as caught:
        CommandStore([sys.executable, "-c", f"print({printed!r})"], []).read()
    assert printed not in str(caught.value)


def test_an_object_of_somebody_else_is_named_by_its_keys() -> None:
    with pytest.raises(StoreError, match="but password, user"):
        Stored.of({"user": "x", "password": "the-only-copy"})
    assert Stored.of({}) == Stored()
    kept = Stored.of({"current": "a", "note": "b"})
    assert kept.content() == {"note": "b", "current": "a", "pending": "", "set_at": ""}


QUOTED = Stored('pw"with\\quotes \u00e9', FIRST.pending + "-and-more", others={"x": FIRST.pending})


@pytest.mark.parametrize("stored", [FIRST, QUOTED])
@pytest.mark.parametrize("tail", [0, 200, 215, 230, 280])
def test_a_command_that_fails_on_writing_says_why_and_no_secret(stored: Stored, tail: int) -> None:
    tells = "import json, sys; text = sys.stdin.read(); sys.stderr.write(text + json.dumps(json.loads(text)))"
    tells += f"; sys.stderr.write('denied' + '0' * {tail}); sys.exit(3)"
    with pytest.raises(StoreError, match=r"(?s)status 3: .*denied") as caught:
        CommandStore([], [sys.executable, "-c", tells]).write(stored)
    said = str(caught.value)
    assert not [part for secret in stored.secrets for part in (secret[-4:], secret[:4]) if part in said], said


def test_a_command_that_fails_on_reading_says_nothing_but_its_status() -> None:
    tells = """import sys; sys.stderr.write('{"current": "of-the-store"}'); sys.exit(3)"""
    with pytest.raises(StoreError) as caught:
        CommandStore([sys.executable, "-c", tells], []).read()
    assert str(caught.value) == f"{sys.executable} ended with status 3"
    with pytest.raises(StoreError):
        CommandStore(["no-such-program-here"], []).read()


def test_how_one_logs_in_to_a_store_is_not_told() -> None:
    def fails(*dummy: t.Any, **options: t.Any) -> t.Any:
        raise RuntimeError(f"HTTP 403 for {options}")

    options = {"token": "hvs.ABCDEF", "auth": {"pairs": ["s.1", 'quoted"one']}, "retries": 3}
    lookup = LookupStore(fails, "my.own.lookup", [], options, [])
    vault = VaultStore(fails, "kv", "p", options)
    for tried in (lookup.read, vault.read, lambda: vault.write(FIRST)):
        with pytest.raises(StoreError, match="HTTP 403") as caught:
            tried()
        assert not [
            part for part in ("hvs.", "s.1", "quoted", FIRST.current, FIRST.pending) if part in str(caught.value)
        ]


def test_an_age_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (kept.append(stat.S_ISDIR(os.fstat(handle).st_mode)), real(handle)))
    pyrage = importlib.import_module("pyrage")
    key = pyrage.x25519.Identity.generate()
    identity = tmp_path / "identity"
    identity.write_text(f"# a comment\n{key}\n")
    store = AgeStore(tmp_path / "store" / "mac.itadmin.age", [str(key.to_public())], identity)
    assert store.read() == Stored()
    store.write(FIRST)
    assert store.read() == FIRST
    store.write(SECOND)
    assert store.read() == SECOND
    assert [path.name for path in store.path.parent.iterdir()] == ["mac.itadmin.age"]
    assert kept == [False, True] * 2, "each write: the file, then its folder"
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert "new-pw" not in store.path.read_text()
    identity.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(StoreError):
        store.read()
    with pytest.raises(StoreError):
        AgeStore(store.path, ["age1nonsense"], identity).write(FIRST)


@pytest.fixture
def age(tmp_path: Path) -> tuple[list[str], Path]:
    """A recipient, and the identity that opens what it gets."""
    key = importlib.import_module("pyrage").x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"{key}\n")
    return [str(key.to_public())], tmp_path / "identity"


def test_two_accounts_with_one_file_do_not_take_each_others_password(
    tmp_path: Path, age: tuple[list[str], Path]
) -> None:
    """mac and lan.itadmin, mac.lan and itadmin: the path alone does not tell them apart."""
    path, hosts = tmp_path / "mac.lan.itadmin.age", ["mac", "mac.lan"]
    first = AgeStore(path, *age, "mac", "lan.itadmin", hosts)
    first.write(FIRST)
    with pytest.raises(StoreError, match=r"holds the password of lan\.itadmin of mac: keep the two"):
        AgeStore(path, *age, "mac.lan", "itadmin", hosts).read()
    assert first.read() == FIRST
    renamed = AgeStore(path, *age, "mac.lan", "itadmin", ["mac.lan"])
    assert renamed.read() == FIRST
    renamed.write(SECOND)
    assert AgeStore(path, *age, "mac.lan", "itadmin", hosts).read() == SECOND


def test_a_link_is_followed_and_one_to_nothing_is_no_empty_store(tmp_path: Path, age: tuple[list[str], Path]) -> None:
    (tmp_path / "elsewhere").mkdir()
    link, real = tmp_path / "mac.itadmin.age", tmp_path / "elsewhere" / "x.age"
    link.symlink_to(real)
    store = AgeStore(link, *age, "mac", "itadmin")
    with pytest.raises(StoreError, match="a link to what is not there"):
        store.read()
    AgeStore(real, *age, "mac", "itadmin").write(FIRST)
    store.write(SECOND)
    assert link.is_symlink()
    assert AgeStore(real, *age, "mac", "itadmin").read() == SECOND


def test_a_folder_that_cannot_be_looked_into_is_no_empty_store(tmp_path: Path, age: tuple[list[str], Path]) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "mac.itadmin.age").mkdir()
    for path in (tmp_path / "file" / "mac.itadmin.age", tmp_path / "mac.itadmin.age"):
        with pytest.raises(StoreError):
            AgeStore(path, *age, "mac", "itadmin").read()


def test_one_rotation_at_a_time_holds_an_age_file(tmp_path: Path) -> None:
    store, other = (AgeStore(tmp_path / "store" / f"{name}.age", [], tmp_path / "identity") for name in ("a", "b"))
    busy = pytest.raises(StoreError, match="another run is rotating this password")
    with store.alone(1), other.alone(1), busy, store.alone(0):
        raise AssertionError("held twice")
    with store.alone(0):
        pass


@dataclass
class Vault:
    """A key/value engine of version 2, by the shapes that Vault's HTTP API documents for it."""

    versions: list[dict[str, t.Any]] = field(default_factory=list)
    calls: list[tuple[str, t.Any]] = field(default_factory=list)

    def lookup(self, name: str, terms: list[str], **options: t.Any) -> t.Any:
        self.calls.append((name, options))
        assert terms == ["macs/data/mac-1/itadmin"]
        assert options["url"] == "https://vault"
        if name == "community.hashi_vault.vault_read":
            if not self.versions:
                raise RuntimeError(f"The path '{terms[0]}' doesn't seem to exist.")
            metadata = {"version": len(self.versions), "created_time": "2026-01-01T00:00:00Z", "destroyed": False}
            return {"request_id": "x", "data": {"data": self.versions[-1], "metadata": metadata}}
        assert name == "community.hashi_vault.vault_write"
        if options["data"]["options"]["cas"] != len(self.versions):
            raise RuntimeError("check-and-set parameter did not match the current version")
        self.versions.append(options["data"]["data"])
        return {"data": {"version": len(self.versions)}}


def test_vault_keeps_versions_and_refuses_to_overwrite_what_it_has_not_shown() -> None:
    vault = Vault()
    one = VaultStore(vault.lookup, "macs/", "/mac-1/itadmin", {"url": "https://vault"})
    other = VaultStore(vault.lookup, "macs", "mac-1/itadmin", {"url": "https://vault"})
    assert one.read() == other.read() == Stored()
    one.write(FIRST)
    assert one.read() == FIRST
    with pytest.raises(StoreError, match="check-and-set"):
        other.write(SECOND)
    assert other.read() == FIRST
    other.write(SECOND)
    assert vault.versions == [
        {"current": FIRST.current, "pending": FIRST.pending, "set_at": FIRST.set_at},
        {"current": SECOND.current, "pending": "", "set_at": SECOND.set_at},
    ]


def test_another_kind_of_answer_is_no_empty_store() -> None:
    store = VaultStore(lambda *dummy, **options: {"data": {"current": "x"}}, "kv", "p")
    with pytest.raises(StoreError, match="version 2"):
        store.read()

    def denied(*dummy: t.Any, **options: t.Any) -> t.Any:
        raise RuntimeError("permission denied")

    with pytest.raises(StoreError, match="permission denied"):
        VaultStore(denied, "kv", "p").read()
