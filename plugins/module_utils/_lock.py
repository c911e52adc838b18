# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time changes a Mac: hold its lock, wait for another run that has it, or say who that is.

The lock is flock(2) on a file. The system releases it when the last process that has the file open ends, and nothing of
it outlives a restart, so it is never stale. A run that comes through a shell has no process on the Mac between its
commands: it writes a lease of a minute into the file, and renews it with each command. Otherwise, what the file says is
for people; that it is there means nothing.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import stat
import time
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

FOLDER = "/var/db"
"""Of root's, and only root writes there, which /var/run does not promise: the group daemon may write there."""
NAME = "keyholder.macos.lock"
POLL = 0.2
"""Seconds between two tries."""
LEASE = 60
"""Seconds that a lease counts after the command that wrote it."""
_MOST = 4096
"""Bytes read of the file."""
_REPLACED = 100
"""Times that the file may be another one once it is locked."""


class Lock(t.Protocol):
    """What keeps a second run away. A runner that reaches the Mac in another way brings a lock that fits it."""

    def held(self) -> t.ContextManager[str]:
        """Hold the lock. Gives what to tell about the waiting, "" where there was none. Raises :class:`Refusal` with
        the reason ``another_run`` where another run kept it for too long."""
        raise NotImplementedError


class NoLock:
    """Lock nothing: for a Mac in memory, which no other run knows of."""

    def held(self) -> t.ContextManager[str]:
        return contextlib.nullcontext("")


@dataclass(frozen=True)
class Holder:
    """Who holds a lock. ``user``: the account that came in by SSH. ``since``: seconds since 1970. ``run`` and ``until``
    are those of a lease, whose run has no ``pid``: what tells it from other runs, and when the lease ends."""

    module: str
    pid: int
    user: str
    since: int
    run: str = ""
    until: int = 0

    @classmethod
    def parse(cls, text: bytes) -> Holder | None:
        """Return None for what no run has written whole."""
        try:
            said = json.loads(text)
            lease = _plain(said.get("run", "")), int(said.get("until", 0))
            return cls(_plain(said["module"]), int(said["pid"]), _plain(said["user"]), int(said["since"]), *lease)
        except (ValueError, KeyError, TypeError, OverflowError, AttributeError):
            return None

    @property
    def leases(self) -> bool:
        """Check whether this is a lease that counts. One that ends later than any does was written before the clock was
        set back."""
        return bool(self.run) and 0 < self.until - time.time() <= LEASE

    def words(self, alive: bool) -> str:
        """Return who it is, for a person. ``alive``: whether its process is still there, if it has one."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.since))
        by = f" by {self.user}" if self.user else ""
        how = "through a shell" if self.run else f"as process {self.pid}"
        said = f"keyholder.macos.{self.module}, run{by} {how} since {since} UTC"
        return (
            said if alive or self.run else f"{said}; that process has ended, but a command that it started still runs"
        )


class FileLock:
    """Hold a lock on one file. ``folder`` is the file's folder, ``wait`` the seconds to wait for another run.
    ``heard``: whether the connection still reads what this run prints.

    Only root may open the file (mode 0600) and write in its folder, so no other account of the Mac can make the lock,
    hold it, or have something else written in its place.
    """

    def __init__(
        self,
        folder: str,
        module: str,
        user: str,
        wait: float,
        pause: t.Callable[[float], None] = time.sleep,
        heard: t.Callable[[], bool] = lambda: True,
    ) -> None:
        self._folder = folder
        self._path = os.path.join(folder, NAME)
        self._module = module
        self._user = user
        self._wait = wait
        self._pause = pause
        self._heard = heard
        self._file: int | None = None

    def descriptors(self) -> tuple[int, ...]:
        """Return what a command must have open, so that the lock is held as long as it runs: a command goes on where
        its module was killed, and so does what it does to the Mac."""
        return () if self._file is None else (self._file,)

    @contextlib.contextmanager
    def held(self) -> t.Iterator[str]:
        """See :class:`Lock`."""
        try:
            file, note = self._take()
        except OSError as exc:
            raise self._unusable(exc.strerror or str(exc), exc.errno) from exc
        self._file = file
        try:
            self._sign(file)
            yield note
        finally:
            self._file = None
            # A command that was given up may still have the file open, and then it still holds the lock.
            os.close(file)

    def _take(self) -> tuple[int, str]:
        """Return the locked file, and what to tell about the waiting."""
        start = time.monotonic()
        until = start + self._wait
        met = ""
        for _number in range(_REPLACED):
            file = self._open()
            try:
                while True:
                    taken = _try(file)
                    if not taken:
                        met = _said(file) or met or "a run that has not yet written who it is"
                    if met and not self._heard():
                        # The same or another change may have been asked for since.
                        msg = f"the connection ended while this run waited for another one: {met}"
                        raise Refusal("connection_lost", msg, (self._path,))
                    if taken:
                        break
                    left = until - time.monotonic()
                    if left <= 0:
                        waited = f", and it was still at work after {self._wait:g} seconds" if self._wait else ""
                        raise Refusal("another_run", f"another run is changing this Mac{waited}: {met}", (self._path,))
                    self._pause(min(POLL, left))
                if self._is_in_place(file):
                    waited = f"waited {time.monotonic() - start:.0f} seconds for another run: {met}"
                    return file, waited if met else ""
            except BaseException:
                os.close(file)
                raise
            # Root has taken the file away meanwhile: the next run would lock another one.
            os.close(file)
        raise self._unusable("it was replaced again and again")

    def _open(self) -> int:
        """Return the file, made if it is missing. Raises :class:`Refusal` if another account may write it."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            seen = os.fstat(folder)
            if seen.st_uid not in (0, os.geteuid()) or seen.st_mode & 0o022:
                raise self._unusable(f"accounts other than root may write in {self._folder}")
            # O_NONBLOCK: a pipe in its place must not keep the run waiting.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            file = os.open(NAME, flags, 0o600, dir_fd=folder)
        finally:
            os.close(folder)
        seen = os.fstat(file)
        wrong = ""
        if not stat.S_ISREG(seen.st_mode):
            wrong = "it is not a regular file"
        elif seen.st_uid != os.geteuid():
            wrong = f"it belongs to UID {seen.st_uid}"
        elif seen.st_mode & 0o077:
            wrong = f"other accounts may open it (mode {stat.S_IMODE(seen.st_mode):04o})"
        elif seen.st_nlink > 1:
            wrong = "it has another name as well"
        if wrong:
            os.close(file)
            raise self._unusable(wrong)
        return file

    def _is_in_place(self, file: int) -> bool:
        try:
            there = os.lstat(self._path)
        except FileNotFoundError:
            return False
        here = os.fstat(file)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def _sign(self, file: int) -> None:
        """Write who holds it. A full disk prevents that, and the lock is held all the same."""
        who = Holder(self._module, os.getpid(), self._user, int(time.time()))
        with contextlib.suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(asdict(who)).encode(), 0)

    def _unusable(self, why: str, number: int | None = None) -> Refusal:
        if number in (errno.EACCES, errno.EPERM) and os.geteuid() != 0:
            return Refusal("not_root", "only root can hold the lock that keeps other runs away", (self._path,))
        if number == errno.ELOOP:
            why = "it is a symbolic link"
        return Refusal("lock_unusable", f"the lock {self._path} cannot be held: {why}", (self._path,))


