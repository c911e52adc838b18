# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the Mac of a transcript from what the record says of it and from what `fixtures/setups.yml` declares."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fakes
import yaml
from conformance import Case
from conformance_derive import derived
from transcripts import Transcript

from maclab import directory, faults, models
from maclab.state import CryptoUser, Group, Mac

FILE = Path(__file__).with_name("fixtures") / "setups.yml"
SETUPS: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
_REASONS: dict[str, list[str]] = yaml.safe_load(FILE.with_name("unrepeated.yml").read_text(encoding="utf-8"))
# Transcripts that the lab does not repeat, each with the reason.
UNREPEATED = {record_id: reason for reason, ids in _REASONS.items() for record_id in ids}
OF_THE_CASE = {"root", "user", "stdin", "typed", "env", "names", "part", "cut"}
OF_THE_MAC = {"build", "model", "device", "filesystem", "hardware", "logged_in"}
PARTS = {"filevault", "mdm", "policy", "settings"}
OTHERS = {"macos", "people", "system", "groups", "crypto_users", "faults", "command", "loose"}


def case_of(record: Transcript, setup: Mapping[str, Any]) -> Case:
    """Return how the transcript is repeated: by what it says itself, and by what is declared of it."""
    setup = derived(record) | setup
    unknown = setup.keys() - OF_THE_CASE - OF_THE_MAC - PARTS - OTHERS
    if unknown:
        raise ValueError(f"setups.yml: {record.id}: {', '.join(sorted(unknown))}: no such key")
    how = {key: setup[key] for key in OF_THE_CASE & setup.keys()}
    argv = shlex.split(setup["command"]) if "command" in setup else ()
    return Case(mac_of(record, setup), argv, loose=tuple(setup.get("loose", ())), **how)


def mac_of(record: Transcript, setup: Mapping[str, Any]) -> Mac:
    version = setup.get("macos") or record.version or "15.6"
    hardware = setup.get("hardware") or record.chip or models.default_hardware(version)
    made = fakes.mac(version, hardware)
    made.model = "VirtualMac2,1" if record.is_virtual else made.model
    for key in OF_THE_MAC & setup.keys():
        setattr(made, key, setup[key])
    for key in PARTS & setup.keys():
        for name, value in setup[key].items():
            if not hasattr(getattr(made, key), name):
                raise ValueError(f"setups.yml: {record.id}: {key}: {name}: no such key")
            setattr(getattr(made, key), name, value)
    _people(made, setup)
    for name, gid, members in setup.get("groups", ()):
        made.groups[name] = Group(name, gid, f"GUID-{gid}", list(members))
    for uuid, kind, owner in setup.get("crypto_users", ()):
        made.crypto_users[uuid] = CryptoUser(uuid, kind, owner)
    for name in setup.get("faults", ()):
        faults.set_fault(made, faults.parse(name, {}, made))
    return made


def _people(made: Mac, setup: Mapping[str, Any]) -> None:
    """The usual administrator with a token and the usual user, or those who are declared."""
    if setup.get("system"):
        for one in models.SYSTEM_ACCOUNTS:
            fakes.person(made, one.name, None, full_name=one.full_name, uid=one.uid, guid=one.generated_uid)
            account = made.accounts[one.name]
            account.service, account.shell, account.home, account.gid = True, one.shell, one.home, one.gid
            account.authority.clear()
    if "people" not in setup:
        fakes.people(made)
    for said in setup.get("people", ()):
        more = {key: said[key] for key in ("authority", "attributes", "shell", "hidden", "home_exists") if key in said}
        plain = {key: value for key, value in said.items() if key not in more and key != "token"}
        account = fakes.person(made, **plain)
        for key, value in more.items():
            setattr(account, key, value)
        if said.get("token"):
            directory.give_token(made, account)
