# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets in whatever a run left behind, in the spellings that programs give to a text."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape


def spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    texts = {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        shlex.quote(secret),
        quote(secret),
        escape(secret),
        raw.hex(),
        raw.hex().upper(),
    }
    return {text.encode() for text in texts} | {secret.encode("utf-16-le")} | _base64(raw)


def _base64(raw: bytes) -> set[bytes]:
    """What stays the same in base64 wherever in a longer text the secret stands."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        # Four letters are three bytes: the first group and the last one also depend on the neighbours.
        found.add(whole[4 if before else 0 : -4])
    return found


class Search:
    """``secrets``: by a name that may be shown."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._spellings = {name: spellings(secret) for name, secret in secrets.items()}

    def data(self, where: str, data: bytes) -> list[str]:
        return [f"{name} in {where}" for name, forms in self._spellings.items() if any(form in data for form in forms)]

    def text(self, where: str, text: str) -> list[str]:
        return self.data(where, text.encode("utf-8", "surrogateescape"))

    def files(self, folders: Iterable[Path]) -> list[str]:
        """The names of files too, and what links point to."""
        found: list[str] = []
        for folder in folders:
            for path in (folder, *folder.rglob("*")):
                found += self.data(f"the name of {path}", os.fsencode(path))
                if path.is_symlink():
                    found += self.data(f"link {path}", os.fsencode(os.readlink(path)))
                elif path.is_file():
                    found += self.data(str(path), path.read_bytes())
        return found

    def processes(self) -> list[str]:
        """Arguments of everything that runs, and, where the system shows it, the environment."""
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, check=True).stdout
        found = self.data("the arguments of a process", listed)
        for environment in Path("/proc").glob("[0-9]*/environ"):
            try:
                found += self.data(str(environment), environment.read_bytes())
            except OSError:  # It has ended meanwhile, or is somebody else's.
                continue
        return found
