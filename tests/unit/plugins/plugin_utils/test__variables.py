# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are misspelt, what was meant, and on which hosts a playbook works."""

from __future__ import annotations

import fnmatch
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils import _variables as variables

KNOWN = sorted(variables.known())


@pytest.mark.parametrize("name", KNOWN)
def test_no_known_variable_is_misspelt(name: str) -> None:
    assert variables.nearest(name, KNOWN) is None


def _slips(name: str) -> t.Iterator[str]:
    """Yield a letter left out, doubled, turned with the next one and replaced, near the end; and other cases of it."""
    at = len(name) - 3
    yield name[:at] + name[at + 1 :]
    yield name[:at] + name[at] + name[at:]
    yield name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    yield name[:at] + "x" + name[at + 1 :]
    yield name.upper()
    yield name.replace("_", "-")


# In a short prefix a letter is much of it, and names with another first word are anybody's.
SHORT = ("grant_", "python_", "repair_", "unlock_macos", "unlock_user", "unlock_wait")
FIRST_WORDS = [name for name in KNOWN if not name.startswith(SHORT)]


@pytest.mark.parametrize("name", KNOWN)
def test_a_slip_is_noticed_and_the_name_found(name: str) -> None:
    found = {slip: variables.nearest(slip, KNOWN) for slip in _slips(name) if slip not in KNOWN}
    assert found == dict.fromkeys(found, name)


@pytest.mark.parametrize("name", FIRST_WORDS)
def test_a_slip_in_the_first_word_is_noticed_too(name: str) -> None:
    for slip in (name[0] + name[2] + name[1] + name[3:], name[:3] + name[4:]):
        assert slip == name or variables.nearest(slip) == name


@pytest.mark.parametrize(
    "name",
    [
        "ansible_filevault_state",
        "_filevault_state",
        "__filevault_store",
        "vault_filevault_password",
        "hq_keyholder_hosts",
        "keyholder_packed_7c2f",
        "filevault",
        "grants",
        "granted_user",
        "onboarding_team",
        "onboard_users",
        "python_version",
        "python_packages",
        "pythons_minimum",
    ],
)
def test_what_only_looks_alike_is_left_alone(name: str) -> None:
    assert variables.nearest(name) is None


@pytest.mark.parametrize(
    "name", ["filevault_team_contact", "grant_sudo", "keyholder_zebra_zebra", "onboard_user_quixotic_whims"]
)
def test_a_name_that_begins_as_ours_is_ours(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        variables.check_names({name: []})
    prefix = next(one for one in variables.prefixes() if name.startswith(one))
    mine = [one for one in KNOWN if one.startswith(prefix) and one not in variables.OF_AWX | variables.OF_TESTS]
    assert mine and all(one in caught.value.msg for one in mine)


def test_of_the_role_python_only_what_is_near_is_misspelt_and_beside_its_own_alone() -> None:
    assert variables.nearest("python_minimun", {"python_minimum"}) == "python_minimum"
    assert variables.nearest("python_minimun", {"filevault_state"}) is None
    assert variables.nearest("python_version", KNOWN) is None


def test_all_are_told_at_once_with_the_macs_that_alone_have_one() -> None:
    found = {
        "owner": [],
        "filevault_stat": [],
        "keyholder_host": ["a"],
        "grant_admin_usr": ["d", "c", "b", "a", "e"],
    }
    with pytest.raises(Refusal) as caught:
        variables.check_names(found)
    assert caught.value.reason == "variable_unknown"
    assert caught.value.msg == (
        "unknown variables: filevault_stat (did you mean filevault_state?), "
        "grant_admin_usr (of a, b, c and 2 more; did you mean grant_admin_user?), "
        "keyholder_host (of a; did you mean keyholder_hosts?)"
    )
    variables.check_names({"owner": [], "keyholder_hosts": []})


@pytest.mark.parametrize(
    ("value", "own"),
    [
        (["filevault_x", "grant_sudo_*"], True),
        ("filevault_x, grant_sudo_*", True),
        ([], False),
        (["filevault_xy"], False),
    ],
)
def test_a_user_says_which_are_his(value: t.Any, own: bool) -> None:
    assert variables.is_own("filevault_x", variables.own_names(value)) is own
    assert variables.is_own("grant_sudo_all", variables.own_names(value)) is own


@pytest.mark.parametrize("value", [5, None, {"a": 1}, [5], ["a", None], True])
def test_what_is_no_list_of_names_is_refused(value: t.Any) -> None:
    with pytest.raises(Refusal, match="keyholder_own_variables"):
        variables.own_names(value)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ({"changed": False, "stdout": ""}, True),
        ({"failed": True, "msg": "'x' is undefined"}, True),
        ({"skipped": True}, True),
        ({"unreachable": True}, True),
        ({"name": "ana"}, False),
        ("changed", False),
        (["failed"], False),
        (None, False),
    ],
)
def test_what_a_task_returned_is_no_variable(value: t.Any, is_one: bool) -> None:
    assert variables.is_result(value) is is_one


