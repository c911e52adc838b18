# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypt a secret to certificates: in on stdin, out on stdout as a CMS message. Every macOS has openssl (LibreSSL).

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Secret

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

_MESSAGE = re.compile(r"-----BEGIN (PKCS7|CMS)-----\n[A-Za-z0-9+/=\n]+-----END \1-----\n?")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----")


def encrypt(secret: Secret, certificates: t.Sequence[str]) -> Command:
    """Encrypt a secret. ``certificates``: paths of PEM files. ``smime`` is in every LibreSSL, ``cms`` is not."""
    argv = ("openssl", "smime", "-encrypt", "-binary", "-aes256", "-outform", "PEM")
    return Command(argv + tuple(certificates), document=secret)


def try_certificate(certificate: str) -> Command:
    """Encrypt nothing to one certificate, to see whether its key can be encrypted to. No file is written."""
    argv = ("openssl", "smime", "-encrypt", "-binary", "-aes256", "-outform", "PEM", "-in", "/dev/null", "/dev/stdin")
    return Command(argv, stdin=certificate.strip() + "\n")


def message(ran: Ran) -> str:
    """Return the CMS message in PEM, "" for none."""
    found = _MESSAGE.search(ran.out) if ran.rc == 0 else None
    return found.group(0) if found else ""
