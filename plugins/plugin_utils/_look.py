# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Mac from the controller, by one shell script.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Send
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac


def look(send: Send, timeout: int, include: t.Sequence[str] = ()) -> Mac:
    """Return the Mac. ``include``: what else to read, as trust_info calls it. Raises :class:`Refusal`."""
    try:
        return read_mac(ScriptRunner(send), timeout, Ask.including(include))
    except ReadingError as problem:
        raise Refusal(problem.reason, str(problem), (str(problem),)) from problem
