# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a module's options on the controller, then run the module of the same name: the action beside each module.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import importlib
import shlex
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
from ansible_collections.keyholder.macos.plugins.module_utils._command import sudo
from ansible_collections.keyholder.macos.plugins.module_utils._module import WHOLE_REASON
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import NOTHING_ELSE, ahead, read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain, plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import FROM_STDIN, Exec, Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import Spec, check
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import is_of_the_way_in
from ansible_collections.keyholder.macos.plugins.plugin_utils._written import check_written

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

QUIET = "__keyholder_quiet"
"""The variable of a play that ends with a summary of its fleet: there, a Mac that cannot be reached is a result like
any other, and the play goes on to its summary."""

_GONE: dict[tuple[str, str, str], AnsibleError | dict[str, t.Any]] = {}
"""What ended the way in to a Mac, by task."""

_MODULES = "ansible_collections.keyholder.macos.plugins.modules"


class Action(ActionBase):
    """Run the module of the same name. ``SPEC``: its options, where the module has none of its own."""

    _supports_check_mode = True
    _supports_async = True
    SPEC: t.ClassVar[Spec] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Raise nothing that is the user's to put right: a refusal is a result."""
        try:
            self.check()
        except Refusal as refusal:
            return leaving(failure(refusal))
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            result.update(self._once(task_vars or {}))
        except AnsibleError as problem:
            if not (task_vars or {}).get(QUIET):
                raise
            unreached = isinstance(problem, AnsibleConnectionFailure)
            result.update(failed=True, changed=False, unreached=unreached, msg=str(problem))
        return leaving(result)

    def _once(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the task is for. In a loop, a Mac that does not answer is asked once, and not for each round."""
        # The rounds of a loop over one Mac are one process. One with retries is to ask again.
        key = (self._task._uuid, str(self._task.delegate_to), str(self._play_context.remote_addr))
        gone = _GONE.get(key)
        if isinstance(gone, AnsibleError):
            raise gone
        if gone is not None:
            return dict(gone)
        try:
            result = self.carry_out(task_vars)
        except AnsibleError as problem:
            lost = isinstance(problem, AnsibleConnectionFailure) or is_of_the_way_in(str(problem))
            if lost and not self._task.until:
                _GONE[key] = problem
            raise
        if result.get("reason") == "sudo_silent" and not self._task.until:
            _GONE[key] = result
        return result

    def carry_out(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the task is for, and what goes with it."""
        return self.act(task_vars)

    def check(self) -> None:
        """Raise :class:`Refusal` for options that the module must not get."""
        spec = self.spec()
        check(spec, self._task.args)
        check_written(spec, self._task, self._templar)
        secrets = [option for option in spec if spec[option].get("no_log") and self._task.args.get(option) is not None]
        if self._task.async_val and (secrets or not self._supports_async):
            why = f"{secrets[0]} would be written to the Mac's disk" if secrets else "this module cannot be"
            raise Refusal("async_unsupported", f"the task is asynchronous, and {why}")

    def spec(self) -> Spec:
        """Return the module's options."""
        return self.SPEC or t.cast(Spec, importlib.import_module(f"{_MODULES}.{self._name}").SPEC)

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the task is for, and return its result."""
        return self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)

    @property
    def _name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def _execute_module(self, *args: t.Any, **options: t.Any) -> dict[str, t.Any]:
        return said_why(with_reason(super()._execute_module(*args, **options)))

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Hand a module over on stdin wherever that is possible, whatever the settings: else its options, passwords
        among them, would be in a file on the Mac while it runs, and stay there with ANSIBLE_KEEP_REMOTE_FILES."""
        return module_style == "new" and not wrap_async and self.pipes

    @property
    def pipes(self) -> bool:
        """Return whether a program on the Mac can get its stdin from here, and no terminal is in between."""
        become = self._connection.become
        # ansible-core 2.16 knows by its name alone which one asks at a terminal.
        by_name = getattr(become, "name", "") != "su"
        return bool(self._connection.has_pipelining and getattr(become, "pipelining", by_name))

    def send(self, asked: Exec) -> Said:
        """Run a script on the Mac by one SSH exec, and return what came back. Raises :class:`Refusal` if its secrets
        could not be handed over."""
        try:
            ran = self._sent(asked)
        except AnsibleError as problem:
            if not sudo.is_silent(str(problem)):
                raise
            raise Refusal("sudo_silent", f"sudo on this Mac did not answer ({plain(str(problem))})") from problem
        said = Said(ran["rc"], *(ran[stream].encode("utf-8", "surrogateescape") for stream in ("stdout", "stderr")))
        demanded = sudo.demands_terminal(ran["stderr"])
        if demanded:
            raise Refusal("needs_terminal", "sudo on this Mac demands a terminal (requiretty)", (demanded,))
        return said

    def _sent(self, asked: Exec) -> dict[str, t.Any]:
        """Return what Ansible says of the exec."""
        # ansible-core 2.19 says no types of it.
        execute = t.cast("t.Callable[..., dict[str, t.Any]]", self._low_level_execute_command)
        if self.pipes:
            given = f"/bin/sh -c {shlex.quote(FROM_STDIN)}"
            return execute(given, in_data=asked.piped, encoding_errors="surrogateescape")
        if asked.secrets:
            raise needs_terminal(self._connection)
        return execute(f"/bin/sh -c {shlex.quote(asked.script)}", encoding_errors="surrogateescape")

    def read(self, deadline: float, ask: Ask = NOTHING_ELSE) -> Mac:
        """Return the Mac as its shell tells it: one SSH exec, and no Python there. Raises :class:`Refusal`."""
        runner = ScriptRunner(self.send)
        runner.ask_ahead(ahead(ask))
        try:
            return read_mac(runner, deadline, ask)
        except ReadingError as problem:
            raise Refusal(problem.reason, str(problem), (str(problem),)) from problem


def needs_terminal(connection: t.Any) -> Refusal:
    """Return the refusal for a connection through which no program can get its stdin."""
    how = getattr(connection.become, "name", "") or "become"
    by = f"become method {how}" if connection.has_pipelining else f"connection {connection.transport}"
    return Refusal("needs_terminal", f"the {by} has no pipelining, so a secret could reach the Mac only in a file")


NOT_RUN: Code = "module_not_run"
"""The reason of :func:`not_run`."""


def ran(result: dict[str, t.Any]) -> bool:
    """Return whether a module's result is its own: else Ansible could not run it to its end, and says so itself."""
    return not result.get("unreachable") and result.get("reason") != NOT_RUN


def said_why(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a module's result, with a reason and a way out where Ansible could not run the module to its end. What
    Ansible says stays beside it."""
    own = "reason" in result or not result.get("failed") or not any(key in result for key in _LINES)
    if own or result.get("unreachable"):
        return result
    return {**result, **failure(not_run(result)), "changed": bool(result.get("changed"))}


def not_run(result: t.Mapping[str, t.Any]) -> Refusal:
    """Return the refusal for a module that could not be run, by what Ansible says of it."""
    said = [str(result[key]).strip() for key in ("module_stderr", "module_stdout", "msg") if result.get(key)]
    last = plain(next(filter(None, said), "nothing").splitlines()[-1])[-600:]
    return Refusal(NOT_RUN, f"a module could not be run on this Mac: {last}", (last,))


_WHOLE = ("invocation", "recovery_key", "recovery_key_encrypted", "recovery_key_age")
"""What is no Mac's text: the task itself, and a key as its owner asked for it."""

_LINES = ("exception", "module_stdout", "module_stderr")
"""What Ansible shows of a module that did not end as it should, a line each."""


def leaving(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a result in which no text of a Mac steers a terminal: see :func:`plain`. Names were compared before."""
    cleaned = t.cast("dict[str, t.Any]", plain_data(result, (*_WHOLE, *_LINES, "msg")))
    for key in _LINES:
        if isinstance(cleaned.get(key), str):
            cleaned[key] = "\n".join(map(plain, cleaned[key].split("\n")))
    if isinstance(cleaned.get("msg"), str):
        cleaned["msg"] = plain(" ".join(cleaned["msg"].split("\n")).rstrip())
    return cleaned


def with_reason(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a module's result with its reason code whole: Ansible masks a part of it where a password is a word of it.
    The codes are public, so this tells nothing."""
    whole = result.pop(WHOLE_REASON, None)
    if isinstance(whole, dict) and len(whole) == 1:
        result["reason"] = next(iter(whole))
    return result


def failure(refusal: Refusal, changed: bool = False) -> dict[str, t.Any]:
    """Return the result contract's account of a refusal, as a module itself gives it."""
    return {"failed": True, "changed": changed, "plan": [], "notes": [], **refusal.account()}


def failure_after(result: dict[str, t.Any], refusal: Refusal) -> dict[str, t.Any]:
    """Return a module's result as one that failed after its run: what the run did and said, that does not undo."""
    kept: dict[str, t.Any] = {key: result[key] for key in ("changed", "plan", "notes") if key in result}
    return {**result, **failure(refusal), **kept}
