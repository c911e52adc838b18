# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the work of a changing module from the controller: read and plan here, and act here too if the Mac has no Python.

One SSH exec reads the Mac. If nothing has to change, or in check mode, that is all. Else the module itself carries the
plan out on the Mac (`python`), or each of its commands is an exec of its own (`shell`).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import importlib
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.process import get_bin_path

from ansible_collections.keyholder.macos.plugins.module_utils._module_change import (
    AUTO,
    PYTHON,
    SHELL,
    result_of,
    secrets_of,
    way_in,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.foreseen import as_it_is
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import RETURN, Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import within
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import ahead
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Verifier
from ansible_collections.keyholder.macos.plugins.module_utils._runner import ProcessRunner
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils import _asked, _perl
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import (
    QUIET,
    Action,
    failure,
    failure_after,
    needs_terminal,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Send
from ansible_collections.keyholder.macos.plugins.plugin_utils._foreseen import foreseen
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import is_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._own_password import Ways
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import ScriptRunner
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell_lock import ShellLock, Ticket
from ansible_collections.keyholder.macos.plugins.plugin_utils._writes import (
    VARIABLE,
    WriteLog,
    entry_of,
    outcome_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret

_MODULES = "ansible_collections.keyholder.macos.plugins.modules"

BY_PERL = Verifier(_perl.compare, lambda ran, password: _perl.compared(ran))
"""The hash stays on the Mac: macOS's own perl compares."""


class Changing:
    """One run of a changing module. ``name``: the module. ``given``: its options. ``variables``: the task's.
    ``send``: how a script reaches the Mac. ``key_is_for_here``: whether a recovery key is encrypted to this process.
    ``foresee``: how check mode is to see the Mac."""

    def __init__(
        self,
        name: str,
        given: t.Mapping[str, t.Any],
        variables: t.Mapping[str, t.Any],
        send: Send,
        key_is_for_here: bool = False,
        foresee: t.Callable[[Mac], Mac] = as_it_is,
    ) -> None:
        module = _module(name)
        self._name = name
        self._params = _validated(module.SPEC, given)
        self._request: Request = module.request(self._params)
        self._secrets: dict[str, Secret] = secrets_of(self._params)
        self._runner = _wanted_runner(self._params, variables)
        self._python = _asked.python_at(_named_python(variables))
        self._send = send
        self._key_is_for_here = key_is_for_here
        self._foresee = foresee
        self.came_in: frozenset[str] = frozenset()
        self.acting = False

    def foreseen(self) -> dict[str, t.Any]:
        """Return the module's result in check mode."""
        reader = self._reader(self._whose)
        return self._result(self._run(reader, reader).run(self._request, True))

    def done(self) -> dict[str, t.Any] | str:
        """Return the module's result if nothing has to change, or if this process has made the change; else the Python
        on the Mac that the module is to run with, "" for the one that Ansible chooses."""
        if self._request.only_shows:
            return self.foreseen()
        try:
            reader = self._reader(self._request.likely)
            nothing = self._run(reader, reader).nothing_to_do(self._request)
            if nothing is not None:
                return self._result(nothing)
            found = self._python_of(reader)
            if self._runner == PYTHON or (self._runner == AUTO and found):
                return found
            user = ", ".join(sorted(self._way(reader)))
            lock = ShellLock(self._send, Ticket(self._name, user, self._wait))
            acting = ScriptRunner(self._send, lock)
            self.acting = True
            return self._result(self._run(acting, reader, lock).run(self._request, False))
        except Refusal as refusal:
            return self._result(Outcome(refusal=refusal))

    def in_background(self) -> str:
        """Return the Python on the Mac that an asynchronous module is to run with, "" for the one that Ansible chooses.
        Raises :class:`Refusal` if that would be none, or Apple's stub."""
        found = self._python_of(ScriptRunner(self._send))
        if self._runner == SHELL or (self._runner == AUTO and not found):
            msg = "the task is asynchronous, and that needs a Python on the Mac, and a runner other than shell"
            raise Refusal("async_unsupported", msg)
        return found

    @property
    def has_secrets(self) -> bool:
        """Return whether an option holds a password or a key."""
        return bool(self._secrets)

    @property
    def _wait(self) -> float:
        given = self._params["lock_timeout"]
        return float(self._params["timeout"] if given is None else given)

    @property
    def _whose(self) -> dict[str, str]:
        """Return the passwords that were given and a plan may rest on -> whose they may be."""
        user = self._params.get("user") or self._params.get("name") or ""
        people = {"admin_password": self._params.get("admin_user") or "", "password": user, "old_password": user}
        return {option: name for option, name in people.items() if name and option in self._secrets}

    def _reader(self, comparing: t.Iterable[str]) -> ScriptRunner:
        """Return a runner whose first exec asks all that this needs to know. ``comparing``: options with passwords to
        compare beside it."""
        reader = ScriptRunner(self._send)
        python = [self._python] if self._runner != SHELL else []
        reader.ask_ahead([_asked.WAY, *python, *ahead(self._request.ask)])
        whose = self._whose
        reader.ask_ahead(_perl.compare(whose[one], self._secrets[one]) for one in comparing if one in whose)
        return reader

    def _run(self, runner: ScriptRunner, reader: ScriptRunner, lock: ShellLock | None = None) -> Run:
        """Return a run by ``runner``. ``reader``: the one that has asked for the way in and for Python."""
        asked_for = self._params.get("recovery_key") == RETURN or self._key_is_for_here
        return Run(
            runner,
            self._secrets,
            self._params["timeout"],
            Recipients(self._params.get("recipients") or (), ProcessRunner(_on_this_host)),
            lambda: self._own(reader),
            lock,
            verifier=BY_PERL,
            # In check mode a module on the Mac is foreseen too, and there the key stays on the Mac.
            may_show_key=lambda: asked_for or self._runner != AUTO or bool(self._python_of(reader)),
            foresee=self._foresee,
        )

    def _own(self, reader: ScriptRunner) -> frozenset[str]:
        """Return the accounts that may lose nothing by this run."""
        if not self._params.get("allow_own_account"):
            return self._way(reader)
        with contextlib.suppress(Refusal):
            self.came_in = self._way(reader)
        return frozenset()

    def _way(self, reader: ScriptRunner) -> frozenset[str]:
        return way_in(_asked.parse_way(reader.run(_asked.WAY)))

    def _python_of(self, reader: ScriptRunner) -> str:
        # To look at one is to start it, and it may be why the user asks for the shell.
        return "" if self._runner == SHELL else _asked.parse_python(reader.run(self._python))

    def _result(self, outcome: Outcome) -> dict[str, t.Any]:
        """Return what the module itself would, in the same form."""
        result = {**result_of(outcome, self._request), "warnings": [plain(note) for note in outcome.notes]}
        refusal = outcome.refusal
        if refusal is not None:
            result.update(failed=True, **refusal.account())
        secrets = [secret.reveal().decode("utf-8", "replace") for secret in self._secrets.values()]
        masked = t.cast("dict[str, t.Any]", remove_values(result, [text for text in secrets if text]))
        # The codes are public, and a part of one may be a password.
        return masked if refusal is None else {**masked, "reason": refusal.reason}


def _module(name: str) -> t.Any:
    return importlib.import_module(f"{_MODULES}.{name}")


def _validated(spec: t.Mapping[str, t.Mapping[str, t.Any]], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options as the module would get them. Raises :class:`Refusal`."""
    for option, entry in spec.items():
        value = given.get(option)
        # `~` would be the home folder of this process's account.
        if entry.get("type") == "path" and is_text(value) and str(value)[:1] in ("~", "$"):
            raise Refusal("value_unusable", f"{option} is {value}, and must be an absolute path")
    # What Ansible adds for a module is no option.
    options = {option: value for option, value in given.items() if not option.startswith("_ansible_")}
    checked = ArgumentSpecValidator(spec).validate(options)
    if checked.error_messages:
        raise Refusal("value_unusable", "; ".join(checked.error_messages))
    within(checked.validated_parameters)
    return dict(checked.validated_parameters)


def _wanted_runner(params: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> str:
    wanted = params["runner"] or variables.get("keyholder_runner") or AUTO
    if wanted not in (AUTO, PYTHON, SHELL):
        raise Refusal("value_unusable", f"keyholder_runner is {wanted!r}, and must be {AUTO}, {PYTHON} or {SHELL}")
    return str(wanted)


def _named_python(variables: t.Mapping[str, t.Any]) -> str:
    """Return the interpreter that a variable names or that Ansible has found before, "" for none."""
    named = str(variables.get("ansible_python_interpreter") or "")
    facts = variables.get("ansible_facts") or {}
    return str(facts.get("discovered_interpreter_python") or "") if named.startswith("auto") or not named else named


def _on_this_host(program: str) -> str:
    try:
        return str(get_bin_path(program))
    except ValueError as problem:
        raise LookupError(program) from problem


class ChangingAction(Action):
    """The action beside a module that changes a Mac. ``key_is_for_here``: whether a recovery key is encrypted to this
    process."""

    key_is_for_here = False
    _ways: Ways | None = None
    _changing_now: Changing | None = None
    _started = False

    def carry_out(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the task is for, and write it down where the user wants a log of writes."""
        result = self._logged(task_vars)
        if result.get("unreachable") and task_vars.get(QUIET):
            result.update(failed=True, unreachable=False, unreached=True)
        return result

    def _logged(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        path = self._templar.template(task_vars.get(VARIABLE)) if task_vars.get(VARIABLE) else ""
        if not path or self._task.check_mode:
            return super().carry_out(task_vars)
        log = WriteLog(str(path))
        try:
            log.demand()
        except Refusal as refusal:
            return failure(refusal)
        try:
            result = super().carry_out(task_vars)
        except AnsibleError:
            if self.may_have_written:
                self._note(log, task_vars, {"changed": True, "unreachable": True})
            raise
        return self._note(log, task_vars, result) or result

    def _note(self, log: WriteLog, task_vars: dict[str, t.Any], result: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Add what came of the task to the log; return the task's result if that fails."""
        if not outcome_of(result):
            return None
        try:
            log.add(entry_of(self._name, self._task.args, task_vars, result))
        except Refusal as refusal:
            return failure_after(result, refusal)
        return None

    @property
    def may_have_written(self) -> bool:
        """Return whether this task has come as far as to change the Mac."""
        return self._started or bool(self._changing_now and self._changing_now.acting)

    @property
    def ways(self) -> Ways:
        """Return the passwords of this task's connection."""
        if self._ways is None:
            self._ways = Ways(self._connection, self._play_context)
        return self._ways

    def _low_level_execute_command(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Go on with the next password if this run may have changed the one that was refused."""
        # ansible-core 2.19 says nothing of its types.
        execute = t.cast("t.Callable[..., t.Any]", super()._low_level_execute_command)
        while True:
            try:
                return execute(*args, **options)
            except AnsibleError as problem:
                if not self.ways.instead(problem):
                    raise

    def _execute_module(self, *args: t.Any, **options: t.Any) -> dict[str, t.Any]:
        name = str(options.get("module_name") or self._task.action).rpartition(".")[2]
        given = options.get("module_args")
        variables = dict(options.get("task_vars") or {})
        try:
            changing = self._changing(name, self._task.args if given is None else given, variables)
            background = changing.in_background() if options.get("wrap_async") else None
        except Refusal as refusal:
            return failure(refusal)
        if self._task.check_mode and background is None:
            foreseen = changing.foreseen()
            self.ways.came_in |= changing.came_in
            return foreseen
        done = changing.done() if background is None else background
        if not isinstance(done, str):
            return done
        if done:
            variables["ansible_python_interpreter"] = done
        self._started = True
        return super()._execute_module(*args, **{**options, "task_vars": variables})

    def _changing(self, name: str, given: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> Changing:
        """Raises :class:`Refusal`."""
        named = {
            variable: self._templar.template(variables[variable])
            for variable in ("keyholder_runner", "ansible_python_interpreter")
            if variables.get(variable)
        }
        foresee = foreseen(variables, self._templar.template, bool(self._task.check_mode))
        changing = Changing(name, given, {**variables, **named}, self.send, self.key_is_for_here, foresee)
        self._changing_now = changing
        if changing.has_secrets and not self.pipes:
            raise needs_terminal(self._connection)
        if given.get("allow_own_account") and self.ways.may_be_own(str(given.get("name") or given.get("user") or "")):
            self.ways.also(str(given.get("password") or ""))
        return changing
