# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a changing module's options to a run, and back to the result contract.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._module import (
    LOCK_TIMEOUT,
    TIMEOUT,
    fail,
    lock,
    runner,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import (
    DISCARD,
    ENCRYPT,
    RETURN,
    Outcome,
    Request,
)
from ansible_collections.keyholder.macos.plugins.module_utils._run.recipients import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import additional
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded, plain

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


AUTO, PYTHON, SHELL = "auto", "python", "shell"
"""Where a plan is carried out: by a module on the Mac, or from the controller through the connection."""

OWN_ACCOUNT: dict[str, t.Any] = {"allow_own_account": {"type": "bool", "default": False}}
"""The option of the modules that can take something from an account; documented in the fragment _own_account."""

RUNNER: dict[str, t.Any] = {"lock_timeout": LOCK_TIMEOUT, "runner": {"type": "str", "choices": [AUTO, PYTHON, SHELL]}}
"""Options of every module that changes a Mac; documented in the fragment _one_run."""

ADMIN: dict[str, t.Any] = {
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "timeout": TIMEOUT,
    **RUNNER,
}
"""Options of every module that a granter authorises."""

GRANTER: dict[str, t.Any] = dict(
    ADMIN,
    first_token={"type": "bool", "default": False},
    allow_temporary_promotion={"type": "bool", "default": False},
    accept_pending={"type": "bool", "default": False},
)
"""Options of the modules that grant Secure Tokens; documented in the fragment _granter."""

RECOVERY_KEY: dict[str, t.Any] = {
    "recovery_key": {
        "type": "str",
        "choices": [DISCARD, RETURN, ENCRYPT],
        "default": DISCARD,
        "no_log": False,
    },
    "recipients": {"type": "list", "elements": "str", "default": []},
}
"""Options of the modules that may come by a new recovery key; documented in the fragment _recovery_key."""

_PASSWORDS = ("password", "old_password", "admin_password", "current_key")


def secrets_of(params: t.Mapping[str, t.Any]) -> dict[str, Secret]:
    """Return the password options that have a value."""
    given = {option: params.get(option) for option in _PASSWORDS}
    others = params.get("additional_users") or []
    given.update({additional(index): other["password"] for index, other in enumerate(others)})
    return {option: Secret(value) for option, value in given.items() if value is not None}


R = t.TypeVar("R", bound=Request)


def request_of(params: t.Mapping[str, t.Any], kind: type[R]) -> R:
    """Return a request of that class: each of its fields has the value of the option of its name. A field's default
    stands for an option without a value. ``given`` is which secrets have one; of people in a list, the names count."""
    values: dict[str, t.Any] = {"given": frozenset(secrets_of(params))}
    for option, value in params.items():
        values[option] = tuple(map(_name_alone, value)) if isinstance(value, list) else value
    fields = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in fields and value is not None})


def _name_alone(element: t.Any) -> t.Any:
    return element["name"] if isinstance(element, dict) else element


def came_in_by() -> frozenset[str]:
    """Return the accounts, as :func:`folded`, that this process was reached through: who logged in, and who asked sudo,
    doas or dzdo, or su, which leaves LOGNAME as it is for root (su(1)). On macOS getlogin names the login even so
    (setlogin(2)); elsewhere, so in the lab, it would name an account of the host."""
    names = [os.environ.get(name) for name in ("SUDO_USER", "DOAS_USER", "DZDO_USER", "LOGNAME")]
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            names.append(os.getlogin())
    return way_in(names)


def way_in(names: t.Iterable[str | None]) -> frozenset[str]:
    """Return the accounts of a way in, as :func:`folded`: root itself only if no account became root, because then its
    password is the way in."""
    found = frozenset(folded(name) for name in names if name)
    return found - {"root"} or found


def change(module: AnsibleModule, request: t.Callable[[t.Mapping[str, t.Any]], Request]) -> t.NoReturn:
    """Carry out what ``request`` makes of the module's options, and end the module."""
    wanted = request(module.params)
    came_in = came_in_by()
    own = frozenset() if module.params.get("allow_own_account") else came_in
    mine = lock(module, came_in)
    starts = runner(module, mine.descriptors)
    recipients = Recipients(module.params.get("recipients") or ())
    run = Run(starts, secrets_of(module.params), module.params["timeout"], recipients, lambda: own, mine)
    outcome = run.run(wanted, module.check_mode or wanted.only_shows)
    result = result_of(outcome, wanted)
    for note in outcome.notes:
        module.warn(plain(note))
    if outcome.refusal is not None:
        fail(module, outcome.refusal, result)
    module.exit_json(**result)


def result_of(outcome: Outcome, request: Request) -> dict[str, t.Any]:
    """Return the result contract's account of a run, without its refusal."""
    return {
        "changed": outcome.changed and not request.only_shows,
        "state": {"before": outcome.before, "after": outcome.after},
        "diff": {"before": outcome.before, "after": outcome.after},
        "plan": outcome.plan,
        # Beside the warnings: those of a loop's results are not kept by every ansible-core.
        "notes": list(outcome.notes),
        **request.results(outcome),
    }
