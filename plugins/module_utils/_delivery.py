# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a recovery key leaves the Mac: not at all, as a value that the caller asked for, or encrypted to certificates.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import encryption
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Runner

_PROBE = Secret("not a recovery key, only a test that the recipients can be encrypted to")


class Recipients:
    """Certificates in PEM that a key is encrypted to, by the Mac itself."""

    def __init__(self, certificates: t.Sequence[str]) -> None:
        self._certificates = tuple(certificates)

    def check(self, runner: Runner, deadline: float) -> None:
        """Raises :class:`Refusal` where nothing could be encrypted to them."""
        if not self._certificates:
            raise Refusal("recipient_unusable", "recovery_key is encrypt, and recipients is empty")
        for number, certificate in enumerate(self._certificates, 1):
            if not encryption.CERTIFICATE.search(certificate):
                raise Refusal("recipient_unusable", f"recipients, number {number}: not a certificate in PEM")
        self.encrypt(_PROBE, runner, deadline)

    def encrypt(self, secret: Secret, runner: Runner, deadline: float) -> str:
        """A CMS message in PEM that each of the certificates' keys can open. Only certificates go into files."""
        paths: list[str] = []
        try:
            for certificate in self._certificates:
                handle, path = tempfile.mkstemp(suffix=".pem")
                paths.append(path)
                with os.fdopen(handle, "w", encoding="ascii", errors="replace") as file:
                    file.write(certificate.strip() + "\n")
            ran = runner.run(encryption.encrypt(secret, paths), deadline)
        finally:
            for path in paths:
                os.unlink(path)
        message = encryption.message(ran)
        if not message:
            raise Refusal(
                "recipient_unusable", "nothing could be encrypted to the recipients", (secret.hidden_in(ran.evidence),)
            )
        return message
