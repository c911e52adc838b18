# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unlock a Mac that waits at FileVault's unlock screen: look without a password, send it once, wait for macOS.

The decisions are functions of what was seen; :class:`Unlock` does the looking and the sending.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd
from ansible_collections.keyholder.macos.plugins.module_utils._macos import SSH_UNLOCKS, Version
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import Entered, Login, Look, Lookout, Tried
from ansible_collections.keyholder.macos.plugins.plugin_utils._restart import NOT_UNLOCKED, Wait

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code

Found = t.Literal["up", "waits", "may_wait", "refuses", "resets", "foreign_key", "no_answer", "other_system"]
"""What a look without a password found. waits: the Mac says that it waits to be unlocked; may_wait: it refuses the key
and takes passwords, as it does there once it has said so to somebody; refuses: it refuses the key, and cannot be at its
unlock screen."""

Outcome = t.Literal["already", "unlocked", "refused", "locked_out", "unknown_user", "broken", "no_answer", "not_tried"]
"""What came of it. already: the Mac was up; not_tried: what answered must not get the password."""

PAUSE = 3.0
"""Seconds between two looks at a Mac that does not answer yet."""

UNSAID = 60.0
"""Seconds in which a Mac that did not say what it made of the password shows it by coming up."""

MAY_BE_UP = (
    "The Mac refuses the key that Ansible logs in with, and does not say why: it waits at its unlock screen, or it has"
    " started and does not know the key"
)
BY_PASSWORD = "The Mac had started. It took no key of Ansible's, so only the password could show that"


@dataclass(frozen=True)
class Ended:
    """Hold what came of one Mac. ``sent``: whether it got the password. ``up``: whether macOS runs. ``elapsed``: how
    many seconds after the password it did."""

    found: Found
    outcome: Outcome
    sent: bool = False
    up: bool = False
    elapsed: int | None = None
    notes: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def changed(self) -> bool:
        """Return whether the Mac was unlocked, or may have been: nothing that was seen since denies it."""
        return self.outcome == "unlocked" or (self.outcome == "no_answer" and self.sent)


def found_of(look: Look, version: Version | None) -> Found:
    """Return what a look found. ``version``: the Mac's, if that is known."""
    if look.booted is not None:
        return "up"
    if isinstance(look, Entered):
        return "other_system"
    if look.door == "locked":
        return "waits"
    if look.door == "refuses":
        runs_none = version is not None and version < SSH_UNLOCKS.first
        return "refuses" if runs_none or not sshd.takes_password(look.said) else "may_wait"
    if look.door == "resets":
        return "resets"
    return "foreign_key" if look.door == "foreign" else "no_answer"


def refusal_of(found: Found, look: Look, version: Version | None) -> Refusal | None:
    """Return why this must not get the password; None: it may, or needs none."""
    seen = (look.said,)
    if found == "foreign_key":
        return foreign(look)
    if found == "resets":
        return Refusal("preboot_ssh_broken", "the Mac takes the connection and drops it before SSH says a word", seen)
    if found == "other_system":
        return Refusal("not_a_mac", "the host let Ansible in, and does not say when it started", seen)
    if found == "refuses":
        offers = "offers no login by password, which a Mac at its unlock screen does"
        old = f"has macOS {version} by the option macos, which does not answer SSH at its unlock screen"
        why = offers if not sshd.takes_password(look.said) else old
        msg = f"the Mac refuses the key that Ansible logs in with, and {why}, so it seems to have started"
        return Refusal("login_refused", msg, seen)
    if found == "no_answer":
        return Refusal("unlock_no_answer", _silence(version), seen)
    return None


def foreign(look: Look) -> Refusal:
    """Return why what answered with another host key, or with one that nobody knows, must not get a password."""
    if sshd.changed(look.said):
        msg = "what answers has another host key than the one that the controller knows of this Mac"
        return Refusal("host_key_changed", msg, (look.said,))
    msg = "the controller knows no host key of this Mac, so it cannot tell whether this is the Mac"
    return Refusal("host_key_unknown", msg, (look.said,))


def _silence(version: Version | None) -> str:
    if version is None:
        return (
            "the Mac does not answer SSH: it is off, or without network, or it waits at FileVault's unlock screen with"
            f" a macOS before {SSH_UNLOCKS.first.major}, which does not answer there"
        )
    if version < SSH_UNLOCKS.first:
        return (
            f"the Mac does not answer SSH, as macOS {version} does not at FileVault's unlock screen; it may also be"
            " off, or without network"
        )
    return (
        "the Mac does not answer SSH: it is off, or without network at FileVault's unlock screen, where macOS"
        f" {version} answers if it can"
    )


