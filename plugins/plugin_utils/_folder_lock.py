# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let one task at a time work in a folder of the controller.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path


@contextlib.contextmanager
def alone_in(folder: str | Path) -> t.Iterator[None]:
    """Keep other runs of this controller out, and those of other controllers if the file system can. The folder is
    there. Raises OSError if it cannot be opened."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        # A file system that knows no locks is no reason to do nothing.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
