# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where root may write a file that others would like to steer, and whose home folder may be deleted. Pure.

A path is judged by what the Mac says of each folder on the way to it. If only root may write in all of them, no other
account can put a link there between the reading and the writing. Access lists are not looked at: that none of macOS's
own folders lets others write by one is assumed. Other volumes are left out, as macOS can be told to ignore who owns
what on them (vsdbutil(8), diskutil(8) disableOwnership), and then shows root that all is root's.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._place import ROOTS_FOLDER, Place, canonical, way
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

_FOLDERS_OF_MACOS = frozenset(
    "system library applications bin sbin usr dev cores opt private network home net var tmp etc nix".split()
)
"""Folders at the top in which there is no home, but for a hidden administrator's in /var; as :func:`folded`."""

_OF_ALL = frozenset(("shared", "deleted users"))
"""Folders in /Users that are no account's: the second one is where macOS puts the homes of deleted accounts."""

_OF_VAR = frozenset(
    "agentx at audit backups containers db dirs_cleaner dropbox empty folders install jabberd lib log logs ma mail msgs"
    " netboot networkd protected root rpc run rwho select spool staff sntpd tmp vm yp".split()
)
"""Folders of macOS in /var (seen on Macs of several versions; that the list is whole is assumed)."""


_APPLICATIONS = "/applications"
_GOOD = f"only root may write in {ROOTS_FOLDER}"


def absolute(option: str, path: str) -> None:
    """Raise :class:`Refusal` for a path that is not absolute, or is written in a way that hides where it leads."""
    parts = path.split("/")[1:]
    if not path.startswith("/") or not path.isprintable():
        raise Refusal("value_unusable", f"{option} is {path!r}, and must be an absolute path that can be printed")
    if any(part in ("", ".", "..") for part in parts):
        raise Refusal("value_unusable", f"{option} is {path!r}, and must not contain '//', '.' or '..'")


def for_root_alone(mac: Mac, option: str, path: str) -> None:
    """Raise :class:`Refusal` unless root alone may write in each folder on the way, and the file itself is no link."""
    absolute(option, path)
    _on_its_own_volume(option, path, f"; {_GOOD}")
    *folders, last = way(path)
    for folder in folders:
        problem = _not_roots(_place(mac, option, folder))
        if problem:
            raise Refusal("path_unsafe", f"{option} is {path!r}, and {folder} {problem}; {_GOOD}")
    place = _place(mac, option, last)
    if place.kind not in ("file", "nothing"):
        raise Refusal("path_unsafe", f"{option} is {path!r}, which is already a {place.kind}")


def for_root_to_start(mac: Mac, option: str, application: str, program: str) -> None:
    """Raise :class:`Refusal` unless the program in an application is there, and only those who are root, or may become
    it, can have put it there. /Applications is the one folder that all administrators may write in (hier(7))."""
    _on_its_own_volume(option, application)
    if _place(mac, option, way(application)[-1]).kind == "nothing":
        raise Refusal("installer_unusable", f"{option} is {application!r}, and nothing is there")
    *folders, last = way(program)
    for folder in folders:
        place = _place(mac, option, folder)
        of_administrators = place.kind == "folder" and place.owner == 0 and not place.others
        problem = "" if of_administrators and canonical(folder) == _APPLICATIONS else _not_roots(place)
        if problem:
            raise Refusal("path_unsafe", f"{option} is {application!r}, and {folder} {problem}")
    place = _place(mac, option, last)
    if place.kind == "nothing":
        raise Refusal("installer_unusable", f"{option} is {application!r}, and has no {posixpath.basename(last)}")
    if place.kind != "file" or not place.roots:
        problem = f"is a {place.kind}" if place.kind != "file" else "can be written to by accounts other than root"
        raise Refusal("path_unsafe", f"{option} is {application!r}, and {last} {problem}")


def may_be_deleted(mac: Mac, account: Account) -> None:
    """Raise :class:`Refusal` where the account's home folder is not a folder of its own."""
    problem = _no_home(mac, account) or _linked(mac, account)
    if problem:
        said = f"the home folder of {account.name} is {account.home!r}: {problem}"
        raise Refusal("home_unsafe", said)


def home_problem(mac: Mac, account: Account, place: Place) -> str:
    """Return, in words, why ``place`` is not the home folder that the account was given; "" where it is, or where the
    record names a folder that is no account's, as that of a service does. A link is not followed."""
    if _no_home(mac, account) or place.kind == "link":
        return ""
    said = f"the home folder {account.home}"
    if place.kind == "unread":
        return f"whether {said} is there could not be read"
    if place.kind != "folder":
        return f"{said} is not there" if place.kind == "nothing" else f"{said} is a {place.kind}"
    return "" if place.owner == account.uid else f"{said} belongs to UID {place.owner}, and not to {account.uid}"


def _on_its_own_volume(option: str, path: str, good: str = "") -> None:
    first = canonical(path).split("/")[1]
    if first == "volumes" or first.startswith("."):
        raise Refusal("path_unsafe", f"{option} is {path!r}, which is not on the Mac's own volume{good}")


def _not_roots(place: Place) -> str:
    if place.kind != "folder":
        return "is not there" if place.kind == "nothing" else f"is a {place.kind}"
    return "" if place.roots else "can be written to by accounts other than root"


def _place(mac: Mac, option: str, path: str) -> Place:
    place = next((place for place in mac.places if place.path == path), None)
    if place is None or place.kind == "unread":
        raise Refusal(
            "reading_incomplete", f"it could not be read what {path} is, which is on the way to {option}", mac.unread
        )
    return place


def _no_home(mac: Mac, account: Account) -> str:
    parts = account.home.split("/")[1:]
    plain = account.home.startswith("/") and account.home.isprintable()
    if not plain or (account.home != "/" and any(part in ("", ".", "..") for part in parts)):
        return "that is not a plain absolute path"
    own = canonical(account.home)
    first, *rest = own.split("/")[1:]
    if first == "private":
        hidden = len(rest) == 2 and rest[0] == "var" and rest[1] == folded(account.name) and rest[1] not in _OF_VAR
        if not hidden:
            return "that is in a folder of macOS"
    elif first in _FOLDERS_OF_MACOS or first.startswith("."):
        return "that is in a folder of macOS"
    if first == "users" and (not rest or rest[0] in _OF_ALL):
        return "that folder is shared by all accounts"
    if not rest or (first == "volumes" and len(rest) < 2):
        return "that is not the folder of one account"
    for other in mac.accounts:
        if (other.guid, other.name) == (account.guid, account.name) or not other.home.startswith("/"):
            continue
        theirs = canonical(posixpath.normpath("/" + other.home.lstrip("/")))
        inside = theirs not in ("/", "/users") and own.startswith(f"{theirs}/")
        if theirs == own or theirs.startswith(f"{own}/") or inside:
            return f"that is the home folder of {other.name}, holds it, or is in it"
    return ""


def _linked(mac: Mac, account: Account) -> str:
    for path in way(account.home):
        place = _place(mac, f"the home folder of {account.name}", path)
        if place.kind == "link":
            return f"{path} is a link, which leads elsewhere"
        if place.kind == "file":
            return f"{path} is a file"
    return ""
