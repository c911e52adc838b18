# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a directory and of the dialog's setting, and the argv of what is asked."""

from __future__ import annotations

import plistlib

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl, network
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

CORP = "/Active Directory/CORP/corp.example.com"


def ran(out: str = "", rc: int | None = 0) -> Ran:
    return Ran(Command(("x",)), rc, out)


@pytest.mark.parametrize(
    ("out", "nodes"),
    [
        (f"Node Name  Status\n/Local/Default  Online\n{CORP}\t\tOnline\n", {CORP: True}),
        (
            f"  {CORP}   Offline (2 connections)\n/LDAPv3/od.example.com Online\n",
            {CORP: False, "/LDAPv3/od.example.com": True},
        ),
        ("/Local/Default  Online\n/Search  Online\n", {}),
        ("", {}),
    ],
)
def test_nodes(out: str, nodes: dict[str, bool]) -> None:
    assert network.parse_nodes(ran(out)) == nodes


@pytest.mark.parametrize("rc", [1, None])
def test_nodes_that_cannot_be_read(rc: int | None) -> None:
    assert network.parse_nodes(ran(f"{CORP} Online\n", rc)) is None


def test_person() -> None:
    record = {
        "dsAttrTypeStandard:RecordName": ["ada", "CORP\\ada", "ada@corp.example.com"],
        "dsAttrTypeStandard:RealName": ["Ada Lovelace"],
        "dsAttrTypeStandard:UniqueID": ["1386473812"],
        "dsAttrTypeStandard:AppleMetaNodeLocation": [CORP],
    }
    answer = ran(plistlib.dumps(record).decode())
    assert network.parse_person(answer) == network.Found("ada", "Ada Lovelace", 1386473812, CORP)
    assert network.parse_person(ran(plistlib.dumps({}).decode())) == network.Found("", "", None, "")
    assert network.parse_person(ran("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n", 56)) is None
    assert network.parse_person(ran("", None)) is None


@pytest.mark.parametrize(
    ("out", "rc", "suppressed"),
    [("1\n", 0, True), ("true\n", 0, True), ("0\n", 0, False), ("", 1, False), ("", None, None)],
)
def test_token_dialog(out: str, rc: int | None, suppressed: bool | None) -> None:
    assert network.parse_token_dialog(ran(out, rc)) is suppressed


def test_argv_holds_no_password() -> None:
    assert network.create_mobile_account("ada").argv == ("createmobileaccount", "-n", "ada")
    assert network.create_mobile_account("ada", "/Users/ada").argv[3:] == ("-h", "/Users/ada")
    assert network.read_person("ada").argv[:5] == ("dscl", "-plist", "/Search", "-read", "/Users/ada")
    command = dscl.authenticate("ada", Secret("pw"), anywhere=True)
    assert command.argv == ("dscl", "/Search", "-authonly", "ada")
    assert command.input() == b"pw\n"
