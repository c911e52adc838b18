# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put files in a git repository, by the program git.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.place import TIMEOUT, Place, PlaceError

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import Target

MISSING = (
    "the program git is not installed on the controller: install it there, or use an execution environment that was"
    " built with this collection, whose meta/ee-bindep.txt names it"
)
_PUSHES = 20
"""How often a push is tried while others push, too."""
_DEADLINE = 900
"""Seconds that one command of git may take."""
_SETTINGS = (
    "user.name=keyholder.macos",
    "user.email=keyholder.macos@localhost",
    "commit.gpgSign=false",
    "core.autocrlf=false",
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "http.lowSpeedLimit=1",
    f"http.lowSpeedTime={TIMEOUT}",
)


class Git(Place):
    """Put files in the branch that a repository shows first. Nothing of it stays here."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        if shutil.which("git") is None:
            raise PlaceError(MISSING)
        # A folder that only we can open: the socket through which git asks for the password is in it.
        self._room = tempfile.TemporaryDirectory(prefix="keyholder-")
        self._work = Path(self._room.name)
        self._tree = self._work / "tree"
        self._base = ""
        self._branch = ""
        self._settings = list(_SETTINGS)
        self._socket = ""
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._give_password()
        # Of a repository without a commit, too, it says how its branch is called.
        self._git("clone", "--quiet", "--depth", "1", "--no-tags", "--no-checkout", self._target.reached, "tree")
        self._work = self._tree
        self._branch = self._git("symbolic-ref", "--short", "HEAD").strip()
        self._renew()

    def _give_password(self) -> None:
        """Have git's own cache keep the password in memory, behind a socket: it is in no argument, variable or file."""
        who = self._target.credentials
        if not who.password:
            return
        self._socket = str(Path(self._room.name) / "cache" / "socket")
        # The empty one switches off those of the user's own settings.
        self._settings += ["credential.helper=", f"credential.helper=cache --timeout 7200 --socket {self._socket}"]
        address = urlsplit(self._target.reached)
        fields = {"protocol": address.scheme, "host": address.netloc, "username": who.user, "password": who.password}
        self._git("credential", "approve", given="".join(f"{name}={value}\n" for name, value in fields.items()) + "\n")

    def _renew(self) -> None:
        """Have the tree as the branch is there now."""
        self._base = self._remote_head()
        if self._base:
            self._git("fetch", "--quiet", "--depth", "1", "--no-tags", self._target.reached, self._ref)
            self._git("checkout", "--quiet", "--force", "-B", self._branch, "FETCH_HEAD")
        else:
            self._git("symbolic-ref", "HEAD", self._ref)

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self._branch}"

    def _remote_head(self) -> str:
        return self._git("ls-remote", self._target.reached, self._ref).partition("\t")[0].strip()

    def check(self, name: str) -> None:
        """Have the server say whether it would take a push."""
        self._git("commit", "--quiet", "--allow-empty", "--message", "Try whether a push is taken")
        try:
            self._git("push", "--quiet", "--dry-run", self._target.reached, f"HEAD:{self._ref}")
        finally:
            if self._base:
                self._git("reset", "--quiet", "--hard", "FETCH_HEAD")
            else:
                self._git("update-ref", "-d", "HEAD")

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the files of a folder."""
        place = self._tree / self.path(folder)
        return {one.name: one.stat().st_size for one in place.iterdir() if one.is_file()} if place.is_dir() else {}

    def fetch(self, name: str, to: Path) -> bool:
        """Copy a file of the repository to one here."""
        path = self._tree / self.path(name)
        if not path.is_file() or path.is_symlink():
            return False
        shutil.copyfile(path, to)
        return True

    def exchange(self, new: t.Mapping[str, Path], old: t.Sequence[str]) -> None:
        """Push one commit with the new files and without the old ones, on top of whatever is there by then."""
        for _dummy in range(_PUSHES):
            for name, path in new.items():
                place = self._tree / self.path(name)
                # Else what a link of the repository names would be written.
                if place.resolve() != self._tree.resolve() / self.path(name):
                    raise PlaceError(f"{name} is a link in the repository, or in a folder that is one")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
            for name in old:
                (self._tree / self.path(name)).unlink(missing_ok=True)
            self._git("add", "--all", "--force")
            self._git("commit", "--quiet", "--allow-empty", "--message", "Report of an audit, and its history")
            try:
                self._git("push", "--quiet", self._target.reached, f"HEAD:{self._ref}")
                return
            except PlaceError:
                if self._remote_head() == self._base:
                    raise
            time.sleep(random.uniform(0, 0.5))
            self._renew()
        raise PlaceError(f"others pushed each of the {_PUSHES} times that a push was tried")

    def close(self) -> None:
        """Have git forget the password, and take the folder away."""
        if self._socket:
            subprocess.run(
                ["git", "credential-cache", "--socket", self._socket, "exit"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        self._room.cleanup()

    def _git(self, *arguments: str, given: str = "") -> str:
        """Return what git prints. Raise :class:`PlaceError` with what it says if it fails."""
        settings = [word for setting in self._settings for word in ("-c", setting)]
        try:
            ran = subprocess.run(
                ["git", *settings, *arguments],
                cwd=self._work,
                env=self._environment(),
                input=given,
                capture_output=True,
                timeout=_DEADLINE,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise PlaceError(f"git {arguments[0]} did not end: {type(problem).__name__}") from problem
        if ran.returncode:
            said = " ".join(ran.stderr.split())[-600:]
            raise PlaceError(f"git {arguments[0]} ended with status {ran.returncode}: {said}")
        return ran.stdout

    def _environment(self) -> dict[str, str]:
        """Return the environment without what would lead git to another repository, or have it ask a person."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        ssh = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={TIMEOUT}"]
        if self._target.credentials.key_file:
            ssh += ["-i", self._target.credentials.key_file, "-o", "IdentitiesOnly=yes"]
        # GIT_SSL_CAINFO and the like belong to the controller's own set-up.
        kept = {name: os.environ[name] for name in ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH") if name in os.environ}
        return {**own, **kept, "GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": shlex.join(ssh), "LC_ALL": "C.UTF-8"}
