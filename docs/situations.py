# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A section for each role, from the parts of its README whose headings begin with *Situations*."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCSITE = "ansible_collections.keyholder.macos.docsite"
HEADING = re.compile(r"^## (?=Situations)", re.MULTILINE)


def sections(reasons: t.Container[str]) -> str:
    """Return all sections, in the order of the roles' names; ``reasons`` are the codes that have a place to link to."""
    played = _playbooks()
    lines: list[str] = []
    for path in sorted((ROOT / "roles").glob("*/README.md")):
        role = path.parent.name
        about, *parts = HEADING.split(path.read_text(encoding="utf-8"))
        if not parts:
            raise ValueError(f"{path}: no heading that begins with Situations")
        first = re.search(r"^# [^\n]*\n\n(.+?[.])\s", about, re.MULTILINE | re.DOTALL)
        if not first:
            raise ValueError(f"{path}: no sentence below its title")
        title = f"keyholder.macos.{role}"
        lines += [f".. _{DOCSITE}.guide_situations.{role}:", "", title, "-" * len(title), ""]
        lines += [_rst(" ".join(first[1].split()), reasons), ""]
        page = f":ansplugin:`the role's page <{title}#role>`"
        if role in played:
            link = f":ref:`the playbook keyholder.macos.{played[role]} <{DOCSITE}.guide_playbooks.{played[role]}>`"
            lines += [f"Run it with {link}, or name it in a play of your own. Every variable is on {page}.", ""]
        elif (path.parent / "meta" / "argument_specs.yml").exists():
            lines += [f"Every variable is on {page}.", ""]
        for part in parts:
            heading, _newline, body = part.split("\n## ", 1)[0].partition("\n")
            said = heading.partition(": ")[2]
            lines += [f"**{_rst(said[0].upper() + said[1:], reasons)}**", ""] if said else []
            for block in body.strip().split("\n\n"):
                lines += _table(block.splitlines(), reasons) if block.startswith("|") else [_rst(block, reasons), ""]
    return "\n".join(lines)


def _playbooks() -> dict[str, str]:
    """Return for each role the playbook that is called like it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        for role in re.findall(r"^ +(?:- role|name): keyholder\.macos\.(\w+)$", path.read_text("utf-8"), re.MULTILINE):
            if role.startswith(path.stem):
                found[role] = path.stem
    return found


def _table(rows: list[str], reasons: t.Container[str]) -> list[str]:
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    widths = "34 33 33" if len(cells[0]) == 3 else "50 50"
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in [cells[0], *cells[2:]]:
        if len(row) != len(cells[0]):
            raise ValueError(f"not as many cells as its head has: {row}")
        for at, cell in enumerate(row):
            lines.append(f"   {' ' if at else '*'} - {_rst(cell, reasons)}".rstrip())
    return [*lines, ""]


def _rst(text: str, reasons: t.Container[str]) -> str:
    """Turn Markdown's code and bold into reStructuredText's; a code that names a reason or a module becomes a link."""
    if "](" in text:
        raise ValueError(f"a link of Markdown leads nowhere on the page: {text}")

    def literal(found: re.Match[str]) -> str:
        code = found[1]
        if code in reasons:
            return f":ref:`{code} <{DOCSITE}.guide_reasons.{code}>`"
        module = re.fullmatch(r"keyholder\.macos\.(\w+)", code)
        if module and (ROOT / "plugins" / "modules" / f"{module[1]}.py").exists():
            return f":ansplugin:`{code}#module`"
        return f"``{code}``"

    return re.sub(r"`([^`]+)`", literal, text)
