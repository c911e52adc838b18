# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish one report: fetch the histories of its place, unite them, and put the report and its history there.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import re
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import HistoryError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.united import unite
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish import target as kinds
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.git import Git
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.place import Place, PlaceError
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.s3 import S3
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.web import Web, WebDav

PLACES: t.Mapping[str, type[Place]] = {kinds.WEB: Web, kinds.WEBDAV: WebDav, kinds.S3: S3, kinds.GIT: Git}
PARTIAL = "limited"
"""The folder for reports about some of the Macs: the page of all Macs stays."""
_NAMED = re.compile(r"[0-9]{8}T[0-9]{6}Z-(?P<digest>[0-9a-f]{32})\.sqlite")
_LOOKS = 10
"""How often the place is listed again because another audit has just replaced a history."""


class Publication:
    """Use the place of one report. Every method raises :class:`Refusal`, which names the place."""

    def __init__(self, target: kinds.Target, name: str, history: str | None, partial: bool) -> None:
        self._target, self._name, self._partial = target, name, partial
        self._history = Path(history) if history else None
        self._known: list[str] = []
        """The histories of the place whose audits are in the one here."""
        self.notes: list[str] = []
        self._opened: Place | None = None

    @property
    def _place(self) -> Place:
        """Return the place, which may be reached only now."""
        if self._opened is None:
            self._opened = PLACES[self._target.kind](self._target)
        return self._opened

    def close(self) -> None:
        """Leave nothing behind."""
        if self._opened is not None:
            self._opened.close()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except PlaceError as problem:
            words, password = str(problem), self._target.credentials.password
            if password:
                words = words.replace(password, "********")
            raise Refusal("report_unpublished", f"{what} {self._target.url}: {words}", (words,)) from None
        except HistoryError as problem:
            raise Refusal("history_unusable", f"{what} {self._target.url}: {problem}") from problem

    @property
    def _folder(self) -> str:
        return f"{self._name}-history"

    def _check_kind(self) -> None:
        if self._history is not None and not PLACES[self._target.kind].keeps_history:
            msg = "publish names a plain web server, which does not say which files it has, so it can keep no history"
            raise Refusal("value_unusable", f"{msg}: leave history out, or name WebDAV, S3 or a git repository")

    def check(self) -> None:
        """Refuse a place that the report cannot be put at, or the history cannot be kept at."""
        self._check_kind()
        with self._told("the report cannot be published at"):
            self._place.check(f"{self._name}-check.txt")
            if self._history is not None:
                self._place.check(f"{self._folder}/{self._name}-check.txt")
                self._place.sizes(self._folder)

    def fetch(self) -> None:
        """Have all audits of the place in the history here, beside those that only the one here has."""
        self._check_kind()
        if self._history is None:
            return
        with (
            tempfile.TemporaryDirectory(prefix="keyholder-") as room,
            self._told("the history cannot be fetched from"),
        ):
            fetched = self._fetched(Path(room))
            own = [self._history] if self._history.exists() and self._history.stat().st_size else []
            unite([*own, *fetched], self._history)
            self._known = [f"{self._folder}/{path.name}" for path in fetched]

    def _fetched(self, room: Path) -> list[Path]:
        """Return copies of the histories of the place, without those that are not whole."""
        for _dummy in range(_LOOKS):
            found = sorted(name for name in self._place.sizes(self._folder) if _NAMED.fullmatch(name))
            paths = [room / name for name in found]
            if all(path.exists() or self._place.fetch(f"{self._folder}/{path.name}", path) for path in paths):
                break
        else:
            raise PlaceError("the histories there change all the time")
        whole = [path for path in paths if _digest(path) in path.name]
        for path in sorted(set(paths).difference(whole)):
            # It is still being put there, or its connection was lost: then that audit has failed and said so.
            self.notes.append(f"not in the history: {self._target.url} has {path.name}, which is not whole")
        return whole

    def publish(self, paths: t.Sequence[str]) -> str:
        """Put the report there, and return the address of its page. A history that failed stays behind alone."""
        folder = f"{PARTIAL}/" if self._partial else ""
        # The page comes last: whoever sees it finds the files beside it.
        ordered = sorted(paths, key=lambda path: path.endswith(".html"))
        report = {f"{folder}{os.path.basename(path)}": Path(path) for path in ordered}
        with (
            tempfile.TemporaryDirectory(prefix="keyholder-") as room,
            self._told("the report was made, but not published at"),
        ):
            kept: dict[str, Path] = {}
            failed: HistoryError | None = None
            if self._history is not None:
                copy = Path(room) / "history.sqlite"
                try:
                    unite([self._history], copy)
                except HistoryError as problem:
                    failed = problem
                else:
                    now = datetime.datetime.now(datetime.timezone.utc)
                    kept[f"{self._folder}/{now:%Y%m%dT%H%M%SZ}-{_digest(copy)}.sqlite"] = copy
            self._place.exchange({**kept, **report}, self._known if kept else [])
            if failed is not None:
                raise failed
        page = next((name for name in report if name.endswith(".html")), folder)
        return self._target.address(page)


def _digest(path: Path) -> str:
    """Return what a history is named by."""
    summed = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            summed.update(block)
    return summed.hexdigest()[:32]
