# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the action group with the modules and with what their documentation says about it."""

from __future__ import annotations

import ast
from typing import Any

import yaml

from .environments import ROOT
from .execution import CheckFailed
from .mirror import tracked

GROUP = "all"
FRAGMENT = f"keyholder.macos._attributes.actiongroup_{GROUP}"


def compare() -> str:
    modules = {path.stem: ROOT / path for path in tracked("plugins/modules/*.py") if not path.stem.startswith("_")}
    groups: dict[str, list[str]] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    listed = groups[GROUP]
    if listed != sorted(modules):
        raise CheckFailed(
            f"meta/runtime.yml: action group {GROUP} lists {', '.join(listed)}, not {', '.join(sorted(modules))}"
        )
    for name, path in modules.items():
        if FRAGMENT not in _documentation(path.read_text()).get("extends_documentation_fragment", []):
            raise CheckFailed(f"the documentation of {name} does not extend {FRAGMENT}")
    return f"{len(modules)} modules"


def _documentation(source: str) -> dict[str, Any]:
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="DOCUMENTATION")], value=ast.Constant(value=str() as text)):
                documentation: dict[str, Any] = yaml.safe_load(text)
                return documentation
    raise CheckFailed("a module has no DOCUMENTATION")
