# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that make an account harmless which must stay, and their undoing.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._command import accounts, dscl, records, sshd_settings
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Write, with_changed

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._parking import Before
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
    from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Secrets


@dataclass(frozen=True)
class RememberAccount(Write):
    """Write into an account's record what it was before it was parked."""

    user: str
    before: Before

    @property
    def words(self) -> str:
        return f"note in the record of {self.user} what it was before"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, parked=self.before.text())

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.remember(self.user, self.before.text())]


@dataclass(frozen=True)
class ForgetAccount(Write):
    """Take that note off the record."""

    user: str

    @property
    def words(self) -> str:
        return f"remove the note of what it was before from the record of {self.user}"

    def after(self, mac: Mac) -> Mac:
        return with_changed(mac, self.user, parked="")

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [dscl.forget_account(self.user)]


@dataclass(frozen=True)
class SetDisabled(Write):
    """Have macOS refuse every login of an account, or none."""

    user: str
    disabled: bool

    @property
    def words(self) -> str:
        return f"disable {self.user}" if self.disabled else f"enable {self.user}"

    def after(self, mac: Mac) -> Mac:
        by = records.BY_GROUP if self.disabled else ""
        return with_changed(mac, self.user, disabled=self.disabled, disabled_by=by)

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return [accounts.disable(self.user) if self.disabled else accounts.enable(self.user)]


@dataclass(frozen=True)
class DenySsh(Write):
    """Have sshd let an account in by no method."""

    user: str

    @property
    def words(self) -> str:
        return f"have sshd refuse {self.user}, by {sshd_settings.path(self.user)}"

    @property
    def shuts_out(self) -> str:
        return self.user

    def after(self, mac: Mac) -> Mac:
        files = mac.files | {sshd_settings.path(self.user)}
        return replace(mac, sshd_refuses=True, files=frozenset(files))

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return sshd_settings.deny(self.user)


@dataclass(frozen=True)
class AllowSsh(Write):
    """Take away what has sshd refuse an account. Whether something else refuses it is for the next reading to say."""

    user: str

    @property
    def words(self) -> str:
        return f"remove {sshd_settings.path(self.user)}, which has sshd refuse {self.user}"

    def after(self, mac: Mac) -> Mac:
        files = mac.files - {sshd_settings.path(self.user)}
        return replace(mac, sshd_refuses=False, files=frozenset(files))

    def commands(self, mac: Mac, secrets: Secrets) -> list[Command]:
        return sshd_settings.allow(self.user)
