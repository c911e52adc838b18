# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a store keeps of one account's password, and say what a store is.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import dataclass, field


class StoreError(Exception):
    """Tell why the store could not be read or written, without a secret. ``changed``: whether the Mac was, before."""

    changed = False


@dataclass(frozen=True)
class Stored:
    """Hold what a store has of one account. "": nothing. ``set_at``: when current was set, in ISO 8601. ``doing``: what
    pending is about, if not about a rotation: create or repair. ``others``: what the store's owner keeps beside it."""

    current: str = ""
    pending: str = ""
    set_at: str = ""
    doing: str = ""
    others: t.Mapping[str, t.Any] = field(default_factory=dict)

    def content(self) -> dict[str, t.Any]:
        doing = {"doing": self.doing} if self.doing else {}
        return {**self.others, "current": self.current, "pending": self.pending, "set_at": self.set_at, **doing}

    def text(self) -> str:
        return json.dumps(self.content(), ensure_ascii=False) + "\n"

    @property
    def secrets(self) -> list[str]:
        others = [value for value in self.others.values() if isinstance(value, str)]
        return [secret for secret in (self.current, self.pending, *others) if secret]

    @classmethod
    def parse(cls, text: str) -> Stored:
        """Return what the store holds; nothing at all is an empty store. Raises :class:`StoreError`."""
        if not text.strip():
            return cls()
        try:
            content = json.loads(text)
        except ValueError as exc:
            raise StoreError("what the store holds is not JSON") from exc
        return cls.of(content)

    @classmethod
    def of(cls, content: t.Any) -> Stored:
        """Return what the store's object holds. A foreign object is no empty store: it may be the only copy of what it
        holds."""
        if not isinstance(content, dict):
            raise StoreError("what the store holds is not a JSON object")
        if content and not {"current", "pending"} & set(content):
            names = ", ".join(sorted(map(str, content)))
            raise StoreError(f"what the store holds has neither current nor pending, but {names}")
        ours = {key: content.get(key) or "" for key in ("current", "pending", "set_at", "doing")}
        if not all(isinstance(value, str) for value in ours.values()):
            raise StoreError("what the store holds has values that are not text")
        return cls(**ours, others={key: value for key, value in content.items() if key not in ours})

    def days_old(self, now: datetime.datetime) -> float:
        """Return the password's age in days. Without a readable date it is infinite."""
        try:
            then = datetime.datetime.fromisoformat(self.set_at)
        except ValueError:
            return float("inf")
        if then.tzinfo is None:
            then = then.replace(tzinfo=datetime.timezone.utc)
        return (now - then).total_seconds() / 86400


class Store(t.Protocol):
    def read(self) -> Stored:
        """Return what the store holds. Raises :class:`StoreError`."""

    def write(self, stored: Stored) -> None:
        """Replace what the store holds. Raises :class:`StoreError`."""
