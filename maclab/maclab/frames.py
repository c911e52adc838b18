# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks over the lab's socket: the frames of both ends, and the connection of whoever gives the lab orders.

Frames, both ways: one letter, four bytes of length (big-endian), payload.
  to the lab:     H hello (fields, each four bytes of length and the bytes)   R answer to a read   C order
  to program.pl:  o, e text for stdout, stderr   g getpass (limit, prompt)   l line of stdin (limit)   a all of stdin
                  x exit status   X become a command (fields: count of argv, program, argv, environment)
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

# A path to a socket may have 104 bytes on macOS, so the lab's folder is entered and the name used alone.
SOCKET_NAME = "socket"
NO_LIMIT = 0xFFFFFFFF


def pack(fields: Iterable[bytes]) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def unpack(data: bytes) -> list[bytes]:
    fields: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        fields.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return fields


def frame(letter: bytes, payload: bytes) -> bytes:
    return letter + len(payload).to_bytes(4, "big") + payload


class Lab:
    """Send the lab orders, and receive its answers."""

    def __init__(self, folder: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A relative name would not survive the change of folder, and the old folder may be gone or unreadable.
        try:
            here = os.open(".", os.O_RDONLY)
        except OSError:
            here = os.open("/", os.O_RDONLY)
        try:
            os.chdir(folder)
            self._socket.connect(SOCKET_NAME)
        finally:
            os.fchdir(here)
            os.close(here)
        self._answers = self._socket.makefile("rb")

    def send(self, letter: bytes, payload: bytes) -> None:
        self._socket.sendall(frame(letter, payload))

    def receive(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(int.from_bytes(head[1:], "big"))

    def _exactly(self, size: int) -> bytes:
        data = self._answers.read(size)
        if len(data) < size:
            raise EOFError
        return data
