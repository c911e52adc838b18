# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep encrypted recovery keys on the controller, one present key for each Mac, and the ones before it.

    FOLDER/HOST.age, HOST.pem    the present key: validated by the Mac, stored, read back
    FOLDER/HOST.keys/            the ones before it, and those not proven to open the Mac (.unproven.age)
    FOLDER/HOST.pending          a key is being made, or was when a run was interrupted; a line for each run
    FOLDER/.keyholder-store      the folder outlives a job: set-up has made this, and no job makes it by the way

A present key is replaced only by one that was validated, and only if no other run has changed the store since the run
that made it looked. What was replaced is kept. Two runs make keys on one Mac in an order that the store cannot see, so
a present key is called good only while no other run is noted that may still make one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import secrets
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._folder_lock import alone_in

MARKER = ".keyholder-store"
KINDS = ("age", "pem")
KEPT = 10
"""How many files of earlier keys are kept for each Mac."""


@dataclass(frozen=True)
class Noted:
    """A run that makes a key: on which controller, as which process, begun when (seconds since 1970)."""

    run: str
    controller: str
    process: int
    began: int

    @property
    def line(self) -> str:
        return f"run {self.run} {self.controller} {self.process} {self.began}"

    @classmethod
    def read(cls, line: str) -> Noted | None:
        """Return the run that a line of a note names, None for any other line."""
        words = line.split()
        if len(words) != 5 or words[0] != "run" or not (words[3] + words[4]).isdigit():
            return None
        return cls(words[1], words[2], int(words[3]), int(words[4]))


FORGOTTEN = 3600
"""Seconds after which a run of another controller, whose processes are not seen here, is taken for one that ended."""


