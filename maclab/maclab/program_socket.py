# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers the Unix socket: runs the programs that are started on the Macs, and takes orders from the command line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maclab import faults, frames, journal, lies, programs
from maclab.call import STDOUT, Answer, Call, Handover, flood, hang
from maclab.frames import frame
from maclab.host import Host, Identity, PowerCut, Session

CRASHED = 70
NOT_FOUND = 127

_log = logging.getLogger(__name__)

Control = Callable[[dict[str, Any]], Awaitable[Any]]


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(int.from_bytes(head[1:], "big"))


class ProgramLink:
    """Ask program.pl at the other end of a call. Its answers come back in the order of the questions."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()

    def write(self, stream: int, data: bytes) -> None:
        self._writer.write(frame(b"o" if stream == STDOUT else b"e", data))

    async def getpass(self, prompt: bytes, limit: int | None) -> Answer:
        return await self._ask(b"g", _limit(limit) + prompt)

    async def read_line(self, limit: int | None) -> Answer:
        return await self._ask(b"l", _limit(limit))

    async def read_all(self) -> Answer:
        return await self._ask(b"a", b"")

    async def _ask(self, letter: bytes, payload: bytes) -> Answer:
        self._writer.write(frame(letter, payload))
        return await self._answers.get()

    async def drain(self) -> None:
        await self._writer.drain()

    async def listen(self) -> None:
        """Until program.pl is gone."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                _, payload = await read_frame(self._reader)
                data = payload[6:] if payload[0] else None
                self._answers.put_nowait(Answer(data, int.from_bytes(payload[2:6], "big"), bool(payload[1])))

    async def end(self, status: int, handover: Handover | None) -> None:
        if handover is None:
            self._writer.write(frame(b"x", (status & 0xFF).to_bytes(4, "big")))
        else:
            words = [str(len(handover.argv)), *handover.argv[:1], *handover.argv]
            words += [word for pair in handover.env.items() for word in pair]
            payload = frames.pack(word.encode("utf-8", "surrogateescape") for word in words)
            self._writer.write(frame(b"X", payload))
        with suppress(ConnectionError):
            await self._writer.drain()


def _limit(limit: int | None) -> bytes:
    return (frames.NO_LIMIT if limit is None else limit).to_bytes(4, "big")


class Hello:
    """Read what program.pl says about its invocation."""

    def __init__(self, payload: bytes) -> None:
        fields = [field.decode("utf-8", "surrogateescape") for field in frames.unpack(payload)]
        path = Path(fields[0])
        self.program = path.name
        self.mac = path.parent.parent.name
        self.cwd = fields[1]
        self.pid, self.parent, has_tty, stdin_is_tty, count = (int(field) for field in fields[2:7])
        self.leader = self.pid
        # Perl alone cannot tell. Who was killed meanwhile leads nothing.
        with suppress(ProcessLookupError):
            self.leader = os.getsid(self.pid)
        self.has_tty = bool(has_tty)
        self.stdin_is_tty = bool(stdin_is_tty)
        self.argv = fields[7 : 7 + count]
        rest = fields[7 + count :]
        self.env = dict(zip(rest[::2], rest[1::2], strict=True))


