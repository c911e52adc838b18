# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""sudo: what it says where it refuses a session without a terminal. Ansible starts it, and not this collection.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ansible_collections.keyholder.macos.plugins.module_utils._text import plain

_REQUIRETTY = "must have a tty"
"""Of the sentence for ``requiretty`` in sudoers (plugins/sudoers of sudo-project/sudo)."""

_SILENT = re.compile(r"waiting for privilege escalation prompt", re.IGNORECASE)
"""Of Ansible's own sentence, when neither sudo's prompt nor its success came (plugins/connection/ssh.py)."""


def is_silent(said: str) -> bool:
    """Check whether sudo is why Ansible gave up on a host that SSH had reached."""
    return _SILENT.search(said) is not None


def demands_terminal(errors: str) -> str:
    """Return the line by which sudo demands a terminal, "" for none. ``errors``: its standard error, beside which ssh
    may say much."""
    lines = (plain(line.strip()) for line in errors.splitlines())
    return next((line for line in lines if _REQUIRETTY in line), "")
