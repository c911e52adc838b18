# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration tests' playbooks must hold what their steps say."""

from __future__ import annotations

from typing import Any

from harness import batch
from harness.batch import Step


def task(**steps: Step) -> dict[str, Any]:
    """The one task of the play that these Macs, by name, share."""
    (play,) = batch._playbook({mac: [step] for mac, step in steps.items()})
    (only,) = play["tasks"]
    arguments: dict[str, Any] = only["keyholder.macos.offboard"]
    return arguments


def test_every_option_of_a_step_is_written_even_one_that_no_module_has() -> None:
    step = Step("a typing error", "offboard", {"name": "ana", "forse": True})
    assert set(task(lisbon=step)) == {"name", "forse"}


def test_an_option_of_some_macs_only_is_omitted_on_the_others() -> None:
    arguments = task(lisbon=Step("one", "offboard", {"name": "ana"}), graz=Step("one", "offboard", {"force": True}))
    assert set(arguments) == {"name", "force"}
    assert all("default(omit)" in value for value in arguments.values())
