# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws sequences of tasks for Macs of the lab, and runs a turn of each: a task, or two of two controllers at once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.ansible import Ansible, Line, Run
from harness.macs import KINDS, PASSWORDS, mac, person, secret
from maclab.lab import Handle, Lab

Task = dict[str, Any]
NEW = secret("new")
ADMINS, PEOPLE = ("itadmin", "deputy"), ("itadmin", "deputy", "stan", "ana")
FAULTS: tuple[tuple[str, dict[str, Any]] | None, ...] = (
    None,
    None,
    *(("kill", {"step": step}) for step in (1, 2, 4)),
    ("kill", {"step": 2, "before": True}),
    *(("ssh_cut", {"step": step}) for step in (9, 14, 18)),
    ("token_does_not_stick", {}),
    ("delete_does_nothing", {}),
    *(("slow", {"seconds": 1, "program": program}) for program in ("dseditgroup", "sysadminctl", "fdesetup")),
)


@dataclass(frozen=True)
class Turn:
    """What is run on a Mac at one time, by one controller or by two, and what goes wrong with the Mac meanwhile."""

    tasks: tuple[Task, ...]
    fault: tuple[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class Sequence_:
    """One Mac and its turns, as ``seed`` draws them. ``own``: the account that Ansible comes in by; "" for root."""

    seed: int
    described: Mapping[str, Any] = field(repr=False)
    own: str
    turns: tuple[Turn, ...]

    @property
    def host(self) -> str:
        return f"mac-{self.seed}"


def drawn(seed: int, together: bool) -> Sequence_:
    """``together``: whether two controllers are at work on the Mac in each turn."""
    rng = random.Random(seed)
    own = rng.choice(("", "", "itadmin"))
    described = mac(
        rng.choice(list(KINDS)),
        *_people(rng),
        ssh_user=own or "root",
        filevault={"state": rng.choice(("on", "on", "on", "off")), "prk": rng.random() < 0.4},
    )
    turns = [
        Turn(tuple(_task(rng) for _ in range(2 if together else 1)), rng.choice(FAULTS))
        for _ in range(rng.choice((2, 3, 4)))
    ]
    return Sequence_(seed, described, own, tuple(turns))


def meeting() -> Sequence_:
    """Two controllers that surely meet: each takes one of the two administrators away, and does that so slowly that the
    other one has read the Mac by then, whichever comes first."""
    described = mac("15.6", "itadmin", "deputy", "stan", ssh_user="root", filevault={"state": "on"})
    tasks = tuple(_module("account", name=user, admin=False) for user in ADMINS)
    return Sequence_(0, described, "", (Turn(tasks, ("slow", {"seconds": 20, "program": "dseditgroup"})),))


def _people(rng: random.Random) -> list[dict[str, Any]]:
    people = [person("itadmin"), person("stan"), person("ana")]
    if rng.random() < 0.7:
        people.insert(1, person("deputy"))
    if rng.random() < 0.2:
        # Nobody among the administrators holds a token.
        people = [
            {key: value for key, value in who.items() if key != "token" or not who.get("admin")} for who in people
        ]
    stale = rng.choice([None, None, None, *people])
    if stale is not None and stale.get("token") is True:
        stale["key_password"] = secret("older")
    return people


def _task(rng: random.Random) -> Task:
    user, granter = rng.choice(PEOPLE), rng.choice(ADMINS)
    by = {"admin_user": granter, "admin_password": PASSWORDS[granter]}
    own = {"user": user, "password": PASSWORDS[user]}
    lent = {"admin_user": "stan", "admin_password": PASSWORDS["stan"], "allow_temporary_promotion": True}
    holder = {"user": granter, "password": PASSWORDS[granter]}
    return rng.choice(
        (
            _module("account", name=user, admin=False),
            _module("account", name=user, admin=True),
            _module("account", name=user, state="absent", **by),
            _module("account", name="nova", password=NEW, admin=True, secure_token="present", **rng.choice((by, lent))),
            _module("secure_token", **own, **rng.choice((by, lent))),
            _module("secure_token", state="absent", **own, **by),
            _module("filevault_user", user=user, state="absent"),
            _module("filevault_user", **own, **by),
            _module("offboard", name=user, home=rng.choice(("keep", "delete")), **rng.choice(({}, by))),
            _module("account_password", name=user, password=NEW, **by),
            _module("repair", **own, **by, apply=True),
            _module("filevault_recovery_key", state=rng.choice(("absent", "rotated")), recovery_key="return", **holder),
            _module("filevault", state=rng.choice(("enabled", "disabled")), **holder),
            _role("offboard_user", offboard_user_names=[user], offboard_user_home="delete"),
            _role(
                "onboard_user",
                onboard_user_users=[{"name": "nova", "password": NEW}],
                **{f"onboard_user_{option}": value for option, value in by.items()},
            ),
        )
    )


def _module(module: str, **options: Any) -> Task:
    return {"name": module, f"keyholder.macos.{module}": options}


def _role(name: str, **variables: Any) -> Task:
    return {"name": name, "ansible.builtin.include_role": {"name": f"keyholder.macos.{name}"}, "vars": variables}


def take_turn(controllers: Sequence[Ansible], lab: Lab, turns: Mapping[str, Turn]) -> dict[str, list[Line]]:
    """Run each Mac's tasks, the n-th by the n-th controller, all at one time. What each Mac's tasks returned."""
    for host, turn in turns.items():
        handle = lab.mac(host)
        handle.clear_faults()
        if turn.fault is not None:
            _break(handle, *turn.fault)
    with tempfile.TemporaryDirectory(prefix="kh-turn-") as folder, ThreadPoolExecutor(len(controllers)) as pool:
        runs = []
        for number, controller in enumerate(controllers):
            mine = {host: turn.tasks[number] for host, turn in turns.items() if len(turn.tasks) > number}
            if mine:
                own = Path(folder, str(number))
                own.mkdir()
                runs.append(pool.submit(_play, controller, lab, own, mine))
        lines = [line for run in runs for line in run.result().lines]
    return {host: [line for line in lines if line.host == host] for host in turns}


def _break(handle: Handle, name: str, options: Mapping[str, Any]) -> None:
    handle.set_fault(name, **options)


def _play(ansible: Ansible, lab: Lab, folder: Path, tasks: Mapping[str, Task]) -> Run:
    """Each Mac goes its own way: none waits for another one, as two controllers are to meet on it."""
    for host, task in tasks.items():
        Path(folder, f"{host}.yml").write_text(yaml.safe_dump([task]), encoding="utf-8")
    play = {
        "name": "Some Macs take their turn",
        "hosts": list(tasks),
        "gather_facts": False,
        "become": True,
        "ignore_errors": True,
        "ignore_unreachable": True,
        "strategy": "free",
        "tasks": [{"name": "Turn", "ansible.builtin.include_tasks": f"{folder}/{{{{ inventory_hostname }}}}.yml"}],
    }
    playbook = Path(folder, "play.yml")
    playbook.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    return ansible.playbook(playbook, lab.inventory)
