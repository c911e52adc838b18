# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller may say of a Mac by its reading alone, and what may not come to it."""

from __future__ import annotations

import fakes
from inmemory import LabRunner

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import KeyRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Verifier
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab.state import Mac

PASSWORD = {"password": Secret("it-pw")}


def cast() -> Mac:
    mac = fakes.mac("15.6", "apple-silicon")
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "itadmin", "it-pw", admin=True, token=True)
    mac.filevault.state, mac.filevault.prk = "on", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
    return mac


def test_what_only_a_login_can_tell_is_never_nothing_to_do() -> None:
    """Whether a key is stale is asked with a password that is known to be right; an unreadable hash leaves it open."""
    request = RepairRequest("itadmin", given=frozenset(PASSWORD))
    unreadable = Verifier(lambda user, password: dscl.read_hash(user), lambda ran, password: None)
    assert Run(LabRunner(cast()), PASSWORD, 5, verifier=unreadable).nothing_to_do(request) is None


def test_a_recovery_key_that_may_not_come_here_is_not_made() -> None:
    request = KeyRequest(state="rotated", user="itadmin", recovery_key="return", given=frozenset(PASSWORD))
    for check in (True, False):
        runner = LabRunner(cast())
        outcome = Run(runner, PASSWORD, 5, may_show_key=lambda: False).run(request, check)
        assert outcome.refusal is not None and outcome.refusal.reason == "needs_python", outcome
        assert not runner.writes
    assert Run(LabRunner(cast()), PASSWORD, 5).run(request, False).refusal is None
