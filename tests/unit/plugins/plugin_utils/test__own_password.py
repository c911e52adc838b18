# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection goes on with the next password, tries each once, and is not left with one that a rotation makes old."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils import _held
from ansible_collections.keyholder.macos.plugins.plugin_utils._own_password import LOOKUP, Ways, demand_following
from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import CommandStore
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored

OLD, NEW = "old-9-pw", "new-9-pw"
WRONG = AnsibleError("Incorrect sudo password")
DENIED = AnsibleAuthenticationFailure("Invalid/incorrect password: Permission denied")
BY_SSH = AnsibleConnectionFailure(
    "Failed to connect to the host via ssh: itadmin@mac: Permission denied (publickey,password,keyboard-interactive)."
)
PLACE = "the entry of itadmin"
OURS = f"{{{{ lookup('{LOOKUP}', default=first) }}}}"


class Plugin:
    """A connection or become plugin, as far as it has options."""

    def __init__(self, name: str = "sudo", **options: str) -> None:
        self.name, self.options = name, options
        self.become: Plugin | None = None

    def get_option(self, option: str) -> str:
        return self.options[option]

    def set_option(self, option: str, value: str) -> None:
        self.options[option] = value


def ways(sudo: str = OLD, login: str = "", user: str = "itadmin", by: str = "sudo") -> Ways:
    connection = Plugin("ssh", remote_user=user, password=login)
    connection.become = Plugin(by, become_pass=sudo) if by else None
    return Ways(connection, SimpleNamespace(remote_user="", become_pass="", password=""))


def test_each_password_is_tried_once_and_then_it_is_over() -> None:
    mine = ways()
    mine.also("", NEW, OLD, "third")
    assert mine.instead(WRONG)
    assert mine.become_password == mine.context.become_pass == NEW
    assert mine.instead(WRONG)
    assert mine.become_password == "third"
    assert not mine.instead(WRONG)
    assert mine.login_password == ""


@pytest.mark.parametrize("denied", [DENIED, BY_SSH])
def test_a_login_goes_on_as_well(denied: AnsibleError) -> None:
    mine = ways(login=OLD)
    mine.also(NEW)
    assert mine.instead(denied)
    assert (mine.login_password, mine.context.password, mine.become_password) == (NEW, NEW, OLD)
    assert not mine.instead(DENIED)


@pytest.mark.parametrize(
    "problem",
    [AnsibleConnectionFailure("ssh: connect to host: Connection refused"), AnsibleError("Missing sudo password")],
)
def test_nothing_else_that_fails_is_tried_again(problem: AnsibleError) -> None:
    mine = ways(login=OLD)
    mine.also(NEW)
    assert not mine.instead(problem)
    assert (mine.become_password, mine.login_password) == (OLD, OLD)


def test_without_a_password_in_use_there_is_none_to_replace() -> None:
    mine = ways(sudo="", login="")
    mine.also(NEW)
    assert not mine.instead(WRONG)
    assert not mine.instead(DENIED)


@pytest.mark.parametrize(
    ("name", "user", "own"),
    [("itadmin", "itadmin", True), ("ITAdmin", "itadmin", True), ("luc", "itadmin", False), ("", "", False)],
)
def test_whose_password_it_is(name: str, user: str, own: bool) -> None:
    assert ways(user=user).is_own(name) is own


def test_a_user_whom_ssh_alone_knows_is_told_by_the_mac() -> None:
    mine = ways(user="")
    assert (mine.is_own("itadmin"), mine.may_be_own("itadmin")) == (False, True)
    mine.came_in |= {"itadmin"}
    assert (mine.is_own("ITadmin"), mine.is_own("luc")) == (True, False)
    assert not ways().may_be_own("luc")


# -- the guard --------------------------------------------------------------------------------------------------------


def resolved(variables: dict[str, t.Any], here: str = PLACE) -> t.Callable[[t.Any], t.Any]:
    """What stands for Ansible's templates: a variable's name, or a lookup; ``here``: the entry that ours reads."""

    def template(value: t.Any) -> t.Any:
        inner = str(value).removeprefix("{{ ").removesuffix(" }}")
        if inner == str(value):
            return value
        if inner in variables:
            return template(variables[inner])
        return _held.held(Reads(), here).current if LOOKUP in inner else OLD

    return template


class Reads(CommandStore):
    def __init__(self) -> None:
        super().__init__([], [])

    def read(self) -> Stored:
        return Stored(OLD)


def ask(variables: dict[str, t.Any], name: str = "itadmin", here: str = PLACE, **using: str) -> str:
    _held.forget()
    try:
        demand_following(ways(**using), name, PLACE, variables, resolved(variables, here))
    except Refusal as refusal:
        assert refusal.reason == "own_account"
        assert OLD not in refusal.msg
        return refusal.msg
    finally:
        _held.forget()
    return ""


FOLLOWING = [
    {"ansible_become_password": OURS},
    {"ansible_become_pass": "{{ mine }}", "mine": OURS},
    # Another lookup may read the same store; only its owner knows.
    {"ansible_become_password": "{{ lookup('pipe', 'pass show itadmin') }}"},
    {"ansible_become_password": "{{ mine }}", "mine": "{{ query('my.own.store', 'itadmin') | first }}"},
]
FIXED = [
    {"ansible_become_password": OLD},
    {"ansible_become_password": "{{ vault_itadmin_password }}", "vault_itadmin_password": OLD},
    {},
]
"""Also one that was entered at a prompt: no variable has it."""


@pytest.mark.parametrize("variables", FOLLOWING)
def test_a_password_that_follows_the_store_is_good(variables: dict[str, t.Any]) -> None:
    assert ask(variables) == ""


@pytest.mark.parametrize("variables", FIXED)
def test_a_fixed_password_is_refused_with_the_way_out(variables: dict[str, t.Any]) -> None:
    told = ask(variables)
    assert "itadmin is the account that Ansible logs in with" in told
    assert next(iter(variables), "ansible_become_password") in told
    assert f"lookup('{LOOKUP}', 'itadmin'" in told


def test_the_lookup_of_another_entry_does_not_follow() -> None:
    assert "is not read from the store that gets the new one" in ask({"ansible_become_password": OURS}, here="of luc")


@pytest.mark.parametrize(
    ("name", "using"),
    [("luc", {}), ("itadmin", {"sudo": ""}), ("itadmin", {"by": "su"}), ("itadmin", {"by": ""})],
)
def test_where_the_password_is_not_in_use_a_fixed_one_is_no_matter(name: str, using: dict[str, str]) -> None:
    assert ask({"ansible_become_password": OLD}, name, **using) == ""


def test_a_fixed_password_of_the_login_is_refused_too() -> None:
    both = {"ansible_become_password": OURS, "ansible_ssh_pass": OLD}
    assert "for the login (ansible_ssh_pass)" in ask(both, login=OLD)
    assert ask({**both, "ansible_ssh_pass": OURS}, login=OLD) == ""


def test_a_healed_connection_is_judged_by_what_it_began_with() -> None:
    """Its password was replaced meanwhile, and the variable still gives the one before."""
    mine = ways()
    mine.also(NEW)
    assert mine.instead(WRONG)
    variables = {"ansible_become_password": OURS}
    demand_following(mine, "itadmin", PLACE, variables, resolved(variables))
