# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and passwords arrive as they were written, whatever YAML, Jinja, a shell or a prompt would make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.ansible import Ansible
from harness.batch import Played, Step, account, play
from harness.macs import PASSWORDS, mac, name
from maclab.lab import Lab

IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
# From 13 on a holder's own password change goes through another program than before, with a shorter prompt.
VERSIONS = ("11.7.10", "26.1")
LATE = ("26.1",)

TEXTS = {
    "spaces": "two  words ",
    "quotes": 'it\'s "quoted" `thus`',
    "template": "{{ lookup('pipe', 'touch /tmp/kh-was-here') }}{% raw %}{#",
    "dollar": "$HOME $(id) ${x} \\$",
    "backslash": "C:\\new\\table\\\\",
    "hash": "a # no comment: [x] & *y !z %s ~",
    "accents": "Grüße-ñandú-žluťoučký",
    "decomposed": "Gru\u0308\u00dfe",
    "cjk": "鍵の番人",
    "emoji": "🔑👩\u200d💻",
    "dash": "-adminPassword",
}
WIDE = {"127 bytes, wide": "é" * 63 + "x", "129 bytes, wide": "é" * 64 + "x"}
# The longest stands last: see steps().
LENGTHS = {f"{length} bytes": "x" * length for length in (127, 128, 129, 1022)}
PASSED = {**TEXTS, **WIDE, **LENGTHS}
GETPASS = 128
NAMES = ["o'brien", "two words", "dollar$HOME", "{{ lookup }}", "jürgen", "🦉owl", "UPPER", "dot.under_dash-x", "#hash"]


def steps() -> list[Step]:
    """Each holder is granted its token by the one before, so that every password goes through both prompts."""
    created, renewed = [], []
    granter = IT
    for number, (title, text) in enumerate(PASSED.items()):
        holder = account(
            f"{title}: create",
            f"holder{number}",
            full_name=f"{text} {number}" if title in TEXTS else None,
            hint=text if title in TEXTS else None,
            admin=True,
            password=text,
            secure_token="present",
            **granter,
        )
        renew = account(
            f"{title}: as the old one",
            f"holder{number}",
            password=f"{text[:-1]}3",
            old_password=text,
            update_password="always",
        )
        created.append(holder)
        renewed.append(renew)
        granter = {"admin_user": f"holder{number}", "admin_password": text}
    created.append(account("the last one as granter", "guest", password="guest-1", secure_token="present", **granter))
    named = []
    for user in NAMES:
        named.append(account(f"name {user}", user, password="plain-enough-1", secure_token="present", **IT))
        named.append(account(f"name {user}: delete", user, state="absent"))
    return created + renewed + named


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({name(version): mac(version) for version in VERSIONS})


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    return play(ansible, lab, {host: steps() for host in lab.names})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("title", PASSED)
def test_password_is_what_was_written(played: Played, lab: Lab, version: str, title: str) -> None:
    host, number, text = name(version), list(PASSED).index(title), PASSED[title]
    created, renewed = played[host, f"{title}: create"], played[host, f"{title}: as the old one"]
    assert created.ok, created
    assert created.after["secure_token"] == "holder"
    holder = lab.mac(host).state().accounts[f"holder{number}"]
    if version in LATE and len(text.encode()) > GETPASS:
        assert renewed.reason == "password_unusable", renewed
        assert holder.password == holder.key_password == text
    else:
        assert renewed.ok, renewed
        assert holder.password == holder.key_password == f"{text[:-1]}3"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("title", TEXTS)
def test_full_name_and_hint_are_what_was_written(played: Played, lab: Lab, version: str, title: str) -> None:
    number = list(PASSED).index(title)
    holder = lab.mac(name(version)).state().accounts[f"holder{number}"]
    assert holder.full_name == f"{TEXTS[title]} {number}"
    assert holder.hint == TEXTS[title]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("user", NAMES)
def test_short_name_is_what_was_written(played: Played, lab: Lab, version: str, user: str) -> None:
    host = name(version)
    created, deleted = played[host, f"name {user}"], played[host, f"name {user}: delete"]
    assert created.ok, created
    assert created.after["name"] == user
    assert created.after["secure_token"] == "holder"
    assert deleted.ok, deleted
    assert deleted.changed
    assert user not in lab.mac(host).state().accounts


@pytest.mark.parametrize("version", VERSIONS)
def test_the_longest_password_grants(played: Played, version: str) -> None:
    assert played[name(version), "the last one as granter"].ok, played[name(version), "the last one as granter"]