class ProgramSocket:
    """One connection is one run of a program, or one order."""

    def __init__(self, hosts: Mapping[str, Host], control: Control) -> None:
        self._hosts = hosts
        self._control = control

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            letter, payload = await read_frame(reader)
            if letter == b"C":
                writer.write(frame(b"C", json.dumps(await self._order(payload)).encode()))
                await writer.drain()
            else:
                await self._serve(Hello(payload), ProgramLink(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            _log.debug("a client of the socket went away")
        finally:
            writer.close()

    async def _order(self, payload: bytes) -> dict[str, Any]:
        try:
            return {"ok": await self._control(json.loads(payload))}
        except Exception as error:
            if not isinstance(error, (ValueError, LookupError)):
                _log.exception("order failed")
            return {"error": str(error)}

    async def _serve(self, hello: Hello, link: ProgramLink) -> None:
        host = self._hosts.get(hello.mac)
        if host is None:
            link.write(2, f"maclab: this lab has no Mac {hello.mac!r}\n".encode())
            await link.end(NOT_FOUND, None)
            return
        run = asyncio.create_task(self._run(host, hello, link))
        host.runs.add(run)
        run.add_done_callback(host.runs.discard)
        await run

    async def _run(self, host: Host, hello: Hello, link: ProgramLink) -> None:
        session = host.find_session(hello.env.get("MACLAB_SESSION", ""), hello.pid)
        if session is not None:
            session.leaders.add(hello.leader)
        call = _call(host, hello, link, session)
        if faults.count(host.mac, "ssh_cut", call.program) is not None:
            host.cut_connection(session, call.program)
        start = time.time()
        clock = time.monotonic()
        listening = asyncio.create_task(link.listen())
        running = asyncio.create_task(_main(call))
        try:
            await asyncio.wait([listening, running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            running.cancel()
            await asyncio.gather(listening, running, return_exceptions=True)
            status = None if running.cancelled() else running.result()
            # Before program.pl is told to end: whoever waits for it may look into the journal at once.
            host.log(_entry(call, hello, session, start, time.monotonic() - clock, status))
        if status is not None:
            if call.handover is not None and session is not None:
                session.turned[hello.pid] = Identity(call.handover.user, call.handover.is_root)
            await link.end(status, host.handover(call.handover, Identity(call.user, call.is_root)))
            if call.restart is not None:
                host.restart_later(call.restart)


def _call(host: Host, hello: Hello, link: ProgramLink, session: Session | None) -> Call:
    identity = host.identity(hello.env, session, hello.pid)

    async def persist() -> None:
        await host.commit(hello.program)

    def tell(what: str, detail: str) -> None:
        host.log(journal.Event(time.time(), what, detail))

    return Call(
        mac=host.mac,
        program=hello.program,
        argv=hello.argv,
        env=hello.env,
        cwd=hello.cwd,
        user=identity.user,
        is_root=identity.is_root,
        has_tty=hello.has_tty,
        stdin_is_tty=hello.stdin_is_tty,
        link=link,
        pid=hello.pid,
        folder=host.folder.path,
        full_paths=host.view is not None,
        persist=persist,
        tell=tell,
    )


async def _main(call: Call) -> int | None:
    """The exit status; None for one that a power cut ended."""
    slow = call.fault("slow")
    if slow is not None:
        await asyncio.sleep(float(slow.options["seconds"]))
    hanging = call.fault("hang")
    if hanging is not None and hanging.options.get("at", "start") == "start":
        await hang()
    if call.fault("floods") is not None:
        with suppress(ConnectionError):
            await flood(call.link)
        return None
    program = programs.find(call.program)
    if program is None:
        call.err(f"maclab: {call.program}: this lab has no such program\n")
        return NOT_FOUND
    try:
        return await lies.run(program, call)
    except PowerCut:
        return None
    except Exception as error:
        _log.exception("%s %s", call.program, call.argv)
        call.err(f"maclab: {call.program} of the lab itself failed: {error!r}\n")
        return CRASHED


def _entry(
    call: Call, hello: Hello, session: Session | None, start: float, duration: float, status: int | None
) -> journal.ProgramRun:
    record = call.record
    became = call.handover.argv if call.handover is not None and status is not None else None
    return journal.ProgramRun(
        start=start,
        program=call.program,
        argv=call.argv,
        env=dict(call.env),
        cwd=call.cwd,
        user=call.user,
        root=call.is_root,
        session=session.name if session else hello.env.get("MACLAB_SESSION", ""),
        pid=call.pid,
        stdin_bytes=record.stdin_bytes,
        tty_bytes=record.tty_bytes,
        prompts=record.prompts,
        authentications=record.authentications,
        writes=record.writes,
        status=None if became is not None else status,
        became=became,
        killed=status is None,
        duration=duration,
    )
