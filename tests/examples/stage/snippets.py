# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes every example out of the documentation, under a name that stays when the words around it change."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.environments import ROOT
from checks.mirror import tracked

PAGES = ("README.md", "docs/docsite/rst/*.rst", "roles/*/README.md", "playbooks/awx/README.md", "examples/*.md")
PLUGINS = tuple(f"plugins/{kind}/*.py" for kind in ("modules", "filter", "test", "lookup"))
HEADING = re.compile(r"([=~^-])\1{2,}")
DIRECTIVE = re.compile(r" *\.\. (?:code-block:: *(\S+)|parsed-literal::)")


@dataclass(frozen=True)
class Snippet:
    """``name`` is the page, the heading above it, and its number below that heading."""

    name: str
    language: str
    text: str


def all_snippets() -> dict[str, Snippet]:
    found = [snippet for path in tracked(*PAGES) for snippet in of_page(path.as_posix(), (ROOT / path).read_text())]
    found += [
        snippet for path in tracked(*PLUGINS) for snippet in of_plugin(path.as_posix(), (ROOT / path).read_text())
    ]
    return {snippet.name: snippet for snippet in found}


def of_page(path: str, text: str) -> list[Snippet]:
    blocks = _rst(text.splitlines()) if path.endswith(".rst") else _markdown(text.splitlines())
    page = path.removeprefix("docs/docsite/rst/").removesuffix(".rst").removesuffix("/README.md")
    count: Counter[str] = Counter()
    found = []
    for heading, language, lines in blocks:
        count[heading] += 1
        text = textwrap.dedent("\n".join(lines)).strip("\n") + "\n"
        found.append(Snippet(f"{page} / {heading} / {count[heading]}", language, text))
    return found


def of_plugin(path: str, source: str) -> list[Snippet]:
    """Return each task of EXAMPLES; variables and whole plays are one."""
    values = [
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES"
    ]
    assert len(values) == 1, f"{path} has {len(values)} EXAMPLES"
    text = values[0].strip("\n") + "\n"
    parts = [part for part in re.split(r"(?m)^(?=- )", text) if part.strip()]
    kind, name = Path(path).parent.name.removesuffix("s"), Path(path).stem
    return [Snippet(f"{kind} {name} / {number}", "yaml", part) for number, part in enumerate(parts, 1)]


def _rst(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    heading, at = "", 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.strip() and at < len(lines) and HEADING.fullmatch(lines[at]) and len(lines[at]) >= len(line):
            heading = line.strip()
        directive = DIRECTIVE.fullmatch(line)
        # A paragraph that ends so has a block behind it, in no language.
        if directive is None and (line.lstrip().startswith("..") or not line.rstrip().endswith("::")):
            continue
        margin = len(line) - len(line.lstrip())
        block = []
        while at < len(lines) and (not lines[at].strip() or len(lines[at]) - len(lines[at].lstrip()) > margin):
            block.append(lines[at])
            at += 1
        yield heading, (directive and directive[1]) or "text", block


def _markdown(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    heading, at = "", 0
    while at < len(lines):
        line = lines[at]
        at += 1
        block = []
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line.startswith("```"):
            while not lines[at].startswith("```"):
                block.append(lines[at])
                at += 1
            at += 1
            yield heading, line.strip("` ") or "text", block
        elif line.startswith("    ") and (at < 2 or not lines[at - 2].strip()):
            block.append(line)
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                block.append(lines[at])
                at += 1
            yield heading, "console", block


def commands(text: str) -> list[str]:
    """Return what is to be typed: each line behind a prompt with those that continue it; without prompts, each line."""
    lines = text.splitlines()
    if any(line.startswith("$ ") for line in lines):
        typed: list[str] = []
        for line in lines:
            if line.startswith("$ "):
                typed.append(line[2:])
            elif line.startswith("> "):
                typed[-1] += "\n" + line[2:]
            elif typed and typed[-1].endswith("\\"):
                typed[-1] += "\n" + line
            elif line.strip():
                raise AssertionError(f"neither a command nor the rest of one: {line}")
        return typed
    return [one for one in re.split(r"(?<!\\)\n", text) if one.strip()]
