# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an option is given, the answer is a refusal with a reason of ours: from the action and the request alone."""

from __future__ import annotations

import importlib
import pickle
import typing as t
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from bad_input import GOOD, HASH, MARK, MODULES, ON_THE_CONTROLLER, Bad, spec_of, table
from readings import MAC

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import LIMITS
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._run import session
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran
from ansible_collections.keyholder.macos.plugins.plugin_utils import _action, _changing
from ansible_collections.keyholder.macos.plugins.plugin_utils._written import check_written

COLLECTION = "ansible_collections.keyholder.macos.plugins"
TABLE = table()
ANY = MagicMock()
"""The connection and all that is not asked for anything."""


class Ended(Exception):
    """The module's result."""


class Module:
    """AnsibleModule, as far as it decides: it converts by the argument spec, as the real one does."""

    check_mode = True

    def __init__(self, argument_spec: dict[str, t.Any], supports_check_mode: bool) -> None:
        done = ArgumentSpecValidator(argument_spec).validate(t.cast("t.Any", Module).given)
        assert not done.error_messages, "the action has let pass what the module refuses in Ansible's words"
        self.params = done.validated_parameters

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended(result)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended({"failed": True, **result})

    def warn(self, text: str) -> None:
        pass


class NoMac:
    """A runner of a Mac on which nothing may be started but what reads a hash, and that is not readable."""

    def run(self, command: Command, deadline: float) -> Ran:
        assert command.argv[0] == "dscl" and "ShadowHashData" in str(command), f"{command} was started"
        return Ran(command, 1, "", "")


class NoScript:
    """A Mac whose shell tells whom Ansible came in by, and of a hash that is not readable; ``sent`` counts that."""

    def __init__(self, sent: list[t.Any]) -> None:
        self._sent = sent

    def ask_ahead(self, commands: t.Iterable[Command]) -> None:
        """Nothing is asked before it is needed."""

    def run(self, command: Command, deadline: float = 0) -> Ran:
        self._sent.append(command)
        if command.argv[0] in ("keyholder_way", "keyholder_python"):
            return Ran(command, 0, "/usr/bin/true\n\n\n\n")
        assert "ShadowHashData" in str(command), f"{command} was started"
        return Ran(command, 3)


def act(module: str, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch, **task: t.Any) -> tuple[t.Any, int]:
    """The action's result, and how often it has asked the Mac or sent a module there."""
    action = importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule
    sent: list[t.Any] = []

    def send(_self: t.Any, module_name: str = "", module_args: t.Any = None, **_: t.Any) -> dict[str, t.Any]:
        name = module_name.rpartition(".")[2] or module
        sent.append(options)
        monkeypatch.setattr(Module, "given", dict(module_args or options), raising=False)
        code = importlib.import_module(f"{COLLECTION}.modules.{name}")
        monkeypatch.setattr(code, "AnsibleModule", Module)
        with pytest.raises(Ended) as ended:
            code.main()
        return t.cast("dict[str, t.Any]", ended.value.args[0])

    monkeypatch.setattr("ansible.plugins.action.ActionBase._execute_module", send)
    monkeypatch.setattr("subprocess.run", lambda *_a, **_k: pytest.fail("the store was touched"))
    monkeypatch.setattr(session, "read_mac", lambda *_: MAC)
    monkeypatch.setattr(_action, "read_mac", lambda *_: MAC)
    monkeypatch.setattr(_changing, "ScriptRunner", lambda *_: NoScript(sent))
    monkeypatch.setattr(_module_change, "runner", _checked)
    monkeypatch.setattr(_module_change, "lock", lambda *_: SimpleNamespace(descriptors=(), held=NoLock().held))
    described = {"async_val": 0, "check_mode": False, "action": f"keyholder.macos.{module}", **task}
    described |= {"_uuid": "one", "delegate_to": None, "until": []}
    loaded = action(SimpleNamespace(args=options, **described), ANY, ANY, ANY, ANY, None)
    return loaded.run(None, {}), len(sent)


def _checked(module: t.Any, _keeps: t.Any) -> NoMac:
    from ansible_collections.keyholder.macos.plugins.module_utils._module import runner

    runner(module)
    return NoMac()


