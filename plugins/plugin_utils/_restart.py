# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait on the controller for a Mac that restarts, unlock it over SSH if it waits for that, and say why it is not back.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Login, Look, Lookout, Tried

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
    from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd

PAUSE = 1.0
"""Seconds between two looks."""

LONG_WAIT, LONG_PAUSE = 60.0, 10.0
"""Seconds after which a restart is one that takes long, and seconds between two looks from then on: each is a login."""

SETTLE = 5.0
"""Seconds after an unlock in which what answers may still be the unlock screen, so that no password is sent to it."""

NOT_UNLOCKED: dict[sshd.Outcome, Code] = {
    "refused": "unlock_refused",
    "locked_out": "unlock_locked_out",
    "unknown_user": "unlock_unknown_user",
}


class Wait:
    """One wait for a Mac that started at ``before``; None: any Mac that has started is back. ``unlocker``: how it is
    unlocked if it waits at its unlock screen. ``may_wait``: whether it has one. ``tried``: what came of a password that
    was sent before. ``then``: how often Ansible's own password may be sent once the Mac is unlocked; None: at each
    look."""

    def __init__(
        self,
        lookout: Lookout,
        before: float | None,
        unlocker: Login | None,
        may_wait: bool,
        tried: Tried | None = None,
        then: int | None = None,
    ) -> None:
        self._lookout = lookout
        self._before = before
        self._unlocker = unlocker
        self._may_wait = may_wait
        self._then = then
        self.last = Look(None, "")
        self._tried: Tried | None = None
        self._settled: float | None = None
        # Only Ansible's own password tells that a Mac is back which takes no key. One that waits to be unlocked may
        # take it for an attempt, so it gets one at most, and none beside the unlocker's.
        lookout.logins = None if not may_wait else 1 if unlocker is None and tried is None else 0
        if tried is not None:
            self._take(tried)

    def until(self, end: float) -> bool:
        """Return whether the Mac is back by ``end``, in seconds of the monotonic clock."""
        self._lookout.forget()
        begun = time.monotonic()
        while not self._is_back():
            now = time.monotonic()
            if now > end:
                return False
            time.sleep(PAUSE if now < begun + LONG_WAIT else min(LONG_PAUSE, max(PAUSE, end - now)))
        self._lookout.forget()
        return True

    @property
    def reason(self) -> Code:
        """Return why the Mac is not back."""
        return missed(self._tried, self.last, self._may_wait)

    @property
    def stayed(self) -> bool:
        """Return whether the Mac has not restarted at all: it says still that it started when it had before."""
        booted = self.last.booted
        return booted is not None and self._before is not None and booted <= self._before + 1

    @property
    def evidence(self) -> tuple[str, ...]:
        """Return what is known of a Mac that is not back."""
        before = () if self._before is None else (f"had started at {self._before:f}",)
        tried = () if self._tried is None else (self._tried.said,)
        return (*before, *tried, self.last.said)

    def _is_back(self) -> bool:
        if self._settled is not None and time.monotonic() >= self._settled:
            self._lookout.logins, self._settled = self._then, None
        self.last = self._lookout.look()
        if self._came(self.last):
            return True
        waits = self.last.door in ("locked", "refuses") and not isinstance(self.last, Tried)
        if self._unlocker is None or self._unlocker.spent or not waits:
            return False
        return self._take(self._unlocker.attempt())

    def _take(self, tried: Tried) -> bool:
        if tried.booted is None:
            self._tried = tried
        return self._came(tried)

    def _came(self, look: Look) -> bool:
        if isinstance(look, Tried) and look.outcome == "unlocked":
            self._settled = time.monotonic() + SETTLE
        return look.booted is not None and (self._before is None or look.booted > self._before + 1)


def missed(tried: Tried | None, last: Look, may_wait: bool) -> Code:
    """Return why a Mac is not back: by what came of the password, if one was sent, and by the last look. ``may_wait``:
    whether it has an unlock screen to wait at."""
    if last.door == "foreign":
        return "host_key_changed"
    outcome = None if tried is None else tried.outcome
    if outcome in NOT_UNLOCKED:
        return NOT_UNLOCKED[outcome]
    if last.door == "resets" or outcome == "broken":
        return "preboot_ssh_broken"
    if last.door == "locked" or (last.door == "refuses" and may_wait and outcome != "unlocked"):
        return "waits_for_unlock"
    return "not_back"
