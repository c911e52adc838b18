# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a change is carried out, by what the user says and what the Mac has; and what a task is refused for before.

The Mac does not answer here: what it is asked shows the way that was taken.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
from ansible_collections.keyholder.macos.plugins.plugin_utils import _changing
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import Changing

GRANT = {"user": "ana", "password": "ana-pw", "admin_user": "itadmin", "admin_password": "it-pw"}
HERE = "/opt/homebrew/bin/python3"


class Script:
    """A Mac on which nothing but the questions of the controller is answered."""

    asked: t.ClassVar[list[str]] = []
    ahead: t.ClassVar[list[str]] = []
    python = ""

    def __init__(self, *dummy: t.Any) -> None:
        """Whatever the connection."""

    def ask_ahead(self, commands: t.Iterable[Command]) -> None:
        """Nothing is answered before it is needed."""
        self.ahead.extend(command.argv[0] for command in commands)

    def run(self, command: Command, deadline: float = 0) -> Ran:
        if command.argv[0] == "keyholder_python":
            self.asked.append(command.argv[1])
            return Ran(command, 0, Script.python)
        return Ran(command, 0, "itadmin\n\n\nroot\n")


class Stage:
    """A run that finds something to do, and does not do it."""

    told: t.ClassVar[list[t.Any]] = []

    def __init__(self, runner: t.Any, secrets: t.Any, deadline: float, recipients: t.Any, own: t.Any, lock: t.Any,
                 **more: t.Any) -> None:  # fmt: skip
        self.own, self.lock, self.may_show_key = own, lock, more["may_show_key"]

    def nothing_to_do(self, request: Request) -> Outcome | None:
        return None

    def run(self, request: Request, check_mode: bool) -> Outcome:
        self.told.append((check_mode, self.lock, self.own(), self.may_show_key()))
        return Outcome(before={}, after={}, plan=["it-pw is not shown"], notes=["note \x1b"], changed=True)


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_changing, "ScriptRunner", Script)
    monkeypatch.setattr(_changing, "Run", Stage)
    monkeypatch.setattr(Script, "asked", [])
    monkeypatch.setattr(Script, "ahead", [])
    monkeypatch.setattr(Script, "python", "")
    monkeypatch.setattr(Stage, "told", [])


def changing(name: str = "secure_token", given: t.Mapping[str, t.Any] | None = None, **variables: t.Any) -> Changing:
    return Changing(
        name, GRANT if given is None else given, variables, lambda asked: pytest.fail("nothing is sent here")
    )


@pytest.mark.parametrize(
    ("option", "variable", "python", "by"),
    [
        (None, None, "", "shell"),
        (None, None, HERE, HERE),
        ("auto", "shell", HERE, HERE),
        (None, "shell", HERE, "shell"),
        ("shell", "python", HERE, "shell"),
        ("python", "shell", "", ""),
        (None, "python", HERE, HERE),
    ],
)
def test_what_carries_a_change_out(option: str | None, variable: str | None, python: str, by: str) -> None:
    Script.python = python
    given = {**GRANT, **({"runner": option} if option else {})}
    done = changing(given=given, **({"keyholder_runner": variable} if variable else {})).done()
    if by == "shell":
        assert isinstance(done, dict) and done["changed"]
        ((check_mode, lock, own, _may),) = Stage.told
        assert not check_mode and lock is not None and own == {"itadmin"}
    else:
        assert done == by
        assert not Stage.told


def test_a_typo_in_the_variable_is_refused_and_named() -> None:
    with pytest.raises(Refusal, match="keyholder_runner is 'shel'") as refused:
        changing(keyholder_runner="shel")
    assert refused.value.reason == "value_unusable"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, ""),
        ({"ansible_python_interpreter": "/a/python3"}, "/a/python3"),
        ({"ansible_python_interpreter": "auto_silent"}, ""),
        ({"ansible_facts": {"discovered_interpreter_python": "/b/python3"}}, "/b/python3"),
        (
            {"ansible_python_interpreter": "auto", "ansible_facts": {"discovered_interpreter_python": "/b/python3"}},
            "/b/python3",
        ),
    ],
)
def test_which_python_is_looked_at_first(variables: dict[str, t.Any], named: str) -> None:
    changing(**variables).done()
    assert set(Script.asked) == {named}


@pytest.mark.parametrize("runner", ["auto", "python", "shell"])
def test_where_the_shell_is_asked_for_no_python_is_started_not_even_to_see_what_it_is(runner: str) -> None:
    for one in (changing(keyholder_runner=runner).done, changing(keyholder_runner=runner).foreseen):
        Script.ahead.clear()
        one()
        assert ("keyholder_python" in Script.ahead) is (runner != "shell")
        assert not Script.asked or runner != "shell"


@pytest.mark.parametrize(
    ("runner", "python", "by"),
    [("auto", HERE, HERE), ("python", HERE, HERE), ("python", "", ""), ("auto", "", None), ("shell", HERE, None)],
)
def test_an_asynchronous_task_needs_a_python(runner: str, python: str, by: str | None) -> None:
    Script.python = python
    asked = changing("account", {"name": "ana", "hidden": True}, keyholder_runner=runner)
    if by is None:
        with pytest.raises(Refusal, match="the task is asynchronous, and that needs a Python") as refused:
            asked.in_background()
        assert refused.value.reason == "async_unsupported"
    else:
        assert asked.in_background() == by


def test_check_mode_takes_no_lock_and_needs_no_python() -> None:
    result = changing().foreseen()
    assert Stage.told == [(True, None, {"itadmin"}, False)]
    assert result["changed"]


def test_no_secret_is_in_the_result() -> None:
    result = changing().foreseen()
    assert "it-pw" not in str(result)
    assert result["warnings"] == ["note ?"]


def test_the_own_account_may_be_allowed() -> None:
    changing(given={**GRANT, "allow_own_account": True}).foreseen()
    assert Stage.told[0][2] == frozenset()


KEY = {"state": "rotated", "user": "itadmin", "password": "it-pw"}


@pytest.mark.parametrize(
    ("given", "variables", "python", "may"),
    [
        (KEY, {}, "", False),
        (KEY, {}, HERE, True),
        (KEY, {"keyholder_runner": "shell"}, "", True),
        ({**KEY, "recovery_key": "return"}, {}, "", True),
        ({**KEY, "recovery_key": "encrypt", "recipients": ["PEM"]}, {}, "", False),
    ],
)
def test_whether_a_recovery_key_may_come_to_the_controller(
    given: dict[str, t.Any], variables: dict[str, t.Any], python: str, may: bool
) -> None:
    Script.python = python
    changing("filevault_recovery_key", given, **variables).foreseen()
    assert Stage.told[0][3] is may


def test_a_key_that_is_encrypted_to_this_process_may_come_here() -> None:
    Changing("filevault_recovery_key", KEY, {}, lambda asked: pytest.fail("sent"), key_is_for_here=True).foreseen()
    assert Stage.told[0][3] is True


@pytest.mark.parametrize("path", ["~/picture.png", "$HOME/picture.png"])
def test_a_path_of_the_controllers_home_is_refused(path: str) -> None:
    with pytest.raises(Refusal, match="picture is .*, and must be an absolute path"):
        changing("account", {"name": "ana", "picture": path})


def test_what_the_options_do_not_allow_is_refused_before_the_mac_is_asked() -> None:
    with pytest.raises(Refusal, match="state must be one of"):
        changing(given={**GRANT, "state": "bogus"})
    with pytest.raises(Refusal, match="timeout"):
        changing(given={**GRANT, "timeout": 0})
