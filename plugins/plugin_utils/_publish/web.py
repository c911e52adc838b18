# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put files on a web server by HTTP: a plain one that takes PUT, or WebDAV, which also lists them.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import shutil
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from ansible.module_utils import urls

from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.place import (
    TIMEOUT,
    TRIES,
    TYPES,
    Place,
    PlaceError,
)

_GONE = (404, 410)
_LISTED = 16 << 20
_ASKED = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getcontentlength/></prop></propfind>'


class Web(Place):
    """Put files on a server that takes PUT."""

    keeps_history = False

    def check(self, name: str) -> None:
        """Put a small file there, and take it away again if the server lets us."""
        self._put(name, b"keyholder.macos tries whether it may write here.\n")
        with contextlib.suppress(PlaceError):
            self._delete(name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return nothing: a plain web server does not list its files."""
        return {}

    def fetch(self, name: str, to: Path) -> bool:
        """Write a file of the server to one here."""
        with self._asked("GET", self.path(name), fine=_GONE) as answer:
            if answer.status in _GONE:
                return False
            with open(to, "wb") as stream:
                shutil.copyfileobj(answer, stream)
            due = answer.headers.get("Content-Length")
        if due is not None and os.path.getsize(to) != int(due):
            raise PlaceError(f"the connection was lost while {name} was read")
        return True

    def exchange(self, new: t.Mapping[str, Path], old: t.Sequence[str]) -> None:
        """Put the new files there, and take away the old ones. An old one that stays does no harm."""
        for name, path in new.items():
            self._put(name, path)
        for name in old:
            with contextlib.suppress(PlaceError):
                self._delete(name)

    def _put(self, name: str, content: bytes | Path) -> None:
        """Put one file there, again if the connection is lost: the same content under the same name."""
        for left in reversed(range(TRIES)):
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(0)
                headers = {"Content-Type": TYPES[os.path.splitext(name)[1]], "Content-Length": str(size)}
                try:
                    with self._asked("PUT", self.path(name), stream, headers):
                        return
                except _LostError:
                    if not left:
                        raise

    def _delete(self, name: str) -> None:
        with self._asked("DELETE", self.path(name), fine=_GONE):
            pass

    @contextlib.contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        data: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
        fine: t.Collection[int] = (),
    ) -> Iterator[t.Any]:
        """Yield the server's answer. ``fine``: statuses that are answers too, and no failures."""
        who, sent = self._target.credentials, dict(headers or {})
        if who.password and not who.user:
            sent["Authorization"] = f"Bearer {who.password}"
        url = f"{self._target.reached}/{quote(path)}"
        try:
            # ansible-core 2.19 says no types of it.
            answer = t.cast("t.Any", urls).open_url(
                url,
                data=data,
                method=method,
                headers=sent,
                timeout=TIMEOUT,
                url_username=who.user or None,
                url_password=who.password if who.user else None,
                force_basic_auth=bool(who.user),
                follow_redirects="none",
                # Else the file's password for that host would go in place of a token, and over http too.
                use_netrc=False,
                http_agent="keyholder.macos",
            )
        except HTTPError as problem:
            if problem.code not in fine:
                raise PlaceError(f"{method} {url} was answered with status {problem.code} {problem.reason}") from None
            answer = problem
        except (URLError, http.client.HTTPException, OSError, urls.ConnectionError) as problem:
            raise _lost(method, url, problem) from problem
        try:
            with contextlib.closing(answer):
                yield answer
        except (http.client.HTTPException, OSError) as problem:
            raise _lost(method, url, problem) from problem


class _LostError(PlaceError):
    """Raised where there is no whole answer."""


def _lost(method: str, url: str, problem: BaseException) -> _LostError:
    return _LostError(f"{method} {url} got no answer: {getattr(problem, 'reason', None) or problem!r}")


class WebDav(Web):
    """Put files on a WebDAV server, in folders that are made if they are missing."""

    keeps_history = True

    def check(self, name: str) -> None:
        """Make the folder, put a small file there, and take it away again if the server lets us."""
        self._make(os.path.dirname(name))
        super().check(name)

    def exchange(self, new: t.Mapping[str, Path], old: t.Sequence[str]) -> None:
        """Make the folders, put the new files there, and take away the old ones."""
        for folder in sorted({os.path.dirname(name) for name in new}):
            self._make(folder)
        super().exchange(new, old)

    def _make(self, folder: str) -> None:
        """Make a folder below the one of the address, and those above it where they are missing."""
        steps = self.path(folder).strip("/")
        missing: list[str] = []
        while steps:
            with self._asked("MKCOL", f"{steps}/", fine=(301, 405, 409)) as answer:
                # 405: it is there. 409: the one above it is not.
                if answer.status != 409:
                    break
            missing.insert(0, steps)
            steps = os.path.dirname(steps)
        for one in missing:
            with self._asked("MKCOL", f"{one}/", fine=(301, 405)):
                pass

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the files of a folder."""
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        with self._asked("PROPFIND", f"{self.path(folder)}/", _ASKED, headers, fine=_GONE) as answer:
            if answer.status in _GONE:
                return {}
            text = answer.read(_LISTED + 1)
        try:
            tree = ElementTree.fromstring(text)
        except ElementTree.ParseError as problem:
            raise PlaceError(f"the server's list of {folder} cannot be read: {problem}") from problem
        found = {}
        for one in tree.iter("{DAV:}response"):
            path = urlsplit(one.findtext("{DAV:}href") or "").path
            size = next((node.text for node in one.iter("{DAV:}getcontentlength") if node.text), "")
            if not path.endswith("/") and size.isdigit():
                found[unquote(path.rpartition("/")[2])] = int(size)
        return found
