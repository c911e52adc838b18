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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import DISCARD, ENCRYPT, RETURN, Request
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import additional
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded, plain

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


OWN_ACCOUNT: dict[str, t.Any] = {"allow_own_account": {"type": "bool", "default": False}}
"""The option of the modules that can take something from an account; documented in the fragment _own_account."""

ADMIN: dict[str, t.Any] = {
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "timeout": TIMEOUT,
    "lock_timeout": LOCK_TIMEOUT,
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


def secrets(module: AnsibleModule) -> dict[str, Secret]:
    """Return the password options that have a value."""
    given = {option: module.params.get(option) for option in _PASSWORDS}
    others = module.params.get("additional_users") or []
    given.update({additional(index): other["password"] for index, other in enumerate(others)})
    return {option: Secret(value) for option, value in given.items() if value is not None}


R = t.TypeVar("R", bound=Request)


def request_of(module: AnsibleModule, kind: type[R]) -> R:
    """Return a request of that class: each of its fields has the value of the option of its name. A field's default
    stands for an option without a value. ``given`` is which secrets have one; of people in a list, the names count."""
    values: dict[str, t.Any] = {"given": frozenset(secrets(module))}
    for option, value in module.params.items():
        values[option] = tuple(map(_name_alone, value)) if isinstance(value, list) else value
    fields = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in fields and value is not None})


def _name_alone(element: t.Any) -> t.Any:
    return element["name"] if isinstance(element, dict) else element


def came_in_by() -> frozenset[str]:
    """Return the accounts, as :func:`folded`, that this process was reached through: who logged in, and who asked sudo,
    doas or dzdo, or su, which leaves LOGNAME as it is for root (su(1)). On macOS getlogin names the login even so
    (setlogin(2)); elsewhere, so in the lab, it would name an account of the host. Root itself only if no account became
    root: then its password is the way in."""
    names = [os.environ.get(name) for name in ("SUDO_USER", "DOAS_USER", "DZDO_USER", "LOGNAME")]
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            names.append(os.getlogin())
    found = frozenset(folded(name) for name in names if name)
    return found - {"root"} or found


def change(module: AnsibleModule, request: Request, only_show: bool = False) -> t.NoReturn:
    """Carry ``request`` out and end the module. ``only_show``: foresee it as check mode does, and call it no change."""
    recipients = module.params.get("recipients") or []
    came_in = came_in_by()
    own = () if module.params.get("allow_own_account") else came_in
    mine = lock(module, came_in)
    starts = runner(module, mine.descriptors)
    run = Run(starts, secrets(module), module.params["timeout"], recipients, own, mine)
    outcome = run.run(request, module.check_mode or only_show)
    result: dict[str, t.Any] = {
        "changed": outcome.changed and not only_show,
        "state": {"before": outcome.before, "after": outcome.after},
        "diff": {"before": outcome.before, "after": outcome.after},
        "plan": outcome.plan,
        # Beside the warnings: those of a loop's results are not kept by every ansible-core.
        "notes": list(outcome.notes),
    }
    result.update(request.results(outcome))
    for note in outcome.notes:
        module.warn(plain(note))
    if outcome.refusal is not None:
        fail(module, outcome.refusal, result)
    module.exit_json(**result)
