# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the work tree, for tools that demand a folder .../ansible_collections/keyholder/macos or litter it."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from .environments import CACHE, ROOT


def mirror(name: str, *, shipped_only: bool = False) -> Path:
    """Bring the copy up to date with the work tree: the files that git knows, or would take, and no others.

    `shipped_only` leaves out what galaxy.yml keeps out of the tarball.

    The copy lasts, because ansible-test and ansible-lint keep caches in it. It is a git repository of its own: as part
    of .cache, which the work tree's git ignores, ansible-test would see no file in it at all, and pass.
    """
    copy = CACHE / "mirrors" / name / "ansible_collections" / "keyholder" / "macos"
    copy.mkdir(parents=True, exist_ok=True)
    if not (copy / ".git").exists():
        _git(copy, "init", "--quiet")
    wanted = {path for path in tracked() if not (shipped_only and _stays_at_home(path))}
    for path in (copy / known for known in _known(copy)):
        if path.relative_to(copy) not in wanted:
            path.unlink(missing_ok=True)
    for relative in wanted:
        _bring(ROOT / relative, copy / relative)
    for folder, _folders, _files in os.walk(copy, topdown=False):
        if ".git" not in Path(folder).parts and not os.listdir(folder):
            Path(folder).rmdir()
    _git(copy, "add", "--all")
    return copy


def tracked(*patterns: str) -> list[Path]:
    """The work tree's files that match, as git sees them, relative to its root."""
    return [path for path in _known(ROOT, *patterns) if (ROOT / path).is_file()]


def _stays_at_home(path: Path) -> bool:
    ignored: list[str] = yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]
    names = [path, *path.parents]
    return any(fnmatch.fnmatch(str(name), pattern) for name in names for pattern in ignored)


def _known(folder: Path, *patterns: str) -> list[Path]:
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    return sorted({Path(name) for name in listed.split("\0") if name})


def _bring(source: Path, target: Path) -> None:
    if target.exists() and _identity(source) == _identity(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _identity(path: Path) -> tuple[int, int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_mode


def _git(folder: Path, *argv: str) -> str:
    # A caller inside a git hook has these set, and git would then look at the wrong repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *argv], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
