# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold every turning point of macOS that the collection knows, each with its first version and its source. Pure.

This is the one place for them. docs/generate.py writes the table into the guide on versions, and a test compares it
with the lab's own table. A fact without a public source is called assumed.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST_DIGITS = 4
"""Digits of a part of a version."""


@dataclass(frozen=True, order=True)
class Version:
    """Hold a macOS version that compares as numbers do: ``Version(10, 15) <= Version.parse("10.15.7")``."""

    major: int
    minor: int = 0
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Version:
        """Return the version that ``text`` begins with, see :data:`COMPATIBLE_NAME` for 10.16. Raises ValueError where
        it begins with no number."""
        found = re.findall(r"[0-9]+", text)[:3]
        numbers = [int(number) for number in found if len(number) <= _MOST_DIGITS]
        if not numbers or len(numbers) < len(found):
            raise ValueError(f"not a macOS version: {text!r}")
        if numbers[:2] == [10, 16]:
            numbers = [11, 0]
        return cls(*numbers)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch else "")


@dataclass(frozen=True)
class TurningPoint:
    """Hold what is different from the version ``first`` on, in words, and where that was learnt: a public page or
    project, or a transcript of the lab by its name. ``assumed`` in the source marks what no public source shows."""

    first: Version
    changed: str
    source: str


_DEPLOYMENT = "https://support.apple.com/guide/deployment/dep24dbdcf9e/web"
_MKUSER = "https://github.com/freegeek-pdx/mkuser"
_MANAGEMENT = "https://github.com/apple/device-management"
_RADAR = "https://github.com/lionheart/openradar-mirror/issues"

NEWEST = 27
"""The last macOS whose turning points are known here."""

