# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a recovery key over on the controller, under a key of this task alone, and encrypt it to age recipients.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import importlib
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate


class AgeError(Exception):
    """Nothing can be encrypted to the age recipients, and why."""


def is_age(recipient: str) -> bool:
    return recipient.strip().startswith("age1")


@dataclass(frozen=True)
class Courier:
    """A key pair that lives as long as one task: the Mac encrypts to it, and only this process can open that."""

    certificate: Certificate
    key: RSAPrivateKey

    @classmethod
    def new(cls) -> Courier:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.x509.oid import NameOID

        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyholder courier")])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        # A Mac's clock may be wrong by more than a task takes.
        builder = builder.not_valid_before(now - datetime.timedelta(days=365))
        builder = builder.not_valid_after(now + datetime.timedelta(days=365))
        return cls(builder.sign(key, hashes.SHA256()), key)

    @property
    def pem(self) -> str:
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    def open(self, message: str) -> bytes:
        """Return what is in a CMS message of the Mac."""
        from cryptography.hazmat.primitives.serialization import pkcs7

        return pkcs7.pkcs7_decrypt_pem(message.encode("ascii"), self.certificate, self.key, [])


def check_age(recipients: t.Sequence[str]) -> None:
    """Fail before the Mac makes a key that could then not be encrypted. Raises :class:`AgeError`."""
    if _pyrage() is None and shutil.which("age") is None:
        raise AgeError(
            "recipients names an age recipient, and the controller has no age: install the Python package pyrage beside"
            " ansible-core, or the program age"
        )
    if not hasattr(importlib.import_module("cryptography.hazmat.primitives.serialization.pkcs7"), "pkcs7_decrypt_pem"):
        raise AgeError(
            "recipients names an age recipient, and the controller's cryptography cannot open what the Mac sends:"
            " install version 44 or newer"
        )
    encrypt_with_age(b"a test that the recipients can be encrypted to", recipients)


def encrypt_with_age(secret: bytes, recipients: t.Sequence[str]) -> str:
    """Return an armoured age file that the identity of each recipient opens. Raises :class:`AgeError`."""
    pyrage = _pyrage()
    if pyrage is not None:
        try:
            to = [pyrage.x25519.Recipient.from_str(recipient.strip()) for recipient in recipients]
            return t.cast(bytes, pyrage.encrypt(secret, to, armored=True)).decode("ascii")
        except (pyrage.RecipientError, pyrage.EncryptError) as exc:
            raise AgeError(f"age cannot encrypt to the recipients: {exc}") from exc
    words = [word for recipient in recipients for word in ("-r", recipient.strip())]
    ran = subprocess.run(["age", "--encrypt", "--armor", *words], input=secret, capture_output=True, check=False)
    if ran.returncode != 0:
        raise AgeError(f"age cannot encrypt to the recipients: {ran.stderr.decode(errors='replace').strip()}")
    return ran.stdout.decode("ascii")


def decrypt_with_age(message: bytes, identity: Path) -> bytes:
    """Return what is in an age file, opened by the identities (``AGE-SECRET-KEY-1...``) in the file ``identity``.
    Raises :class:`AgeError`."""
    pyrage = _pyrage()
    if pyrage is None:
        argv = ["age", "--decrypt", "--identity", str(identity)]
        try:
            ran = subprocess.run(argv, input=message, capture_output=True, check=False)
        except OSError as exc:
            raise AgeError("the controller has no age: install the Python package pyrage, or the program age") from exc
        if ran.returncode != 0:
            raise AgeError(f"age cannot decrypt: {ran.stderr.decode(errors='replace').strip()}")
        return ran.stdout
    try:
        lines = [line.strip() for line in identity.read_text(encoding="utf-8").splitlines()]
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
        return t.cast(bytes, pyrage.decrypt(message, identities))
    except (pyrage.IdentityError, pyrage.DecryptError, OSError) as exc:
        raise AgeError(f"age cannot decrypt with {identity}: {exc}") from exc


def _pyrage() -> t.Any:
    try:
        return importlib.import_module("pyrage")
    except ImportError:
        return None
