# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold those to whom a recovery key is encrypted: certificates and age recipients, and what opens a message to them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pyrage  # type: ignore[import-untyped]  # it ships no types
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class HelpDesk:
    """Somebody with an RSA certificate."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @classmethod
    def new(cls, name: str) -> HelpDesk:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(_certificate(name, key), key)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def private(self) -> str:
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        return self.key.private_bytes(*form).decode()

    def opened(self, message: str) -> str:
        return pkcs7.pkcs7_decrypt_pem(message.encode(), self.certificate, self.key, []).decode()


@dataclass(frozen=True)
class Safe:
    """Somebody with an age identity."""

    identity: Any

    @classmethod
    def new(cls) -> Safe:
        return cls(pyrage.x25519.Identity.generate())

    @property
    def recipient(self) -> str:
        return str(self.identity.to_public())

    def opened(self, message: str) -> str:
        content: bytes = pyrage.decrypt(message.encode(), [self.identity])
        return content.decode()

    def sealed(self, text: str) -> str:
        message: bytes = pyrage.encrypt(text.encode(), [self.identity.to_public()], armored=True)
        return message.decode()


def certificate_that_cannot_encrypt() -> str:
    """In PEM, and valid; but with an elliptic key."""
    return _certificate("signs only", ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.PEM).decode()


def _certificate(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    return builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
