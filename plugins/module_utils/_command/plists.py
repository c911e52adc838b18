# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take property lists out of what macOS's programs print: several in one stream, with other lines around them.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import plistlib
import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import strays

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a property list in XML cannot hold. That macOS prints them in one all the same is assumed."""

_BEGIN, _END = "<?xml", "</plist>"


def documents(text: str) -> list[t.Any]:
    """Return the content of each XML property list in ``text``, in order; None for one that is broken.

    One account whose name holds a control character must not hide all the others.
    """
    whole = _NO_XML.sub("\ufffd", strays.without(text))
    found: list[t.Any] = []
    # No pattern: one that looks for an end from each beginning takes for ever where there are many and no end.
    begin = whole.find(_BEGIN)
    while begin >= 0:
        end = whole.find(_END, begin)
        if end < 0:
            break
        found.append(load(whole[begin : end + len(_END)].encode("utf-8", "replace")))
        begin = whole.find(_BEGIN, end)
    return found


def load(data: bytes) -> t.Any:
    """Return the content of one property list, XML or binary; None where it is none.

    plistlib raises nearly anything on what was made to break it (LookupError, IndexError, struct.error,
    RecursionError, AttributeError), and not the same in each Python.
    """
    try:
        return plistlib.loads(data)
    except Exception:
        return None
