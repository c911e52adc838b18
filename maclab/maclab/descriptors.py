# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes pipes and terminals of child processes from the event loop, without ever owning the children."""

from __future__ import annotations

import asyncio
import os

CHUNK = 65536


async def read(descriptor: int) -> bytes:
    """What is there, or nothing at the end; a terminal that nobody holds open any more is at its end too."""
    while True:
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:
            await _ready(descriptor, write=False)
        except OSError:
            return b""


async def write(descriptor: int, data: bytes) -> None:
    """Raises OSError when nobody reads."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            await _ready(descriptor, write=True)


async def _ready(descriptor: int, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        remove(descriptor)
