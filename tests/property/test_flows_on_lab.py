# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of every flow, each cut or not: the Mac stays recoverable, and no temporary right survives a run."""

from __future__ import annotations

import typing as t

import fakes
from hypothesis import given, settings
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted
from test_core_on_lab import MACS

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.offboard import OffboardRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.password import PasswordRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import RepairRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import directory
from maclab.state import Mac

NAMES = ("itadmin", "deputy", "salma", "ana")
LENT: dict[str, t.Any] = {"admin_user": "salma", "allow_temporary_promotion": True}


@st.composite
def macs(draw: st.DrawFn) -> Mac:
    mac = fakes.mac(*draw(st.sampled_from(MACS)))
    fakes.person(mac, "root", None, uid=0).service = True
    admins = draw(st.sampled_from([("itadmin",), ("itadmin", "deputy"), ()]))
    for name in NAMES:
        token = name in admins or name == "salma" or draw(st.booleans())
        fakes.person(mac, name, f"{name}-pw", admin=name in ("itadmin", "deputy"), token=token)
    if not admins:
        for name in ("itadmin", "deputy"):
            directory.take_token(mac, mac.accounts[name])
    mac.filevault.state = draw(st.sampled_from(["off", "on"]))
    if draw(st.integers(0, 3)) == 0:
        mac.accounts["ana"].key_password = None if mac.accounts["ana"].key_password is None else "before"
    return mac


@st.composite
def runs(draw: st.DrawFn) -> tuple[t.Any, str, int | None]:
    """A request, about whom, and after how many writes the power goes."""
    user = draw(st.sampled_from(NAMES))
    granter = draw(st.sampled_from(("itadmin", "deputy")))
    both, old = frozenset({"password", "admin_password"}), frozenset({"password", "old_password", "admin_password"})
    request = draw(
        st.sampled_from(
            [
                TokenRequest(user, admin_user=granter),
                TokenRequest(user, "absent", granter),
                TokenRequest(user, **LENT),
                AccountRequest(user, secure_token="present", given=both, **LENT),
                AccountRequest(user, admin=False),
                AccountRequest(user, update_password="always", given=old, admin_user=granter),
                PasswordRequest(user, given=old),
                OffboardRequest(user, "archive", force=True),
                RepairRequest(user, granter, given=old),
                RepairRequest(user, granter, given=both),
            ]
        )
    )
    return request, user, draw(st.none() | st.integers(1, 8))


def secrets(mac: Mac, request: t.Any, user: str) -> dict[str, Secret]:
    granter = mac.accounts.get(request.admin_user) if getattr(request, "admin_user", "") else None
    account = mac.accounts.get(user)
    known = (account.password if account else None) or "fresh-pw"
    values = {"password": known, "old_password": known, "admin_password": (granter and granter.password) or "none"}
    if isinstance(request, PasswordRequest) or getattr(request, "update_password", "") == "always":
        values["password"] = f"{known}+"[-60:]
    if isinstance(request, RepairRequest):
        values["old_password"] = "before"
    return {option: Secret(value) for option, value in values.items()}


def lent(mac: Mac, meant: set[str]) -> set[str]:
    """Administrators that nobody made for good."""
    return {name for name in mac.accounts if mac.is_admin(name)} - meant


@given(macs(), st.lists(runs(), min_size=2, max_size=6))
@settings(max_examples=120)
def test_the_mac_stays_recoverable_and_no_temporary_right_survives(
    mac: Mac, sequence: list[tuple[t.Any, str, int | None]]
) -> None:
    meant = {name for name in mac.accounts if mac.is_admin(name)}
    for request, user, cut in sequence:
        had = admin_holders(mac) - lent(mac, meant)
        runner = LabRunner(mac, cut=cut)
        try:
            counted(Run(runner, secrets(mac, request, user), 5).run(request, check_mode=False))
        except PowerCut:
            assert lent(mac, meant) <= set(read_mac(LabRunner(mac), 5).promoted)
            assert not lent(mac, meant) or mac.jobs
        else:
            assert not lent(mac, meant)
            assert not mac.jobs
        assert admin_holders(mac) or not had
    # Whatever is left, any run of any module takes back.
    Run(LabRunner(mac), {}, 5).run(AccountRequest("nobody-here", state="absent"), check_mode=False)
    assert not lent(mac, meant)
    assert read_mac(LabRunner(mac), 5).promoted == ()
