# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the lab while it runs: one process that holds every Mac, its port and the socket of its programs."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncssh

from maclab import directory, faults, fullpaths, inventory, layout, network, programs, scenario, shells, ssh
from maclab.call import Restart
from maclab.host import PATIENCE, Host
from maclab.layout import LabFolder
from maclab.program_socket import ProgramSocket
from maclab.state import Mac, write_atomically

FILES = 8192
# What macOS allows for the path of a socket, with its closing zero.
PATH_LIMIT = 104


class Server:
    """Brings the Macs of a scenario up in a folder, and down again."""

    def __init__(
        self,
        folder: LabFolder,
        planned: dict[str, scenario.Planned],
        passwords: bool = True,
        full_paths: bool = False,
    ) -> None:
        self.folder = folder
        self.hosts: dict[str, Host] = {}
        self.notes: list[str] = []
        self.stopping = asyncio.Event()
        self._planned = planned
        self._passwords = passwords
        self._full_paths = full_paths
        self._ports: dict[int, Host] = {}
        self._doors: list[_Door] = []
        self._program_socket: asyncio.Server | None = None

    async def up(self) -> None:
        _allow_many_files()
        self.folder.create()
        if self._full_paths:
            fullpaths.require()
            fullpaths.prepare(self.folder)
        host_key = _key(self.folder.host_key)
        client_key = _key(self.folder.client_key)
        known = host_key.export_public_key().decode().strip()
        # OpenSSH writes a port other than 22 like this, and takes a pattern for it.
        self.folder.known_hosts.write_text(f"[{inventory.ADDRESS}]:* {known}\n")
        before = _ports(self.folder)
        options = ssh.options(self._ports, host_key, client_key, self._passwords)
        for name, plan in self._planned.items():
            host = self._host(name, plan)
            listener = _listener(plan.port, before.get(name), name)
            host.port = listener.getsockname()[1]
            self._ports[host.port] = host
            self.hosts[name] = host
            host.follow_jobs()
            door = _Door(listener, options)
            host.open_port, host.close_port = door.open, door.close
            self._doors.append(door)
            if host.answers_ssh:
                await door.open()
        self._note_what_the_host_lacks()
        await self._open_program_socket()
        write_atomically(self.folder.inventory, inventory.text(self.folder, self.hosts.values()))
        write_atomically(self.folder.info, json.dumps(self._info(), indent=1) + "\n")

    def _host(self, name: str, plan: scenario.Planned) -> Host:
        folder = self.folder.mac(name)
        self._make_folder(plan.mac)
        host = Host(plan.mac, folder, self._view(name))
        if folder.state.exists():
            host.mac = host.store.load()
        else:
            host.store.save(host.mac)
        if host.view is not None:
            host.view.follow(host.mac)
        return host

    def _view(self, name: str) -> fullpaths.View | None:
        return fullpaths.View(self.folder, self.folder.mac(name)) if self._full_paths else None

    def _make_folder(self, mac: Mac) -> None:
        bare = mac.python in (layout.NO_PYTHON, layout.STUB_PYTHON)
        python = None if bare else layout.find_python(mac.python)
        if python is None and not bare:
            python = layout.own_python()
            self.notes.append(f"{mac.name}: no Python {mac.python} on this host; it has {python} instead")
        stub = mac.python == layout.STUB_PYTHON
        there = [program for program in programs.names() if program != "python3" or stub]
        self.folder.create_mac(mac.name, there, python, mac.accounts.values())
        view = self._view(mac.name)
        if view is not None:
            view.make(mac, there, python)

    def _note_what_the_host_lacks(self) -> None:
        for shell in shells.missing(host.mac for host in self.hosts.values()):
            self.notes.append(f"no {shell} on this host: who has it as login shell gets /bin/sh instead")
        if not self._full_paths and not shells.is_plain(self.folder.path):
            self.notes.append(f"{self.folder.path} is no plain path: /usr/bin/python3 is this host's own on every Mac")

    async def _open_program_socket(self) -> None:
        self.folder.socket.unlink(missing_ok=True)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _bind_path(opened, self.folder.socket)
        programs = ProgramSocket(self.hosts, self._order)
        self._program_socket = await asyncio.start_unix_server(programs.answer, sock=opened, backlog=512)

    def _info(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "notes": self.notes,
            "macs": {name: {"port": host.port} for name, host in self.hosts.items()},
        }

    async def down(self) -> None:
        for door in self._doors:
            door.remove()
        if self._program_socket is not None:
            self._program_socket.close()
        for host in self.hosts.values():
            for connection in host.close():
                connection.abort()
            host.store.save(host.mac)
        # What was killed is collected by its own task.
        await ssh.wait_for_sessions(5)
        self.folder.socket.unlink(missing_ok=True)

    async def _order(self, order: dict[str, Any]) -> Any:
        what = order["order"]
        if what == "ping":
            return os.getpid()
        if what == "down":
            self.stopping.set()
            return None
        host = self.hosts.get(order["mac"])
        if host is None:
            raise LookupError(f"this lab has no Mac {order['mac']!r} (it has: {', '.join(self.hosts)})")
        if what == "login":
            done = host.log_in(order["user"], order["password"])
            await host.store.commit(host.mac)
            return done
        if what == "unlock":
            return await host.unlock(order["user"], order["password"], order["key"])
        if what == "restart":
            host.restart_later(Restart(0, unlocked=False))
            return None
        if what == "power_cut":
            host.lose_power()
            return None
        if what == "started":
            await host.has_started()
            return {"locked": host.mac.locked, "answers": host.answers_ssh}
        if what == "settle":
            runs = set(host.runs)
            return not runs or not (await asyncio.wait(runs, timeout=order["seconds"]))[1]
        if what == "cut":
            host.cut_connection(None, "what was under way")
            return None
        if what == "fault":
            faults.set_fault(host.mac, faults.parse(order["fault"], order["options"], host.mac))
        elif what == "directory":
            _change_directory(host.mac, order)
        elif what == "mdm":
            _set_by_mdm(host.mac, order["password"])
        elif what == "clear":
            faults.clear_faults(host.mac)
        elif what == "reset":
            await host.stopped_restarting()
            self._reset(host)
            await (host.open_port() if host.answers_ssh else host.close_port())
        elif what != "state":
            raise ValueError(f"no such order: {what!r}")
        host.follow_jobs()
        await host.store.commit(host.mac)
        return asdict(host.mac)

    def _reset(self, host: Host) -> None:
        original = scenario.load(self.folder.scenario)[host.mac.name].mac
        vars(host.mac).update(vars(original))
        host.folder.journal.unlink(missing_ok=True)
        with suppress(OSError):
            shutil.rmtree(host.folder.root)
        self._make_folder(host.mac)


