# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for every program of a Mac: tells the lab about its invocation and does what the lab answers.

It is compiled into the lab folder and started thousands of times in a test run, so it imports next to nothing. It owns
the caller's terminal and standard streams, because no other process can; every decision is the lab's.

Frames, both ways: one letter, four bytes of length (big-endian), payload.
  to the lab:   H hello (fields, each four bytes of length and the bytes)   R answer to a read
  to the shim:  o, e text for stdout, stderr   g getpass (limit, prompt)   l line of stdin (limit)   a all of stdin
                x exit status   X become a command (fields: count of argv, argv, environment)
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found,unused-ignore]
import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# A path to a socket may have 104 bytes on macOS, so the lab's folder is entered and the name used alone.
SOCKET_NAME = "socket"
# Set by whoever starts this: <lab>/macs/<name>/bin, where that is not the folder that the program was started from.
PLACE: str = globals().get("PLACE", "")
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


class Lab:
    """The connection to the lab."""

    def __init__(self, folder: str) -> None:
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
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

    def send(self, letter: bytes, payload: bytes) -> None:
        self._socket.sendall(letter + len(payload).to_bytes(4, "big") + payload)

    def receive(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(int.from_bytes(head[1:], "big"))

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._socket.recv(size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def answer(self, data: bytes | None, count: int, from_tty: bool) -> None:
        head = bytes([data is not None, from_tty]) + count.to_bytes(4, "big")
        self.send(b"R", head + (data or b""))


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def say(descriptor: int, data: bytes) -> None:
    # `program >&-`: programs of macOS do not look at the result either. A broken pipe kills, by its signal.
    try:
        write_all(descriptor, data)
    except OSError:
        return


def read_line(descriptor: int, stops: bytes, limit: int, drop: bool) -> tuple[bytes | None, int]:
    """One byte at a time, so that the next program finds the rest; beyond `limit`: drop it, or leave it unread."""
    kept = bytearray()
    count = 0
    while drop or count < limit:
        byte = os.read(descriptor, 1)
        if not byte:
            return (bytes(kept) if count else None), count
        count += 1
        if byte in stops:
            break
        if len(kept) < limit:
            kept += byte
    return bytes(kept), count


def open_terminal() -> int | None:
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None


def ask(prompt: bytes, limit: int) -> tuple[bytes | None, int, bool]:
    """Apple's getpass: the controlling terminal if there is one, else stderr and stdin."""
    terminal = open_terminal()
    if terminal is None:
        write_all(2, prompt)
        return (*read_line(0, b"\r\n", limit, True), False)
    import termios

    before = termios.tcgetattr(terminal)
    quiet = list(before)
    quiet[3] &= ~(termios.ECHO | termios.ECHONL)

    def interrupted(number: int, _frame: object) -> None:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
        _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)

    stopping = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
    for number in stopping:
        _signal.signal(number, interrupted)
    try:
        # TCSAFLUSH throws away what was typed before the prompt, as the real function does.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
        write_all(terminal, prompt)
        data, count = read_line(terminal, b"\r\n", limit, True)
        write_all(terminal, b"\n")
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        for number in stopping:
            _signal.signal(number, _signal.SIG_DFL)
    os.close(terminal)
    return data, count, True


def read_everything() -> bytes:
    parts: list[bytes] = []
    while part := os.read(0, 65536):
        parts.append(part)
    return b"".join(parts)


def is_open_terminal() -> bool:
    terminal = open_terminal()
    if terminal is not None:
        os.close(terminal)
    return terminal is not None


def hello(path: str) -> bytes:
    try:
        folder = os.getcwd()
    except OSError:
        folder = "/"
    try:
        on_terminal = os.isatty(0)
    except OSError:
        on_terminal = False
    numbers = (os.getpid(), os.getppid(), os.getsid(0), is_open_terminal(), on_terminal, len(sys.argv) - 1)
    fields = [path.encode("utf-8", "surrogateescape"), os.fsencode(folder)]
    fields += [str(int(number)).encode() for number in numbers]
    fields += [os.fsencode(word) for word in sys.argv[1:]]
    for key, value in os.environb.items():
        fields += [key, value]
    return pack(fields)


def become(payload: bytes) -> None:
    fields = unpack(payload)
    count = int(fields[0])
    argv = fields[2 : 2 + count]
    rest = fields[2 + count :]
    try:
        os.execve(fields[1], argv, dict(zip(rest[::2], rest[1::2], strict=True)))
    except OSError as error:
        write_all(2, b"%s: %s\n" % (fields[1], str(error.strerror).encode()))
        os._exit(126)


def serve(lab: Lab) -> int:
    while True:
        letter, payload = lab.receive()
        if letter in b"oe":
            say(1 if letter == b"o" else 2, payload)
        elif letter == b"g":
            lab.answer(*ask(payload[4:], int.from_bytes(payload[:4], "big")))
        elif letter == b"l":
            lab.answer(*read_line(0, b"\n", int.from_bytes(payload[:4], "big"), False), False)
        elif letter == b"a":
            data = read_everything()
            lab.answer(data, len(data), False)
        elif letter == b"X":
            become(payload)
        else:
            return int.from_bytes(payload, "big")


def main() -> None:
    # Python ignores SIGPIPE; a program of macOS does not, nor may what it becomes.
    for number in (_signal.SIGPIPE, _signal.SIGINT):
        _signal.signal(number, _signal.SIG_DFL)
    path = os.path.join(PLACE, os.path.basename(sys.argv[0])) if PLACE else os.path.abspath(sys.argv[0])
    # <lab>/macs/<name>/bin/<program>
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(path))))
    try:
        lab = Lab(folder)
        lab.send(b"H", hello(path))
        status = serve(lab)
    except (OSError, EOFError) as error:
        write_all(2, b"maclab: the lab does not answer (is it up?): %s\n" % str(error).encode())
        status = 125
    os._exit(status)


if __name__ == "__main__":
    main()
