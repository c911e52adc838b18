# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that makes an account of this Mac of what was the copy of a directory's.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import accounts, directory_copy
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Write, known, with_changed

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._command.directory_copy import Copy
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets

_STAFF = 20


@dataclass(frozen=True)
class LeaveDirectory(Write):
    """Take off an account's record what makes it the copy of a directory's, and have the directory service look."""

    user: str
    copy: Copy

    @property
    def words(self) -> str:
        return f"make {self.user} a local account: its record loses what it has of a directory, and nothing else"

    def after(self, mac: Mac) -> Mac:
        gone = replace(self.copy, values=(), attributes=(), marked=True)
        return replace(with_changed(mac, self.user, kind="local"), directory_copy=gone)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        # A directory's account has a group of the directory for its primary one.
        strange = known(mac, self.user).gid != _STAFF
        staff = [accounts.set_membership(self.user, "staff", True)] if strange else []
        return [*directory_copy.drop(self.user, self.copy), *staff, directory_copy.restart()]