@pytest.mark.parametrize("module", MODULES)
def test_a_bad_value_is_refused_with_a_reason(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test for all values of a module, as there are two thousand."""
    wrong = {}
    for bad in (bad for bad in TABLE if bad.module == module):
        try:
            judge(bad, *act(bad.module, bad.options, monkeypatch))
        except Exception as problem:
            wrong[bad.title] = f"{type(problem).__name__}: {problem}"
    assert wrong == {}


def judge(bad: Bad, result: dict[str, t.Any], sent: int) -> None:
    assert result["failed"] and not result["changed"]
    assert result["reason"] in bad.reasons
    assert result["remedy"] == REASONS[result["reason"]].remedy and result["msg"].endswith(f"[{result['reason']}]")
    assert not (bad.early and sent), "it went to the Mac"
    for words in ("Traceback", "object", "NoneType", "Error", "invalid literal", "unable to convert"):
        assert words not in result["msg"]
    secret = any(word.endswith(("password", "current_key")) for word in bad.title.split()[1:])
    assert not secret or (MARK not in str(result) and HASH not in str(result))


def test_there_are_enough_of_them_and_each_is_another() -> None:
    assert len({bad.module.encode() + pickle.dumps(bad.options) for bad in TABLE}) == len(TABLE) > 1500
    assert {bad.module for bad in TABLE} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_number_has_its_limits(module: str) -> None:
    numbers = {option for option, entry in spec_of(module).items() if entry.get("type") == "int"}
    assert numbers <= set(LIMITS)


def test_a_mac_that_could_not_be_unlocked_is_not_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ANY, "transport", "local")
    result, sent = act("filevault_reboot", {"ssh_unlock": True, "user": "ana", "password": "right-1"}, monkeypatch)
    assert (result["reason"], sent) == ("value_unusable", 0)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"trust_info", *ON_THE_CONTROLLER}))
def test_what_is_made_bad_was_good(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the table would be refused for something else."""
    result, sent = act(module, GOOD.get(module, {}), monkeypatch)
    assert sent
    assert result.get("reason") not in ("not_text", "name_unusable", "option_unknown", "password_is_hash")


SECRET_OPTIONS = [
    (module, option) for module in MODULES for option, entry in spec_of(module).items() if entry.get("no_log")
]


@pytest.mark.parametrize(("module", "option"), SECRET_OPTIONS)
def test_no_secret_is_written_to_the_macs_disk_by_async(
    module: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, sent = act(module, {**GOOD.get(module, {}), option: MARK}, monkeypatch, async_val=30)
    assert (result["reason"], sent) == ("async_unsupported", 0)
    assert MARK not in str(result)


@pytest.mark.parametrize(
    "module",
    "filevault filevault_recovery_key filevault_reboot managed_password trust_info".split(),
)
def test_what_works_on_the_controller_too_is_never_asynchronous(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {key: value for key, value in GOOD.get(module, {}).items() if key != "password"}
    assert act(module, options, monkeypatch, async_val=30)[0]["reason"] == "async_unsupported"


def test_a_reason_is_whole_where_ansible_masks_a_word_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._action import with_reason

    masked = {"reason": "********_unknown", "keyholder_reason": {"granter_unknown": True}, "msg": "m"}
    assert with_reason(masked) == {"reason": "granter_unknown", "msg": "m"}
    assert with_reason({"changed": True}) == {"changed": True}


@pytest.mark.parametrize(
    ("source", "kind", "refused"),
    [
        ("{{ person.id }}", "int", True),
        ("{{ people[0]['id'] | default(omit) }}", "date", True),
        ("{{ person }}", "dict", True),
        ("{{ person.name }}", "AnsibleUnicode", False),
        ("{{ lookup('pipe', 'date') }}", "int", False),
        ("{{ person.id | string }}", "int", False),
        ("p{{ person.id }}", "int", False),
        ("ana", "int", False),
    ],
)
def test_before_core_2_19_a_template_is_looked_up_for_its_kind(
    source: str, kind: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Templar:
        SINGLE_VAR = "only there"

        def template(self, text: str) -> str:
            asked.append(text)
            return kind

    written = {
        "name": "a task",
        "keyholder.macos.filevault": {"state": "enabled", "additional_users": [{"name": source}]},
    }
    task = SimpleNamespace(_ds=written, get_ds=lambda: written)
    if not refused:
        check_written(spec_of("filevault"), task, Templar())
        assert not asked or kind.startswith("Ansible")
        return
    with pytest.raises(Refusal, match=r"additional_users\[0\].name is .* must be text"):
        check_written(spec_of("filevault"), task, Templar())
    check_written(spec_of("filevault"), task, object())
