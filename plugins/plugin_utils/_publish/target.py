# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand which place outside the controller a report goes to. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

WEB, WEBDAV, S3, GIT = "web", "webdav", "s3", "git"
SCHEMES: t.Mapping[str, tuple[str, str]] = {
    "https": (WEB, "https"),
    "http": (WEB, "http"),
    "webdav+https": (WEBDAV, "https"),
    "webdav+http": (WEBDAV, "http"),
    "s3": (S3, ""),
    "s3+https": (S3, "https"),
    "s3+http": (S3, "http"),
    "git+https": (GIT, "https"),
    "git+http": (GIT, "http"),
    "git+ssh": (GIT, "ssh"),
    "git+file": (GIT, "file"),
}
"""How an address begins -> the kind of place, and how it is reached."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNUSABLE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Credentials:
    """Hold who we are there. A password without a user is a token."""

    user: str = ""
    password: str = field(default="", repr=False)
    key_file: str = ""
    """The SSH key of a git repository."""


@dataclass(frozen=True)
class Target:
    """Hold what the options name."""

    kind: str
    url: str
    """As it was given: no secret is in it."""
    reached: str
    """The address by which the server is reached: what comes before the folder."""
    folder: str
    """The folder there, without slashes around it; "" for the top."""
    bucket: str
    page: str
    """Where readers open the folder."""
    credentials: Credentials

    def address(self, path: str) -> str:
        """Return where a reader opens a file of the folder."""
        return f"{self.page}{quote(path)}"


def target_of(options: t.Mapping[str, t.Any]) -> Target | None:
    """Return the target that options of audit_report name, None for none. Raise :class:`Refusal`."""
    given = {name: str(options.get(name) or "") for name in OPTIONS}
    if not given["publish"]:
        spare = [name for name in OPTIONS if given[name]]
        if spare:
            raise Refusal("option_missing", f"publish was not given, and {spare[0]} was")
        return None
    kind, how, parts = _split("publish", given["publish"])
    credentials = Credentials(given["publish_user"], given["publish_password"], given["publish_key_file"])
    _check_credentials(kind, how, parts, credentials)
    reached, folder, bucket = _places(kind, how, parts, given["publish"])
    page = _page(given, kind, how, parts)
    return Target(kind, given["publish"], reached, folder, bucket, page, credentials)


OPTIONS = ("publish", "publish_user", "publish_password", "publish_key_file", "publish_page")


def _split(option: str, url: str) -> tuple[str, str, SplitResult]:
    """Return the kind of place, how it is reached, and the parts of an address. What is refused is not repeated: a
    password may be in it."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise Refusal("value_unusable", f"{option} is no address: its host or its port cannot be read") from None
    if parts.scheme not in SCHEMES:
        raise Refusal("value_unusable", f"{option} must begin with one of {', '.join(f'{one}://' for one in SCHEMES)}")
    kind, how = SCHEMES[parts.scheme]
    user, at, dummy = parts.netloc.rpartition("@")
    if at and (how != "ssh" or ":" in user):
        instead = "publish_user and publish_password"
        raise Refusal("value_unusable", f"{option} holds a user or a password, which logs would show: give {instead}")
    if parts.query or parts.fragment:
        raise Refusal("value_unusable", f"{option} holds a question mark or a number sign, and names no folder so")
    if not host and how != "file":
        raise Refusal("value_unusable", f"{option} names no host" if how else f"{option} names no bucket")
    if _UNUSABLE.search(url) or {".", ".."}.intersection(unquote(parts.path).split("/")):
        raise Refusal("value_unusable", f"{option} holds a space, a backslash, or a step such as ..")
    return kind, how, parts


def _check_credentials(kind: str, how: str, parts: SplitResult, who: Credentials) -> None:
    """Raise :class:`Refusal` for credentials that the place has no use for, or that would cross a network in clear."""
    if how == "http" and parts.hostname not in LOOPBACK and (who.user or who.password):
        raise Refusal("value_unusable", "publish begins with http, and the password would cross the network in clear")
    if who.key_file and how != "ssh":
        raise Refusal("value_unusable", "publish_key_file is given, and only git+ssh:// takes a key")
    if how in ("ssh", "file") and (who.user or who.password):
        raise Refusal("value_unusable", f"publish_user or publish_password is given, and {parts.scheme}:// takes none")
    if kind in (S3, GIT) and bool(who.user) != bool(who.password):
        missing = "publish_password" if who.user else "publish_user"
        raise Refusal("option_missing", f"{missing} was not given, and {parts.scheme}:// takes both or none")
    if who.user and not who.password:
        raise Refusal("option_missing", "publish_password was not given, and publish_user was")
    if re.search(r"[\r\n]", who.user + who.password) or (kind in (WEB, WEBDAV) and ":" in who.user):
        raise Refusal("value_unusable", "publish_user or publish_password holds what the protocol does not take")


def _places(kind: str, how: str, parts: SplitResult, url: str) -> tuple[str, str, str]:
    """Return the address of the server, the folder, and the bucket."""
    path = unquote(parts.path).strip("/")
    if kind == S3:
        bucket, dummy, folder = (parts.netloc, "", path) if not how else path.partition("/")
        if not bucket:
            raise Refusal("value_unusable", "publish names no bucket: it comes behind the host")
        return f"{how}://{parts.netloc}" if how else "", folder.strip("/"), bucket
    if kind == GIT:
        # A folder of the repository stands behind two slashes, as other programs write it.
        whole, dummy, folder = parts.path.partition("//") if how != "file" else (parts.path, "", "")
        if not whole.strip("/"):
            raise Refusal("value_unusable", "publish names no repository")
        return f"{how}://{parts.netloc}{whole}", unquote(folder).strip("/"), ""
    return f"{how}://{parts.netloc}", path, ""


def _page(given: t.Mapping[str, str], kind: str, how: str, parts: SplitResult) -> str:
    """Return where readers open the folder, with a slash at its end."""
    if given["publish_page"]:
        shown = urlsplit(given["publish_page"])
        if shown.scheme not in ("http", "https", "file") or "@" in shown.netloc or shown.query or shown.fragment:
            must = "must be an address of a folder that begins with https://, without a user, ? and #"
            raise Refusal("value_unusable", f"publish_page {must}")
        return given["publish_page"].rstrip("/") + "/"
    if kind == GIT or not how:
        return given["publish"].rstrip("/") + "/"
    return f"{how}://{parts.netloc}{parts.path.rstrip('/')}/"
