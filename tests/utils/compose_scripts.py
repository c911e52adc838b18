# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the shell scripts that are composed for a Mac into the folder given, so that shellcheck sees them."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._command import profiles
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import commands_of
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.plugin_utils._asked import WAY, python_at
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import FROM_STDIN
from ansible_collections.keyholder.macos.plugins.plugin_utils._perl import at_terminal, compare
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import compose
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell_lock import Ticket, locked

SECRET = Secret("a password")
ESCROW = at_terminal(profiles.bootstrap("install", "itadmin", SECRET))
READING = [*commands_of(Ask(escrow=True)), WAY, python_at("/usr/bin/python3"), compare("ana", SECRET)]

SCRIPTS = {
    "from_stdin": FROM_STDIN,
    "reading": compose(READING, 120, "mark").script,
    "locked": locked(compose([ESCROW], 120, "mark").script, Ticket("account", "itadmin", 120), "mark"),
}

for name, script in SCRIPTS.items():
    Path(sys.argv[1], f"{name}.sh").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
