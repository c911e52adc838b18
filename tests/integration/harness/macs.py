# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describes the Macs that the tests break: the versions to test on, and the people that every one of them has."""

from __future__ import annotations

import secrets
from typing import Any

# Every version whose rules differ, on each kind of hardware that it ran on, with either Python.
KINDS = {
    "10.13.6": ("intel", "3.9"),
    "10.15.7": ("t2", "3.13"),
    "11.7.10": ("apple-silicon", "3.9"),
    "13.6.9": ("t2", "3.13"),
    "15.6": ("apple-silicon", "3.9"),
    "26.1": ("apple-silicon", "3.13"),
    "27.0.1": ("apple-silicon", "3.13"),
}
VERSIONS = tuple(KINDS)


def secret(what: str) -> str:
    """A password that no other text contains."""
    return f"{what}-{secrets.token_urlsafe(9)}"


PASSWORDS = {who: secret(who) for who in ("itadmin", "deputy", "helper", "stan", "ana", "rui", "ghost")}
"""By short name, and the same on every Mac."""

PEOPLE: dict[str, dict[str, Any]] = {
    "itadmin": {"full_name": "IT Administrator", "admin": True, "token": True},
    "deputy": {"full_name": "Deputy Administrator", "admin": True, "token": True},
    "helper": {"full_name": "Helper Without Token", "admin": True},
    "stan": {"full_name": "Stan Standard", "token": True},
    "ana": {"full_name": "Ana Sousa"},
    # Phantoms: the directory and fdesetup name them, the volume has no key for them.
    "rui": {"full_name": "Rui Costa", "token": {"authority": True, "crypto": False, "filevault": True}},
    "ghost": {
        "full_name": "Ghost Administrator",
        "admin": True,
        "token": {"authority": True, "crypto": False, "filevault": True},
    },
}


def person(name: str, **other: Any) -> dict[str, Any]:
    """One of PEOPLE, or somebody else, with what differs."""
    described = {"name": name, "password": PASSWORDS.get(name), **PEOPLE.get(name, {}), **other}
    return {key: value for key, value in described.items() if value is not None}


def mac(version: str, *accounts: str | dict[str, Any], **other: Any) -> dict[str, Any]:
    """A Mac of that version; with no account named it has them all."""
    hardware, python = KINDS.get(version, ("apple-silicon", "3.13"))
    named = accounts or tuple(PEOPLE)
    return {
        "macos": version,
        "hardware": hardware,
        "python": python,
        "accounts": [person(entry) if isinstance(entry, str) else entry for entry in named],
        **other,
    }


def name(version: str, prefix: str = "mac") -> str:
    """``mac-15.6``: what the tests call the Mac of that version."""
    return f"{prefix}-{version}"
