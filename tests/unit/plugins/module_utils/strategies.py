# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random Macs and requests for the property tests of the plan."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from hypothesis import strategies as st

from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    Account,
    FileVault,
    Mac,
    Management,
    Sources,
    Version,
    Volume,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import AccountRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.token import TokenRequest

NAMES = ("itadmin", "ana", "bob", "svc")
VERSIONS = tuple(Version.parse(text) for text in ("10.13.6", "10.14.6", "10.15.7", "11.7", "13.6", "15.6", "26.1"))

_bools = st.booleans()
_sources = st.one_of(
    st.just(Sources(True, True, True)),
    st.just(Sources(False, False, False)),
    st.builds(Sources, _bools, _bools, _bools),
)


@st.composite
def accounts(draw: st.DrawFn, name: str, uid: int) -> Account:
    return Account(
        name=name,
        guid=f"00000000-0000-0000-0000-{uid:012d}",
        full_name=name.title(),
        uid=uid,
        gid=20,
        admin=draw(_bools),
        hidden=draw(_bools),
        disabled_tag=draw(_bools),
        home=f"/Users/{name}",
        shell="/bin/zsh",
        sources=draw(_sources),
        has_password=draw(st.sampled_from([True, True, True, False])),
        disabled=draw(st.sampled_from([False] * 5 + [True])),
        failed_logins=0,
    )


def _granter(person: Account) -> Account:
    """Most Macs have somebody who can grant; otherwise most requests would only be refused."""
    return replace(person, admin=True, sources=Sources(True, True, True), has_password=True, disabled=False)


def _standard_holder(person: Account) -> Account:
    return replace(_granter(person), admin=False)


@st.composite
def macs(draw: st.DrawFn) -> Mac:
    """A Mac as root reads it: every source readable."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=draw(st.sampled_from([0, 2, 3]))))
    people = [draw(accounts(name, 501 + index)) for index, name in enumerate(sorted(names))]
    granters = draw(st.integers(0, 4))
    if granters == 0:
        people = [_standard_holder(person) if person.name == NAMES[0] else person for person in people]
    if granters > 1:
        people = [_granter(person) if person.name == NAMES[0] else person for person in people]
    taken = {word.lower() for person in people for word in (person.name, person.full_name, f"uid:{person.uid}")}
    return Mac(
        version=draw(st.sampled_from(VERSIONS)),
        apple_silicon=draw(_bools),
        volume=Volume("disk3s1s1", True, True),
        accounts=tuple(people),
        filevault=FileVault(draw(st.sampled_from(["on", "off", "encrypting"])), personal_key=draw(_bools)),
        management=Management(
            bootstrap=draw(st.sampled_from(["not_escrowed", "unsupported", "escrowed_unproven", "valid"]))
        ),
        as_root=True,
        pending=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"preboot"}), frozenset({"creating bob"})])),
        taken=frozenset(taken),
    )


token_requests: st.SearchStrategy[TokenRequest] = st.builds(
    TokenRequest,
    user=st.sampled_from(NAMES),
    state=st.sampled_from(["present", "absent"]),
    admin_user=st.sampled_from((NAMES[0], NAMES[0], "") + NAMES),
    first_token=_bools,
    allow_temporary_promotion=_bools,
    accept_pending=_bools,
)


def _maybe(strategy: st.SearchStrategy[t.Any]) -> st.SearchStrategy[t.Any]:
    return st.one_of(st.none(), strategy)


account_requests: st.SearchStrategy[AccountRequest] = st.builds(
    AccountRequest,
    name=st.sampled_from(NAMES),
    state=st.sampled_from(["present", "present", "absent"]),
    full_name=_maybe(st.sampled_from(["Ana Sousa", "Bob", "Itadmin"])),
    uid=_maybe(st.sampled_from([501, 502, 700])),
    gid=_maybe(st.sampled_from([20, 80])),
    shell=_maybe(st.just("/bin/bash")),
    hint=_maybe(st.just("the usual")),
    admin=_maybe(_bools),
    hidden=_maybe(_bools),
    update_password=st.sampled_from(["on_create", "always"]),
    secure_token=st.sampled_from(["present", "prevented", "omitted", "allowed"]),
    admin_user=st.sampled_from((NAMES[0], NAMES[0], "") + NAMES),
    first_token=_bools,
    allow_temporary_promotion=_bools,
    accept_pending=_bools,
    remove=st.sampled_from(["keep_home", "delete_home", "secure"]),
    given=st.sets(st.sampled_from(["password", "old_password", "admin_password"])).map(frozenset),
)

requests: st.SearchStrategy[t.Any] = st.one_of(token_requests, account_requests)


def settled(mac: Mac) -> Mac:
    """``mac`` as the next reading would show it: what a plan leaves open is filled in by macOS."""
    filled = []
    for index, account in enumerate(mac.accounts):
        defaults: dict[str, t.Any] = {
            "uid": account.uid or 900 + index,
            "gid": account.gid or 20,
            "home": account.home or f"/Users/{account.name}",
            "shell": account.shell or "/bin/zsh",
            "guid": account.guid if account.guid[0] != "(" else f"11111111-0000-0000-0000-{index:012d}",
        }
        filled.append(replace(account, **defaults))
    taken = {word.lower() for who in filled for word in (who.name, who.full_name, f"uid:{who.uid}")}
    return replace(mac, accounts=tuple(filled), taken=frozenset(taken))
