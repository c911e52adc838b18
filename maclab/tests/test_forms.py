# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give every program each form that the real one has: it answers, or it is refused as the lab's own shortcoming.

A script throws macOS's usage away with stderr, and takes the silence for a good answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import KILLED, Run, mac, people, person, run

from maclab import programs
from maclab.call import UNMODELLED
from maclab.state import DirectoryUser, Mac, NetworkDirectory

FORMS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "fixtures" / "forms.yml").read_text())


def forms(what: str) -> list[tuple[str, str]]:
    return [(program, form) for program, said in FORMS.items() for form in said[what]]


def made_ready() -> Mac:
    made = people(mac("15.6"))
    made.mdm.enrolled, made.mdm.server = "ade", "https://mdm.example.test/mdm"
    person(made, "root", uid=0)
    made.network = NetworkDirectory("/LDAPv3/d", True, {"ad1": DirectoryUser("ad1", "Ada", 4711, "AD-GUID", "x")})
    return made


def tried(program: str, form: str, made: Mac | None = None) -> Run:
    env = {"PATH": "/usr/bin:/bin"}
    return run(made or made_ready(), program, *form.split(), env=env, typed=["pw", "pw"] if program == "su" else None)


@pytest.mark.parametrize(("program", "form"), forms("answers"))
def test_a_form_that_is_modelled_answers(program: str, form: str) -> None:
    done = tried(program, form)
    assert done.status not in (UNMODELLED, KILLED)
    assert "maclab:" not in done.err
    assert "usage:" not in done.err.lower() or form in ("-h", ". -help")


@pytest.mark.parametrize(("program", "form"), forms("refuses"))
def test_a_form_that_is_not_modelled_is_refused_and_changes_nothing(program: str, form: str) -> None:
    made = made_ready()
    before = repr(made)
    done = tried(program, form, made)
    assert (done.status, done.out) == (UNMODELLED, "")
    assert done.err.startswith(f"maclab: {program} {form}: this lab does not model that (it knows ")
    assert done.err.count("\n") == 1
    assert repr(made) == before
    assert done.record.writes == []


@pytest.mark.parametrize(("program", "form"), forms("usage"))
def test_what_macos_refuses_is_refused_in_its_own_words(program: str, form: str) -> None:
    done = tried(program, form)
    assert "maclab" not in done.err + done.out
    assert done.err + done.out
    # dscl's usage ends with 0 (dscl.m).
    assert done.status not in (0, UNMODELLED) or (program, form) == ("dscl", ". -frobnicate")


def test_every_list_of_forms_is_of_a_program_and_says_where_it_is_from() -> None:
    assert set(FORMS) <= set(programs.names())
    assert all(said["source"] for said in FORMS.values())


ABOUT_THE_MAC = [
    ("mdmclient", "QuerySecurityInfo", "recovery_lock", "IsRecoveryLockEnabled"),
    ("profiles", "-P -o stdout", "escrow_profile", "FDERecoveryKeyEscrow"),
    ("profiles", "-Cv", "forbids_filevault", "dontAllowFDEEnable"),
    ("profiles", "show -output stdout-xml", "token_dialog_bypass", "cachedaccounts.askForSecureTokenAuthBypass"),
]


@pytest.mark.parametrize(("program", "form", "setting", "word"), ABOUT_THE_MAC)
def test_no_answer_is_a_constant(program: str, form: str, setting: str, word: str) -> None:
    """What a program says of the Mac follows from what the Mac is."""
    without, with_it = made_ready(), made_ready()
    setattr(with_it.mdm, setting, True)
    said = tried(program, form, with_it).out
    assert word in said
    assert tried(program, form, without).out != said
