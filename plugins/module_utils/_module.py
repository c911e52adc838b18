# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module shares with Ansible: how programs are found, and how a failure is told.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import mdmclient, network, system
from ansible_collections.keyholder.macos.plugins.module_utils._lock import FOLDER, FileLock, Listener
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import within
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


TIMEOUT = {"type": "int", "default": 120}
LOCK_TIMEOUT = {"type": "int"}
"""Documented in the fragment _one_run."""

WHOLE_REASON = "keyholder_reason"
"""In a module's result, for the action beside it: the reason code as a key, as Ansible masks what is a word of a
secret in values only."""


PROGRAMS = "/usr/bin"
SYSTEM = (PROGRAMS, "/bin", "/usr/sbin", "/sbin")
"""macOS's own programs: only Apple can write here (System Integrity Protection)."""
MACOS_PROGRAM = "fdesetup"
"""A program that every Mac has, that is found in PROGRAMS there, and that no other host has."""


def runner(module: AnsibleModule, passed: t.Callable[[], tuple[int, ...]] = tuple) -> ProcessRunner:
    """Return a runner whose programs are found as :func:`finder` does. ``passed``: see there."""
    try:
        within(module.params)
    except Refusal as refusal:
        fail(module, refusal, {})
    return ProcessRunner(finder(module), passed)


def on_macos() -> bool:
    """Check whether this is macOS itself, and not a Mac that is played on a host of another kind."""
    return sys.platform == "darwin"


def folders() -> list[str]:
    """Return the folders where a program is looked for before PATH. A program may be given a secret, and PATH may begin
    with a folder that others than root can write; but the first folder of PATH is all that a played Mac has."""
    return [*(SYSTEM if on_macos() else ()), mdmclient.MDMCLIENT_FOLDER, network.CREATEMOBILE_FOLDER]


def finder(module: AnsibleModule) -> t.Callable[[str], str]:
    """Return what finds a program: on macOS in the system's folders first, then on PATH. One that is given by its whole
    path is nowhere else, but a played Mac has it by its name."""

    def find(program: str) -> str:
        if program.startswith("/"):
            if os.path.isfile(program) and os.access(program, os.X_OK):
                return program
            if on_macos():
                raise LookupError(program)
            program = os.path.basename(program)
        path = module.get_bin_path(program, opt_dirs=folders())
        if path is None:
            raise LookupError(program)
        if program in system.RESTART.argv and not on_macos():
            _never_restart_this_host(path, find(MACOS_PROGRAM))
        return str(path)

    return find


def lock(module: AnsibleModule, came_in: t.Collection[str]) -> FileLock:
    """Return the lock that a changing run holds on its Mac. ``came_in``: the accounts that it was reached through."""
    given = module.params["lock_timeout"]
    try:
        folder = _lock_folder(finder(module)(MACOS_PROGRAM))
    except LookupError:
        fail(module, Refusal("not_a_mac", f"{MACOS_PROGRAM} was not found"), {})
    name = module._name.rpartition(".")[2]  # pylint: disable=protected-access
    user = ", ".join(sorted(came_in)) or os.environ.get("LOGNAME", "")
    wait = module.params["timeout"] if given is None else given
    return FileLock(folder, name, user, wait, heard=Listener().there)


def _lock_folder(macos_program: str) -> str:
    """Return the folder of the lock. A Mac of the lab shares its host with others, which is not root's to give: it has
    a /var/db of its own beside the folder of its programs. macOS itself has fdesetup nowhere else."""
    programs = os.path.dirname(macos_program)
    return FOLDER if programs == PROGRAMS else os.path.join(os.path.dirname(programs), f"root{FOLDER}")


def _never_restart_this_host(restarter: str, macos_program: str) -> None:
    """A Mac that is only played on a host of another kind has its programs in one folder. That host's own shutdown is
    elsewhere, and must never be started."""
    if os.path.dirname(restarter) != os.path.dirname(macos_program):
        raise LookupError(restarter)


def fail(module: AnsibleModule, refusal: Refusal, result: dict[str, t.Any]) -> t.NoReturn:
    """End the module with the result contract's account of a refusal, beside ``result``."""
    whole: dict[str, t.Any] = {WHOLE_REASON: {refusal.reason: True}}
    module.fail_json(**refusal.account(), **whole, **result)
