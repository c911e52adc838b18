# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try pwpolicy: an account that it disables is refused everywhere, and its record shows nothing of it."""

from __future__ import annotations

import fakes
import pytest
from fakes import mac, people, run

from maclab import bootstrap, directory, scenario
from maclab.call import UNMODELLED
from maclab.state import Mac

DISABLED = "User <user> is not allowed to authenticate: Credential verification failed because account is disabled.\n"


def authonly(made: Mac) -> int:
    return run(made, "dscl", ".", "-authonly", "user", "user-pw").status


def test_a_disabled_account_is_refused_and_an_enabled_one_is_not() -> None:
    made = people(mac("27.0.1"))
    before = list(made.accounts["user"].authority)
    done = run(made, "pwpolicy", "-u", "user", "-disableuser")
    assert (done.out, done.err, done.status) == ("Disabling account for user <user>\n", "", 0)
    assert made.accounts["user"].authority == before
    assert run(made, "pwpolicy", "-u", "user", "-authentication-allowed").out == DISABLED
    assert authonly(made) == 87
    with pytest.raises(bootstrap.LoginRefused, match="disabled"):
        bootstrap.log_in(made, "user", None, 0)
    assert "396(com.apple.access_disabled)" in run(made, "id", "user").out
    assert run(made, "pwpolicy", "-u", "user", "-enableuser").status == 0
    assert authonly(made) == 0
    assert "<user>" in run(made, "pwpolicy", "-u", "user", "authentication-allowed").out


def test_enabling_unlocks_an_account_that_a_policy_has_locked() -> None:
    made = people(mac())
    made.policy.max_failed = 1
    run(made, "dscl", ".", "-authonly", "user", "wrong")
    assert "Failed record policy" in run(made, "pwpolicy", "-u", "user", "-authentication-allowed").out
    run(made, "pwpolicy", "-u", "user", "-enableuser")
    assert authonly(made) == 0


def test_who_is_put_into_the_group_by_another_program_is_disabled() -> None:
    made = people(mac())
    run(made, "dseditgroup", "-o", "edit", "-a", "user", "-t", "user", directory.ACCESS_DISABLED)
    assert run(made, "pwpolicy", "-u", "user", "-authentication-allowed").out == DISABLED


@pytest.mark.parametrize(("days", "rule"), [(32, fakes.IDLE), (33, fakes.IDLE), (33, None), (None, fakes.IDLE)])
def test_an_account_that_nobody_uses_is_shut_out_by_a_rule(days: int | None, rule: str | None) -> None:
    idle = {} if days is None else {"idle_days": days}
    described = {
        "macos": "15.6",
        "accounts": [{"name": "user", "password": "user-pw", "admin": True, **idle}],
        "policy": {} if rule is None else {"xml": rule},
    }
    made = scenario.parse({"macs": {"m": described}}, "test")["m"].mac
    out = days == 33 and rule is not None
    said = run(made, "pwpolicy", "-u", "user", "-authentication-allowed").out
    assert ('Failed record policy "Inactive Account"' in said) is out
    assert authonly(made) == (87 if out else 0)
    if out:
        run(made, "pwpolicy", "-u", "user", "-enableuser")
        assert authonly(made) == 0


def test_a_use_keeps_an_account_from_being_shut_out() -> None:
    made = people(mac())
    made.policy.xml = fakes.IDLE
    made.accounts["user"].authenticated_at = 0.0
    assert directory.authenticate(made, "user", "user-pw", now=32 * 86400.0)
    assert directory.authenticate(made, "user", "user-pw", now=(32 + 32) * 86400.0)
    assert not directory.authenticate(made, "user", "user-pw", now=(64 + 33) * 86400.0)


@pytest.mark.parametrize("version", ["10.13.6", "15.6", "27.0.1"])
def test_a_scenario_describes_a_disabled_account(version: str) -> None:
    accounts = [{"name": "ana", "password": "pw", "disabled": True}, {"name": "bo", "password": "pw", "admin": True}]
    made = scenario.parse({"macs": {"m": {"macos": version, "accounts": accounts}}}, "test")["m"].mac
    assert directory.authenticate(made, "ana", "pw") is directory.Verdict.DISABLED
    assert directory.authenticate(made, "bo", "pw") is directory.Verdict.OK


@pytest.mark.parametrize("words", ["-u user -getpolicy", "-setglobalpolicy minChars=4", "-a admin -u user -enableuser"])
def test_a_command_that_the_lab_does_not_model_is_refused(words: str) -> None:
    done = run(people(mac()), "pwpolicy", *words.split())
    assert (done.status, done.out) == (UNMODELLED, "")


def test_a_standard_user_is_not_let_disable_anybody() -> None:
    made = people(mac())
    assert run(made, "pwpolicy", "-u", "user", "-disableuser", root=False).status == UNMODELLED
    assert authonly(made) == 0


def test_a_command_that_pwpolicy_has_not_got_gets_its_usage() -> None:
    done = run(people(mac()), "pwpolicy", "-u", "user", "-getpolicies")
    assert (done.status, done.out) == (64, "")
    assert done.err.startswith("usage: pwpolicy")
