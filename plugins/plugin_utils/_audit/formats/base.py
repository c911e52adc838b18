# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what all formats share: the interface of a format, and a file that is there whole or as it was before.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Judged
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary


class Format(t.Protocol):
    """Write the report in one form, into one file or two, while the Macs come by."""

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac. ``change``: None if nothing has changed, or nobody knows."""

    def end(self, summary: Summary) -> None:
        """Write what is about the fleet. Nothing comes after it."""


class WholeFile:
    """Write a file beside its place and put it there once it is whole, so that no reader sees half of it."""

    def __init__(self, path: str) -> None:
        """Open the part file. Raise ``OSError`` if that cannot be, or if the place is taken by a folder."""
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a folder, and the report needs a file of that name")
        self.path = path
        # Another audit may write into the same folder at the same time.
        self._part = f"{path}.{os.getpid()}.part"
        self.stream = open(self._part, "w", encoding="utf-8", newline="")  # noqa: SIM115

    def write(self, text: str) -> None:
        """Write the next part. Raise ``OSError`` if there is no room."""
        self.stream.write(text)

    def close(self) -> None:
        """Have all of it on the disk, beside what was there before. Raise ``OSError`` if there is no room."""
        if not self.stream.closed:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()

    def done(self) -> None:
        """Put it in its place. Raise ``OSError`` if that cannot be."""
        self.close()
        os.replace(self._part, self.path)

    def drop(self) -> None:
        """Delete the part file. Does nothing once :meth:`done` has been called."""
        # Closing writes what waits to be written, which fails again if the disk is full.
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            os.unlink(self._part)
