# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be Apple's stub for python3 on a Mac without developer tools: it opens a dialog on the screen, and is no Python."""

from __future__ import annotations

from maclab import rules
from maclab.call import Call
from maclab.texts import say

# While the dialog is still open: github.com/ansible/ansible issue 76567, over SSH.
FAILED = 1


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    if rules.STUB_NEEDS_A_SCREEN.at(version) and not call.mac.logged_in:
        call.err(say("python3.stub_without_a_screen", version))
        return FAILED
    call.wrote("a dialog opened on the screen")
    call.tell("dialog", "python3 asks whether to install the developer tools")
    call.err(say("python3.stub", version))
    await call.maybe_hang_at_prompt()
    return FAILED
