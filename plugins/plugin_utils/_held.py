# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return what a store holds of an account, read once for all templates of a task, and say which one to log in with.

Ansible resolves the variables of a task several times, and starts a process for each task. So what is read is kept in
that process alone. It is read again if the age file is another one, or after SECONDS for any other store, or if this
process has written to a store.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import AgeStore
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Store, Stored

SECONDS = 5.0
"""How long what a command, a lookup or Vault has said counts, in one process."""

_seen: dict[tuple[int, str], tuple[t.Any, Stored]] = {}
_supposed: dict[str, str] = {}


def held(store: Store, place: str, clock: t.Callable[[], float] = time.monotonic) -> Stored:
    """Return what the store holds. ``place``: what tells its entry from every other one. Raises :class:`StoreError`."""
    if place in _supposed:
        return Stored(current=_supposed[place])
    key, version = (os.getpid(), place), _version(store, clock)
    before = _seen.get(key)
    if before is not None and _same(before[0], version):
        return before[1]
    stored = store.read()
    _seen[key] = (version, stored)
    return stored


def forget() -> None:
    """Have every store read again: one of them was written to."""
    _seen.clear()


@contextlib.contextmanager
def supposed(place: str, password: str) -> t.Iterator[None]:
    """Have :func:`held` say, as long as this lasts, that this entry's current password is ``password``."""
    _supposed[place] = password
    try:
        yield
    finally:
        del _supposed[place]


def _version(store: Store, clock: t.Callable[[], float]) -> t.Any:
    if not isinstance(store, AgeStore):
        return clock()
    try:
        found = store.path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _same(before: t.Any, now: t.Any) -> bool:
    if isinstance(now, float):
        return bool(now - before < SECONDS)
    return now is not None and before == now