SECURE_TOKENS = TurningPoint(
    Version(10, 13),
    "sysadminctl grants and revokes Secure Tokens, and the boot volume may be APFS; older systems are refused",
    _MKUSER,
)
SYSCTL_VERSION = TurningPoint(
    Version(10, 13, 4),
    "sysctl knows kern.osproductversion; where it says nothing, sw_vers is asked",
    "assumed",
)
TOKEN_DIALOG = TurningPoint(
    Version(10, 13, 5),
    "a profile can suppress the dialog that asks for a token administrator at the login of a mobile account",
    f"{_MANAGEMENT} (com.apple.MCX)",
)
KEY_AUTHENTICATES = TurningPoint(
    Version(10, 14),
    "on APFS the recovery key authorises its own change or removal; before, the attempt fails with status 136, and has"
    " been seen to delete the key",
    f"man fdesetup; {_RADAR}/18038, {_RADAR}/18782; transcript fde-changerecovery-136",
)
GRANTER_BYTES = TurningPoint(
    Version(10, 14),
    "sysadminctl keeps 1022 bytes of a granter's password, where it kept 1023; no longer password is handed over on any"
    " version",
    f"{_MKUSER}; transcript ston-piped-1023-byte-admin-pw",
)
PROTECTED_FOLDER = TurningPoint(
    Version(10, 14),
    "macOS lists /Library/Application Support/com.apple.TCC only with Full Disk Access, so a listing shows whether a"
    " session has it",
    "public checks for that permission; that a session which may list it may also delete an account is assumed",
)
FIRST_TOKEN_TO_ADMIN = TurningPoint(
    Version(10, 15),
    "the first administrator who authenticates gets the first token; before, the only account from UID 500 up does",
    f"{_MKUSER}, tested by its author per version",
)
BOOTSTRAP_TOKEN = TurningPoint(
    Version(10, 15),
    "there is a Bootstrap Token, and profiles tells its status",
    f"{_DEPLOYMENT}; man profiles",
)
USER_APPROVED_ESCROWS = TurningPoint(
    Version(10, 15, 4),
    "a Mac whose enrolment the user has approved makes a Bootstrap Token as well; before, only one of automated"
    " enrolment does",
    "man profiles of 2019; the documentation of Omnissa Workspace ONE",
)
FIRST_TOKEN_BY_PASSWORD = TurningPoint(
    Version(11),
    "the first account whose password is set gets the first token, without a login; one whose password came as a hash"
    " gets it at its first login",
    f"{_MKUSER}, tested by its author per version; {_DEPLOYMENT}; for the hash also a report of Mozilla's for 15",
)
PREVENTION_TAG = TurningPoint(
    Version(11),
    "the authority ;DisabledTags;SecureToken keeps an account from becoming the first holder",
    f"{_DEPLOYMENT}; {_MKUSER}",
)
BOOTSTRAP_GRANTS = TurningPoint(
    Version(11),
    "the escrowed Bootstrap Token grants every account a token at its graphical login; on 10.15 only mobile accounts"
    " and the managed administrator get one",
    f"{_MKUSER}; {_DEPLOYMENT}",
)
VOLUME_OWNERS = TurningPoint(
    Version(11),
    "diskutil says of each crypto user whether it owns the volume",
    "transcripts du-listusers-10.15, du-listcryptousers-tahoe",
)
ADD_USER_GID = TurningPoint(
    Version(11),
    "sysadminctl -addUser takes a primary group (-GID)",
    "transcripts usage-10.13, usage-11-12",
)
SEALED_SNAPSHOT = TurningPoint(
    Version(11),
    "a sealed macOS boots from a snapshot, which the headline of diskutil's list names (disk3s1s1)",
    "transcript du-listcryptousers-tahoe",
)
COMPATIBLE_NAME = TurningPoint(
    Version(11),
    "a program that was built for older systems may be told 10.16, which is taken for 11",
    "https://keith.github.io/xcode-man-pages/sw_vers.1.html; transcript swvers-compat-11",
)
ERASES_CONTENT = TurningPoint(
    Version(12),
    "a Mac with Apple silicon or a T2 chip erases its content and settings and keeps macOS; before, an erase by MDM"
    " takes macOS away as well",
    "https://support.apple.com/102664",
)
SSHD_INCLUDES = TurningPoint(
    Version(12),
    "sshd reads the files in /etc/ssh/sshd_config.d; Big Sur's has no Include",
    "README of egberts/openssh-config for 11; usnistgov/macos_security from 13 on; 12: assumed",
)
ASKS_OLD_PASSWORD = TurningPoint(
    Version(13),
    "dscl asks root for the old password of a holder and sets the new one with it; before, the account changes its own"
    " password through sysadminctl",
    f"reports for 14, 15 and 26, transcript dscl-passwd-root-token-26; {_MKUSER} for 10.13 to 12; 13 and 27: assumed",
)
PLATFORM_SSO = TurningPoint(
    Version(13),
    "app-sso says what a profile asks of Platform SSO, as a diagnostic that its manual calls not for scripts",
    "https://learn.microsoft.com/en-us/intune/intune-service/configuration/platform-sso-macos;"
    " transcript app-sso-platform-15.6",
)
ERASE_PREFLIGHT = TurningPoint(
    Version(13, 3),
    "mdmclient says whether macOS would use the Bootstrap Token to authorise an erase (EACSPreflight)",
    "https://github.com/Macjutsu/super; transcript bt-eacs-success",
)
SSO_POLICIES = TurningPoint(
    Version(15),
    "Platform SSO has policies for FileVault's unlock screen, the login window and the locked screen, and accounts that"
    " are exempt from them",
    f"{_MANAGEMENT} (com.apple.extensiblesso)",
)
SSH_UNLOCKS = TurningPoint(
    Version(26),
    "a login by SSH with a password unlocks the volume of a Mac that has just started",
    "man fdesetup of November 2025",
)
ADD_USER_ACCESS = TurningPoint(
    Version(26),
    "without Full Disk Access, sysadminctl -addUser reports -14120 while it makes an account; that older systems do not"
    " is assumed",
    "https://github.com/wraithbox/wraithbox (spikes/x17-image-build); transcripts adduser-no-fda-27,"
    " adduser-ssh-no-fda-vm",
)
KEY_IN_PLIST_ONLY = TurningPoint(
    Version(26),
    "fdesetup enable prints the new recovery key with -outputplist only, which is therefore asked for on every version",
    "https://derflounder.wordpress.com/2026/05/07/turning-on-filevault-using-the-fdesetup-command-line-tool-may-not-"
    "include-displaying-the-personal-recovery-key-on-macos-tahoe/; transcript fde-enable-tahoe-no-key",
)
SSH_UNLOCKS_BY_WIFI = TurningPoint(
    Version(26, 5),
    "an unlock over SSH is reported to work by Wi-Fi, open or WPA2 with a key; Apple names both from 26 on",
    "README of lime (Rust, 2026); https://support.apple.com/guide/deployment (FileVault)",
)
DEFERRAL_HIDES_KEY = TurningPoint(
    Version(27),
    "a deferral shows the user the new recovery key only with -showrecoverykey, and not even then where a profile says"
    " ShowRecoveryKey false; before, it shows the key by itself, and the manual names the option in an example only",
    "man fdesetup of June 2026, and of 2019 to 2025",
)
DISABLED_BY_GROUP = TurningPoint(
    Version(27),
    "pwpolicy -disableuser puts the account into the group com.apple.access_disabled, and its AuthenticationAuthority"
    " stays as it is; both signs are read on every version",
    "https://github.com/wraithbox/wraithbox (spikes/x17-image-build)",
)

TURNING_POINTS: dict[str, TurningPoint] = {
    name: value for name, value in globals().items() if isinstance(value, TurningPoint)
}
"""All of them by name, in the order in which they stand, which is that of the versions."""
