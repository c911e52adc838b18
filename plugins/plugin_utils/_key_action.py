# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve age recipients on the controller: the action beside each module that may make a recovery key.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, failure_after
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import (
    AgeError,
    Courier,
    check_age,
    encrypt_with_age,
    is_age,
)


class KeyAction(ChangingAction):
    """Run the module of the same name. If a recipient is an age recipient, take the key over and encrypt it here."""

    _supports_async = False

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments = dict(self._task.args)
        recipients = _listed(arguments.get("recipients"))
        age = [recipient for recipient in recipients if is_age(recipient)]
        if not age:
            return self._execute_module(task_vars=task_vars)
        try:
            check_age(age)
        except (AgeError, ValueError) as exc:
            return failure(Refusal("recipient_unusable", str(exc)))
        courier = Courier.new()
        self.key_is_for_here = True
        certificates = [recipient for recipient in recipients if not is_age(recipient)]
        arguments["recipients"] = certificates + [courier.pem]
        answer: dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        message = answer.get("recovery_key_encrypted", "")
        try:
            answer["recovery_key_age"] = encrypt_with_age(courier.open(message), age) if message else ""
        except (AgeError, ValueError) as exc:
            # What the certificates' owners can open stays in the result.
            answer = failure_after(answer, Refusal("recipient_unusable", str(exc)))
        if not certificates:
            answer.pop("recovery_key_encrypted", None)
        # The courier's certificate is of no use once this task has ended.
        answer.pop("invocation", None)
        return answer


def _listed(recipients: t.Any) -> list[str]:
    """Return the recipients as the module itself reads the option: a text is a list of its parts between commas."""
    given = recipients.split(",") if isinstance(recipients, str) else recipients or []
    return [str(recipient) for recipient in given]
