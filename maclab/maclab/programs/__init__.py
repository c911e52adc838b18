# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the coroutine behind a program's name: one module a program, plus what a test registers."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Awaitable, Callable

from maclab.call import Call
from maclab.programs import _unmodelled

Program = Callable[[Call], Awaitable[int]]

_registered: dict[str, Program] = {}

# Programs whose names no module can have.
_MODULE_OF = {"app-sso": "app_sso"}


def register(name: str, program: Program) -> None:
    """For tests: a Mac that is brought up afterwards has this program too."""
    _registered[name] = program


def names() -> list[str]:
    return sorted({*_modules(), *_registered, *_unmodelled.NAMES, *_unmodelled.OF_THE_HOST})


@functools.cache
def _modules() -> frozenset[str]:
    """Looked for once: each start of a program asks."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return frozenset({*found, *_MODULE_OF} - set(_MODULE_OF.values()))


def find(name: str) -> Program | None:
    if name in _registered:
        return _registered[name]
    if name in _unmodelled.NAMES | _unmodelled.OF_THE_HOST:
        return _unmodelled.main
    if name not in _modules():
        return None
    main: Program = importlib.import_module(f"{__name__}.{_MODULE_OF.get(name, name)}").main
    return main