UNTRIED: dict[Found, Outcome] = {
    "up": "already",
    "resets": "broken",
    "no_answer": "no_answer",
    "foreign_key": "not_tried",
    "refuses": "not_tried",
    "other_system": "not_tried",
}
"""What is found -> the outcome where no password is sent."""

_NOT_YET = ("no_answer", "resets")
"""What a Mac that still starts looks like."""

_TOLD: dict[sshd.Outcome, str] = {
    "refused": "the Mac refused the password of {user}{where}",
    "locked_out": "the Mac did not look at the password, because {user} is temporarily unavailable",
    "unknown_user": "the Mac's unlock screen does not know {user}",
}


class Unlock:
    """Unlock one Mac. ``user``: by whom, for messages. ``version``: the Mac's, if that is known."""

    def __init__(self, lookout: Lookout, login: Login, user: str, version: Version | None) -> None:
        self._lookout = lookout
        self._login = login
        self._user = user
        self._version = version

    def run(self, check: bool, wait: float, reboot_timeout: float) -> Ended:
        """Return what came of it, or, with ``check``, what would: then no password is sent. ``wait``: seconds that the
        Mac has to answer; ``reboot_timeout``: those it has to start in, once it is unlocked."""
        look, found = self._awaited(wait)
        refusal = refusal_of(found, look, self._version)
        if refusal is not None or found == "up":
            return Ended(found, UNTRIED[found], up=found == "up", refusal=refusal)
        if check:
            return Ended(found, "unlocked", up=True, notes=(MAY_BE_UP,) if found == "may_wait" else ())
        return self._sent(found, reboot_timeout)

    def _awaited(self, seconds: float) -> tuple[Look, Found]:
        end = time.monotonic() + seconds
        # A connection from before the power cut leads nowhere.
        self._lookout.forget()
        while True:
            look = self._lookout.by_key()
            found = found_of(look, self._version)
            left = end - time.monotonic()
            if found not in _NOT_YET or left <= 0:
                return look, found
            time.sleep(min(PAUSE, left))

    def _sent(self, found: Found, reboot_timeout: float) -> Ended:
        begun = time.monotonic()
        tried = self._login.attempt()
        if tried.booted is not None:
            return Ended("up", "already", sent=True, up=True, notes=(BY_PASSWORD,))
        if not tried.sent:
            return self._unsent(tried)
        if tried.outcome not in ("unlocked", "no_answer"):
            where = ", at its unlock screen or after it has started" if found == "may_wait" else " at its unlock screen"
            msg = _TOLD[tried.outcome].format(user=self._user, where=where)
            refusal = Refusal(NOT_UNLOCKED[tried.outcome], msg, (tried.said,))
            return Ended(found, tried.outcome, sent=True, refusal=refusal)
        # One that comes up was unlocked, whatever it said.
        then = None if self._lookout.shares(self._login) else 1
        wait = Wait(self._lookout, None, None, True, tried, then)
        said = tried.outcome == "unlocked"
        if wait.until(begun + (reboot_timeout if said else min(reboot_timeout, UNSAID))):
            return Ended(found, "unlocked", sent=True, up=True, elapsed=int(time.monotonic() - begun))
        return self._missed(found, wait, said)

    def _unsent(self, tried: Tried) -> Ended:
        """Return what came of a Mac that did not ask for the password any more."""
        found = found_of(Look(None, tried.said), self._version)
        if found in ("foreign_key", "resets"):
            return Ended(found, UNTRIED[found], refusal=refusal_of(found, tried, self._version))
        msg = "the Mac answered, and then did not ask for the password"
        return Ended("no_answer", "no_answer", refusal=Refusal("unlock_no_answer", msg, (tried.said,)))

    def _missed(self, found: Found, wait: Wait, said: bool) -> Ended:
        if not said:
            locked = wait.last.door in ("locked", "refuses")
            reason: Code = "waits_for_unlock" if locked else "unlock_no_answer"
            msg = "the Mac did not say what it made of the password, which it got once, and has not started since"
            return Ended(found, "no_answer", sent=True, refusal=Refusal(reason, msg, wait.evidence))
        door = wait.last.door
        reason = "waits_for_unlock" if door == "locked" else "host_key_changed" if door == "foreign" else "not_back"
        msg = "the Mac said that it is unlocked, and then did not let Ansible in"
        return Ended(found, "unlocked", sent=True, refusal=Refusal(reason, msg, wait.evidence))
