# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the transcripts' cases by their ids, and the Macs that several of them start from."""

from __future__ import annotations

import functools
import plistlib
from collections.abc import Callable, Mapping

from conformance import Case
from conformance_setups import SETUPS, case_of
from fakes import mac, people
from transcripts import TRANSCRIPTS

from maclab.state import CryptoUser, Mac

PRK = "EBC6C064-0000-11AA-AA11-00306543ECAC"
BOOTSTRAP = "2457711A-523C-4604-B75A-F48A571D5036"
LKDC = "LKDC:SHA1.0123456789ABCDEF0123456789ABCDEF01234567"
PATTERN = "a word that a program looks for"
ONE_HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>"


Builder = Callable[[], Case]
CASES: dict[str, Builder] = {
    record_id: functools.partial(case_of, TRANSCRIPTS[record_id], setup) for record_id, setup in SETUPS.items()
}


def case(*ids: str) -> Callable[[Builder], Builder]:
    def keep(builder: Builder) -> Builder:
        assert not set(ids) & CASES.keys()
        for record_id in ids:
            CASES[record_id] = builder
        return builder

    return keep


def words(line: str) -> list[str]:
    return line.split()


def holds(made: Mac, name: str) -> bool:
    return made.accounts[name].has_authority_token


def volume(version: str, device: str, *users: tuple[str, str, bool], hardware: str = "apple-silicon") -> Mac:
    made = mac(version, hardware, device=device)
    made.crypto_users = {uuid: CryptoUser(uuid, kind, owner) for uuid, kind, owner in users}
    return made


OD = "LocalOpenDirectory"
KEYS = ((BOOTSTRAP, "MDMRecovery", True), (PRK, "PersonalRecovery", True))


def vaulted(version: str = "14.7.1", hardware: str = "apple-silicon", **state: object) -> Mac:
    made = people(mac(version, hardware))
    for name, value in state.items():
        setattr(made if name == "logged_in" else made.filevault, name, value)
    return made


CREDENTIALS = {"Username": "admin", "Password": "admin-pw"}
WRONG = {"Username": "admin", "Password": "a PIN"}


def plist_of(said: Mapping[str, object]) -> str:
    return plistlib.dumps(said).decode()


def with_plist(line: str, said: Mapping[str, object], made: Mac, **more: object) -> Case:
    return Case(made, ["fdesetup", *words(line)], stdin=plist_of(said), **more)  # type: ignore[arg-type]
