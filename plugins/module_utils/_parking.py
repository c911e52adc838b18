# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what a parked account was before, as its own record keeps it: made, told, and read again. Pure.

The record is the one place that goes with the account, and that every reading looks at anyway.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"hidden=([01]) admin=([01]) disabled=([01])(?: no_ssh=([01]))? shell=(.*)")

NO_LOGIN = "/usr/bin/false"
"""The shell of an account that no session may be opened for."""


@dataclass(frozen=True)
class Before:
    """Hold what an account was before it was parked. ``shell`` "": its record had none. ``no_ssh``: sshd refused it."""

    hidden: bool
    admin: bool
    disabled: bool
    shell: str
    no_ssh: bool = False

    def text(self) -> str:
        """Return the value that the account's record keeps."""
        flags = f"hidden={self.hidden:d} admin={self.admin:d} disabled={self.disabled:d}"
        return f"{flags} no_ssh={self.no_ssh:d} shell={self.shell}"

    def view(self) -> dict[str, bool | str | None]:
        """Return it as the modules do."""
        return {
            "hidden": self.hidden,
            "admin": self.admin,
            "disabled": self.disabled,
            "shell": self.shell or None,
            "refused_by_sshd": self.no_ssh,
        }


def before_of(text: str) -> Before | None:
    """Return what the record says that the account was. None: it says nothing, or not in our words."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    hidden, admin, disabled, no_ssh, shell = found.groups()
    return Before(hidden == "1", admin == "1", disabled == "1", shell, no_ssh == "1")
