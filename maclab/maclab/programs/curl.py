# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be curl, as far as one download into a file goes."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from maclab.call import Call
from maclab.texts import say

UNSUPPORTED = 1
CONNECT = 7
HTTP_ERROR = 22
NO_FILE = 37
SECONDS = 30
FLAGS = ("--fail", "--silent", "--show-error", "--location")
VALUES = ("--proto", "--proto-redir", "--connect-timeout", "--output")


async def main(call: Call) -> int:
    options, urls = _options(call.argv)
    if len(urls) != 1 or "--output" not in options:
        return call.refuse(f"one URL with {', '.join([*FLAGS, *VALUES])}")
    scheme = urlsplit(urls[0]).scheme
    allowed = options.get("--proto", "=http,https,file").lstrip("=").split(",")
    if scheme not in allowed:
        return _fail(call, UNSUPPORTED, f'Protocol "{scheme}" disabled')
    try:
        content = await asyncio.to_thread(_read, urls[0])
    except urllib.error.HTTPError as error:
        return _fail(call, HTTP_ERROR, f"The requested URL returned error: {error.code}")
    except (OSError, ValueError) as error:
        code = NO_FILE if scheme == "file" else CONNECT
        return _fail(call, code, f"Couldn't open file {urlsplit(urls[0]).path}" if code == NO_FILE else str(error))
    call.place(options["--output"]).write_bytes(content)
    return 0


def _options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    urls: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in VALUES and rest:
            options[word] = rest.pop(0)
        elif word not in FLAGS:
            urls.append(word)
    return options, urls


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        content: bytes = answer.read()
        return content


def _fail(call: Call, code: int, words: str) -> int:
    call.err(say("curl.failed", call.mac.version_tuple, code=code, words=words))
    return code
