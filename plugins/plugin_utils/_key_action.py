# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beside each module that may come by a recovery key: age recipients are served on the controller.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.plugin_utils._recovery_key import (
    Courier,
    check_age,
    encrypt_with_age,
    is_age,
)


class KeyAction(ActionBase):
    """Run the module of the same name; where a recipient is an age one, take the key over and encrypt it here."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        recipients = [str(recipient) for recipient in arguments.get("recipients") or []]
        age = [recipient for recipient in recipients if is_age(recipient)]
        if not age:
            result.update(self._execute_module(task_vars=task_vars))
            return result
        check_age()
        encrypt_with_age(b"a test that the recipients can be encrypted to", age)
        courier = Courier.new()
        certificates = [recipient for recipient in recipients if not is_age(recipient)]
        arguments["recipients"] = certificates + [courier.pem]
        answer: dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        message = answer.get("recovery_key_encrypted", "")
        answer["recovery_key_age"] = encrypt_with_age(courier.open(message), age) if message else ""
        if not certificates:
            answer.pop("recovery_key_encrypted", None)
        # The courier's certificate is of no use to anybody once this task has ended.
        answer.pop("invocation", None)
        result.update(answer)
        return result
