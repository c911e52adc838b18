# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each store gives back what it was given, tells nothing when it fails, and never loses what it had."""

from __future__ import annotations

import importlib
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
from ansible_collections.keyholder.macos.plugins.plugin_utils._rotation import Stored, StoreError

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


@pytest.mark.parametrize("printed", ["no json", "[1]", '{"current": 5}'])
def test_a_document_that_is_none_is_an_error_without_its_content(printed: str) -> None:
    with pytest.raises(StoreError) as caught:
        CommandStore([sys.executable, "-c", f"print({printed!r})"], []).read()
    assert printed not in str(caught.value)


def test_a_command_that_fails_says_why_and_no_secret() -> None:
    tells = "import sys; text = sys.stdin.read(); sys.stderr.write('denied: ' + text); sys.exit(3)"
    with pytest.raises(StoreError, match="status 3: denied") as caught:
        CommandStore([], [sys.executable, "-c", tells]).write(FIRST)
    assert FIRST.current not in str(caught.value)
    assert FIRST.pending not in str(caught.value)
    with pytest.raises(StoreError):
        CommandStore(["no-such-program-here"], []).read()


def test_an_age_file(tmp_path: Path) -> None:
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
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert "new-pw" not in store.path.read_text()
    identity.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(StoreError):
        store.read()
    with pytest.raises(StoreError):
        AgeStore(store.path, ["age1nonsense"], identity).write(FIRST)


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