def _change_directory(mac: Mac, order: dict[str, Any]) -> None:
    """The directory goes away, comes back, or somebody changes a password in it; nothing of it reaches the Mac."""
    if not mac.network.node:
        raise ValueError(f"{mac.name} is bound to no directory")
    if order.get("online") is not None:
        mac.network.online = bool(order["online"])
    if order.get("user"):
        network.change_password(mac, order["user"], order["password"])


def _set_by_mdm(mac: Mac, password: str) -> None:
    """Have the MDM rotate the password of the administrator that it has made."""
    account = mac.accounts.get(mac.mdm.managed_admin)
    if account is None:
        raise ValueError(f"the MDM has made no administrator on {mac.name} (mdm: managed_admin)")
    directory.set_hash(mac, account, password)


class _Door:
    """A Mac's port: open while sshd runs, and kept for the Mac while it does not."""

    def __init__(self, listener: socket.socket, options: asyncssh.SSHServerConnectionOptions) -> None:
        self._port = listener.getsockname()[1]
        # Bound, so that nobody else gets the number, but deaf: a client is refused.
        self._kept: socket.socket | None = listener
        self._options = options
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._turning = asyncio.Lock()

    async def open(self) -> None:
        async with self._turning:
            if self._acceptor is None:
                kept, self._kept = self._kept or await _bound(self._port), None
                opening = asyncio.ensure_future(asyncssh.listen(sock=kept, options=self._options))
                try:
                    self._acceptor = await asyncio.shield(opening)
                except asyncio.CancelledError:
                    # A port that is half open could be neither opened nor closed again.
                    self._acceptor = await opening
                    raise

    async def close(self) -> None:
        async with self._turning:
            if self._acceptor is not None:
                acceptor, self._acceptor = self._acceptor, None
                acceptor.close()
                self._kept = await _bound(self._port)

    def remove(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
        if self._kept is not None:
            self._kept.close()


async def _bound(port: int) -> socket.socket:
    """Return a socket of that port. A process that this one has just forked has the old one until it begins its
    program."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _bind(port)
        except OSError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.01)


def _allow_many_files() -> None:
    # Two hundred ports and a fork on each of them are more than the 256 descriptors that macOS allows at first.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind_path(opened: socket.socket, path: Path) -> None:
    if len(os.fsencode(path)) < PATH_LIMIT:
        opened.bind(str(path))
        return
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    try:
        opened.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def _key(path: Path) -> asyncssh.SSHKey:
    if path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="maclab")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.export_private_key())
    return key


def _ports(folder: LabFolder) -> dict[str, int]:
    if not folder.info.exists():
        return {}
    macs: dict[str, Any] = json.loads(folder.info.read_text())["macs"]
    return {name: mac["port"] for name, mac in macs.items()}


def _listener(wanted: int | None, before: int | None, name: str) -> socket.socket:
    """The scenario's port, or none; else the one the Mac had last time, so that inventories stay good; else any."""
    if wanted is not None:
        try:
            return _bind(wanted)
        except OSError as error:
            raise scenario.ScenarioError(f"{name}: port: {wanted}: {error.strerror}") from None
    if before is not None:
        with suppress(OSError):
            return _bind(before)
    return _bind(0)


def _bind(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((inventory.ADDRESS, port))
    except OSError:
        opened.close()
        raise
    return opened
