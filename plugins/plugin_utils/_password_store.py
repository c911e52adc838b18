# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a managed password on the controller. Secrets go through stdin and into encrypted files only.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import (
    AgeError,
    decrypt_with_age,
    encrypt_with_age,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored, StoreError

Lookup = t.Callable[..., t.Any]
"""Run a lookup plugin: its name, its terms, its options; what it returns for the first term."""


@dataclass(frozen=True)
class CommandStore:
    """``read`` prints the document, or nothing where there is none yet; ``write`` gets it on stdin."""

    read_argv: t.Sequence[str]
    write_argv: t.Sequence[str]

    def read(self) -> Stored:
        return Stored.parse(_run(self.read_argv, ""))

    def write(self, stored: Stored) -> None:
        _run(self.write_argv, stored.text(), stored.secrets)


@dataclass(frozen=True)
class LookupStore:
    """Any lookup that returns the document, as text or as a dictionary, and a command that takes it on stdin."""

    lookup: Lookup
    name: str
    terms: t.Sequence[str]
    options: t.Mapping[str, t.Any]
    write_argv: t.Sequence[str]

    def read(self) -> Stored:
        try:
            found = self.lookup(self.name, list(self.terms), **self.options)
        except Exception as exc:  # pylint: disable=broad-except
            raise StoreError(f"the lookup {self.name} failed: {_masked(str(exc), _texts(self.options))}") from exc
        return Stored.of(found) if isinstance(found, dict) else Stored.parse(str(found or ""))

    def write(self, stored: Stored) -> None:
        _run(self.write_argv, stored.text(), stored.secrets)


_WHOSE = "account"


@dataclass(frozen=True)
class AgeStore:
    """A file that the identity of any recipient opens. It is replaced whole: a cut leaves the old one or the new.

    ``host``, ``name``: whose it is, which it says inside as well, as the account lan.itadmin of the host mac and
    itadmin of mac.lan have the same file. ``hosts``: those of the inventory; a file of another one was taken over by
    hand, as where a Mac has got another name.
    """

    path: Path
    recipients: t.Sequence[str]
    identity: Path
    host: str = ""
    name: str = ""
    hosts: t.Collection[str] = ()

    @contextlib.contextmanager
    def alone(self, seconds: float) -> t.Iterator[None]:
        """Hold this account's file for one rotation, on this controller. The system lets go when the process ends.
        Raises :class:`StoreError` after ``seconds``: another rotation of the same account is at work."""
        until = time.monotonic() + seconds
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(
                self.path.parent / f".{self.path.name}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
            )
        except OSError as exc:
            raise StoreError(f"{self.path}: {exc}") from exc
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as exc:
                    if time.monotonic() > until:
                        msg = f"{self.path}: another run is rotating this password, and has for {seconds:g} seconds"
                        raise StoreError(msg) from exc
                    time.sleep(0.1)
            yield
        finally:
            os.close(handle)

    def read(self) -> Stored:
        try:
            encrypted = self.path.read_bytes()
        except FileNotFoundError:
            if self.path.is_symlink():
                raise StoreError(f"{self.path} is a link to what is not there") from None
            return Stored()
        except OSError as exc:
            raise StoreError(f"{self.path}: {exc}") from exc
        try:
            stored = Stored.parse(decrypt_with_age(encrypted, self.identity).decode("utf-8"))
        except (AgeError, OSError, ValueError) as exc:
            raise StoreError(f"{self.path}: {exc}") from exc
        others = dict(stored.others)
        whose = others.pop(_WHOSE, None)
        if isinstance(whose, dict) and whose != self._whose and whose.get("host") in self.hosts:
            account = f"{whose.get('name')} of {whose.get('host')}"
            raise StoreError(f"{self.path} holds the password of {account}: keep the two in different directories")
        return replace(stored, others=others)

    @property
    def _whose(self) -> dict[str, str]:
        return {"host": self.host, "name": self.name}

    def write(self, stored: Stored) -> None:
        try:
            text = replace(stored, others={**stored.others, _WHOSE: self._whose}).text()
            encrypted = encrypt_with_age(text.encode("utf-8"), self.recipients)
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What a link leads to is the file that others read.
            place = Path(os.path.realpath(self.path))
            handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(encrypted)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, place)
            except BaseException:
                os.unlink(name)
                raise
            _keep_names(place.parent)
        except (AgeError, OSError, ValueError) as exc:
            raise StoreError(f"{self.path}: {exc}") from exc


_NOWHERE = "doesn't seem to exist"
"""How community.hashi_vault's lookup vault_read calls a path that Vault answers with 404."""


@dataclass
class VaultStore:
    """HashiCorp Vault or OpenBao, key/value version 2, through the lookups of community.hashi_vault.

    Each write names the version that it replaces (cas), so two runs cannot overwrite each other's pending password.
    """

    lookup: Lookup
    mount: str
    path: str
    options: t.Mapping[str, t.Any] = field(default_factory=dict)
    version: int = 0

    @property
    def address(self) -> str:
        return f"{self.mount.strip('/')}/data/{self.path.strip('/')}"

    def read(self) -> Stored:
        try:
            answer = self.lookup("community.hashi_vault.vault_read", [self.address], **self.options)
        except Exception as exc:  # pylint: disable=broad-except
            if _NOWHERE in str(exc):
                self.version = 0
                return Stored()
            raise StoreError(f"Vault, {self.address}: {_masked(str(exc), _texts(self.options))}") from exc
        try:
            self.version = int(answer["data"]["metadata"]["version"])
            return Stored.of(answer["data"]["data"] or {})
        except (KeyError, TypeError, ValueError) as exc:
            raise StoreError(f"Vault, {self.address}: no secret of a key/value engine of version 2") from exc

    def write(self, stored: Stored) -> None:
        data = {"options": {"cas": self.version}, "data": stored.content()}
        try:
            self.lookup("community.hashi_vault.vault_write", [self.address], data=data, **self.options)
        except Exception as exc:  # pylint: disable=broad-except
            secrets = [*stored.secrets, *_texts(self.options)]
            raise StoreError(f"Vault, {self.address}: {_masked(str(exc), secrets)}") from exc


def _keep_names(folder: Path) -> None:
    """Write a folder to the disk: until then a renamed file in it may be lost in a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _texts(value: t.Any) -> list[str]:
    """Return every text in an option's value: a secret for the store may stand anywhere in it."""
    if isinstance(value, t.Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)] if isinstance(value, str) else []


def _masked(text: str, secrets: t.Iterable[str]) -> str:
    """Return ``text`` without the secrets, as they are and as JSON writes them. The longest comes first, because one
    may be a part of another."""
    forms = {
        form for one in secrets for form in (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
    }
    for form in sorted(forms - {""}, key=len, reverse=True):
        text = text.replace(form, "********")
    return text


def _run(argv: t.Sequence[str], document: str, secrets: t.Sequence[str] = ()) -> str:
    """Return what the command prints. An error holds only the end of its stderr, and nothing of it on reading: the
    secrets that may be in it are not known yet."""
    if not argv:
        raise StoreError("the store has no command for this")
    try:
        ran = subprocess.run(list(argv), input=document.encode("utf-8"), capture_output=True, check=False, timeout=300)
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        raise StoreError(f"{argv[0]}: {exc.__class__.__name__}") from exc
    if ran.returncode != 0:
        said = _masked(ran.stderr.decode("utf-8", errors="replace"), secrets).strip()[-300:] if document else ""
        raise StoreError(f"{argv[0]} ended with status {ran.returncode}" + (f": {said}" if said else ""))
    return ran.stdout.decode("utf-8", errors="replace")
