# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another account or program may have put in the place of a lock's file: each kind of lock must refuse it all."""

from __future__ import annotations

import os
from pathlib import Path


def link(place: Path) -> None:
    place.with_name("other").touch(mode=0o600)
    place.symlink_to(place.with_name("other"))


def dangling(place: Path) -> None:
    place.symlink_to(place.with_name("other"))


def hard_link(place: Path) -> None:
    place.with_name("other").touch(mode=0o600)
    os.link(place.with_name("other"), place)


def a_folder(place: Path) -> None:
    place.mkdir()


def pipe(place: Path) -> None:
    os.mkfifo(place, 0o600)


def readable(place: Path) -> None:
    place.touch()
    place.chmod(0o644)


def writable(place: Path) -> None:
    place.touch()
    place.chmod(0o622)


FOREIGN = [
    (link, "it is a symbolic link"),
    (dangling, "it is a symbolic link"),
    (hard_link, "it has another name as well"),
    (a_folder, "Is a directory"),
    (pipe, "it is not a regular file"),
    (readable, "other accounts may open it (mode 0644)"),
    (writable, "other accounts may open it (mode 0622)"),
]
"""What lies there, and why it is refused."""