# --- hosts ---

GROUPS = {"all": ["a1", "a2", "web"], "macs": ["a1", "a2"], "spare": [], "ungrouped": []}


def _matching(pattern: str) -> list[str]:
    """Match as an inventory does, as far as these tests go."""
    found: list[str] = []
    for part in pattern.replace(":", ",").split(","):
        wanted = part.lstrip("!&")
        hosts = GROUPS.get(wanted) or fnmatch.filter(GROUPS["all"], wanted)
        found = [host for host in found if host not in hosts] if part.startswith("!") else [*found, *hosts]
    return found


def _choose(given: t.Any, groups: dict[str, list[str]] | None = None, confined: bool = False) -> list[str]:
    def split(pattern: str) -> list[str]:
        return pattern.replace(":", ",").split(",")

    return variables.choose_hosts(given, GROUPS if groups is None else groups, _matching, split, confined)


@pytest.mark.parametrize(
    "given", ["macs", "a1", "a1,web", "macs:!a1", "a*", ["a1", "web"], "all", "macs:!spare", ("a1",)]
)
def test_what_the_inventory_has_is_taken_as_it_is(given: t.Any) -> None:
    assert _choose(given) == (list(given) if not isinstance(given, str) else [given])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("mac", "names mac (did you mean macs?)"),
        ("quebec", "names quebec, which"),
        ("a1,quebec", "names quebec, which"),
        ("macs:!we", "names we (did you mean web?)"),
        (["a1", "quebec"], "names quebec, which"),
        ("q*", "names q*, which"),
        ("spare", "is spare, which leaves no host"),
        ("macs:!macs", "is macs:!macs, which leaves no host"),
        ("", "is empty"),
        (" ", "is empty"),
        ([], "is empty"),
        (None, "is empty"),
        ([None], "is [None]"),
        (5, "is 5"),
        ({"a1": 1}, "is {'a1': 1}"),
        (True, "is True"),
        (["a1", ""], "is ['a1', '']"),
    ],
)
def test_what_it_does_not_have_is_refused(given: t.Any, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        _choose(given)
    assert f"keyholder_hosts {said}" in caught.value.msg
    assert caught.value.reason == "value_unusable"


def test_without_it_the_group_macs_is_meant() -> None:
    assert _choose(variables.ABSENT) == ["macs"]


@pytest.mark.parametrize("groups", [{"all": ["a", "b"]}, {"all": ["a", "b"], "macs": []}])
def test_without_that_group_only_one_host_is_certain(groups: dict[str, list[str]]) -> None:
    with pytest.raises(Refusal, match="the inventory has no group macs with hosts") as caught:
        _choose(variables.ABSENT, groups)
    assert caught.value.reason == "option_missing"
    assert _choose(variables.ABSENT, groups, confined=True) == ["all"]
    assert _choose(variables.ABSENT, {"all": ["a"]}) == ["all"]
    assert _choose(variables.ABSENT, {}) == ["all"]


@pytest.mark.parametrize("required", [True, "true", "yes", 1, "what is this", ["x"]])
def test_a_required_limit_has_to_be_given(required: t.Any) -> None:
    for limit in (None, ""):
        with pytest.raises(Refusal, match="no limit was given: say which Macs are meant") as caught:
            variables.check_limit(required, limit)
        assert caught.value.reason == "option_missing"
    variables.check_limit(required, "all")


@pytest.mark.parametrize("required", [False, "false", "no", None, 0, ""])
def test_no_limit_is_needed_where_none_is_required(required: t.Any) -> None:
    variables.check_limit(required, None)


def test_hosts_that_were_chosen_before_are_refused() -> None:
    variables.check_chosen("pilot", ["a", "b"], ["a", "b", "c"])
    with pytest.raises(Refusal, match="and b is one of them: give it with -e keyholder_hosts=pilot"):
        variables.check_chosen("pilot", ["a", "b"], ["a"])
    assert variables.pattern_of(["a", "b"]) == "a,b"
    assert variables.pattern_of("a:b") == "a:b"


@pytest.mark.parametrize("serial", [1, "5", "20%", "12.5%", [5, 50, "100%"], [], 0])
@pytest.mark.parametrize("most", [0, 10, "10", 7.5, "10%"])
def test_batches_are_numbers_or_percentages(serial: t.Any, most: t.Any) -> None:
    variables.check_batches(serial, most)


@pytest.mark.parametrize("wrong", ["abc", "", None, True, -1, "5 Macs", {"a": 1}, "1,2"])
def test_other_batches_are_refused_before_ansible_reads_them(wrong: t.Any) -> None:
    for given, name in (((wrong, 100), "keyholder_serial"), ((1, wrong), "keyholder_max_fail_percentage")):
        with pytest.raises(Refusal, match=f"^{name} is ") as caught:
            variables.check_batches(*given)
        assert caught.value.reason == "value_unusable"
    with pytest.raises(Refusal, match="^keyholder_serial is "):
        variables.check_batches([5, wrong], 100)
