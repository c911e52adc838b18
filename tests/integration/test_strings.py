# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and passwords arrive as they were written, whatever YAML, Jinja, a shell or a prompt would make of them.

Over SSH each text goes to a Mac once, and the longest through both prompts, as those are real terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import memory_play
import pytest
from memory_play import MemoryMac

from harness.ansible import Ansible
from harness.batch import Played, Step, account, play
from harness.macs import PASSWORDS, mac, name
from maclab.lab import Lab
from maclab.state import Account

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


# Each kind of letter, and the longest that either prompt takes, go the whole way; the others in memory alone.
LONG = {title: LENGTHS[title] for title in ("128 bytes", "1022 bytes")}
SSH = {name("26.1"): {**TEXTS, **LONG}}
IN_MEMORY = {memory_play.name(version): PASSED for version in VERSIONS}
HOSTS = {**SSH, **IN_MEMORY}
NAMED = {name("26.1"): NAMES[:6], **dict.fromkeys(IN_MEMORY, NAMES)}
RENEWED = {host: LONG if host in SSH else PASSED for host in HOSTS}


def steps(host: str) -> list[Step]:
    """Each holder is granted its token by the one before, so that every password goes through both prompts."""
    created, renewed = [], []
    granter = IT
    for title, text in HOSTS[host].items():
        number = list(PASSED).index(title)
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
        if title in RENEWED[host]:
            renewed.append(renew)
        granter = {"admin_user": f"holder{number}", "admin_password": text}
    created.append(account("the last one as granter", "guest", password="guest-1", secure_token="present", **granter))
    named = []
    for user in NAMED[host]:
        named.append(account(f"name {user}", user, password="plain-enough-1", secure_token="present", **IT))
        if host in IN_MEMORY:
            named.append(account(f"name {user}: delete", user, state="absent"))
    return created + renewed + named


def each(texts: Mapping[str, Mapping[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("host", "title"), [(host, title) for host in texts for title in texts[host]])


@pytest.fixture(scope="module")
def macs() -> dict[str, MemoryMac]:
    return {host: MemoryMac(host, mac(host.rpartition("-")[2])) for host in IN_MEMORY}


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up({host: mac(host.rpartition("-")[2]) for host in SSH})


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab, macs: dict[str, MemoryMac]) -> Played:
    over_ssh = play(ansible, lab, {host: steps(host) for host in SSH})
    return memory_play.both(over_ssh, memory_play.play(macs, {host: steps(host) for host in macs}))


@pytest.fixture
def people(played: Played, lab: Lab, macs: dict[str, MemoryMac], host: str) -> dict[str, Account]:
    assert played.answers
    return (macs[host] if host in macs else lab.mac(host)).state().accounts


@each(HOSTS)
def test_password_is_what_was_written(played: Played, people: dict[str, Account], host: str, title: str) -> None:
    number, text = list(PASSED).index(title), PASSED[title]
    created = played[host, f"{title}: create"]
    assert created.ok, created
    assert created.after["secure_token"] == "holder"
    holder = people[f"holder{number}"]
    if title not in RENEWED[host]:
        assert holder.password == holder.key_password == text
        return
    renewed = played[host, f"{title}: as the old one"]
    if host.endswith(LATE) and len(text.encode()) > GETPASS:
        assert renewed.reason == "password_unusable", renewed
        assert holder.password == holder.key_password == text
    else:
        assert renewed.ok, renewed
        assert holder.password == holder.key_password == f"{text[:-1]}3"


@each(dict.fromkeys(NAMED, TEXTS))
def test_full_name_and_hint_are_what_was_written(people: dict[str, Account], host: str, title: str) -> None:
    number = list(PASSED).index(title)
    holder = people[f"holder{number}"]
    assert holder.full_name == f"{TEXTS[title]} {number}"
    assert holder.hint == TEXTS[title]


@pytest.mark.parametrize(("host", "user"), [(host, user) for host, users in NAMED.items() for user in users])
def test_short_name_is_what_was_written(played: Played, people: dict[str, Account], host: str, user: str) -> None:
    created = played[host, f"name {user}"]
    assert created.ok, created
    assert created.after["name"] == user
    assert created.after["secure_token"] == "holder"
    if host in SSH:
        assert people[user].password == "plain-enough-1"
        return
    deleted = played[host, f"name {user}: delete"]
    assert deleted.ok, deleted
    assert deleted.changed
    assert user not in people


@pytest.mark.parametrize("host", HOSTS)
def test_the_longest_password_grants(played: Played, host: str) -> None:
    assert played[host, "the last one as granter"].ok, played[host, "the last one as granter"]
