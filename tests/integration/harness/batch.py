# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs many steps on many Macs in one playbook, each Mac its own, and tells what each step returned and did there."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.ansible import Ansible, Line, Run
from maclab import journal
from maclab.lab import Lab


@dataclass(frozen=True)
class Step:
    """One task: ``title`` is what a test calls it."""

    title: str
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    become: bool = True

    def but(self, title: str, **changes: Any) -> Step:
        """The same, with other options; an option that is None is left out."""
        own = {key: changes.pop(key) for key in ("check", "diff", "become") if key in changes}
        options = {key: value for key, value in {**self.options, **changes}.items() if value is not None}
        return Step(
            title, self.module, options, **{"check": self.check, "diff": self.diff, "become": self.become, **own}
        )


def token(title: str, user: str, **options: Any) -> Step:
    return Step(title, "secure_token").but(title, user=user, **options)


def account(title: str, name: str, **options: Any) -> Step:
    return Step(title, "account").but(title, name=name, **options)


@dataclass(frozen=True)
class Answer:
    """What a step returned, and what the Mac's journal holds of it."""

    line: Line
    entries: list[journal.Entry]

    def __str__(self) -> str:
        said = "\n".join(f"  {entry}" for entry in self.entries)
        return f"{self.line.host}: {self.line.status}: {self.line.result}\n{said}"

    @property
    def ok(self) -> bool:
        return self.line.status == "ok"

    @property
    def changed(self) -> bool:
        return self.result.get("changed") is True

    @property
    def result(self) -> dict[str, Any]:
        return self.line.result

    @property
    def reason(self) -> str:
        """The reason code, "" for a success; what ansible says where a task failed in any other way."""
        return "" if self.ok else str(self.result.get("reason") or self.result.get("msg"))

    @property
    def before(self) -> dict[str, Any]:
        state: dict[str, Any] = self.result["state"]["before"]
        return state

    @property
    def after(self) -> dict[str, Any]:
        state: dict[str, Any] = self.result["state"]["after"]
        return state

    @property
    def programs(self) -> list[journal.ProgramRun]:
        """The macOS programs that the module started; how ansible became root is not the module's."""
        return [run for run in journal.programs(self.entries) if run.program not in ("sudo", "whoami", "id")]

    @property
    def authentications(self) -> list[tuple[str, bool]]:
        return [pair for run in self.programs for pair in run.authentications]

    @property
    def writes(self) -> list[str]:
        return [what for run in self.programs for what in run.writes]

    @property
    def touched_nothing(self) -> bool:
        """Neither a write nor a login; and it did look, for a step that started nothing proves nothing."""
        return bool(self.programs) and not self.writes and not self.authentications


@dataclass(frozen=True)
class Played:
    """``played[mac, step]`` is the answer."""

    run: Run
    answers: Mapping[tuple[str, str], Answer]

    def __getitem__(self, key: tuple[str, str]) -> Answer:
        if key not in self.answers:
            raise KeyError(f"{key}: no result\n{self.run.output[-3000:]}")
        return self.answers[key]


def play(
    ansible: Ansible,
    lab: Lab,
    steps: Mapping[str, Sequence[Step]],
    *arguments: str,
    variables: Mapping[str, Any] | None = None,
    **settings: str,
) -> Played:
    """Each Mac goes through its own steps, whatever comes of them."""
    earlier = {mac: len(lab.mac(mac).journal()) for mac in steps}
    told = {"steps": {mac: [_vars(step) for step in own] for mac, own in steps.items()}, **(variables or {})}
    # Passwords have to stand somewhere for ansible to read: here, and only as long as it does.
    with tempfile.TemporaryDirectory(prefix="kh-play-") as folder:
        written = _write(Path(folder, "steps.yml"), told)
        playbook = Path(folder, "play.yml")
        playbook.write_text(yaml.safe_dump(_playbook(steps), sort_keys=False), encoding="utf-8")
        run = ansible.playbook(playbook, lab.inventory, "-e", f"@{written}", *arguments, **settings)
    answers: dict[tuple[str, str], Answer] = {}
    for mac, own in steps.items():
        # A program whose connection Ansible has cut may still be ending. One that hangs is not waited for.
        lab.mac(mac).settle(seconds=1)
        entries = lab.mac(mac).journal()[earlier[mac] :]
        begun = 0.0
        for line in (line for line in run.lines if line.host == mac):
            step = own[int(line.task.split()[1])]
            mine = [entry for entry in entries if begun < entry.start <= line.time]
            answers[mac, step.title] = Answer(line, mine)
            begun = line.time
    return Played(run, answers)


def _vars(step: Step) -> dict[str, Any]:
    return {
        "module": step.module,
        "options": dict(step.options),
        "check": step.check,
        "diff": step.diff,
        "become": step.become,
    }


def _playbook(steps: Mapping[str, Sequence[Step]]) -> list[dict[str, Any]]:
    """A play for each step and kind of task, of those Macs alone that have it there.

    Ansible forks for a task that it skips, too, and a template costs each fork as much as a program of the Mac's: so
    nothing is skipped, no argument is there that none of the Macs has, and whatever is no secret is written out.
    """
    plays = []
    for number in range(max(map(len, steps.values()), default=0)):
        alike: dict[tuple[str, bool, bool, bool], list[str]] = {}
        for mac, own in steps.items():
            if len(own) > number:
                step = own[number]
                alike.setdefault((step.module, step.check, step.diff, step.become), []).append(mac)
        plays += [_play(number, kind, {mac: steps[mac][number] for mac in alike[kind]}) for kind in sorted(alike)]
    return plays


def _play(number: int, kind: tuple[str, bool, bool, bool], steps: Mapping[str, Step]) -> dict[str, Any]:
    module, check, diff, become = kind
    arguments = {}
    # All that a step has: what the module does not know is Ansible's to refuse.
    for option in dict.fromkeys(option for step in steps.values() for option in step.options):
        value = f"steps[inventory_hostname][{number}].options.{option}"
        given_to_all = all(option in step.options for step in steps.values())
        arguments[option] = f"{{{{ {value} }}}}" if given_to_all else f"{{{{ {value} | default(omit) }}}}"
    task = {
        "name": f"step {number} {module}",
        f"keyholder.macos.{module}": arguments,
        "check_mode": check,
        "diff": diff,
        "become": become,
    }
    return {
        "name": "Some Macs go through their own steps",
        "hosts": list(steps),
        "gather_facts": False,
        "ignore_errors": True,
        "ignore_unreachable": True,
        "tasks": [task],
    }


class _Data(yaml.SafeDumper):
    """Writes every text as !unsafe: what stands in a password is never a template."""


_Data.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text, style='"'))


def _write(path: Path, content: Any) -> Path:
    path.write_text(yaml.dump(content, Dumper=_Data, allow_unicode=True, width=1 << 30), encoding="utf-8")
    return path
