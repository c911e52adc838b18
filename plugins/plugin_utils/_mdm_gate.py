# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide who may send an event, and which events are handed on, when: no forged, old or doubled one, and no flood.

The event source `extensions/eda/plugins/event_source/mdm.py` loads this file by its path, in a process that knows no
collections. So it imports the standard library alone. What time it is, it is told.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import typing as t
from collections import OrderedDict, deque
from collections.abc import Mapping

SHORTEST = 16
"""Characters that a secret has at least: what reaches the source may be tried by anyone who reaches it."""

AHEAD = 300.0
"""Seconds that an MDM's clock may be ahead."""

MINUTE = 60.0

Verdict = t.Literal["taken", "joined", "doubled", "old", "early", "flood", "full"]

_KEYS = {
    "url": {"url_secret"},
    "basic": {"username", "password"},
    "header": {"header", "header_secret"},
    "hmac": {"hmac_header", "hmac_secret", "hmac_algorithm", "hmac_encoding"},
}
_ALGORITHMS = ("sha256", "sha384", "sha512")
_ENCODINGS = ("hex", "base64")


class Sender:
    """An MDM that may send events, by all the proofs that are configured for it. Each is compared in constant time."""

    def __init__(self, name: str, settings: t.Any) -> None:
        """Raise ``ValueError``, which tells no secret."""
        self.name = name
        if not isinstance(settings, Mapping):
            raise ValueError(f"senders.{name} must be a dictionary with a secret")
        unknown = sorted(map(str, settings.keys() - set().union(*_KEYS.values())))
        if unknown:
            raise ValueError(f"senders.{name} has no {', '.join(unknown)}")
        self._settings = dict(settings)
        self._kinds = [kind for kind, keys in _KEYS.items() if keys & settings.keys()]
        if not self._kinds:
            raise ValueError(f"senders.{name} has no secret: {', '.join(sorted(_KEYS))} are the kinds")
        for kind in self._kinds:
            self._check(kind)

    @property
    def signs(self) -> bool:
        """Return whether the proof is in the body too, which must be read for it."""
        return "hmac" in self._kinds

    def _check(self, kind: str) -> None:
        for key in sorted(_KEYS[kind] - {"hmac_algorithm", "hmac_encoding"}):
            value = self._settings.get(key)
            if not isinstance(value, str) or not value:
                raise ValueError(f"senders.{self.name}.{key} must be text")
            if key in ("url_secret", "password", "header_secret", "hmac_secret") and len(value) < SHORTEST:
                raise ValueError(f"senders.{self.name}.{key} is shorter than {SHORTEST} characters")
        for key, choices in (("hmac_algorithm", _ALGORITHMS), ("hmac_encoding", _ENCODINGS)):
            if self._settings.get(key, choices[0]) not in choices:
                raise ValueError(f"senders.{self.name}.{key} must be one of {', '.join(choices)}")

    def proves_head(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Return whether the URL and the headers of a request hold the secrets."""
        given = {
            "url": lambda: _same(query.get("token", ""), self._settings["url_secret"]),
            "basic": lambda: self._basic(headers.get("Authorization", "")),
            "header": lambda: _same(headers.get(self._settings["header"], ""), self._settings["header_secret"]),
        }
        return all(given[kind]() for kind in self._kinds if kind in given)

    def proves_body(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Return whether the body is signed, if it must be."""
        if not self.signs:
            return True
        algorithm = self._settings.get("hmac_algorithm", _ALGORITHMS[0])
        digest = hmac.new(self._settings["hmac_secret"].encode(), body, getattr(hashlib, algorithm)).digest()
        encoded = (
            digest.hex() if self._settings.get("hmac_encoding", "hex") == "hex" else base64.b64encode(digest).decode()
        )
        said = headers.get(self._settings["hmac_header"], "").strip()
        return _same(said[len(algorithm) + 1 :] if said.startswith(f"{algorithm}=") else said, encoded)

    def _basic(self, header: str) -> bool:
        scheme, _space, coded = header.partition(" ")
        try:
            said = base64.b64decode(coded, validate=True).decode() if scheme.lower() == "basic" else ""
        except (ValueError, binascii.Error):
            said = ""
        return _same(said, f"{self._settings['username']}:{self._settings['password']}")


def _same(said: str, secret: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(said.encode("utf-8", "surrogateescape"), secret.encode())


class Gate:
    """The events that wait to be handed on. One event of a Mac waits once: another one joins it. ``max_age``: seconds
    after which an event is too old. ``rate``: events that are taken in a minute. ``places``: events that may wait.
    ``spacing``: seconds between two events of a kind of one Mac."""

    def __init__(self, max_age: float, rate: int, places: int, spacing: float) -> None:
        self._max_age, self._rate, self._places, self._spacing = max_age, rate, places, spacing
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._taken: deque[float] = deque()
        self._waiting: OrderedDict[tuple[str, str], dict[str, t.Any]] = OrderedDict()
        self._handed: dict[tuple[str, str], float] = {}

    def offer(self, event: dict[str, t.Any], happened: float, now: float) -> Verdict:
        """Say what becomes of an event that happened then. One that is not taken may be sent again."""
        self._forget(now)
        if happened < now - self._max_age:
            return "old"
        if happened > now + AHEAD:
            return "early"
        seen, key = (event["source"], event["id"]), _key(event)
        if seen in self._seen:
            return "doubled"
        if len(self._taken) >= self._rate:
            return "flood"
        joins = key in self._waiting
        if not joins and len(self._waiting) >= self._places:
            return "full"
        # It is remembered for as long as it is not too old.
        self._seen[seen] = now
        self._taken.append(now)
        self._waiting[key] = event
        return "joined" if joins else "taken"

    def next(self, now: float) -> dict[str, t.Any] | None:
        """Take out the next event to hand on, None if there is none yet."""
        key = next((key for key in self._waiting if self._due(key) <= now), None)
        if key is None:
            return None
        self._handed[key] = now
        return self._waiting.pop(key)

    def pause(self, now: float) -> float | None:
        """Return the seconds until the next one, None if none waits."""
        return min((max(self._due(key) - now, 0.0) for key in self._waiting), default=None)

    def _due(self, key: tuple[str, str]) -> float:
        return self._handed[key] + self._spacing if key in self._handed else 0.0

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0] <= now - MINUTE:
            self._taken.popleft()
        while self._seen and next(iter(self._seen.values())) < now - self._max_age - AHEAD:
            self._seen.popitem(last=False)
        for key in [key for key, then in self._handed.items() if then <= now - self._spacing]:
            del self._handed[key]


def _key(event: Mapping[str, t.Any]) -> tuple[str, str]:
    return event["mac"]["key"], event["event"]
