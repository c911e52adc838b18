# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a Mac from the controller when it started, and unlock over SSH a Mac that waits for it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._command import system
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, ProcessRunner, Secret

LOGIN_SECONDS = 30


def boot_time(connection: t.Any) -> tuple[float | None, str]:
    """Return when the Mac started, in seconds since 1970, over a new connection, and what it said; None if the Mac does
    not answer."""
    # A master connection of before the restart would keep the new one waiting.
    with contextlib.suppress(AnsibleError, AttributeError):
        connection.reset()
    try:
        status, out, err = connection.exec_command(str(system.BOOT_TIME), in_data=None, sudoable=False)
    except AnsibleError as problem:
        return None, str(problem)
    text = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in (out, err)).decode(
        errors="replace"
    )
    return (system.parse_boot_time(text) if status == 0 else None), text.strip()


class Unlocker:
    """An SSH login by password, on a terminal of its own. The password is sent once, as wrong ones lock accounts."""

    def __init__(self, connection: t.Any, user: str, password: str) -> None:
        self._argv = _login(connection, user)
        self._password = Secret(password)
        self._sent = False

    def attempt(self) -> str:
        """Try once, and return what came of it; "" if the Mac does not listen yet."""
        if self._sent or not len(self._password):
            return ""
        command = Command(self._argv, dialogue=(("assword:", self._password),))
        ran = ProcessRunner(_find).run(command, LOGIN_SECONDS)
        self._sent = "assword:" in ran.text
        return self._password.hidden_in(ran.evidence) if self._sent else ""


def _login(connection: t.Any, user: str) -> tuple[str, ...]:
    """Return the ssh command that Ansible uses for this Mac, but with a password and without an earlier connection."""
    option = connection.get_option
    argv = [option("ssh_executable") or "ssh", "-l", user]
    for words in (
        "ControlPath=none",
        "ControlMaster=no",
        "PubkeyAuthentication=no",
        "PreferredAuthentications=password,keyboard-interactive",
        "NumberOfPasswordPrompts=1",
        "ConnectTimeout=10",
    ):
        argv += ["-o", words]
    if not option("host_key_checking"):
        argv += ["-o", "StrictHostKeyChecking=no"]
    if option("port"):
        argv += ["-p", str(option("port"))]
    for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        argv += shlex.split(option(name) or "")
    return (*argv, str(option("host")), "true")


def _find(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise LookupError(program)
    return path
