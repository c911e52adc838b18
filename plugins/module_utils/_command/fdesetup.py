# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change FileVault, its users and its recovery keys: fdesetup, with passwords as a plist on stdin, keys as one
on stdout.

``status -extended`` is never used: on APFS it prints for ever while the volume is converted (man fdesetup). Nothing
here names a file that would hold a secret, but for the deferral's, which only macOS itself can write.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import plistlib
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import plists, strays, system
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Secret

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code, MaybeCode
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

STATUS = Command(("fdesetup", "status"))
LIST = Command(("fdesetup", "list"))
DEFERRAL = Command(("fdesetup", "showdeferralinfo"))
USING_KEY = Command(("fdesetup", "usingrecoverykey"))
SUPPORTS_AUTHRESTART = Command(("fdesetup", "supportsauthrestart"))

ESCROW = system.stat("/var/db/FileVaultPRK.dat")
"""macOS encrypts a new key into this file where a profile escrows keys; a newer one is the only local proof
(apple/device-management; homebysix/jss-filevault-reissue)."""

_HEADLINE = re.compile(r"^FileVault is (On|Off)([.,].*)$", re.MULTILINE)
_PROGRESS = re.compile(
    r"^(Encryption|Decryption) in progress: (?:Percent completed = ([0-9]{1,3}(?:\.[0-9]{0,9})?)|(\S+))", re.MULTILINE
)
_DEFERRED = re.compile(r"^Deferred enablement appears to be active for user '(.*)'\.?$", re.MULTILINE)
_BESIDE_OFF = re.compile(
    r"[ \t]*|FileVault is Off\.[ \t]*|FileVault master keychain appears to be installed\.?[ \t]*"
    r"|Deferred enablement appears to be active for user '.*'\.?[ \t]*"
)
"""The lines of a Mac whose FileVault is off (transcripts fde-status-*)."""
_OUTPUT_PATH = re.compile(r'^[ \t]*OutputPath = "?(.*?)"?;$', re.MULTILINE)
_UUID = re.compile(r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")


@dataclass(frozen=True)
class Status:
    """Hold FileVault's status. ``state``: on, off, encrypting, decrypting, restart_to_enable, restart_to_finish or
    restart_to_disable.

    ``percent`` None: not said.
    """

    state: str
    percent: float | None = None
    deferred_user: str = ""


def parse_status(ran: Ran) -> Status | None:
    """Return FileVault's state; None where no line begins as one of its status does. The lines come in any order, more
    may follow, and while the volume is converted the progress may stand alone. It is off where nothing else is said
    than what is known to stand there then: a line that nobody knows may take that back."""
    said = strays.without(ran.out.replace("\r\n", "\n"))
    headline = _HEADLINE.search(said)
    progress = _PROGRESS.search(said)
    deferred = _DEFERRED.search(said)
    user = deferred.group(1) if deferred else ""
    if progress:
        percent = float(progress.group(2)) if progress.group(2) else None
        return Status("encrypting" if progress.group(1) == "Encryption" else "decrypting", percent, user)
    if headline is None:
        return None
    word, rest = headline.groups()
    if "will be enabled after the next restart" in rest:
        return Status("restart_to_enable", None, user)
    if "needs to be restarted to finish" in rest:
        return Status("restart_to_finish" if word == "On" else "restart_to_disable", None, user)
    if word == "Off" and (ran.rc != 0 or not all(_BESIDE_OFF.fullmatch(line) for line in said.split("\n"))):
        return None
    return Status(word.lower(), None, user)


def parse_list(ran: Ran) -> dict[str, str] | None:
    """Return UUID -> name of each ``name,UUID`` line, split at the last comma; None: refused (it needs root), or
    cut off in the middle of a line."""
    if ran.rc != 0:
        return None
    if not ran.out.endswith("\n") and ran.out:
        return None
    pairs = (line.rpartition(",") for line in ran.out.splitlines())
    return {uuid.upper(): name for name, dummy, uuid in pairs if _UUID.match(uuid)}


def parse_deferral_path(ran: Ran) -> str:
    """Return the path that a deferral will write to, "" if nothing says so (transcripts fde-showdeferral,
    fde-showdeferral-none)."""
    found = _OUTPUT_PATH.search(ran.out)
    return found.group(1) if found else ""


def says_true(ran: Ran) -> bool | None:
    """Return the answer of the verbs that say true or false, whatever their exit status. None: neither, or both."""
    said = {"true": True, "false": False}
    answers = {said[word] for word in ran.out.split() if word in said}
    return answers.pop() if len(answers) == 1 else None


# -- changing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Credentials:
    """Hold a name and a password for the input plist; without a name the password is a recovery key."""

    name: str
    password: Secret


def enable(user: Credentials, others: t.Sequence[Credentials] = ()) -> Command:
    """Enable FileVault for users. ``-outputplist`` always, see KEY_IN_PLIST_ONLY."""
    return _with_plist(("enable", "-inputplist", "-outputplist"), user, others)


def defer(user: str, path: str, force_at_login: int | None, ask_at_logout: bool, show_key: bool) -> Command:
    """Have macOS enable FileVault at a login: it asks the user for the password itself and writes the key to ``path``,
    which only root can read (man). ``force_at_login``: how many logins may skip it; None: not said. ``show_key``: see
    DEFERRAL_HIDES_KEY."""
    argv = ["fdesetup", "enable", "-defer", path]
    argv += ["-user", user] if user else []
    argv += [] if force_at_login is None else ["-forceatlogin", str(force_at_login)]
    argv += [] if ask_at_logout else ["-dontaskatlogout"]
    argv += ["-showrecoverykey"] if show_key else []
    return Command(tuple(argv))


def disable(user: Credentials) -> Command:
    """Disable FileVault. That ``disable`` reads a plist is in no man page; a public script relies on it (transcript
    fde-disable-inputplist)."""
    return _with_plist(("disable", "-inputplist"), user)


CANCEL_DEFERRAL = Command(("fdesetup", "disable"))
"""It also takes an active deferral away (man); asked for nothing, as FileVault is off."""


def add(granter: Credentials, user: Credentials) -> Command:
    """Let a user unlock the volume, authorised by a granter."""
    return _with_plist(("add", "-inputplist"), granter, (user,))


def remove(user: str) -> Command:
    """Take a user off FileVault's list."""
    return Command(("fdesetup", "remove", "-user", user))


def remove_crypto_user(guid: str) -> Command:
    """Remove a crypto user whose account is gone, on a Mac without a Secure Enclave that keeps it (freegeek-pdx)."""
    return Command(("fdesetup", "remove", "-uuid", guid))


def change_key(by: Credentials) -> Command:
    """Replace the personal recovery key by a new one, which is printed."""
    return _with_plist(("changerecovery", "-personal", "-inputplist", "-outputplist"), by)


def remove_key(by: Credentials) -> Command:
    """Remove the personal recovery key."""
    return _with_plist(("removerecovery", "-personal", "-inputplist"), by)


def validate_recovery_key(key: Secret) -> Command:
    """Ask whether a recovery key is the present one. It goes in as the password, without a name (Der Flounder,
    2026-08-10; grahamgilbert/crypt)."""
    return _with_plist(("validaterecovery", "-inputplist"), Credentials("", key))


def arm_restart(by: Credentials) -> Command:
    """Have the next restart come up with the volume unlocked: a delay of -1 (man). So the answer is here before the Mac
    goes away."""
    return _with_plist(("authrestart", "-delayminutes", "-1", "-inputplist"), by)


def read_key_file(path: str) -> Command:
    """Read what a deferral has written: the same property list as ``-outputplist`` prints, for root alone."""
    return Command(("cat", path), private=True)


def remove_key_file(path: str) -> Command:
    """Remove that file. Does no harm if there is none."""
    return Command(("rm", "-f", path))


def new_key(ran: Ran) -> Secret | None:
    """Return the recovery key in an output plist. None: macOS gave none, as with a key that it keeps from an earlier
    time."""
    keys = ((_kind.table(content) or {}).get("RecoveryKey") for content in plists.documents(ran.out))
    return next((Secret(key) for key in keys if isinstance(key, str)), None)


def _with_plist(words: tuple[str, ...], user: Credentials, others: t.Sequence[Credentials] = ()) -> Command:
    content: dict[str, t.Any] = {"Password": user.password.reveal().decode("utf-8")}
    if user.name:
        content["Username"] = user.name
    if others:
        content["AdditionalUsers"] = [
            {"Username": other.name, "Password": other.password.reveal().decode("utf-8")} for other in others
        ]
    document = Secret(plistlib.dumps(content).decode("utf-8"))
    return Command(("fdesetup",) + words, document=document, private="-outputplist" in words)


# -- exit statuses ----------------------------------------------------------------------------------------------------

EXIT: dict[int, tuple[str, str]] = {
    1: ("FileVault is off.", "Enable FileVault first."),
    2: ("FileVault appears to be on, but is busy.", "Wait until the volume is converted, then run again."),
    11: (
        "fdesetup could not authenticate.",
        "Check the password, and that the account can unlock FileVault (a smart card's PIN is no password).",
    ),
    12: ("fdesetup did not accept a parameter.", "Report it with the evidence: the collection chose the parameter."),
    13: ("fdesetup does not know the command.", "Report it with the evidence and the version of macOS."),
    14: ("fdesetup calls the command a bad one.", "Report it with the evidence and the version of macOS."),
    15: ("fdesetup could not read its input.", "Report it with the evidence and the version of macOS."),
    16: ("There is a legacy FileVault home folder on this Mac.", "Migrate the legacy FileVault account first."),
    17: (
        "fdesetup could not add the user.",
        "Give a granter that holds a token and can unlock FileVault, not a recovery key.",
    ),
    18: (
        "There is a FileVaultMaster keychain that fdesetup did not expect.",
        "Remove /Library/Keychains/FileVaultMaster.keychain if your organisation no longer uses it.",
    ),
    19: (
        "The FileVaultMaster keychain could not be moved or replaced.",
        "See who may write in /Library/Keychains on the Mac.",
    ),
    20: ("The deferred configuration is missing or broken.", "Cancel the deferral (state: disabled) and defer again."),
    21: ("Enabling failed at the keychain.", "Look at /Library/Keychains/FileVaultMaster.keychain on the Mac."),
    22: ("Enabling failed at CoreStorage.", "Convert the boot volume to APFS."),
    23: ("Enabling failed in DiskManagement.", "Run Disk Utility's First Aid on the Mac, restart it and run again."),
    24: ("FileVault is enabled already.", "Read the Mac again with keyholder.macos.trust_info."),
    25: (
        "The user could not be removed, or FileVault not disabled.",
        "macOS keeps the last user that can unlock. If this is the one, let another holder unlock FileVault first.",
    ),
    26: ("The recovery key could not be changed.", "Authenticate with a holder's password instead of a key."),
    27: ("The recovery key could not be removed.", "Authenticate with a holder's password instead of a key."),
    28: ("FileVault is off, or busy, or the volume is locked.", "Wait until the volume is converted, then run again."),
    29: ("There is no FileVault information where it should be.", "Restart the Mac and run again."),
    30: ("The user's record was not found.", "Check the account's short name."),
    31: (
        "A profile from MDM forbids enabling FileVault.",
        "Change the profile (com.apple.MCX, dontAllowFDEEnable) at the MDM server.",
    ),
    32: ("FileVault is active already.", "Read the Mac again with keyholder.macos.trust_info."),
    33: ("The option is not supported on this file system.", "Convert the boot volume to APFS."),
    34: ("The option is not supported on APFS.", "Report it with the evidence and the version of macOS."),
    35: ("Disabling failed.", "Authenticate with an account that is a crypto user of the volume."),
    36: ("This Mac does not support FileVault.", "Leave the Mac out of the play."),
    37: (
        "An account has a blank password, so FileVault cannot be enabled.",
        "Give every holder of a Secure Token a password.",
    ),
    99: (
        "fdesetup failed inside.",
        "Check the credentials by hand: this has been seen with wrong ones (homebysix/jss-filevault-reissue 58).",
    ),
    136: (
        "fdesetup failed with a status that its manual does not name.",
        "On macOS 10.13 a recovery key cannot authenticate on APFS: give a holder's password.",
    ),
}
"""Meaning and remedy of each exit status (man fdesetup, the same text from 2019 to 2026; 136: openradar 18038)."""


def exit_code(status: int) -> Code:
    """Return the reason code of an exit status that :data:`EXIT` names."""
    return t.cast("Code", f"fdesetup_{status}")


def exit_reason(ran: Ran) -> MaybeCode:
    """Return the reason code of a failed run, "" where the status says nothing."""
    return exit_code(ran.rc) if ran.rc in EXIT else ""
