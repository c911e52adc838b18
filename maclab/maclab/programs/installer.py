# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be installer, for packages of the lab: a text whose lines say at which paths of the Mac a Python is put.

    maclab package: A name for a person
    python usr/local/bin/managed_python3

The paths lie in the Mac's own folder, as what is in the root of this host is not the Mac's.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from maclab import layout
from maclab.call import Call
from maclab.places import HOST
from maclab.texts import say

FAILED = 1
USAGE = 64
HEAD = "maclab package: "


async def main(call: Call) -> int:
    version = call.mac.version_tuple
    options = dict(zip(call.argv[::2], call.argv[1::2], strict=False))
    if set(options) != {"-pkg", "-target"} or options["-target"] != "/":
        call.err(say("installer.usage", version))
        return USAGE
    package = _package(call.place(options["-pkg"]))
    if package is None:
        call.err(say("installer.no_package", version, path=options["-pkg"]))
        return FAILED
    if not call.is_root:
        call.out(say("installer.not_root", version))
        return FAILED
    name, paths = package
    if call.folder is not None and call.fault("installer_does_nothing") is None:
        for path in paths:
            _put_python(call.folder / "root" / path.lstrip("/"), HOST if call.full_paths else "")
    call.wrote(f"package {name} installed")
    await call.commit()
    call.out(say("installer.done", version, name=name))
    return 0


def _package(path: Path) -> tuple[str, list[str]] | None:
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except (OSError, UnicodeDecodeError):
        return None
    if not head.startswith(HEAD):
        return None
    return head.removeprefix(HEAD), [line.removeprefix("python ") for line in lines if line.startswith("python ")]


def _put_python(path: Path, host: str) -> None:
    """A script and no link: a link would lead to this host's own, which may be called like Apple's stub."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(f"{host}{layout.own_python()}")} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
