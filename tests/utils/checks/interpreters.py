# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the machine's Pythons: on PATH and among pyenv's versions."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from .environments import CACHE

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


def find() -> dict[str, Path]:
    """The first interpreter of each version that really starts; with KEYHOLDER_PYTHON of that version alone."""
    found = {}
    only = os.environ.get("KEYHOLDER_PYTHON")
    for version in [only] if only else VERSIONS:
        for candidate in _candidates(version):
            if _starts(candidate, version):
                found[version] = candidate
                break
    return found


def link(found: dict[str, Path]) -> Path:
    """A folder for PATH that holds them all: ansible-test looks there only, and stumbles over pyenv's shims."""
    folder = CACHE / "pythons"
    folder.mkdir(parents=True, exist_ok=True)
    for version in VERSIONS:
        name = folder / f"python{version}"
        if version not in found:
            name.unlink(missing_ok=True)
        elif not (name.is_symlink() and name.readlink() == found[version]):
            name.unlink(missing_ok=True)
            name.symlink_to(found[version])
    return folder


def _candidates(version: str) -> list[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    in_pyenv = sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
    on_path = [Path(folder) / f"python{version}" for folder in os.get_exec_path() if folder]
    # A machine may have its only Python under no other name than python3.
    plain = [Path(folder) / "python3" for folder in os.get_exec_path() if folder]
    # os.access, because another user's folder is not there for us: Path.exists would raise an error.
    return [path for path in (*in_pyenv, *on_path, *plain) if os.access(path, os.X_OK)]


def _starts(python: Path, version: str) -> bool:
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", probe], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version


def java() -> int:
    """Return the version of the Java on PATH, 0 if there is none."""
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    # openjdk version "17.0.15" 2025-04-15; before 9 it is "1.8.0_402".
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(found[1]) if found and said.returncode == 0 else 0