def _try(file: int) -> bool:
    """Return whether the lock could be taken, and no lease counts. While one does, the lock is left to its run, whose
    next command must find it free."""
    if _leased(file) or not _lock(file):
        return False
    if not _leased(file):
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _leased(file: int) -> bool:
    who = _holder(file)
    return who is not None and who.leases


def _holder(file: int) -> Holder | None:
    return Holder.parse(os.pread(file, _MOST, 0))


def _lock(file: int) -> bool:
    """Return whether the lock could be taken."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Listener:
    """Watch the reader of what this process prints on ``stream``.

    Without a terminal, as with pipelining, sshd closes its end of the pipe or the socket once the connection has ended,
    and kills no process; sudo and Ansible's wrapper hand the stream on as it is (assumed: without a terminal, sudo has
    no other one to offer). The processes in between stay, so a parent tells nothing, and stdin has ended anyway. Of a
    pipe or a socket without a reader poll(2) tells POLLHUP on macOS (poll_callback in bsd/kern/sys_generic.c of
    apple-oss-distributions/xnu) and POLLERR on Linux. A terminal is hung up, which ends the processes on it; those that
    are left have no terminal any more.
    """

    def __init__(self, stream: int = 1) -> None:
        self._stream = stream
        self._terminal = os.isatty(stream)

    def there(self) -> bool:
        """Return whether it is still there. What is neither pipe, socket nor terminal has none that could go away."""
        if self._terminal:
            return os.isatty(self._stream)
        try:
            kind = os.fstat(self._stream).st_mode
        except OSError:
            return False
        if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
            return True
        poll = select.poll()
        poll.register(self._stream, select.POLLOUT)
        gone = select.POLLERR | select.POLLHUP | select.POLLNVAL
        return not any(event & gone for dummy, event in poll.poll(0))


def _said(file: int) -> str:
    """Return who holds the lock, as the file says; "" if it does not say."""
    who = _holder(file)
    return "" if who is None else who.words(_alive(who.pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _plain(text: t.Any) -> str:
    return "".join(letter for letter in str(text)[:64] if letter.isprintable())
