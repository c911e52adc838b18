# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make texts that came from a Mac harmless for a terminal, a spreadsheet, a ticket, XML and a page's script. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _text

_MARKDOWN = re.compile(r"[\\`*_\[\]<>#!|~&$]")
_LINKS = {"@": "&#64;", "://": "&#58;//", "www.": "www&#46;"}
"""What a ticket system makes a mention or a link of by itself."""


def plain_text(value: t.Any) -> str:
    """Return a value as text in which nothing steers a terminal: see :func:`_text.plain`."""
    return _text.plain(str(value))


_FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What makes a spreadsheet calculate a cell (OWASP, CSV Injection), wide forms included."""

_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}

_SPLIT = re.compile(r"([;|]\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet may begin another cell: in many countries it splits at a semicolon."""


def cell(value: t.Any) -> str:
    """Return the cell of a spreadsheet that is never a formula, wherever the spreadsheet splits it; "" for None."""
    text = _SPLIT.sub(r"\1'", "" if value is None else plain_text(value))
    return f"'{text}" if text.lstrip()[:1] in tuple(_FORMULA) and text.strip() else text


def markdown(text: t.Any) -> str:
    """Return a text that is only text within a line of Markdown, in a table too."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", plain_text(text))
    for word, harmless in _LINKS.items():
        escaped = escaped.replace(word, harmless)
    return escaped


def for_script(content: t.Any) -> str:
    """Return JSON that may stand inside a script element, because no tag can begin or end in it.

    Raise ``ValueError`` for a number that JSON does not have.
    """
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for char, escaped in _HTML.items():
        text = text.replace(char, escaped)
    return text
