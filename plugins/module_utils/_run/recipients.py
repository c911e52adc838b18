# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a recovery key leaves the Mac: not at all, as a value that the caller asked for, or encrypted to certificates.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import encryption
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Runner

PLACE: str | None = "/var/root" if sys.platform == "darwin" else None
"""Where the folder of certificates is made. Only root can write on the way to it, while TMPDIR may be the connecting
account's, whose processes could put another certificate there. None: wherever the host of a Mac of the lab has room."""

_PROBE = Secret("not a recovery key, only a test that the recipients can be encrypted to")


class Recipients:
    """Certificates in PEM that a key is encrypted to, where the run's own process is. ``runner``: what starts programs
    there, if that is not the run's runner."""

    def __init__(self, certificates: t.Sequence[str], runner: Runner | None = None) -> None:
        self._certificates = tuple(certificates)
        self._runner = runner

    def check(self, runner: Runner, deadline: float) -> None:
        """Raise :class:`Refusal` if nothing could be encrypted to them."""
        if not self._certificates:
            raise Refusal("recipient_unusable", "recovery_key is encrypt, and recipients is empty")
        for number, certificate in enumerate(self._certificates, 1):
            if not encryption.CERTIFICATE.search(certificate):
                raise Refusal("recipient_unusable", f"recipients, number {number}: this is not a certificate in PEM")
        self.encrypt(_PROBE, runner, deadline)

    def encrypt(self, secret: Secret, runner: Runner, deadline: float) -> str:
        """Return a CMS message in PEM that each of the certificates' keys can open. Only certificates go into files."""
        with _private_folder(PLACE if self._runner is None else None) as folder:
            paths = [os.path.join(folder, f"{number}.pem") for number in range(len(self._certificates))]
            for path, certificate in zip(paths, self._certificates):
                with open(path, "x", encoding="ascii", errors="replace") as file:
                    file.write(certificate.strip() + "\n")
            ran = (self._runner or runner).run(encryption.encrypt(secret, paths), deadline)
        message = encryption.message(ran)
        if not message:
            raise Refusal(
                "recipient_unusable", "nothing could be encrypted to the recipients", (secret.hidden_in(ran.evidence),)
            )
        return message


@contextlib.contextmanager
def _private_folder(place: str | None) -> t.Iterator[str]:
    """Return a folder in ``place`` that only this process's account can enter, and take it away afterwards. Raises
    :class:`Refusal`."""
    try:
        folder = tempfile.mkdtemp(prefix="keyholder-", dir=place)
    except OSError as problem:
        where = place or tempfile.gettempdir()
        raise Refusal(
            "recipient_unusable", f"no folder for the certificates could be made in {where}: {problem.strerror}"
        ) from problem
    try:
        folder_stat = os.lstat(folder)
        if (
            folder_stat.st_uid != os.geteuid()
            or stat.S_IMODE(folder_stat.st_mode) != stat.S_IRWXU
            or not stat.S_ISDIR(folder_stat.st_mode)
        ):
            raise Refusal("recipient_unusable", f"{folder}, the folder for the certificates, is not private")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
