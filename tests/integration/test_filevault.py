# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an unprotected Mac to one whose key is safe: FileVault, its keys and the Bootstrap Token on every macOS."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from harness.ansible import Ansible
from harness.batch import Played, Step, play
from harness.macs import PASSWORDS, VERSIONS, mac, name
from harness.search import Search
from maclab.lab import Lab

MANAGED = {"enrolled": "ade", "bootstrap": {"supported": True, "escrowed": False}}
OFF = {"state": "off", "prk": False}
ADMIN = {"user": "itadmin", "password": PASSWORDS["itadmin"]}
IT = {"admin_user": "itadmin", "admin_password": PASSWORDS["itadmin"]}
SINCE_BOOTSTRAP = [version for version in VERSIONS if version != "10.13.6"]
on_each_mac = pytest.mark.parametrize("host", [name(version) for version in VERSIONS])


def _certificate() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "help desk")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    return builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()), key


CERTIFICATE, KEY = _certificate()
PEM = CERTIFICATE.public_bytes(Encoding.PEM).decode()
TO_HELP_DESK = {"recovery_key": "encrypt", "recipients": [PEM]}

ENABLE = Step("enable", "filevault", {"state": "enabled", **ADMIN, **TO_HELP_DESK})
ESCROW = Step("escrow", "bootstrap_token", {"state": "escrowed", **IT})
ROTATE = Step("rotate", "filevault_recovery_key", {"state": "rotated", **ADMIN, **TO_HELP_DESK})
GONE = Step("unlocker gone", "filevault_user", {"user": "stan", "state": "absent"})
BACK = Step("unlocker back", "filevault_user", {"user": "stan", "password": PASSWORDS["stan"], **IT})
DISABLE = Step("disable", "filevault", {"state": "disabled", **ADMIN})


def both(step: Step) -> list[Step]:
    """Predicted, then done, then found done without any password."""
    again = step.but(f"{step.title}: again", password=None, admin_user=None, admin_password=None)
    return [step.but(f"{step.title}: check", check=True, diff=True), step.but(step.title, diff=True), again]


def steps(version: str) -> list[Step]:
    escrow = both(ESCROW) if version in SINCE_BOOTSTRAP else []
    wrong = ENABLE.but("wrong password", password="no-password-of-this-mac")
    to_nobody = ROTATE.but("for nobody", recovery_key=None, recipients=None)
    no_certificate = ROTATE.but("no certificate", recipients=["not a certificate"])
    refused = [to_nobody, no_certificate]
    return [wrong, *both(ENABLE), *escrow, *refused, ROTATE, *both(GONE), *both(BACK), *both(DISABLE)]


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    people = ("itadmin", "deputy", "stan", "ana")
    return bring_up({name(version): mac(version, *people, mdm=MANAGED, filevault=OFF) for version in VERSIONS})


@pytest.fixture(scope="module")
def played(ansible: Ansible, lab: Lab) -> Played:
    return play(ansible, lab, {name(version): steps(version) for version in VERSIONS}, "-vvvv")


def opened(played: Played, host: str, step: str) -> str:
    message = played[host, step].result["recovery_key_encrypted"]
    return pkcs7.pkcs7_decrypt_pem(message.encode(), CERTIFICATE, KEY, []).decode()


CHANGES = ["enable", "escrow", "unlocker gone", "unlocker back", "disable"]


@on_each_mac
@pytest.mark.parametrize("change", CHANGES)
def test_predicted_done_and_found_done(played: Played, host: str, change: str) -> None:
    if change == "escrow" and host == name("10.13.6"):
        assert (host, change) not in played.answers
        return
    check, run, again = (played[host, f"{change}{when}"] for when in (": check", "", ": again"))
    assert check.ok, check
    assert check.changed
    assert check.touched_nothing, check
    assert run.ok, run
    assert run.changed
    assert run.writes
    assert check.result["plan"] == run.result["plan"]
    foreseen = {key: value for key, value in check.after.items() if value is not None}
    assert foreseen == {key: run.after[key] for key in foreseen}
    assert again.ok, again
    assert not again.changed
    assert again.touched_nothing, again


@on_each_mac
def test_the_key_leaves_the_mac_encrypted_and_opens_it(played: Played, host: str) -> None:
    first, second = opened(played, host, "enable"), opened(played, host, "rotate")
    assert len(first.split("-")) == len(second.split("-")) == 6
    assert first != second
    validated = [run for run in played[host, "rotate"].programs if "validaterecovery" in run.argv]
    assert [run.status for run in validated] == [0]


@on_each_mac
def test_what_is_refused_touches_nothing(played: Played, host: str) -> None:
    expected = {
        "wrong password": "user_password_wrong",
        "for nobody": "no_escrow_path",
        "no certificate": "recipient_unusable",
    }
    assert {step: played[host, step].reason for step in expected} == expected
    for step in expected:
        assert played[host, step].touched_nothing, played[host, step]


@pytest.mark.parametrize("host", [name(version) for version in SINCE_BOOTSTRAP])
def test_the_bootstrap_token_is_escrowed_and_proven_where_macos_can_say_so(played: Played, host: str) -> None:
    says_so = host in (name("13.6.9"), name("15.6"), name("26.1"))
    assert played[host, "escrow"].after["status"] == ("valid" if says_so else "escrowed_unproven")


@on_each_mac
def test_who_may_unlock(played: Played, host: str) -> None:
    assert sorted(played[host, "enable"].after["users"]) == ["deputy", "itadmin", "stan"]
    assert played[host, "unlocker gone"].after["can_unlock"] is False
    assert played[host, "unlocker back"].after["secure_token"] == "holder"


def test_no_key_and_no_password_shows_anywhere(played: Played, lab: Lab) -> None:
    secrets = {who: PASSWORDS[who] for who in ("itadmin", "stan")}
    for version in VERSIONS:
        for step in ("enable", "rotate"):
            secrets[f"key of {step} on {version}"] = opened(played, name(version), step)
    search = Search(secrets)
    assert search.text("planted", f"before {secrets['stan']} after")
    assert search.text("ansible's output", played.run.output) == []
    for version in VERSIONS:
        handle = lab.mac(name(version))
        assert search.files([handle.file_tree]) == []
        assert search.data("the journal", handle.folder.journal.read_bytes()) == []
