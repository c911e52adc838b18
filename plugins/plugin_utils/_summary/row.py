# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say of one Mac what a run did to it: from what its tasks have registered to a row. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain, plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import UNREACHABLE, answer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import trouble_of

CHANGED, SAME, REFUSED, FAILED, UNREAD, GONE, NOT_BEGUN = (
    "changed",
    "unchanged",
    "refused",
    "failed",
    "not_read",
    "unreachable",
    "not_begun",
)
"""What became of a Mac. refused: before anything was changed on it; failed: after something was, or may have been;
not_read: it answered, and would not be read."""

TROUBLE = (REFUSED, FAILED, UNREAD, GONE)
"""What a run that is to succeed must not end with on any Mac."""

HOLDERS, FILEVAULT, BOOTSTRAP, MACOS = "holders", "filevault", "bootstrap_token", "macos"
SHOWN = (HOLDERS, FILEVAULT, BOOTSTRAP, MACOS)
"""What of a Mac a row can show before and after."""

_CODE = re.compile(r"\s*\[([a-z0-9_]+)\]\s*$")


@dataclass(frozen=True)
class Source:
    """Say where a result is, and how to call it. ``what``: what it is about, if that is no account. ``done``: what was
    done if it says that something changed; "" for what its account shows."""

    variable: str
    what: str = ""
    done: str = ""


@dataclass(frozen=True)
class Item:
    """Hold what a run did to one account of a Mac, or to another part of it."""

    what: str
    status: str
    words: str
    why: str = ""
    reason: str = ""
    remedy: str = ""
    steps: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    """What is broken, of a repair."""


@dataclass(frozen=True)
class Row:
    """Hold what a run did to one Mac."""

    host: str
    status: str
    before: str = ""
    after: str = ""
    items: tuple[Item, ...] = ()
    why: str = ""
    """Why the Mac as a whole could not be worked on."""
    reason: str = ""
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    says: str = ""
    """What the role itself says of the Mac, in one line."""
    recoverable: str = ""
    """By the last reading."""

    @property
    def troubled(self) -> bool:
        """Return whether the run did not reach on this Mac what was asked."""
        return self.status in TROUBLE

    @property
    def first_reason(self) -> str:
        """Return the reason code of what went wrong first, "" if there is none."""
        return self.reason or next((item.reason for item in self.items if item.reason), "")


def row_of(
    host: str,
    before: t.Any,
    found: Sequence[tuple[Source, t.Any]],
    after: t.Any = None,
    failed: t.Any = None,
    shows: str = HOLDERS,
    check: bool = False,
    says: t.Any = None,
) -> Row:
    """Return the row of a Mac.

    ``before``: what trust_info returned before anything was done; None: the run did not come as far as this Mac; "": no
    task reads it first.
    ``found``: the results of the modules, in their order. ``after``: what trust_info returned at the end. ``failed``:
    the result of the task that ended the work on this Mac. ``says``: a line of the role's own about this Mac.
    """
    if not isinstance(before, Mapping) and (before is None or all(result is None for _source, result in found)):
        failing = _failure(failed, [])
        return replace(failing, host=host) if failing else Row(host, NOT_BEGUN, why="the run did not begin on it")
    stood = recoverable = ""
    if isinstance(before, Mapping):
        answer = answer_of(host, dict(before), 0)
        if answer.mac is None:
            status = GONE if answer.status == UNREACHABLE else UNREAD
            return Row(host, status, "", "", (), answer.why, answer.reason, answer.remedy, _lines(answer.evidence))
        stood, recoverable = _standing(shows, answer.mac), str(answer.mac["recoverable"])
    items = _merged([item for source, result in found for item in _items(source, result, check)])
    if any(item.status != SAME for item in items):
        parts = {source.what for source, _result in found if source.what}
        items = [item for item in items if item.status != SAME or item.what not in parts]
    row = Row(host, _worst(items), stood, items=tuple(items), recoverable=recoverable)
    row = replace(row, after=_after(shows, after, found, check) or row.before)
    last = _reading(after)
    if last is not None:
        row = replace(row, recoverable=str(last["recoverable"]))
    if isinstance(says, str) and says.strip() and not row.troubled:
        row = replace(row, says=plain(" ".join(says.split())))
    failing = _failure(failed, items)
    if failing is None:
        return row
    return replace(row, status=failing.status, why=failing.why, reason=failing.reason, remedy=failing.remedy, says="")


