# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes reports for the tests: a fleet with every state, hostile names among them, compared with an earlier audit."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[1] / "unit" / "plugins" / "plugin_utils"
sys.path.insert(0, str(UNIT))

from readings import ANA, BO, ITADMIN, MAC, NOW, PHANTOM, reading  # noqa: E402
from test__audit_report import EVIL, FLEET, make  # noqa: E402

from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault  # noqa: E402
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version  # noqa: E402
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History  # noqa: E402
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer, answer_of  # noqa: E402

WEEK = 7 * 86400.0
NAMES = "ana bo rui salma stan eve lena kim zoe max ida noor yuki omar".split()
Make = Callable[..., Path]


def crowd(number: int, luck: int = 1) -> Iterator[Answer]:
    """As mixed as a fleet is; the same for the same ``luck``."""
    dice = random.Random(luck)
    for index in range(number):
        host, fate = f"mac-{index:05}.example.com", dice.random()
        if fate < 0.05:
            yield answer_of(host, {"unreachable": True, "msg": f"ssh: connect to host {host} port 22: timed out"}, NOW)
            continue
        if fate < 0.08:
            yield answer_of(host, {"failed": True, "msg": "Missing sudo password"}, NOW)
            continue
        people = [replace(ITADMIN, sources=BO.sources if fate < 0.13 else ITADMIN.sources)]
        for uid, name in enumerate(dice.sample(NAMES, dice.randrange(1, 5)), 502):
            kind = ANA if dice.random() < 0.6 else BO if dice.random() < 0.95 else PHANTOM
            people.append(replace(kind, name=name, full_name=f"{name.title()} Example", uid=uid))
        off = FileVault("off", personal_key=False, institutional_key=False)
        mac = reading(
            accounts=tuple(people),
            filevault=off if dice.random() < 0.06 else MAC.filevault,
            version=Version(13, 6, dice.randrange(9)) if dice.random() < 0.1 else Version(15, dice.randrange(7)),
        )
        yield Answer(host, "read", NOW, mac)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report on FLEET, a week after another one."""
    folder = tmp_path_factory.mktemp("small")
    history = History(str(folder / "history.sqlite"))
    make(
        folder,
        [replace(FLEET[0], host="off"), FLEET[0], replace(FLEET[0], host="left")],
        history=history,
        now=NOW - WEEK,
    )
    make(folder, FLEET, history=history, title=f"Fleet {EVIL}")
    history.close()
    return folder


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report on 10,000 Macs."""
    folder = tmp_path_factory.mktemp("large")
    make(folder, crowd(10_000), title="Ten thousand")
    return folder