def goes_on(noted: Noted, now: datetime.datetime) -> bool:
    """Return whether the run may still make a key: its process lives, or that is unknown and it began not long ago."""
    if noted.controller != socket.gethostname():
        return now.timestamp() - noted.began < FORGOTTEN
    try:
        os.kill(noted.process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@dataclass(frozen=True)
class Contents:
    """What the store holds of one Mac. ``seen``: stands for all of it, to notice another run by."""

    present: tuple[Path, ...]
    unproven: tuple[Path, ...]
    earlier: tuple[Path, ...]
    interrupted: bool
    seen: str


def marked_at(folder: Path) -> str:
    """Return when the folder's marker was made, "" where there is none. Raises :class:`Refusal`."""
    try:
        return str(json.loads((folder / MARKER).read_text(encoding="utf-8"))["made_at"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise Refusal("store_failed", f"{folder / MARKER} is not the marker of a store: {exc}") from exc


def mark(folder: Path, now: datetime.datetime) -> bool:
    """Make the folder and its marker. Return whether that was needed. Raises :class:`Refusal`."""
    if marked_at(folder):
        return False
    with _refusing(folder):
        _make(folder)
        since = {"made_at": now.isoformat(timespec="seconds"), "id": secrets.token_hex(8)}
        _write(folder / MARKER, json.dumps(since) + "\n")
    return True


IN_A_JOB = ("awx_job_id", "tower_job_id")
"""Extra variables that AWX gives each of its jobs."""


def must_be_marked(asked: bool | None, variables: t.Mapping[str, t.Any]) -> bool:
    """Return whether a store needs its marker: as asked, and left out in each job of AWX, whose containers go."""
    return any(name in variables for name in IN_A_JOB) if asked is None else asked


def demand_marker(folder: Path) -> None:
    """Raise :class:`Refusal` if nothing shows that the folder will be there after this job."""
    if not marked_at(folder):
        raise Refusal(
            "store_not_durable",
            f"{folder} has no {MARKER}, so nothing shows that the folder will be there after this job",
        )


def usable_host(host: str) -> str:
    """Return the name of a host as part of a file's name. Raises :class:`Refusal` where it would be a path."""
    if host in ("", ".", "..") or "/" in host or "\0" in host:
        raise Refusal("value_unusable", f"the name {host!r} cannot be the name of a file in the store")
    return host


@dataclass(frozen=True)
class KeyStore:
    """The keys of one Mac. ``host``: its name in the inventory."""

    folder: Path
    host: str
    alive: t.Callable[[Noted, datetime.datetime], bool] = goes_on

    def __post_init__(self) -> None:
        usable_host(self.host)

    @property
    def note(self) -> Path:
        return self.folder / f"{self.host}.pending"

    def look(self) -> Contents:
        """Return what is there. Raises :class:`Refusal`."""
        with _refusing(self.folder):
            return self._contents()

    def begin(self, now: datetime.datetime) -> Contents:
        """Note that a key is being made, before it is; this also shows that the store can be written to.

        The note replaces those of runs that were interrupted before. Raises :class:`Refusal`.
        """
        # An action's own process ends with its task; the one that it was made by ends with the run.
        mine = Noted(secrets.token_hex(8), socket.gethostname(), os.getppid(), int(now.timestamp()))
        with _refusing(self.folder):
            _make(self.folder)
            with alone_in(self.folder):
                self._fit_for_keys()
                self._note([*(noted for noted in self._noted() if self.alive(noted, now)), mine])
                return self._contents(mine.run)

    def store(self, keys: t.Mapping[str, str], validated: bool, seen: str, now: datetime.datetime) -> Contents:
        """Keep ``keys`` (kind -> encrypted text), as the present ones if macOS has ``validated`` them and the store is
        as it was when ``seen`` was. Whatever happens, they are kept. Raises :class:`Refusal`."""
        run = seen.partition(":")[0]
        with _refusing(self.folder):
            _make(self.folder)
            with alone_in(self.folder):
                if validated and self._contents(run).seen == seen:
                    self._replace(keys, now)
                    self._drop(run)
                    return self._contents()
                kept = [self._keep(text.encode("utf-8"), f"unproven.{kind}", now) for kind, text in keys.items()]
                if not self.note.exists():
                    # The next run makes a new key: it is not known whether this one opens the Mac.
                    self._note([])
                if validated:
                    names = " and ".join(str(path) for path in kept)
                    raise Refusal(
                        "store_conflict",
                        f"another run has made or stored a recovery key of {self.host} since this run began, and only"
                        f" one of the two opens the Mac. This run left the store's present key as it was, and put its"
                        f" own into {names}",
                    )
                return self._contents()

    def forget(self, seen: str) -> Contents:
        """Take away the note of the run that ``seen`` stands for. Raises :class:`Refusal`."""
        with _refusing(self.folder), alone_in(self.folder):
            self._drop(seen.partition(":")[0])
            return self._contents()

    @property
    def _keys(self) -> Path:
        return self.folder / f"{self.host}.keys"

    def _fit_for_keys(self) -> None:
        """Raise :class:`OSError` where a key could not be put: there is none yet that would be lost for it."""
        if os.path.lexists(self._keys) and not self._keys.is_dir():
            raise NotADirectoryError(f"{self._keys} is no folder")
        for place in map(self._place, KINDS):
            if os.path.lexists(place) and not place.is_file():
                raise OSError(f"{place} is no file")

    def _place(self, kind: str) -> Path:
        return self.folder / f"{self.host}.{kind}"

    def _contents(self, run: str = "") -> Contents:
        """``run``: whose eyes it is seen by. Its own note is one that another run may take away and not add."""
        present = tuple(path for path in map(self._place, KINDS) if path.is_file())
        kept = sorted(path for path in self._keys.iterdir() if path.is_file()) if self._keys.is_dir() else []
        unproven = tuple(path for path in kept if ".unproven." in path.name)
        digest = hashlib.sha256()
        for path in (*present, *kept):
            digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
        noted = self._noted()
        digest.update(str(any(other.run == run for other in noted)).encode())
        earlier = tuple(path for path in kept if path not in unproven)
        return Contents(present, unproven, earlier, self.note.exists(), f"{run}:{digest.hexdigest()}")

    def _noted(self) -> list[Noted]:
        """Return the runs that the note names. A note of an older version names none; its run has ended."""
        if not self.note.exists():
            return []
        lines = self.note.read_text(encoding="utf-8").splitlines()
        return [noted for noted in map(Noted.read, lines) if noted is not None]

    def _note(self, noted: t.Sequence[Noted]) -> None:
        told = f"A recovery key of {self.host} is being made. While this file is here, the key is not stored yet."
        _write(self.note, "\n".join([told, *(one.line for one in noted)]) + "\n")

    def _drop(self, run: str) -> None:
        """Take the note of ``run`` away; those of other runs stay."""
        noted = self._noted()
        left = [one for one in noted if one.run != run]
        if left:
            self._note(left)
        elif noted:
            self.note.unlink(missing_ok=True)

    def _replace(self, keys: t.Mapping[str, str], now: datetime.datetime) -> None:
        """Put the new keys in place, one rename for each kind; the old ones have another name by then."""
        for kind in KINDS:
            place = self._place(kind)
            if place.is_file():
                since = datetime.datetime.fromtimestamp(place.stat().st_mtime, datetime.timezone.utc)
                self._keep(place.read_bytes(), kind, since)
            if kind in keys:
                _write(place, keys[kind])
        for kind in KINDS:
            if kind not in keys:
                # Encrypted to recipients of another kind, and dead by now.
                self._place(kind).unlink(missing_ok=True)
        self._prune()

    def _keep(self, content: bytes, ending: str, when: datetime.datetime) -> Path:
        """Keep a key beside the present one, and return its path. What is there already need not be text."""
        self._keys.mkdir(mode=0o700, exist_ok=True)
        for path in self._keys.glob(f"*.{ending}"):
            if path.read_bytes() == content:
                return path
        stamp = when.astimezone(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S%fZ")
        path = self._keys / f"{stamp}-{secrets.token_hex(3)}.{ending}"
        _write(path, content)
        return path

    def _prune(self) -> None:
        for path in sorted(self._keys.iterdir())[:-KEPT] if self._keys.is_dir() else []:
            path.unlink()


def stored_of(folder: Path, host: str) -> StoredKey:
    """Return what the store says of a Mac's key. The date of a present key is its file's, so a copy of the store must
    keep dates."""
    if not folder.is_dir():
        return StoredKey(problem=f"{folder} is no folder")
    try:
        contents = KeyStore(folder, host).look()
        dates = [path.stat().st_mtime for path in contents.present]
    except Refusal as refusal:
        return StoredKey(problem=str(refusal))
    except OSError as problem:
        return StoredKey(problem=str(problem))
    return StoredKey(min(dates, default=None), contents.interrupted)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _write(path: Path, content: str | bytes) -> None:
    """Replace the file whole, on the disk, and read it back: a cut leaves what was there or this. What a link leads to
    is the file that others read."""
    path = Path(os.path.realpath(path))
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        data = content.encode("utf-8") if isinstance(content, str) else content
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # What was renamed may be gone after a power cut until its folder is on the disk as well.
        os.fsync(folder)
    finally:
        os.close(folder)
    if path.read_bytes() != data:
        raise OSError(f"{path} does not read back as it was written")


@contextlib.contextmanager
def _refusing(folder: Path) -> t.Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError) as exc:
        raise Refusal("store_failed", f"the store of recovery keys {folder}: {exc}") from exc
