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
LENGTHS = {f"{length} bytes": "x" * length for length in (127, 128, 129, 1022)}
WIDE = {"127 bytes, wide": "é" * 63 + "x", "129 bytes, wide": "é" * 64 + "x"}
PASSED = {**TEXTS, **LENGTHS, **WIDE}
GETPASS = 128
NAMES = ["o'brien", "two words", "dollar$HOME", "{{ lookup }}", "jürgen", "🦉owl", "UPPER", "dot.under_dash-x", "#hash"]


def steps() -> list[Step]:
    made = []
    for number, (title, text) in enumerate(PASSED.items()):
        full_name = f"{text} {number}" if title in TEXTS else f"Holder {number}"
        holder = account(
            f"{title}: create",
            f"holder{number}",
            full_name=full_name,
            hint=text if title in TEXTS else None,
            admin=True,
            password=text,
            secure_token="present",
            **IT,
        )
        # The new holder grants in its turn, so that its password goes through the granter's prompt as well.
        guest = account(
            f"{title}: as granter",
            f"guest{number}",
            password=f"{text[:-1]}2",
            secure_token="present",
            admin_user=f"holder{number}",
            admin_password=text,
        )
        renew = account(
            f"{title}: as the old one",
            f"holder{number}",
            password=f"{text[:-1]}3",
            old_password=text,
            update_password="always",
        )
        made += [holder, guest, renew]
    for user in NAMES:
        made.append(account(f"name {user}", user, password="plain-enough-1", secure_token="present", **IT))
        made.append(account(f"name {user}: delete", user, state="absent"))
    return made


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
    created, granted, renewed = (
        played[host, f"{title}: {step}"] for step in ("create", "as granter", "as the old one")
    )
    assert created.ok, created
    assert granted.ok, granted
    accounts = lab.mac(host).state().accounts
    guest, holder = accounts[f"guest{number}"], accounts[f"holder{number}"]
    assert guest.password == guest.key_password == f"{text[:-1]}2"
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
