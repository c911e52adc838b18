# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A section for each playbook, from the comment at its head and, if it runs a role, from the role's argument spec."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
LABEL = "ansible_collections.keyholder.macos.docsite.guide_playbooks"
TYPED = re.compile(r"(-e \S+=\S+|-e @?[A-Z]\w*|(?<!\w)--\w[\w-]*|\b[a-z]+_[a-z_]*\*?|\bkeyholder\.macos\.\w+)")
"""What is typed, and what a variable or playbook is called."""


class Head(t.NamedTuple):
    """Hold what the comment at the head of a playbook says.

    ``calls``: how it is started. ``before``, ``after``: the sentences before and after the variables.
    """

    before: list[str]
    calls: list[str]
    variables: list[tuple[str, str]]
    after: list[str]


def sections() -> str:
    """Return all sections, in the order of the playbooks' names."""
    lines: list[str] = []
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"^ +(?:- role|name): keyholder\.macos\.(\w+)$", text, re.MULTILINE)
        role = next((one for one in named if one != "known_variables" and (ROOT / "roles" / one).is_dir()), None)
        lines += section(path.stem, head_of(text), role)
    return "\n".join(lines)


def section(name: str, head: Head, role: str | None) -> list[str]:
    title = f"keyholder.macos.{name}"
    lines = [
        f".. _{LABEL}.{name}:",
        "",
        title,
        "-" * len(title),
        "",
        _rst(" ".join(head.before).rstrip(":.") + "."),
        "",
    ]
    if head.calls:
        lines += [".. parsed-literal::", "", *(f"    {call}" for call in head.calls), ""]
    lines += _table("variable; default", head.variables)
    if role:
        here = {variable for variable, _meaning in head.variables}
        others = [(one, meaning) for one, meaning in options_of(role).items() if one not in here]
        runs = f"It runs the role :ansplugin:`keyholder.macos.{role}#role`"
        lines += [f"{runs}, whose page says more about each variable{'. The others:' if others else '.'}", ""]
        lines += _table("more variables of the role", others) if others else []
    kept = [line for line in head.after if "ansible-doc" not in line]
    return [*lines, _rst(" ".join(kept).rstrip(".") + "."), ""] if kept else lines


def head_of(text: str) -> Head:
    """Take the comment apart: sentences, a variable on each line that is indented, and sentences again."""
    comment = [
        line[1:] for line in text.split("\n- ", 1)[0].splitlines() if line.startswith("#") and "SPDX-" not in line
    ]
    head = Head([], [], [], [])
    for line in comment:
        call = re.search(r":? ?(ansible-playbook .*)$", line)
        row = re.fullmatch(r" {3}(\w+) {2,}(\S.*)", line)
        if row:
            head.variables.append((row[1], row[2]))
        elif head.variables and re.match(r" {4,}\S", line):
            variable, meaning = head.variables[-1]
            head.variables[-1] = (variable, f"{meaning} {line.strip()}")
        elif call:
            said = line[: call.start()].strip()
            (head.after if head.variables else head.before).extend([f"{said}."] if said else [])
            head.calls.append(call[1])
        elif line.strip():
            (head.after if head.variables else head.before).append(line.strip())
    return head


def options_of(role: str) -> dict[str, str]:
    """Return each variable of a role, and the first sentence of what its argument spec says of it."""
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = spec["argument_specs"]["main"]["options"]
    return {
        name: _first(option["description"]) + (_told(option["default"]) if "default" in option else "")
        for name, option in options.items()
    }


def _first(description: str | list[str]) -> str:
    text = description if isinstance(description, str) else description[0]
    return re.sub(r"[A-Z]+\(([^)]*)\)", r"\1", text).split(". ")[0].rstrip(".")


def _told(default: t.Any) -> str:
    return f"; {str(default).lower() if isinstance(default, bool) else default or 'none'}"


def _table(what: str, rows: list[tuple[str, str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 35 65", "", f"   * - {what.split(';')[0]}"]
    lines.append(f"     - meaning{'; default' if ';' in what else ''}")
    for name, meaning in rows:
        lines += [f"   * - ``{name}``", f"     - {_rst(meaning)}"]
    return [*lines, ""]


def _rst(text: str) -> str:
    """Mark what is typed as literal."""
    parts = TYPED.split(text)
    parts[::2] = [re.sub(r"([\\*`|])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{part}``" for part in parts[1::2]]
    return "".join(parts).replace("`` ``", " ")
