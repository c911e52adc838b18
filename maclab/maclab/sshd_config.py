# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what sshd's settings for single accounts come to, in the few keywords that shut somebody out.

sshd_config(5): of a keyword the first value counts, DenyUsers adds up, and a Match block counts for whom it names. A
file of the folder is read only where sshd_config includes the folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from maclab import rules
from maclab.state import Mac

FOLDER = "/etc/ssh/sshd_config.d/"
KEYWORDS = frozenset({"match", "denyusers", "passwordauthentication", "kbdinteractiveauthentication"})


@dataclass
class Settings:
    """Hold what counts for one account."""

    deny_users: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)


def wrong(mac: Mac) -> list[str]:
    """Return "file line N: keyword" of what sshd would not start with."""
    return [
        f"{path} line {number}: {words[0]}"
        for path, number, words in _lines(mac)
        if words[0].lower() not in KEYWORDS or len(words) < 2 or (words[0].lower() == "match" and not _criteria(words))
    ]


def settings(mac: Mac, user: str) -> Settings:
    found = Settings()
    of_file, counts = "", True
    for path, _, words in _lines(mac):
        counts, of_file = (True, path) if path != of_file else (counts, of_file)
        keyword = words[0].lower()
        if keyword == "match":
            counts = words[1].lower() == "all" or any(fnmatchcase(user, one) for one in words[2].split(","))
        elif counts and keyword == "denyusers":
            found.deny_users += words[1:]
        elif counts:
            found.values.setdefault(keyword, words[1])
    return found


def denies(mac: Mac, user: str) -> bool:
    """Tell whether sshd lets the account in by no method."""
    return any(fnmatchcase(user, one) for one in settings(mac, user).deny_users)


def _lines(mac: Mac) -> list[tuple[str, int, list[str]]]:
    if not rules.SSHD_INCLUDES.at(mac.version_tuple):
        return []
    return [
        (path, number, line.split())
        for path in sorted(mac.files)
        if path.startswith(FOLDER)
        for number, line in enumerate(mac.files[path].content.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    ]


def _criteria(words: list[str]) -> bool:
    return [word.lower() for word in words[1:]] == ["all"] or (len(words) == 3 and words[1].lower() == "user")
