# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup gives what the store says is current, tells what is missing, and shows no secret."""

from __future__ import annotations

import importlib
import json
import os
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar

from ansible_collections.keyholder.macos.plugins.plugin_utils import _held
from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import AgeStore, CommandStore
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Stored

NAME = "keyholder.macos.managed_password"
HOST = "mac-1"
OLD, NEW, FIRST = "old-9-pw", "new-9-pw", "first-9-pw"
DONE = Stored(OLD, "", "2026-01-02T03:04:05+00:00")
BETWEEN = Stored(OLD, NEW, "2026-01-02T03:04:05+00:00")
BEGUN = Stored("", NEW, "", "create")


@pytest.fixture(autouse=True)
def fresh() -> None:
    _held.forget()


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda dummy, msg, *args, **more: said.append(msg))
    return said


class Age(t.NamedTuple):
    given: dict[str, t.Any]
    store: AgeStore


@pytest.fixture
def age(tmp_path: Path) -> Age:
    key = importlib.import_module("pyrage").x25519.Identity.generate()
    (tmp_path / "identity").write_text(f"{key}\n")
    folder, recipients = tmp_path / "store", [str(key.to_public())]
    given = {"kind": "age", "directory": str(folder), "identity": str(tmp_path / "identity")}
    return Age(given, AgeStore(folder / f"{HOST}.itadmin.age", recipients, tmp_path / "identity", HOST, "itadmin"))


def ask(*terms: t.Any, variables: dict[str, t.Any] | None = None, **options: t.Any) -> str:
    known = {"inventory_hostname": HOST, **(variables or {})}
    loader = DataLoader()
    plugin = lookup_loader.get(NAME, loader=loader, templar=Templar(loader=loader, variables=known))
    found: list[str] = plugin.run(list(terms), variables=known, **options)
    assert len(found) == 1
    return found[0]


def printing(stored: Stored) -> dict[str, t.Any]:
    return {"kind": "command", "read": [sys.executable, "-c", f"print({stored.text()!r})"]}


def test_the_current_password_is_returned_and_only_reading_is_needed(age: Age) -> None:
    age.store.write(DONE)
    assert ask("itadmin", store=age.given) == OLD
    assert ask("itadmin", store=printing(DONE)) == OLD


def test_account_and_store_may_be_the_roles_variables(age: Age) -> None:
    age.store.write(DONE)
    # As the role's: the store's path is a template of the Mac's name.
    given = {**age.given, "directory": "{{ somewhere }}"}
    variables = {"managed_admin_name": "itadmin", "managed_admin_store": given, "somewhere": age.given["directory"]}
    if hasattr(importlib.import_module("ansible.template"), "trust_as_template"):
        trust = importlib.import_module("ansible.template").trust_as_template
        given["directory"] = trust(given["directory"])
    assert ask(variables=variables) == OLD
    assert ask("itadmin", variables=variables) == OLD
    with pytest.raises(AnsibleError, match=r"no password of luc on mac-1.*default"):
        ask("luc", variables=variables)


@pytest.mark.parametrize(
    ("stored", "which", "password", "warned"),
    [
        (DONE, "current", OLD, False),
        (DONE, "pending", OLD, False),
        (BETWEEN, "current", OLD, True),
        (BETWEEN, "pending", NEW, False),
        (BEGUN, "pending", NEW, False),
    ],
)
def test_between_two_passwords_it_gives_the_one_that_is_asked_for(
    stored: Stored, which: str, password: str, warned: bool, warnings: list[str]
) -> None:
    assert ask("itadmin", store=printing(stored), which=which) == password
    assert len(warnings) == warned
    assert all("itadmin on mac-1" in said and "keyholder.macos.managed_admin" in said for said in warnings)
    assert not any(secret in said for said in warnings for secret in (OLD, NEW))


@pytest.mark.parametrize(
    ("stored", "way_out"),
    [(Stored(), "keyholder.macos.managed_admin on it first, or give"), (BEGUN, "which='pending'")],
)
def test_without_a_current_password_it_says_the_way_out_or_takes_the_default(stored: Stored, way_out: str) -> None:
    with pytest.raises(AnsibleError, match=f"itadmin on mac-1.*{way_out}"):
        ask("itadmin", store=printing(stored))
    assert ask("itadmin", store=printing(stored), default=FIRST) == FIRST


