# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each option of each module arrives where it is meant to, and nowhere else, in what the module hands to the core.

The modules' own `main` runs, in this process, with Ansible's own reading of the options. Whoever adds an option gets a
failure here until the request has a field of its name, or `ARRIVES` says where else it goes. What becomes of it on the
Mac is in test_commands.py.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.keyholder.macos.plugins.module_utils import _module, _module_change, _module_info
from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import LIMITS
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import additional

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "modules"
# What these do is done on the controller, by their action plugins.
ON_THE_CONTROLLER = {
    "audit_report",
    "filevault_unlock",
    "fleet_summary",
    "managed_password",
    "preflight",
    "ready_for",
    "recovery_key_store",
}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ON_THE_CONTROLLER)


def spec(module: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = _plugin(module).SPEC
    return found


def _plugin(module: str) -> Any:
    return importlib.import_module(f"ansible_collections.keyholder.macos.plugins.modules.{module}")


class Handed(Exception):
    """The module has handed its options to the core: place -> value."""

    def __init__(self, places: dict[str, Any]) -> None:
        super().__init__()
        self.places = places


class Stage:
    """Stands where the core's run would begin."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.given = dict(inspect.signature(Run.__init__).bind(self, *args, **more).arguments)
        self.given.pop("self")
        self.given.pop("runner")

    def run(self, *args: Any, **more: Any) -> None:
        run = dict(inspect.signature(Run.run).bind(self, *args, **more).arguments)
        request = run.pop("request")
        run.pop("self")
        secrets = self.given.pop("secrets")
        places = {"request": type(request).__name__}
        places |= {f"request.{one.name}": getattr(request, one.name) for one in dataclasses.fields(request)}
        places |= {f"secret.{option}": secret.reveal().decode() for option, secret in secrets.items()}
        places["run.wait"] = self.given.pop("lock")._wait
        places["run.own"] = self.given.pop("own")()
        places["run.recipients"] = list(self.given.pop("recipients")._certificates)
        places |= {f"run.{name}": value for name, value in {**self.given, **run}.items()}
        raise Handed(places)


def _reading(runner: Any, *args: Any, **more: Any) -> None:
    given = inspect.signature(_module_info.read_mac).bind(runner, *args, **more).arguments
    raise Handed({f"run.{name}": value for name, value in given.items() if name != "runner"})


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Start a module with these options; return where in the core each value arrives."""
    # Nothing is started, and the lock is not taken.
    monkeypatch.setattr(_module, "finder", lambda _module: lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(_module_change, "came_in_by", lambda: frozenset({CAME_IN_BY}))
    monkeypatch.setattr(_module_change, "Run", Stage)
    monkeypatch.setattr(_module_info, "read_mac", _reading)

    def start(module: str, options: Mapping[str, Any]) -> dict[str, Any]:
        with patch_module_args(dict(options)), pytest.raises(Handed) as caught:
            _plugin(module).main()
        return caught.value.places

    # Bound before `read_mac` was replaced would be too late: the signature is the real one's.
    _reading.__signature__ = inspect.signature(_REAL_READ)  # type: ignore[attr-defined]
    return start


_REAL_READ = _module_info.read_mac


@dataclass(frozen=True)
class To:
    """``place``: where an option arrives. ``as_``: its value there. ``beside``: what has to be given with it."""

    place: str
    as_: Callable[[Any], Any] = lambda value: value
    beside: Mapping[str, Any] = field(default_factory=dict)


COLLECTED = {"state": "collected"}

ARRIVES: dict[tuple[str, str], To] = {
    ("filevault", "recipients"): To("run.recipients"),
    ("filevault_recovery_key", "recipients"): To("run.recipients"),
    ("filevault_recovery_key", "path"): To("request.path", beside=COLLECTED),
    ("filevault_recovery_key", "remove"): To("request.remove", beside=COLLECTED),
    ("macos_upgrade", "accept"): To("request.accept", tuple),
    ("repair", "apply"): To("run.check_mode", lambda value: not value),
    ("trust_info", "include"): To(
        "run.ask",
        lambda words: Ask(
            **{
                **dict.fromkeys(words, True),
                "key_used": "escrow" in words,
                **(dict.fromkeys(("platform_sso", "authrestart"), True) if "restart" in words else {}),
            }
        ),
    ),
}
"""What does not go to the request's field of its own name. A secret goes to the secrets."""

ALSO = {("macos_upgrade", "version"): ("run.check_mode",)}
"""What else an option moves: without a version nothing is installed, as in check mode."""

CAME_IN_BY = "itadmin"
EVERYWHERE = {
    "timeout": To("run.deadline", beside={"lock_timeout": 7}),
    "lock_timeout": To("run.wait"),
    "allow_own_account": To("run.own", lambda allowed: frozenset(() if allowed else {CAME_IN_BY})),
}

BY_THE_ACTION = {
    ("trust_info", "reader"),
    ("trust_info", "wait"),
    ("filevault_reboot", "reboot_timeout"),
    ("macos_upgrade", "reboot_timeout"),
    *((module, "runner") for module in MODULES),
}
"""Options that the action plugin of the module's name obeys."""


def arrives(module: str, option: str) -> To:
    if option in EVERYWHERE:
        return EVERYWHERE[option]
    if spec(module)[option].get("no_log") is True:
        return To(f"secret.{option}")
    return ARRIVES.get((module, option), To(f"request.{option}"))


def base(module: str) -> dict[str, Any]:
    """The options that the module demands."""
    required = {option: about for option, about in spec(module).items() if about.get("required")}
    return {option: about["choices"][0] if "choices" in about else f"a {option}" for option, about in required.items()}


def marks(module: str, option: str) -> list[Any]:
    """Values that no default and no other option has."""
    about = spec(module)[option]
    default = about.get("default", base(module).get(option))
    if "choices" in about and about["type"] == "list":
        return [[choice] for choice in about["choices"]]
    if "choices" in about:
        return [choice for choice in about["choices"] if choice != default]
    if about["type"] == "bool":
        return [value for value in (True, False) if value is not default]
    if about["type"] == "int":
        limits = LIMITS.get(option, range(10000))
        return [4000 + len(option) if 4000 + len(option) in limits else limits[len(option)]]
    if about["type"] == "list":
        return [[f"one {option}", f"another {option}"]]
    return [f"/marked/{option}"]


OPTIONS = [
    pytest.param(module, option, value, id=f"{module}.{option}-{value}")
    for module in MODULES
    for option, about in spec(module).items()
    if (module, option) not in BY_THE_ACTION and about.get("elements") != "dict"
    for value in marks(module, option)
    if (option, value) != ("state", "collected")
]


@pytest.mark.parametrize(("module", "option", "value"), OPTIONS)
def test_it_arrives_where_it_is_meant_to_and_nowhere_else(
    handed: Callable[[str, Mapping[str, Any]], dict[str, Any]], module: str, option: str, value: Any
) -> None:
    to = arrives(module, option)
    without = {**base(module), **{name: value for name, value in to.beside.items() if name in spec(module)}}
    before, after = handed(module, without), handed(module, {**without, option: value})
    assert after[to.place] == to.as_(value)
    moved = {place for place in {*before, *after} if before.get(place) != after.get(place)}
    # What is given decides the plan, so some requests know the names of the secrets.
    assert moved - {"request.given", "request.apply", *ALSO.get((module, option), ())} == {to.place}
    if "request.given" in moved:
        assert after["request.given"] - before["request.given"] == {option}


@pytest.mark.parametrize("module", [module for module in MODULES if "lock_timeout" in spec(module)])
def test_another_run_is_waited_for_as_long_as_a_command(
    handed: Callable[[str, Mapping[str, Any]], dict[str, Any]], module: str
) -> None:
    assert handed(module, {**base(module), "timeout": 9})["run.wait"] == 9


def test_a_key_that_is_collected_is_a_request_of_its_own(
    handed: Callable[[str, Mapping[str, Any]], dict[str, Any]],
) -> None:
    assert handed("filevault_recovery_key", {})["request"] == "KeyRequest"
    assert handed("filevault_recovery_key", COLLECTED)["request"] == "CollectRequest"


def test_the_others_who_may_unlock_arrive_with_their_passwords(
    handed: Callable[[str, Mapping[str, Any]], dict[str, Any]],
) -> None:
    others = [{"name": "rui", "password": "pw-rui"}, {"name": "eva", "password": "pw-eva"}]
    before = handed("filevault", base("filevault"))
    after = handed("filevault", {**base("filevault"), "additional_users": others})
    moved = {place: after[place] for place in after if before.get(place) != after[place]}
    secrets = {f"secret.{additional(index)}": other["password"] for index, other in enumerate(others)}
    assert moved == {"request.additional_users": ("rui", "eva"), **secrets}


@pytest.mark.parametrize("module", MODULES)
def test_what_is_left_out_is_the_requests_own_default(
    handed: Callable[[str, Mapping[str, Any]], dict[str, Any]], module: str
) -> None:
    """Left out and given as its documented default are the same: design rule 1."""
    documented = {option: about["default"] for option, about in spec(module).items() if "default" in about}
    assert handed(module, base(module)) == handed(module, {**base(module), **documented})


@pytest.mark.parametrize("module", [module for module in MODULES if module != "trust_info"])
def test_every_secret_is_one_that_the_run_is_given(module: str) -> None:
    """A password option that `secrets` does not know would silently count as not given."""
    told = {option for option, about in spec(module).items() if about.get("no_log") is True}
    assert told <= set(_module_change._PASSWORDS)
