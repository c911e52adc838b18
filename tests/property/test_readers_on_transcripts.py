# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the readers of the collection to what real Macs printed: transcripts of the commands that they read, as data."""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

import pytest
import yaml
from transcripts import FIXTURE, TRANSCRIPTS, Transcript

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    app_sso,
    diskutil,
    dscl,
    fdesetup,
    mdmclient,
    profiles,
)
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran

MEANINGS: dict[str, t.Any] = yaml.safe_load(FIXTURE.with_name("meanings.yml").read_text(encoding="utf-8"))
UNREAD = "unread"
"""What stands in meanings.yml for a transcript that no reader can read, with the reason."""

_SAYS_TRUE = (
    "isactive haspersonalrecoverykey hasinstitutionalrecoverykey usingrecoverykey supportsauthrestart validaterecovery"
)
READERS: dict[tuple[str, str], t.Callable[[Ran], t.Any]] = {
    ("fdesetup", "status"): fdesetup.parse_status,
    ("fdesetup", "list"): fdesetup.parse_list,
    ("fdesetup", "showdeferralinfo"): fdesetup.parse_deferral_path,
    **{("fdesetup", verb): fdesetup.says_true for verb in _SAYS_TRUE.split()},
    **{("diskutil", f"apfs {verb}"): diskutil.parse_users for verb in ("listusers", "listcryptousers", "listkeys")},
    ("diskutil", "apfs updatepreboot"): diskutil.preboot_updated,
    ("profiles", "status bootstraptoken"): profiles.parse_bootstrap,
    ("profiles", "validate bootstraptoken"): profiles.validated,
    ("profiles", "status enrollment"): profiles.parse_enrollment,
    ("app-sso", "platform"): app_sso.parse_state,
    ("mdmclient", "QueryDeviceInformation"): mdmclient.parse_preflight,
    ("dscl", "-authonly"): dscl.authentication_answer,
}


def reader(record: Transcript) -> t.Callable[[Ran], t.Any] | None:
    """Return what reads the output of the record's command, if anything does."""
    words = shlex.split(record.line.split(" | ")[0])
    program, rest = words[0], [word.lower() for word in words[1:]]
    for (name, form), found in READERS.items():
        wanted = form.lower().split()
        if name == program and all(any(given in (word, f"-type={word}") for given in rest) for word in wanted):
            return None if "-plist" in rest or "-extended" in rest and "list" in rest else found
    return None


READ = [record for record in TRANSCRIPTS.values() if record.has_text and reader(record) is not None]


def ran(record: Transcript) -> Ran:
    return Ran(Command(tuple(record.words)), record.rc or 0, record.stdout or "", record.stderr or "")


def plain(value: t.Any) -> t.Any:
    """Return a reading in the words of YAML."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("record", READ, ids=[record.id for record in READ])
def test_a_reader_finds_what_the_transcript_says(record: Transcript) -> None:
    assert record.id in MEANINGS, "meanings.yml says what the record means, or why nothing can read it"
    wanted, read = MEANINGS[record.id], reader(record)
    assert read is not None
    if isinstance(wanted, dict) and UNREAD in wanted:
        assert plain(read(ran(record))) in (None, {}, "", False, {"supported": None, "escrowed": None})
    else:
        assert plain(read(ran(record))) == wanted


def test_every_meaning_is_of_a_transcript_that_is_read() -> None:
    assert set(MEANINGS) == {record.id for record in READ}