def test_the_default_is_no_answer_to_a_store_that_fails(age: Age) -> None:
    """Else a broken store would have the first password tried on every Mac."""
    with pytest.raises(AnsibleError, match=r"ended with status 3.*store_failed") as failed:
        ask("itadmin", store={"kind": "command", "read": [sys.executable, "-c", "exit(3)"]}, default=FIRST)
    assert FIRST not in str(failed.value)
    with pytest.raises(AnsibleError, match="store_not_durable"):
        ask("itadmin", store={**age.given, "marked": True}, default=FIRST)
    with pytest.raises(AnsibleError, match="store_not_durable"):
        ask("itadmin", store=age.given, default=FIRST, variables={"awx_job_id": 7})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "store is not given, and the variable managed_admin_store"),
        ({"store": {"kind": "age", "directory": "/d"}}, "kind age needs identity"),
        ({"store": {"kind": "age", "directory": "/d", "identiy": "/i"}}, "identiy"),
        ({"store": {"kind": "files"}}, "files"),
        ({"store": {"kind": "vault", "path": "p"}, "which": "newest"}, "newest"),
        ({"store": {"kind": "vault", "path": "p"}, "stor": {}}, "stor is no option"),
        ({"store": printing(Stored()), "default": 5349}, "default is a whole number"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, t.Any], told: str) -> None:
    with pytest.raises(AnsibleError, match=told):
        ask("itadmin", **options)


def test_a_name_that_is_none_is_refused() -> None:
    for terms in ([], [""], [None]):
        with pytest.raises(AnsibleError, match="managed_admin_name"):
            ask(*terms, store=printing(DONE))
    for name in (5349, "a/../b"):
        with pytest.raises(AnsibleError, match="name"):
            ask(name, store=printing(DONE))


class Counting(CommandStore):
    """A store that counts how often it is read."""

    read_times = 0

    def read(self) -> Stored:
        Counting.read_times += 1
        return DONE


def test_a_program_is_asked_once_for_all_templates_of_a_task() -> None:
    Counting.read_times, now = 0, [100.0]
    store = Counting([], [])

    def asked(place: str = "here") -> int:
        before = Counting.read_times
        _held.held(store, place, lambda: now[0])
        return Counting.read_times - before

    assert [asked(), asked(), asked("there"), asked()] == [1, 0, 1, 0]
    now[0] += _held.SECONDS
    assert asked() == 1
    _held.forget()
    assert asked() == 1


def test_another_process_asks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation by one worker must not be hidden by what its parent has read before."""
    Counting.read_times = 0
    _held.held(Counting([], []), "here")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    _held.held(Counting([], []), "here")
    assert Counting.read_times == 2


def test_an_age_file_is_opened_once_until_it_is_another_one(age: Age, monkeypatch: pytest.MonkeyPatch) -> None:
    age.store.write(DONE)
    assert ask("itadmin", store=age.given) == OLD
    with monkeypatch.context() as locked:
        locked.setattr(AgeStore, "read", lambda dummy: pytest.fail("it was opened again"))
        assert ask("itadmin", store=age.given) == OLD
    age.store.write(Stored(NEW))
    assert ask("itadmin", store=age.given) == NEW
    age.store.path.unlink()
    assert ask("itadmin", store=age.given, default=FIRST) == FIRST


def test_nothing_is_written(age: Age, tmp_path: Path) -> None:
    age.store.write(BETWEEN)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ask("itadmin", store=age.given)
    ask("luc", store=age.given, default=FIRST)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_examples_are_the_roles_variables() -> None:
    """What the EXAMPLES set is what the roles take, and each store in them is one."""
    yaml = importlib.import_module("yaml")
    lookup = importlib.import_module("ansible_collections.keyholder.macos.plugins.lookup.managed_password")
    examples = yaml.safe_load(lookup.EXAMPLES)
    assert {"managed_admin_name", "managed_admin_store", "ansible_become_password"} <= set(examples)
    assert json.dumps(examples).count(NAME) == 2
