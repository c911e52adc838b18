# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what makes an account the copy of a directory's, and take that off its record.

All of it is what public scripts do: rtrouton/rtrouton_scripts (Migrate AD Mobile Accounts To Local Accounts, issue 57,
pull request 42), captam3rica/mdm-scripts (Demobilize-Mobile-Account), BIG-RAT/mobile_to_local. Apple documents none of
it. The hash of the password is never read here, and stays: macOS drops it if the value that names it leaves
AuthenticationAuthority (10.14.4, captam3rica), so the others are taken out one by one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils import _kind
from ansible_collections.keyholder.macos.plugins.module_utils._command import plists, records
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran

_AUTHORITY, _PASSWORD = "AuthenticationAuthority", "Password"
_MARK = "********"
"""What the record of an account with a hash has for a password. Without it an installer of macOS was seen to write hash
and authority anew, and nobody could log in (rtrouton_scripts, pull request 42)."""
NODE_NAME = "OriginalNodeName"
"""By this the copy is known; it goes last."""
_ATTRIBUTES = (
    "cached_groups cached_auth_policy CopyTimestamp SMBPrimaryGroupSID OriginalAuthenticationAuthority SMBSID"
    " SMBScriptPath SMBPasswordLastSet SMBGroupRID PrimaryNTDomain AppleMetaRecordName MCXSettings MCXFlags"
    f" {NODE_NAME}"
).split()


@dataclass(frozen=True)
class Copy:
    """Hold what an account's record has of its directory. ``values``: of its AuthenticationAuthority, ``attributes``:
    others. ``hashed``: whether the Mac keeps a hash of the password. ``marked``: see :data:`_MARK`."""

    values: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    hashed: bool = False
    marked: bool = True

    @property
    def gone(self) -> bool:
        """Check whether the record has nothing of a directory any more."""
        return not self.values and not self.attributes


def read(user: str) -> Command:
    """Read what may be a directory's on an account's record, and nothing that is the account's secret."""
    return Command(("dscl", "-plist", ".", "-read", f"/Users/{user}", _AUTHORITY, _PASSWORD, *_ATTRIBUTES))


def parse(ran: Ran) -> Copy | None:
    """Return what the record has. None: it could not be read."""
    for content in plists.documents(ran.out) if ran.rc == 0 else []:
        said = _kind.table(content)
        if said is not None:
            record = records.attributes(said)
            authority = tuple(record.get(_AUTHORITY) or ())
            return Copy(
                values=tuple(value for value in authority if _is_the_directorys(value)),
                attributes=tuple(key for key in _ATTRIBUTES if record.get(key)),
                hashed=any(value.startswith(";ShadowHash;") for value in authority),
                marked=records.first(record, _PASSWORD) == _MARK,
            )
    return None


def _is_the_directorys(value: str) -> bool:
    """Check a value of AuthenticationAuthority: a Mac's own Kerberos realm begins with LKDC (transcripts
    dscl-authority-mobile, dscl-authority-local-notoken)."""
    kerberos = value.startswith(";Kerberosv5;") and "LKDC:" not in value
    return kerberos or value.startswith(";LocalCachedUser;")


def drop(user: str, copy: Copy) -> list[Command]:
    """Take it off. The values go first: with the attributes gone, macOS was seen to keep them (rtrouton_scripts, issue
    57)."""
    path = f"/Users/{user}"
    return [
        *(Command(("dscl", ".", "-delete", path, _AUTHORITY, value)) for value in copy.values),
        *([] if copy.marked else [Command(("dscl", ".", "-create", path, _PASSWORD, _MARK))]),
        *(Command(("dscl", ".", "-delete", path, key)) for key in copy.attributes),
    ]


_AGAIN = (
    '"$@" || exit 1; n=0; sleep 1;'
    " until dscl . -read /Users/root UniqueID >/dev/null 2>&1;"
    ' do n=$((n + 1)); [ "$n" -lt 20 ] || exit 1; sleep 1; done'
)


def restart() -> Command:
    """Have the directory service begin again, as it remembers records, and wait until it answers; launchd starts it."""
    return Command(("sh", "-c", _AGAIN, "sh", "killall", "opendirectoryd"))
