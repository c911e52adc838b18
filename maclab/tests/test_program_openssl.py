# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in for openssl on a host without one makes messages that its recipients can open, and nothing else."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import fakes
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from maclab import layout
from maclab.layout import LabFolder

ENCRYPT = ("openssl", "smime", "-encrypt", "-binary", "-aes256", "-outform", "PEM")


def recipient(folder: Path, name: str) -> tuple[Path, x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    path = folder / f"{name}.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path, certificate, key


def test_each_recipient_opens_the_message(tmp_path: Path) -> None:
    people = [recipient(tmp_path, name) for name in ("first", "second")]
    done = fakes.run(fakes.mac(), *ENCRYPT, *(str(path) for path, _, _ in people), stdin="a key\nand more")
    assert done.status == 0
    for _path, certificate, key in people:
        assert pkcs7.pkcs7_decrypt_pem(done.out.encode(), certificate, key, []) == b"a key\nand more"


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_what_is_no_certificate_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "it.pem"
    if content is not None:
        path.write_text(content)
    done = fakes.run(fakes.mac(), *ENCRYPT, str(path), stdin="a key")
    assert done.status != 0
    assert done.out == ""
    assert "a key" not in done.err


def test_nothing_else_is_known() -> None:
    assert fakes.run(fakes.mac(), "openssl", "version").status != 0


@pytest.mark.parametrize("there", [True, False])
def test_the_hosts_own_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(layout, "_found", {"cat": "/bin/cat"} | ({"openssl": "/host/openssl"} if there else {}))
    folder = LabFolder(tmp_path)
    folder.create()
    folder.create_mac("lisbon", ["openssl", "fdesetup"], None, [])
    wanted = "/host/openssl" if there else "../../../program"
    assert os.readlink(folder.mac("lisbon").bin / "openssl") == wanted
    assert os.readlink(folder.mac("lisbon").bin / "fdesetup") == "../../../program"
