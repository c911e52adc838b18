# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product makes of what real Macs were seen to print: each failure by its cause, and stray lines by none."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcripts import TRANSCRIPTS, Transcript

from ansible_collections.keyholder.macos.plugins.module_utils._code import Code
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    diskutil,
    dscl,
    fdesetup,
    mdmclient,
    network,
    profiles,
    records,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._command.answers import reason_of
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import DeleteAccount
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import Grant

MEANINGS: dict[str, Code] = {
    "sts-no-creds-10.13.2": "password_refused",
    "sts-wrong-admin-10.13.2": "password_refused",
    "sysadminctl-framework-255": "password_refused",
    "ston-5101-not-authorized": "granter_refused",
    "ston-not-admin-unified-log": "granter_refused",
    "ston-no-unlock-elemenno": "key_refused",
    "reset-no-unlock-2023": "key_refused",
    "reset-no-unlock-ci-rc0": "key_refused",
    "reset-rc0-macos26-image": "key_refused",
    "reset-runner-refused-ghm": "key_refused",
    "reset-no-unlock-then-dscl": "password_refused",
    "reset-by-disabled-admin-27": "account_refused",
    "stoff-self-5101-27": "granter_is_user",
    "stoff-self-5101-27b": "granter_is_user",
    "adduser-not-root-10.13.6": "root_locked_out",
    "admin-cmd-interactionnotallowed-15": "root_locked_out",
    "adduser-policy-5402": "password_policy",
    "adduser-policy-cookbook": "password_policy",
    "adduser-policy-2023": "password_policy",
    # Its granter is refused as well, and that alone would not have kept macOS from making the account.
    "adduser-wrong-admin-15.3": "password_policy",
    "adduser-no-fda-27": "no_full_disk_access",
    "adduser-ssh-no-fda-vm": "no_full_disk_access",
    "delete-last-admin-or-token": "last_holder",
    "delete-last-holder-creds-27": "last_holder",
    "delete-last-holder-banner-27": "last_holder",
    "delete-last-holder-rc-27": "last_holder",
    "delete-throwaway-holder-ci": "last_holder",
    "delete-no-fda-12": "no_full_disk_access",
    "delete-no-fda-26": "no_full_disk_access",
    "delete-no-fda-27": "no_full_disk_access",
    "dscl-passwd-root-token-26": "password_refused",
    "dscl-passwd-eds-perm": "no_full_disk_access",
    "dscl-delete-last-holder-27": "no_full_disk_access",
    "dscl-delete-rc40-openvox": "no_full_disk_access",
    "fde-isactive-false": "fdesetup_1",
    "fde-isactive-busy": "fdesetup_2",
    "fde-enable-auth-fail-rc11": "fdesetup_11",
    "fde-enable-blank-password": "fdesetup_37",
    "fde-enable-managed-off": "fdesetup_31",
    "fde-add-inputplist-rc17": "fdesetup_17",
    "fde-add-user-not-found": "fdesetup_30",
    "fde-changerecovery-136": "fdesetup_136",
    "fde-changerecovery-136b": "fdesetup_136",
    "fde-changerecovery-auth-fail": "fdesetup_11",
    "fde-changerecovery-99": "fdesetup_99",
    "fde-changerecovery-expected-11": "fdesetup_11",
    "fde-removerecovery-fail": "fdesetup_27",
    "bt-install-empty-password": "password_unusable",
}
"""The cause that each transcript of a failure names."""


def ran_of(seen: Transcript) -> Ran:
    return Ran(Command(tuple(seen.words)), seen.rc or 0, seen.stdout or "", seen.stderr or "")


def test_each_failure_that_was_seen_is_told_by_its_cause() -> None:
    """The whole list, so that a new transcript cannot be taken for something by accident."""
    found = {name: reason_of(ran_of(record)) for name, record in TRANSCRIPTS.items()}
    assert {name: reason for name, reason in found.items() if reason} == MEANINGS


