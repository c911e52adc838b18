# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reading makes of the answers: the Mac's password policy."""

from __future__ import annotations

import plistlib

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _probe

MAXIMUM = "policyAttributeMaximumFailedAuthentications"


@pytest.mark.parametrize(
    ("content", "parameters", "expected"),
    [
        # As pwpolicy's manual has it: a parameter, in brackets, and more conditions behind it.
        (f"(policyAttributeFailedAuthentications < {MAXIMUM}) OR (policyAttributeCurrentTime > 1)", {MAXIMUM: 5}, 5),
        ("policyAttributeFailedAuthentications < 10", {}, 10),
        (f"policyAttributeFailedAuthentications < {MAXIMUM}", {}, None),
        ("policyAttributePassword matches '.{8,}'", {}, None),
    ],
)
def test_how_many_wrong_guesses_lock_an_account(content: str, parameters: dict[str, int], expected: int | None) -> None:
    rule = {"policyIdentifier": "mine", "policyContent": content, "policyParameters": parameters}
    data = plistlib.dumps({"policyCategoryAuthentication": [rule]}).decode("utf-8")
    policy = _probe._policy({"accountPolicyData": [data]})
    assert policy.rules == ("mine",)
    assert policy.max_failed_logins == expected
