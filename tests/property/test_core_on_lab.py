# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole core against modelled Macs: what is predicted is reached, what is cut is healed, nobody locked out."""

from __future__ import annotations

import dataclasses
import typing as t

import fakes
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from maclab import directory
from maclab.state import CryptoUser, Mac

NAMES = ("itadmin", "ana", "bob")
MACS = (
    ("10.13.6", "intel"),
    ("10.15.7", "t2"),
    ("11.7.10", "apple-silicon"),
    ("13.6.9", "t2"),
    ("15.6", "apple-silicon"),
    ("26.1", "apple-silicon"),
    ("26.3", "apple-silicon"),
    ("27.0.1", "apple-silicon"),
)
PASSWORDS = st.sampled_from(["pw-1 & more", "zweites pw ü 🔑", "{{ braces }} $x 'q' \"q\"", "-dash", "x" * 129])

settings.register_profile(
    "lab", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
settings.load_profile("lab")


@st.composite
def macs(draw: st.DrawFn) -> Mac:
    mac = fakes.mac(*draw(st.sampled_from(MACS)))
    root = fakes.person(mac, "root", None, full_name="System Administrator", uid=0)
    root.authority.clear()
    root.service = True
    healthy = draw(st.integers(0, 3)) > 0
    for name in NAMES[: draw(st.integers(1, 3))]:
        password = draw(PASSWORDS)
        good = healthy and name == "itadmin"
        account = fakes.person(
            mac,
            name,
            password,
            full_name=f"{name.title()} O'Neil",
            admin=good or draw(st.booleans()),
            token=good or draw(st.booleans()),
        )
        oddity = draw(st.sampled_from(["", "", "", "", "no marker", "no crypto user"]))
        if not good and oddity == "no marker" and account.has_authority_token:
            account.authority.remove(";SecureToken;")
        if not good and oddity == "no crypto user":
            mac.crypto_users.pop(account.generated_uid, None)
        if not good and draw(st.integers(0, 5)) == 0:
            account.authority.append(directory.DISABLED_USER)
        if draw(st.booleans()):
            account.password_set_at = None
    mac.filevault.state = draw(st.sampled_from(["off", "on"]))
    if draw(st.booleans()):
        mac.filevault.prk = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
        uuid = "EBC6C064-0000-11AA-AA11-00306543ECAC"
        mac.crypto_users[uuid] = CryptoUser(uuid, "PersonalRecovery", True)
    return mac


@st.composite
def errands(draw: st.DrawFn) -> tuple[Mac, t.Any, dict[str, Secret]]:
    """A Mac, a request, and passwords that are mostly right."""
    mac = draw(macs())
    user, granter = draw(st.sampled_from(NAMES)), draw(st.sampled_from(("itadmin", "itadmin") + NAMES + ("",)))
    user_password = mac.accounts[user].password if user in mac.accounts else None
    granter_password = mac.accounts[granter].password if granter in mac.accounts else None
    secrets = {
        "password": Secret(draw(st.sampled_from([user_password or "fresh-pw-9"] * 4 + ["fresh-pw-9"]))),
        "admin_password": Secret(draw(st.sampled_from([granter_password or "wrong-pw-7"] * 4 + ["wrong-pw-7"]))),
    }
    if draw(st.booleans()):
        secrets["old_password"] = Secret(user_password or "no such password")
    first_token = draw(st.booleans())
    if draw(st.booleans()):
        state = draw(st.sampled_from(["present", "present", "absent"]))
        return mac, TokenRequest(user, state, granter, first_token), secrets
    request = AccountRequest(
        name=user,
        state=draw(st.sampled_from(["present"] * 3 + ["absent"])),
        full_name=draw(st.sampled_from([None, "Renamed", "Ana O'Neil"])),
        uid=draw(st.sampled_from([None, None, 612])),
        gid=draw(st.sampled_from([None, None, 80])),
        hint=draw(st.sampled_from([None, "the usual"])),
        home=draw(st.sampled_from([None, None, f"/Users/{user}"])),
        admin=draw(st.sampled_from([None, None, True, False])),
        hidden=draw(st.sampled_from([None, True, False])),
        update_password=draw(st.sampled_from(["on_create", "always"])),
        secure_token=draw(st.sampled_from(["present", "prevented", "omitted", "allowed"])),
        admin_user=granter,
        first_token=first_token,
        remove=draw(st.sampled_from(["keep_home", "delete_home", "secure"])),
        given=frozenset(secrets),
    )
    return mac, request, secrets


def run(mac: Mac, request: t.Any, secrets: dict[str, Secret], check: bool = False, cut: int | None = None) -> t.Any:
    runner = LabRunner(mac, cut=cut)
    return counted(Run(runner, secrets, 5).run(request, check)), runner


def same_where_known(predicted: t.Any, reached: t.Any) -> bool:
    """What macOS assigns by itself is None or "" in a prediction."""
    return predicted.keys() == reached.keys() and all(
        predicted[key] in (None, "") or predicted[key] == reached[key] for key in predicted
    )


@given(errands())
def test_check_mode_predicts_what_the_run_reaches(errand: tuple[Mac, t.Any, dict[str, Secret]]) -> None:
    mac, request, secrets = errand
    before = snapshot(mac)
    checked, looked = run(mac, request, secrets, check=True)
    assert mac == before
    assert looked.writes == []
    assert looked.authentications == []
    done, _ = run(mac, request, secrets)
    assert (checked.refusal and checked.refusal.reason) == (done.refusal and done.refusal.reason), done.refusal
    if done.refusal is None:
        assert checked.changed == done.changed
        assert same_where_known(checked.after, done.after), (checked.after, done.after)
        assert done.after == request.view(read_mac(LabRunner(mac), 5))


@given(errands())
def test_a_refusal_changes_nothing(errand: tuple[Mac, t.Any, dict[str, Secret]]) -> None:
    mac, request, secrets = errand
    before = snapshot(mac)
    done, runner = run(mac, request, secrets)
    assume(done.refusal is not None)
    assert mac == before, (done.refusal, runner.writes)
    assert not done.changed
    assert runner.authentications == []


@given(errands())
def test_the_second_run_does_nothing(errand: tuple[Mac, t.Any, dict[str, Secret]]) -> None:
    mac, request, secrets = errand
    first, _ = run(mac, request, secrets)
    assume(first.refusal is None)
    settled = snapshot(mac)
    second, runner = run(mac, request, secrets)
    assert (second.refusal, second.changed, second.plan) == (None, False, [])
    assert (runner.writes, runner.authentications) == ([], [])
    assert mac == settled


@given(errands())
def test_a_power_cut_after_any_write_is_healed(errand: tuple[Mac, t.Any, dict[str, Secret]]) -> None:
    mac, request, secrets = errand
    whole = snapshot(mac)
    wanted, runner = run(whole, request, secrets)
    assume(wanted.refusal is None and runner.writes)
    had = admin_holders(mac)
    for cut in range(1, len(runner.writes) + 1):
        broken = snapshot(mac)
        with pytest.raises(PowerCut):
            run(broken, request, secrets, cut=cut)
        assert admin_holders(broken) or not had
        healed, _ = run(broken, request, secrets)
        assert healed.refusal is None, (cut, runner.writes[:cut], healed.refusal)
        assert comparable(healed, request) == comparable(wanted, request), f"cut after {runner.writes[:cut]}"
        assert homes(broken) >= homes(whole), f"cut after {runner.writes[:cut]}"
        again, _ = run(broken, request, secrets)
        assert not again.changed


def comparable(outcome: Outcome, request: t.Any) -> dict[str, t.Any]:
    """The UID that macOS assigns depends on when it is asked."""
    asked = getattr(request, "uid", None) is not None
    return {key: value for key, value in outcome.after.items() if asked or key != "uid"}


def homes(mac: Mac) -> set[str]:
    return {account.name for account in mac.accounts.values() if account.home_exists}


@given(errands())
def test_the_mac_keeps_an_admin_holder_and_no_secret_shows(errand: tuple[Mac, t.Any, dict[str, Secret]]) -> None:
    mac, request, secrets = errand
    had, others = admin_holders(mac), {name: copy_of(mac, name) for name in mac.accounts}
    done, runner = run(mac, request, secrets)
    assert admin_holders(mac) or not had
    shown = repr((done.plan, done.notes, done.before, done.after, done.refusal)) + runner.argv
    for secret in secrets.values():
        value = secret.reveal().decode()
        assert len(value) < 4 or value not in shown
    touched = {getattr(request, "name", getattr(request, "user", ""))}
    for name, account in others.items():
        assert name in touched or copy_of(mac, name) == account


def copy_of(mac: Mac, name: str) -> t.Any:
    """An account as it was; root's record carries our note, which is gone when the run ends."""
    account = mac.accounts.get(name)
    return account and dataclasses.asdict(account)


@given(macs(), st.booleans())
def test_a_reading_is_cheap_and_leaves_no_trace(mac: Mac, root: bool) -> None:
    before = snapshot(mac)
    runner = LabRunner(mac, root=root)
    reading = read_mac(runner, 5)
    assert len(runner.runs) <= 8
    assert (runner.writes, runner.authentications) == ([], [])
    assert mac == before
    assert {account["name"] for account in view(reading)["accounts"]} == set(NAMES) & set(mac.accounts)
    assert all(line.isprintable() for line in summary(reading))
    if root:
        assert {account.name for account in reading.granters} == admin_holders(mac)
