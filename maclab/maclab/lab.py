# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a test have a lab: bring it up, look into its Macs, break them, and throw it away."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from maclab import control, inventory, journal, scenario
from maclab.layout import LabFolder, MacFolder
from maclab.server import Server
from maclab.state import Mac, from_json


def _hear_interrupts() -> None:
    """A shell cannot trap what was ignored before it began, as the interrupt is in all that a script runs with `&`."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Result:
    """What a command by SSH came to."""

    rc: int
    out: str
    err: str


class Handle:
    """One Mac of a lab that is up."""

    def __init__(self, folder: LabFolder, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self._lab = folder
        self.folder: MacFolder = folder.mac(name)

    @property
    def file_tree(self) -> Path:
        """Everything that a command can have written on this Mac: homes and temporary folders."""
        return self.folder.root

    def files(self) -> Iterator[Path]:
        return (path for path in self.file_tree.rglob("*") if path.is_file() and not path.is_symlink())

    def state(self) -> Mac:
        """As it is now, on disk: every order and every commit has been written before it is answered."""
        return from_json(self.folder.state.read_text(encoding="utf-8"))

    def journal(self) -> list[journal.Entry]:
        return journal.read(self.folder.journal)

    def set_fault(self, name: str, **options: Any) -> None:
        control.order(self._lab, "fault", mac=self.name, fault=name, options=options)

    def clear_faults(self) -> None:
        control.order(self._lab, "clear", mac=self.name)

    def reset(self) -> None:
        control.order(self._lab, "reset", mac=self.name)

    def login(self, user: str, password: str | None = None) -> list[str]:
        """Log in at the screen, by default with the right password; what came of it."""
        done: list[str] = control.order(self._lab, "login", mac=self.name, user=user, password=password)
        return done

    def directory(self, online: bool | None = None, user: str = "", password: str = "") -> None:
        """Take the directory away or bring it back; change a password in it, as from another computer."""
        control.order(self._lab, "directory", mac=self.name, online=online, user=user, password=password)

    def mdm_sets(self, password: str) -> None:
        """Have the MDM set the password of the administrator that it has made: as a hash, without its key."""
        control.order(self._lab, "mdm", mac=self.name, password=password)

    def unlock(self, user: str | None = None, password: str | None = None, key: str | None = None) -> list[str]:
        """Unlock FileVault at the start-up screen: by a person, who is logged in by it, by the key, or by somebody."""
        done: list[str] = control.order(self._lab, "unlock", mac=self.name, user=user, password=password, key=key)
        return done

    def restart(self) -> None:
        """Somebody presses the power button; it returns before the Mac is down."""
        control.order(self._lab, "restart", mac=self.name)

    def power_cut(self) -> None:
        """Take the power away for a moment; return when the Mac has started, or waits to be unlocked."""
        control.order(self._lab, "power_cut", mac=self.name)
        control.order(self._lab, "started", mac=self.name)

    def cut_connections(self) -> None:
        """Cut every SSH connection of the Mac, as a network does that fails for a moment; its sshd has noticed."""
        control.order(self._lab, "cut", mac=self.name)

    def settle(self, seconds: float) -> bool:
        """Wait for the programs that run on the Mac to end and to be in its journal; false where one goes on."""
        settled: bool = control.order(self._lab, "settle", mac=self.name, seconds=seconds)
        return settled

    def is_reachable(self) -> bool:
        """Tell whether somebody listens at the Mac's SSH port."""
        try:
            socket.create_connection((inventory.ADDRESS, self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def wait_until(self, reachable: bool, seconds: float = 30) -> bool:
        """Wait for the Mac to come back, or to go away; false where it did not in that time."""
        deadline = time.monotonic() + seconds
        while self.is_reachable() is not reachable:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def ssh_argv(self, command: str | None = None, user: str | None = None, *options: str) -> list[str]:
        """The OpenSSH client as the inventory has Ansible use it."""
        who = user or self.state().ssh_user
        argv = ["ssh", *inventory.ssh_options(self._lab), "-i", str(self._lab.client_key), "-p", str(self.port)]
        argv += ["-o", "BatchMode=yes", *options, f"{who}@{inventory.ADDRESS}"]
        return argv if command is None else [*argv, command]

    def ssh(
        self, command: str, user: str | None = None, input: str | bytes = b"", tty: bool = False, timeout: float = 60
    ) -> Result:
        data = input.encode() if isinstance(input, str) else input
        argv = self.ssh_argv(command, user, *(["-tt"] if tty else []))
        done = subprocess.run(argv, input=data, capture_output=True, timeout=timeout, check=False)
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Lab:
    """A lab inside this process, on a thread of its own."""

    def __init__(
        self, described: Path | dict[str, Any], dir: Path, passwords: bool = True, full_paths: bool = False
    ) -> None:
        self.folder = LabFolder(dir.resolve())
        self._described = described
        self._passwords = passwords
        self._full_paths = full_paths
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def up(self) -> Lab:
        if self._thread is not None:
            return self
        if control.is_up(self.folder):
            raise control.LabError(f"a lab is up in {self.folder.path}")
        _hear_interrupts()
        server = Server(self.folder, prepare(self.folder, self._described), self._passwords, self._full_paths)
        logging.getLogger("asyncssh").setLevel(logging.WARNING)
        ready: list[BaseException | None] = []
        settled = threading.Event()

        async def live() -> None:
            self._loop = asyncio.get_running_loop()
            try:
                await server.up()
                ready.append(None)
            except BaseException as error:
                ready.append(error)
                raise
            finally:
                settled.set()
            await server.stopping.wait()
            await server.down()

        def thread() -> None:
            try:
                asyncio.run(live())
            except BaseException:
                if not ready or ready[0] is None:
                    raise

        self._thread = threading.Thread(target=thread, name="maclab", daemon=True)
        self._thread.start()
        settled.wait()
        if ready and ready[0] is not None:
            self._thread.join()
            self._thread = None
            raise ready[0]
        self._server = server
        return self

    def down(self) -> None:
        if self._thread is None or self._loop is None or self._server is None:
            return
        self._loop.call_soon_threadsafe(self._server.stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Lab:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def inventory(self) -> Path:
        return self.folder.inventory

    @property
    def notes(self) -> list[str]:
        return [] if self._server is None else self._server.notes

    @property
    def names(self) -> list[str]:
        return [] if self._server is None else list(self._server.hosts)

    def mac(self, name: str) -> Handle:
        if self._server is None:
            raise control.LabError("the lab is not up")
        return Handle(self.folder, name, self._server.hosts[name].port)


def prepare(
    folder: LabFolder, described: Path | dict[str, Any] | None, fresh: bool = False
) -> dict[str, scenario.Planned]:
    """Read the scenario (None: the one that the folder has) and keep a copy, which `reset` goes back to."""
    if described is None:
        described = folder.scenario
    source = str(described) if isinstance(described, Path) else "scenario"
    planned = scenario.load(described) if isinstance(described, Path) else scenario.parse(described, source)
    if fresh:
        shutil.rmtree(folder.path / "macs", ignore_errors=True)
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.path.chmod(0o700)
    if isinstance(described, dict):
        folder.scenario.write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")
    elif described != folder.scenario:
        folder.scenario.write_text(described.read_text(encoding="utf-8"), encoding="utf-8")
    return planned
