# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grant and revoke tokens, make, reset and delete accounts, and tell what went wrong: sysadminctl.

It exits 0 on most failures (but: transcripts delete-last-holder-rc-27, sysadminctl-framework-255), all on stderr
(chef/chef mac_user; mkuser), so its words only explain what a second reading found, they never prove it. With ``-`` for
a password it prompts, and reads a line of stdin where there is no terminal (mkuser, 10.13 to 12). The order of its
prompts differs by sub-command.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._command import codes
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Secret

STDIN_BYTES = 1022
"""Longest password that is safe for every prompt: 1023 bytes for an account, but 1022 for a granter from 10.14 on,
and the error then blames the other one (mkuser; transcript ston-piped-1023-byte-admin-pw)."""

_PRECISE: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile(r"-60007|errAuthorizationInteractionNotAllowed"), "root_locked_out"),
    # Beside 5101, which also stands for a granter who is no administrator (27.0.1, wraithbox; transcript
    # ston-not-admin-unified-log).
    (re.compile(r"disable their own SEP credential"), "granter_is_user"),
    (re.compile(r"Credential is not an admin"), "granter_refused"),
)
_WHOLE: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile(r"last admin user or last secure token user"), "last_holder"),
    (re.compile(r"New account password error"), "password_policy"),
)
_COARSE: tuple[tuple[re.Pattern[str], Code], ...] = (
    # It follows every failed authentication of -adminUser; the line before it says why (reset-by-disabled-admin-27).
    (re.compile(r"not permitted without secure token unlock"), "key_refused"),
    (re.compile(r"Incorrect password|Failed to authenticate"), "password_refused"),
)


def grant(user: str, granter: str, granter_password: Secret, password: Secret) -> Command:
    """Grant a token to a user. It asks for the granter's password first, whatever the order of its options (mkuser;
    Addigy's expect script)."""
    return _token("-secureTokenOn", user, granter, granter_password, password)


def revoke(user: str, granter: str, granter_password: Secret, password: Secret) -> Command:
    """Revoke a user's token, in the same way."""
    return _token("-secureTokenOff", user, granter, granter_password, password)


@dataclass(frozen=True)
class NewUser:
    """Hold what ``-addUser`` is told of an account. "" and None: left to macOS. ``gid``: see ADD_USER_GID."""

    name: str
    full_name: str
    uid: int | None = None
    gid: int | None = None
    shell: str = ""
    home: str = ""
    hint: str = ""
    picture: str = ""
    admin: bool = False


def add_user(user: NewUser, password: Secret) -> Command:
    """Create an account, without a granter: the order of two prompts of ``-addUser`` is not known, and a grant of its
    own can be proven."""
    options = {
        "-fullName": user.full_name,
        "-shell": user.shell,
        "-hint": user.hint,
        "-picture": user.picture,
        "-UID": "" if user.uid is None else str(user.uid),
        "-GID": "" if user.gid is None else str(user.gid),
        "-home": user.home,
    }
    words = [word for flag, value in options.items() if value for word in (flag, value)]
    words += ["-admin"] if user.admin else []
    return Command(("sysadminctl", "-addUser", user.name, *words, "-password", "-"), prompts=(password,))


def reset_password(user: str, new: Secret, granter: str = "", granter_password: Secret | None = None) -> Command:
    """Set a user's password as root. It asks for the new password first, then for the granter's (Amazon ACME's pexpect
    script)."""
    argv = ("sysadminctl", "-resetPasswordFor", user, "-newPassword", "-")
    if granter_password is None:
        return Command(argv, prompts=(new,))
    return Command(argv + ("-adminUser", granter, "-adminPassword", "-"), prompts=(new, granter_password))


def change_own_password(user: str, uid: int, old: Secret, new: Secret) -> Command:
    """Change a password as the account itself; it asks for the old one, then for the new one (mkuser, 10.13 to 12;
    nothing happens on 26.5)."""
    as_user = ("launchctl", "asuser", str(uid), "sudo", "-u", user)
    return Command(as_user + ("sysadminctl", "-newPassword", "-", "-oldPassword", "-"), prompts=(old, new))


def delete_user(user: str, home: str) -> Command:
    """Delete an account. ``home``: keep_home, delete_home or secure."""
    flags = {"keep_home": ("-keepHome",), "delete_home": (), "secure": ("-secure",)}[home]
    return Command(("sysadminctl", "-deleteUser", user) + flags)


def reason_said(ran: Ran) -> MaybeCode:
    """Return the reason code that the output means, "" for none. A number outweighs a sentence, see :mod:`.codes`."""
    said = codes.numbers(ran.text)
    lacking: MaybeCode = "no_full_disk_access" if codes.NO_PERMISSION in said else ""
    return _named(_PRECISE, ran) or codes.cause(said) or _named(_WHOLE, ran) or lacking or _named(_COARSE, ran)


def _named(table: tuple[tuple[re.Pattern[str], Code], ...], ran: Ran) -> MaybeCode:
    return next((reason for pattern, reason in table if pattern.search(ran.text)), "")


def _token(verb: str, user: str, granter: str, granter_password: Secret, password: Secret) -> Command:
    argv = ("sysadminctl", verb, user, "-password", "-", "-adminUser", granter, "-adminPassword", "-")
    return Command(argv, prompts=(granter_password, password))