def _worst(items: Sequence[Item]) -> str:
    """Return the status of a Mac by those of its items."""
    seen = {item.status for item in items}
    if CHANGED in seen and not seen.isdisjoint(TROUBLE):
        return FAILED
    return next((status for status in (FAILED, GONE, REFUSED, CHANGED) if status in seen), SAME)


def _failure(failed: t.Any, items: Sequence[Item]) -> Row | None:
    """Return the row of a Mac on which a task failed that is not among the items, None if there is no such task."""
    if not isinstance(failed, Mapping) or any(item.status in TROUBLE for item in items):
        return None
    why, reason, remedy, evidence = _told(failed)
    changed = any(item.status == CHANGED for item in items) or bool(failed.get("changed"))
    return Row("", FAILED if changed else REFUSED, "", "", (), why, reason, remedy, evidence)


# --- items ---


def _items(source: Source, result: t.Any, check: bool) -> list[Item]:
    """Return what one registered variable says: an item for each round of a loop."""
    if not isinstance(result, Mapping) or result.get("skipped"):
        return []
    rounds = result.get("results")
    if isinstance(rounds, Sequence) and not isinstance(rounds, str):
        return [item for one in rounds for item in _items(source, one, check)]
    return [_item(source, result, check)]


def _item(source: Source, result: Mapping[str, t.Any], check: bool) -> Item:
    what = source.what or _account(result)
    steps, notes = _texts(result.get("plan")), _texts(result.get("notes"))
    if _is_failure(source, result):
        why, reason, remedy, evidence = _told(result)
        status = GONE if _is_gone(result) else FAILED if result.get("changed") else REFUSED
        return Item(what, status, status.upper(), why, reason, remedy, steps, evidence, notes)
    broken = _broken(result)
    if not result.get("changed"):
        words = "broken, not repaired" if broken else f"nothing to do{_dialog(result)}"
        return Item(what, SAME, words, steps=steps, notes=notes, found=broken)
    words = _done(source, result)
    return Item(what, CHANGED, f"would be {words}" if check else words, steps=steps, notes=notes, found=broken)


