# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put questions to a Mac's programs, on that Mac and as root, and write down what came of each.

Goes to the Mac as the argument of a Python and needs nothing beside that. It reads the questions and the passwords from
stdin and prints the answers, with a name in the place of each password.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
import time
from typing import Any
from xml.sax.saxutils import escape

SECONDS = 40
PIPE, PIPE_WITH_TERMINAL, TERMINAL = "pipe", "pipe, with a terminal beside it", "terminal"


def main() -> None:
    order = json.load(sys.stdin)
    json.dump([ask(question, order["secrets"]) for question in order["questions"]], sys.stdout)


def ask(question: dict[str, Any], secrets: dict[str, str]) -> dict[str, Any]:
    """Run one program, and return what `harness.transcripts` takes for an answer."""
    text = "".join(f"{{{name}}}\n" for name in question.get("lines", ())) or question.get("text", "")
    mode = question.get("mode", PIPE)
    sent = text
    for name, secret in secrets.items():
        sent = sent.replace(f"{{{name}}}", escape(secret) if text.startswith("<?xml") else secret)
    answer = {"id": question["id"], "cmd": question["argv"], "input": text or None, "how": f"stdin: {mode}"}
    try:
        out, err, status = _run(question["argv"], sent, mode)
    except OSError as error:
        return {**answer, "msg": f"Error executing command: {error.strerror}", "stdout": "", "rc": None}
    for name, secret in sorted(secrets.items(), key=lambda pair: -len(pair[1])):
        out, err = out.replace(secret, f"{{{name}}}"), err.replace(secret, f"{{{name}}}")
    if status is None:
        answer["how"] += f"; did not end within {SECONDS} s"
    return {**answer, "stdout": out, "stderr": err, "rc": status, "merged": mode == TERMINAL}


def _run(argv: list[str], sent: str, mode: str) -> tuple[str, str, int | None]:
    ours = theirs = -1
    if mode != PIPE:
        ours, theirs = pty.openpty()
    name = os.ttyname(theirs) if theirs >= 0 else ""

    def own_session() -> None:
        os.setsid()
        if name:
            # Of a session that has none, the terminal that is opened first becomes the controlling one.
            os.close(os.open(name, os.O_RDWR))

    streams: Any = theirs if mode == TERMINAL else subprocess.PIPE
    process = subprocess.Popen(argv, stdin=streams, stdout=streams, stderr=streams, preexec_fn=own_session)
    late = threading.Timer(SECONDS, _end, [process])
    late.start()
    try:
        if mode == TERMINAL:
            os.close(theirs)
            theirs = -1
            out, err = _type(process, ours, sent), b""
            process.wait()
        else:
            out, err = process.communicate(sent.encode())
    finally:
        in_time = late.is_alive()
        late.cancel()
        for descriptor in (ours, theirs):
            if descriptor >= 0:
                os.close(descriptor)
    return (
        out.decode(errors="replace").replace("\r\n", "\n"),
        err.decode(errors="replace"),
        (process.returncode if in_time else None),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return


def _type(process: subprocess.Popen[bytes], terminal: int, sent: str) -> bytes:
    """Type a line whenever the program has been silent for a moment, as a person does who waits for the prompt."""
    lines = sent.splitlines(keepends=True)
    said = b""
    silent = time.monotonic()
    while True:
        readable, _, _ = select.select([terminal], [], [], 0.2)
        if readable:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                return said
            if not data:
                return said
            said += data
            silent = time.monotonic()
        elif process.poll() is not None:
            return said
        elif lines and time.monotonic() - silent > 1:
            os.write(terminal, lines.pop(0).encode())
            silent = time.monotonic()


if __name__ == "__main__":
    main()
