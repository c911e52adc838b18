# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property lists as macOS's programs print them: several in one stream, with other lines around them.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import plistlib
import re
import typing as t
from xml.parsers.expat import ExpatError

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a property list in XML cannot hold. That macOS prints them in one all the same is assumed."""

_DOCUMENT = re.compile(r"<\?xml.*?</plist>", re.DOTALL)


def documents(text: str) -> list[t.Any]:
    """The content of each XML property list in ``text``, in order; None for one that is broken.

    One account whose name holds a control character must not hide all the others.
    """
    whole = _NO_XML.sub("\ufffd", text)
    return [load(document.encode("utf-8")) for document in _DOCUMENT.findall(whole)]


def load(data: bytes) -> t.Any:
    """One property list, XML or binary; None where it is none."""
    try:
        return plistlib.loads(data)
    except (ValueError, OverflowError, ExpatError, plistlib.InvalidFileException):
        return None