# -14135 is no failure of -addUser, which goes on; the others only ask.
NONE = {
    "adduser-existing-record-10.13",
    "adduser-nopw-existing-10.13",
    "dscl-absent-record",
    "dscl-authonly-bad",
    "dscl-authonly-disabled",
}


def test_no_other_transcript_holds_words_of_a_failure() -> None:
    failing = re.compile(r"### Error|DS Error|Error Domain|not permitted without|can not be deleted")
    said = {name: ran_of(record).text for name, record in TRANSCRIPTS.items()}
    assert {name for name, text in said.items() if failing.search(text)} - set(MEANINGS) == NONE


@pytest.mark.parametrize(("name", "answer"), [("dscl-authonly-bad", "wrong"), ("dscl-authonly-disabled", "disabled")])
def test_what_a_login_was_answered(name: str, answer: str) -> None:
    assert dscl.authentication_answer(ran_of(TRANSCRIPTS[name])) == answer


# -- a number outweighs a sentence ------------------------------------------------------------------------------------

NUMBERED: dict[str, Code] = {
    "### Error:-14090 File:/AppleInternal/addremoveuser/main.m Line:381": "password_refused",
    "### Error:-14167 File:/AppleInternal/addremoveuser/main.m Line:381": "account_refused",
    "### Error:-14161 File:/AppleInternal/addremoveuser/main.m Line:381": "account_refused",
    "### Error:-14162 File:/AppleInternal/addremoveuser/main.m Line:381": "account_refused",
    "### Error:-14165 File:/AppleInternal/addremoveuser/main.m Line:381": "password_policy",
    'error Error Domain=com.apple.OpenDirectory Code=5101 "Die Anfrage"': "granter_refused",
    'error Error Domain=com.apple.OpenDirectory Code=5301 "x"': "account_refused",
    'error Error Domain=com.apple.OpenDirectory Code=5304 "x"': "account_refused",
    'error Error Domain=com.apple.OpenDirectory Code=5400 "x"': "account_refused",
    'error Error Domain=com.apple.OpenDirectory Code=5403 "x"': "password_policy",
    "User cannot disable their own SEP credential, Error Domain=com.apple.OpenDirectory Code=5101": "granter_is_user",
    "(Error Domain=NSOSStatusErrorDomain Code=-60007 x)": "root_locked_out",
}
COARSE = (
    "Operation is not permitted without secure token unlock.",
    "Incorrect password",
    "Failed to authenticate with SystemAdministration framework.",
    "No clear text password or interactive option was specified (adduser, change/reset password will not allow user"
    " to use FDE) !",
    "Creating user record…",
    "- Done!",
    "### Error:-14120 File:/AppleInternal/DSRecord.m Line:418",
)
STAMP = "2026-10-06 22:21:14.595 sysadminctl[329:2086] "
STRAY = "IOServiceMatchingfailed for: AppleM2ScalerParavirtDriver"


@pytest.mark.parametrize("sentence", COARSE)
@pytest.mark.parametrize("line", NUMBERED)
def test_the_number_names_the_cause_whatever_stands_beside_it(line: str, sentence: str) -> None:
    for lines in ((line, sentence), (sentence, line), (sentence, STRAY, line, sentence)):
        said = "".join(f"{STAMP}{one}\n" for one in lines)
        for answer in (Ran(LOOK, 0, "", said), Ran(LOOK, 1, said), Ran(LOOK, 0, lines[0], "\n".join(lines[1:]))):
            assert reason_of(answer) == NUMBERED[line]


LOOK = Command(("sysadminctl", "-resetPasswordFor", "ana"))
GUARDED = "User ana can not be deleted (it's either last admin user or last secure token user neither of which can be)"


@pytest.mark.parametrize("status", [1, 2, 64, 255, -9])
def test_a_refusal_that_exits_otherwise_is_told_by_its_words(status: int) -> None:
    """So it is on macOS 27.0.1; up to 26 it exits with 0."""
    step = DeleteAccount("ana", "keep_home")
    assert step.failure(Ran(LOOK, status, "", GUARDED)) == "last_holder"
    assert step.failure(Ran(LOOK, 0, "", GUARDED)) == ""
    assert Grant("ana", "itadmin").failure(Ran(LOOK, status, "", "words that nobody knows")) == "command_failed"


