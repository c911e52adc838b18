# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an option may be is decided before anything converts it: text stays text, and nothing else is made text of."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.filter.refusal import refusal
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import check, is_hash

HASHES = [
    "$1$abcdefgh$G/1D1LfdUHSEXj6A91pSs1",
    "$2b$12$" + "a" * 53,
    "$2y$10$" + "Z" * 53,
    "$5$rounds=535000$saltsalt$" + "b" * 43,
    "$6$saltsalt$" + "c" * 86,
    "$6$rounds=656000$saltsalt$" + "c" * 86,
    "$y$j9T$" + "d" * 22 + "$" + "e" * 43,
    "$gy$j9T$" + "d" * 22 + "$" + "e" * 43,
    "$7$CU..../....saltsalt$" + "f" * 43,
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$" + "g" * 43,
    "$pbkdf2-sha512$25000$saltsaltsalt$" + "h" * 86,
    "$scrypt$ln=16,r=8,p=1$c2FsdA$" + "i" * 43,
    "$apr1$abcdefgh$" + "j" * 22,
    "$sha1$40000$jtNX3nZ2$hBNaIXkt4wBI2o5rsi8KejSjNqIq",
    "!$6$saltsalt$" + "c" * 86,
    "{SSHA}" + "k" * 32,
    "{SSHA512}" + "l" * 96 + "==",
    "{CRYPT}$6$saltsalt$" + "c" * 86,
    "SALTED-SHA512-PBKDF2:abcdef",
    "$6$saltsalt$" + "c" * 86 + "\n",
    "$ml$25000$" + "a" * 64 + "$" + "b" * 256,
    "_J9..saltaaaaaaaaaaa",
    "pbkdf2_sha256$260000$saltsalt$" + "m" * 43 + "=",
    "grub.pbkdf2.sha512.10000." + "A" * 128 + "." + "B" * 128,
    "aad3b435b51404eeaad3b435b51404ee:8846f7eaee8fb117ad06bdd830b7586c",
    "$S$D" + "n" * 51,
    "ana:$6$saltsalt$" + "c" * 86 + ":19000:0:99999:7:::",
]
PASSWORDS = [
    "$6$",
    "$6$short",
    "$$$",
    "correct horse",
    "{SSHA}",
    "$HOME$is$where",
    "a$6$saltsalt$" + "c" * 86,
    "0" * 64,
    "0" * 32,
    "_" + "a" * 19,
    "ana:secret:words",
    "pbkdf2_sha256",
    "!",
    "*",
]


@pytest.mark.parametrize("text", HASHES)
def test_a_hash_is_told_from_a_password(text: str) -> None:
    assert is_hash(text)


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_is_told_from_a_hash(text: str) -> None:
    assert not is_hash(text)


SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "old_password": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"]},
    "update_password": {"type": "str", "choices": ["always"], "no_log": False},
    "uid": {"type": "int"},
    "admin": {"type": "bool"},
    "recipients": {"type": "list", "elements": "str"},
    "others": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "password": {"type": "str", "no_log": True}},
    },
    "account": {"type": "dict", "options": {"admin_password": {"type": "str", "no_log": True}}},
}


class Text(str):
    """As Ansible's own kinds of text are."""


class Number(int):
    """As Ansible's own kinds of number are."""


@pytest.mark.parametrize(
    "good",
    [
        {"password": "x"},
        {"password": Text("0012345"), "old_password": HASHES[0]},
        {"state": "absent", "uid": "501", "admin": "yes", "recipients": "a,b"},
        {"uid": Number(0), "admin": 0, "recipients": ["a"], "others": [{"name": "bob", "password": "x"}]},
        {"account": {"admin_password": "x"}, "password": None, "uid": 501},
    ],
)
def test_what_is_as_it_must_be_passes(good: dict[str, t.Any]) -> None:
    check(SPEC, {"name": "ana", **good})


