# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the notes that a run leaves on the Mac for the next one: make them, recognise them, say them in words. Pure.

A note stands before the work that it is about begins, and goes when that is done. Each is one text, a value of an
attribute of root's record.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

PREBOOT = "preboot"
"""The preboot volume does not know yet what changed."""

MAKING_KEY = "making recovery key"
"""A recovery key is being made. If a run was interrupted there, the present key may be lost."""

_OFFBOARDING, _ARCHIVED, _PROMOTED = "offboarding", "archived", "promoted "


def creation(name: str) -> str:
    """Return the note that the account ``name`` is not yet all that was asked for."""
    return f"creating {name}"


def repairing(name: str) -> str:
    """Return the note that the token of ``name`` was taken, or its mark, to be granted again."""
    return f"repairing {name}"


def offboarding(name: str, guid: str) -> str:
    """Return the note that this account is being removed, and that the collection may overwrite the archive of its
    home. It holds the GUID, as another person may get the name."""
    return f"{_OFFBOARDING} {name} {guid}"


def archived(name: str, guid: str) -> str:
    """Return the note that the home of this account, which is being removed, was archived and read back."""
    return f"{_ARCHIVED} {name} {guid}"


def leaving_directory(name: str) -> str:
    """Return the note that the account ``name`` is being made a local one."""
    return f"leaving the directory: {name}"


def promotion(name: str) -> str:
    """Return the note that ``name`` is an administrator for the time of a grant only, and must be demoted again."""
    return f"{_PROMOTED}{name}"


def promoted_by(note: str) -> str:
    """Return the account that a note on a promotion names, "" for any other note."""
    return note[len(_PROMOTED) :] if note.startswith(_PROMOTED) else ""


def is_offboarding(note: str, name: str) -> bool:
    """Check whether a note is about the removal of ``name``, of any account that has or had that name."""
    return note.rpartition(" ")[0] in (f"{_OFFBOARDING} {name}", f"{_ARCHIVED} {name}")


def note_in_words(note: str) -> str:
    """Return what a note means, in words."""
    if note == PREBOOT:
        return "the preboot volume must still be updated"
    if note == MAKING_KEY:
        return "it was making a recovery key, and the present key may be lost"
    name = promoted_by(note)
    return f"{name} is an administrator for a grant only, and must be demoted again" if name else note