def _broken(result: Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return what a repair has found."""
    found = result.get("findings")
    entries = found if isinstance(found, Sequence) and not isinstance(found, str) else []
    return _texts([one["what"] for one in entries if isinstance(one, Mapping) and "what" in one])


def _dialog(result: Mapping[str, t.Any]) -> str:
    """Return what macOS will ask a mobile user without a token, "" if it asks nothing."""
    after = _state(result, "after")
    asks = after.get("secure_token") == "none" and after.get("token_dialog_suppressed") is False
    return ", macOS asks for a granter at the login" if asks else ""


def _state(result: Mapping[str, t.Any], when: str) -> Mapping[str, t.Any]:
    """Return the Mac's part that a module manages, empty if it is not there."""
    states = result.get("state")
    state = states.get(when) if isinstance(states, Mapping) else None
    return state if isinstance(state, Mapping) else {}


def _is_failure(source: Source, result: Mapping[str, t.Any]) -> bool:
    """Return whether a task did not do what was asked.

    A play of ours lets the one task of a role pass, to go on to its summary. Of a role with several, which are about
    parts of a Mac, the role itself has said what is no failure: a key file of before the last rotation.
    """
    return bool(result.get("failed") or _is_gone(result) or (result.get("reason") and not source.what))


def _is_gone(result: Mapping[str, t.Any]) -> bool:
    return bool(result.get("unreachable") or result.get("unreached"))


def _account(result: Mapping[str, t.Any]) -> str:
    name = result.get(str(result.get("ansible_loop_var")))
    if isinstance(name, str):
        return plain(name)
    for when in ("after", "before"):
        name = _state(result, when).get("name") or _state(result, when).get("user")
        if isinstance(name, str):
            return plain(name)
    return ""


def _done(source: Source, result: Mapping[str, t.Any]) -> str:
    """Return what was done, in words."""
    if result.get("healed"):
        return "finished after an interrupted run"
    if source.done:
        return source.done
    before, after = _state(result, "before"), _state(result, "after")
    if after.get("enabled") and before.get("enabled") is False:
        return "turned on"
    if after.get("deferred_user") and not before.get("deferred_user"):
        return "deferred"
    if before.get("exists") and after.get("exists") is False:
        return "removed"
    words = ["created"] if before.get("exists") is False and after.get("exists") else []
    if after.get("secure_token") == "holder" != before.get("secure_token"):
        words.append("granted")
    elif words and after.get("secure_token") == "pending":
        words.append("token pending")
    return (" and ".join(words) or "changed") + _dialog(result)


def _merged(items: Sequence[Item]) -> list[Item]:
    """Return the items, those about the same thing in one: what was done, or else what went wrong with it."""
    found: dict[str, Item] = {}
    for item in items:
        other = found.get(item.what)
        if other is not None and other.status == CHANGED and item.status == REFUSED:
            # What was changed on it stays changed: a key that was made, and not stored.
            found[item.what] = replace(item, status=FAILED, words=FAILED.upper(), steps=other.steps + item.steps)
        elif other is None or other.status == SAME or item.status in TROUBLE:
            found[item.what] = item
        elif item.status == CHANGED and other.status == CHANGED and item.words != other.words:
            words = f"{other.words}, {item.words.removeprefix('would be ')}"
            found[item.what] = replace(other, words=words, steps=other.steps + item.steps)
    return list(found.values())


# --- what went wrong, and how a Mac stands ---


def _told(result: Mapping[str, t.Any]) -> tuple[str, str, str, tuple[str, ...]]:
    """Return why a task failed: the clause, the reason code, the way out, and the evidence."""
    said = str(result.get("msg") or "no reason was given")
    code = _CODE.search(said)
    reason = str(result.get("reason") or (code.group(1) if code and code.group(1) in REASONS else ""))
    known = REASONS.get(t.cast("t.Any", reason))
    remedy = str(result.get("remedy") or (known.remedy if known else ""))
    own = {"mac": None, "failed": True, "reason": reason, "remedy": remedy, "msg": said}
    # What Ansible says of a Mac that it did not reach has to be understood; a module's own reason has been.
    reached = {"unreachable": False, "unreached": False} if result.get("reason") else {}
    answer = answer_of("", {**result, **own, **reached}, 0)
    evidence = _texts(result.get("evidence")) or _lines(answer.evidence)
    # Of a module that could not be run, sudo's own words tell more than the reason does.
    way_in = trouble_of(said, unreachable=False).remedy if reason == "module_not_run" else ""
    return answer.why.strip().rstrip("."), answer.reason, way_in or answer.remedy, evidence


def _reading(result: t.Any) -> t.Mapping[str, t.Any] | None:
    """Return the Mac in what trust_info returned, None if it is not there."""
    if not isinstance(result, Mapping) or not isinstance(result.get("mac"), Mapping):
        return None
    return answer_of("", dict(result), 0).mac


def _standing(shows: str, mac: Mapping[str, t.Any]) -> str:
    """Return how a Mac stands by a reading."""
    if shows == HOLDERS:
        return f"{len(mac['holders'])} of {len(mac['accounts'])}"
    if shows == FILEVAULT:
        return str(mac["filevault"]["state"])
    if shows == MACOS:
        return str(mac["os"]["version"])
    return str(mac["management"]["bootstrap_token"]).replace("_", " ")


def _after(shows: str, after: t.Any, found: Sequence[tuple[Source, t.Any]], check: bool) -> str:
    """Return how a Mac stands at the end, "" if nothing says so. A prediction says only that it is one by its item."""
    read = _reading(after)
    if read is not None and not check:
        return _standing(shows, read)
    for source, result in reversed(found):
        state = _state(result, "after") if isinstance(result, Mapping) and not _is_failure(source, result) else {}
        if shows == FILEVAULT and "enabled" in state:
            return "on" if state["enabled"] else "deferred" if state.get("deferred_user") else "off"
        if shows == BOOTSTRAP and "status" in state:
            return str(state["status"]).replace("_", " ")
        if shows == MACOS and "version" in state:
            return str(state["version"])
    return ""


def _texts(value: t.Any) -> tuple[str, ...]:
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return tuple(str(one) for one in plain_data([str(one) for one in listed]))


def _lines(text: str) -> tuple[str, ...]:
    return (text,) if text else ()