@pytest.mark.parametrize(
    ("wrong", "reason", "words"),
    [
        ({"name": 5349}, "not_text", "name is the number 5349"),
        ({"name": Number(5349)}, "not_text", "name is the number 5349"),
        ({"name": 1.5}, "not_text", "name is the number 1.5"),
        ({"name": True}, "not_text", "name is true or false"),
        ({"name": ["ana"]}, "not_text", "name is a list"),
        ({"name": datetime.date(2026, 1, 2)}, "not_text", "name is a date"),
        ({"name": b"ana"}, "not_text", "name is bytes"),
        ({"name": None}, "option_missing", "name was not given"),
        ({"password": 4711}, "not_text", "password is a whole number"),
        ({"password": {"value": "x"}}, "not_text", "password is a dictionary"),
        ({"password": HASHES[4]}, "password_is_hash", "password is the hash"),
        ({"state": True}, "value_unusable", "state is true or false, and must be one of present, absent"),
        ({"update_password": "4711-secret"}, "value_unusable", "update_password is a text, and must be one of always"),
        ({"uid": True}, "value_unusable", "uid is true or false, and must be a whole number"),
        ({"uid": 5.7}, "value_unusable", "uid is a number, and must be a whole number"),
        ({"uid": -1}, "value_unusable", "uid is -1, and must be 0 to 2147483647"),
        ({"uid": 10**9000}, "value_unusable", "uid is of more than 60 digits, and must be"),
        ({"admin": "4711-secret"}, "value_unusable", "admin is a text, and must be true or false"),
        ({"recipients": 5}, "value_unusable", "recipients is the number 5, and must be a list"),
        ({"recipients": ["a", 5]}, "not_text", "recipients[1] is the number 5"),
        ({"recipients": [None]}, "not_text", "recipients[0] is empty"),
        ({"others": "bob"}, "value_unusable", "others is the text 'bob', and must be a list"),
        ({"others": {"name": "bob"}}, "value_unusable", "others is a dictionary, and must be a list"),
        ({"others": [5]}, "value_unusable", "others[0] is a whole number, and must be a dictionary"),
        ({"others": [{"name": "bob"}, {"name": 7}]}, "not_text", "others[1].name is the number 7"),
        ({"others": [{"name": "bob", "password": 4711}]}, "not_text", "others[0].password is a whole number"),
        ({"others": [{"password": "x"}]}, "option_missing", "others[0].name was not given"),
        ({"others": [{"name": "bob", "pasword": "x"}]}, "option_unknown", "others[0].pasword is not an option"),
        ({"account": {"admin_password": 4711}}, "not_text", "account.admin_password is a whole number"),
        ({"pasword": "4711-secret"}, "option_unknown", "pasword is not an option; the options are account, admin"),
    ],
)
def test_what_is_not_is_refused_and_no_secret_told(wrong: dict[str, t.Any], reason: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(SPEC, {"name": "ana", **wrong})
    assert (refused.value.reason, refused.value.msg[: len(words)]) == (reason, words)
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"names": ["ana", "0012345"], "granter_user": None, "granter_password": None}, ""),
        ({"names": []}, ""),
        ({"admin_user": "", "admin_password": ""}, ""),
        ({"names": [""]}, "[name_unusable]"),
        ({"names": ["ana", 5349]}, "[not_text]"),
        ({"names": [None]}, "[not_text]"),
        ({"names": "ana"}, "[value_unusable]"),
        ({"names": None}, "[value_unusable]"),
        ({"names": {"ana": 1}}, "[value_unusable]"),
        ({"names": [["ana"]]}, "[not_text]"),
        ({"names": [".."]}, "[name_unusable]"),
        ({"people": [{"name": "ana", "password": 4711}]}, "[not_text]"),
        ({"people": [{"name": "ana", "password": HASHES[4]}]}, "[password_is_hash]"),
        ({"people": [{"name": "ana", "old_password": HASHES[4], "uid": 501, "admin": True}]}, ""),
        ({"people": [{"name": "ana", "full_name": 4711}]}, "[not_text]"),
        ({"granter_user": "-x"}, "[name_unusable]"),
        ({"full_name": "Ana: of Lisbon"}, ""),
        ({"granter_password": datetime.date(4711, 1, 1)}, "[not_text]"),
        ({"granter_password": {"value": "4711"}}, "[not_text]"),
        ({"granter_user": {"name": "4711"}}, "[not_text]"),
        ({"account": {"admin_password": 4711}}, "[not_text]"),
        ({"account": {"admin_user": 4711}}, "[not_text]"),
    ],
)
def test_variables_are_looked_at_while_they_have_their_own_kind(variables: dict[str, t.Any], reason: str) -> None:
    said = refusal(variables, [name for name in ("names", "people") if name in variables])
    assert said.endswith(reason) and bool(said) == bool(reason)
    assert "4711" not in said or "password" not in said


class _OmitType:
    """As ansible-core 2.19 and newer has it; before, a text stands for it."""


@pytest.mark.parametrize("omit", [None, _OmitType(), "__omit_place_holder__44825a0cdc6c27cd"])
def test_a_variable_that_is_omitted_is_not_given(omit: t.Any) -> None:
    given = {"grant_user": "ana", "grant_password": omit, "onboard_user_users": [{"name": "ana", "password": omit}]}
    assert refusal(given, ["onboard_user_users"]) == ""


@pytest.mark.parametrize("end", ["\n3362", " 3362 6233", ""])
def test_a_text_of_ansible_vault_is_no_password(end: str) -> None:
    """Without its tag, and folded into one line, it would be a password that could be set."""
    with pytest.raises(Refusal) as refused:
        check({"password": {"no_log": True}}, {"password": f"$ANSIBLE_VAULT;1.1;AES256{end}"})
    assert refused.value.reason == "password_is_hash"
    assert "3362" not in refused.value.msg
    check({"password": {"no_log": True}}, {"password": "$ANSIBLE_VAULT and more"})


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_must_be_given_is_missed_by_its_name(value: t.Any) -> None:
    assert refusal({"grant_user": value, "grant_password": None}, required=["grant_user"]).startswith(
        "grant_user was not given. "
    )
    assert refusal({"grant_user": value}) == ""
    assert refusal({"grant_user": "ana"}, required=["grant_user"]) == ""


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("ana", "onboard_user_users[0] is the text 'ana', and must be a dictionary, such as {name: ana}. "),
        (["ana"], "onboard_user_users[0] is a list, and must be a dictionary"),
        (None, "onboard_user_users[0] is empty (null), and must be a dictionary"),
        ({"name": "ana", "pasword": "4711-secret"}, "onboard_user_users[0].pasword is not an option; the options are "),
        ({"password": "4711-secret"}, "onboard_user_users[0].name was not given"),
        ({"name": "ana", "admin": "4711-secret"}, "onboard_user_users[0].admin is a text, and must be true or false"),
    ],
)
def test_an_entry_of_a_role_s_list_is_looked_at_whole(entry: t.Any, words: str) -> None:
    """The argument specification would refuse it as well, and print all of itself for each Mac."""
    said = refusal({"onboard_user_users": [entry]}, ["onboard_user_users"])
    assert said.startswith(words)
    assert "4711" not in said