# -- stray lines ------------------------------------------------------------------------------------------------------

PARSERS: dict[str, t.Callable[[Ran], t.Any]] = {
    "fdesetup status": fdesetup.parse_status,
    "fdesetup list": fdesetup.parse_list,
    "recovery key": lambda ran: (found := fdesetup.new_key(ran)) and found.reveal(),
    "true": fdesetup.says_true,
    "deferral": fdesetup.parse_deferral_path,
    "diskutil": diskutil.parse_users,
    "key": diskutil.passphrase_opens,
    "preboot": lambda ran: (diskutil.preboot_updated(ran), diskutil.preboot_failed_for(ran)),
    "hash": lambda ran: dscl.hash_matches(ran, Secret("x")),
    "preflight": mdmclient.parse_preflight,
    "nodes": network.parse_nodes,
    "person": network.parse_person,
    "dialog": network.parse_token_dialog,
    "escrow": profiles.parse_escrow,
    "validated": profiles.validated,
    "places": lambda ran: system.parse_places(ran, ["/", "/Users"]),
    "disk access": system.parse_full_disk_access,
    "enrollment": profiles.parse_enrollment,
    "bootstrap": profiles.parse_bootstrap,
    "directory": lambda ran: records.parse_directory(ran.out),
    "sysctl": system.parse_sysctl,
    "sw_vers": lambda ran: system.with_sw_vers(system.System(), ran),
    "stat": system.parse_stat,
    "who": accounts.parse_who,
    "login": dscl.authentication_answer,
    "reason": reason_of,
}


@given(name=st.sampled_from(sorted(TRANSCRIPTS)), data=st.data())
def test_a_stray_line_changes_nothing(name: str, data: st.DataObject) -> None:
    ran = ran_of(TRANSCRIPTS[name])
    strewn = Ran(ran.command, ran.rc, _strewn(ran.out, data), _strewn(ran.err, data))
    for what, parse in PARSERS.items():
        assert parse(strewn) == parse(ran), what


def _strewn(text: str, data: st.DataObject) -> str:
    """Put stray lines between the lines of a text, and in front of it; behind it only where its last line has ended."""
    lines = text.splitlines(keepends=True)
    last = len(lines) if not lines or lines[-1].endswith("\n") else len(lines) - 1
    for at in sorted(data.draw(st.lists(st.integers(0, last), max_size=3)), reverse=True):
        lines.insert(at, STRAY + "\n")
    return "".join(lines)


def test_a_stray_line_is_no_text_of_a_record() -> None:
    """In a property list of several lines it would become part of a value, or break it."""
    plist = '<?xml version="1.0"?>\n<plist><array><dict>\n<key>a</key><string>b\nc</string>\n</dict></array></plist>\n'
    strewn = plist.replace("b\n", f"b\n{STRAY}\n")
    assert fdesetup.plists.documents(strewn) == fdesetup.plists.documents(plist) == [[{"a": "b\nc"}]]


def test_the_wording_of_one_admin_is_taken_for_the_status_that_it_is() -> None:
    said = "profiles: Bootstrap Token is supported on server: YES\nprofiles: Bootstrap Token escrowed on server: NO\n"
    assert profiles.parse_bootstrap(Ran(LOOK, 0, said)) == profiles.BootstrapStatus(True, False)


@pytest.mark.parametrize("what", PARSERS)
def test_a_stray_line_before_the_first_changes_nothing(what: str) -> None:
    """Each parser, on each record: chance may leave the one out that matters."""
    stray = f"{STRAY}\n"
    for record in TRANSCRIPTS.values():
        ran = ran_of(record)
        strewn = Ran(ran.command, ran.rc, stray + ran.out, stray + ran.err)
        assert PARSERS[what](strewn) == PARSERS[what](ran), record
