# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beside each module that may come by a recovery key: age recipients are served on the controller.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS
from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import (
    AgeError,
    Courier,
    check_age,
    encrypt_with_age,
    is_age,
)

KEPT = ("changed", "plan", "notes")
"""What the module said of its run, which a key that cannot be encrypted afterwards does not undo."""


class KeyAction(ActionBase):
    """Run the module of the same name; where a recipient is an age one, take the key over and encrypt it here."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        recipients = _listed(arguments.get("recipients"))
        age = [recipient for recipient in recipients if is_age(recipient)]
        if not age:
            result.update(self._execute_module(task_vars=task_vars))
            return result
        try:
            check_age(age)
        except AgeError as exc:
            result.update(_unusable(str(exc)))
            return result
        courier = Courier.new()
        certificates = [recipient for recipient in recipients if not is_age(recipient)]
        arguments["recipients"] = certificates + [courier.pem]
        answer: dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        message = answer.get("recovery_key_encrypted", "")
        try:
            answer["recovery_key_age"] = encrypt_with_age(courier.open(message), age) if message else ""
        except (AgeError, ValueError) as exc:
            # What the certificates' owners can open stays in the result.
            answer = {**answer, **_unusable(str(exc)), **{key: answer[key] for key in KEPT if key in answer}}
        if not certificates:
            answer.pop("recovery_key_encrypted", None)
        # The courier's certificate is of no use to anybody once this task has ended.
        answer.pop("invocation", None)
        result.update(answer)
        return result


def _listed(recipients: t.Any) -> list[str]:
    """As the module itself would read the option: a text is a list of one, or of several with commas between."""
    given = recipients.split(",") if isinstance(recipients, str) else recipients or []
    return [str(recipient) for recipient in given]


def _unusable(why: str) -> dict[str, t.Any]:
    """The result contract's account of a failure, as the module itself would return it."""
    reason = "recipient_unusable"
    remedy = REASONS[reason].remedy
    msg = f"{why}. {remedy} [{reason}]"
    account = {"reason": reason, "msg": msg, "remedy": remedy, "evidence": []}
    return {"failed": True, "changed": False, "plan": [], "notes": [], **account}
