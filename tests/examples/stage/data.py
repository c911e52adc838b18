# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads scenes.yml, which says for each example what it needs, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.ansible import on_oldest_core


@dataclass(frozen=True)
class Scene:
    """`steps` are played one after the other; see tests/README.md for what one may say."""

    scene: str
    steps: list[dict[str, Any]]
    macs: dict[str, Any] = field(default_factory=dict)
    vault: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    inventory: bool = True
    where: str = "empty"
    python: bool = False
    vault_in: str = "group_vars/macs/vault.yml"
    every_core: bool = False

    def inside(self, mac: str) -> str:
        """What the lab calls a Mac of this scene: many scenes have one of the same name."""
        return f"{''.join(letter if letter.isalnum() else '-' for letter in self.scene)}.{mac}"

    def snippets(self) -> Iterator[str]:
        for step in self.steps:
            yield from step.get("tasks", [])
            yield from (step[verb] for verb in ("file", "play", "run", "shown") if verb in step)


_DATA = yaml.safe_load((Path(__file__).parents[1] / "scenes.yml").read_text(encoding="utf-8"))
SCENES = [Scene(**one) for one in _DATA["scenes"]]
NOT_RUN: dict[str, str] = {name: why for why, names in _DATA["not run"].items() for name in names}
INVENTORY: str = _DATA["inventory"]
VAULT: dict[str, str] = _DATA["vault"]


def played() -> list[Scene]:
    """Return all; the oldest core's are those that tell whether it is supported, for the collection does the same on
    all. Nor does what is done in a clone depend on it: a clone has an Ansible of its own."""
    return [scene for scene in SCENES if scene.every_core or not on_oldest_core()]
