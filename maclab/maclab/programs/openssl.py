# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be openssl on a host that has none, as far as one message to certificates goes: `smime -encrypt`, in PEM."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from maclab.call import Call

FAILED = 1
OPTIONS = ("-encrypt", "-binary", "-aes256", "-outform", "PEM")


async def main(call: Call) -> int:
    words = call.argv[1:]
    if call.argv[:1] != ["smime"] or any(option not in words for option in OPTIONS):
        call.err(f"maclab: openssl of the lab knows only: smime {' '.join(OPTIONS)} CERTIFICATE...\n")
        return FAILED
    content = await call.read_stdin_all()
    try:
        message = _encrypted(content, [os.path.join(call.cwd, word) for word in words if word not in OPTIONS])
    except (OSError, ValueError, TypeError) as problem:
        call.err(f"openssl: {problem}\n")
        return FAILED
    call.out(message)
    return 0


def _encrypted(content: bytes, paths: Sequence[str]) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content).set_content_encryption_algorithm(algorithms.AES256)
    for path in paths:
        with open(path, "rb") as file:
            builder = builder.add_recipient(x509.load_pem_x509_certificate(file.read()))
    return builder.encrypt(Encoding.PEM, [pkcs7.PKCS7Options.Binary])
