# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a place's address means, and what is refused without being repeated."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import target_of

WHO = {"publish_user": "a", "publish_password": "S3cret-41"}

UNDERSTOOD: list[tuple[str, tuple[str, str, str, str], str]] = [
    ("https://r.example.com", ("web", "https://r.example.com", "", ""), "https://r.example.com/audit.html"),
    ("https://r.example.com:8443/a/b/", ("web", "https://r.example.com:8443", "a/b", ""),
     "https://r.example.com:8443/a/b/audit.html"),
    ("webdav+https://r.example.com/a%20b", ("webdav", "https://r.example.com", "a b", ""),
     "https://r.example.com/a%20b/audit.html"),
    ("s3://reports", ("s3", "", "", "reports"), "s3://reports/audit.html"),
    ("s3://reports/a/b", ("s3", "", "a/b", "reports"), "s3://reports/a/b/audit.html"),
    ("s3+https://s.example.com/reports/a", ("s3", "https://s.example.com", "a", "reports"),
     "https://s.example.com/reports/a/audit.html"),
    ("git+https://g.example.com/x/y.git", ("git", "https://g.example.com/x/y.git", "", ""),
     "git+https://g.example.com/x/y.git/audit.html"),
    ("git+ssh://git@g.example.com/x/y.git//public/macs", ("git", "ssh://git@g.example.com/x/y.git", "public/macs", ""),
     "git+ssh://git@g.example.com/x/y.git//public/macs/audit.html"),
    ("git+file:///srv/reports.git", ("git", "file:///srv/reports.git", "", ""),
     "git+file:///srv/reports.git/audit.html"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "due", "page"), UNDERSTOOD, ids=[one[0] for one in UNDERSTOOD])
def test_an_address_is_understood(url: str, due: tuple[str, str, str, str], page: str) -> None:
    target = target_of({"publish": url})
    assert target is not None
    assert (target.kind, target.reached, target.folder, target.bucket) == due
    assert target.address("audit.html") == page


def test_readers_may_open_it_elsewhere() -> None:
    target = target_of({"publish": "s3://reports/a", "publish_page": "https://r.example.com/macs"})
    assert target is not None
    assert target.address("limited/x y.html") == "https://r.example.com/macs/limited/x%20y.html"


def test_no_place_is_no_place() -> None:
    assert target_of({}) is None
    assert target_of({"publish": "", "publish_user": None}) is None


REFUSED: list[tuple[dict[str, str], str]] = [
    (WHO, "publish was not given"),
    ({"publish": "ftp://r.example.com"}, "must begin with one of https://"),
    ({"publish": "/srv/reports"}, "must begin with one of"),
    ({"publish": "https://a:S3cret-41@r.example.com/"}, "holds a user or a password"),
    ({"publish": "https://S3cret-41@r.example.com/"}, "holds a user or a password"),
    ({"publish": "git+ssh://a:S3cret-41@r.example.com/x.git"}, "holds a user or a password"),
    ({"publish": "s3://S3cret-41@reports/x"}, "holds a user or a password"),
    ({"publish": "https://r.example.com:S3cret-41/x"}, "cannot be read"),
    ({"publish": "https://r.example.com/?sig=S3cret-41"}, "question mark"),
    ({"publish": "https://r.example.com/#S3cret-41"}, "number sign"),
    ({"publish": "https:///x"}, "names no host"),
    ({"publish": "s3:///x"}, "names no bucket"),
    ({"publish": "s3+https://s.example.com/"}, "names no bucket"),
    ({"publish": "git+ssh://g.example.com/"}, "names no repository"),
    ({"publish": "https://r.example.com/a/../b"}, "a step such as .."),
    ({"publish": "https://r.example.com/a/%2e%2e/b"}, "a step such as .."),
    ({"publish": "https://r.example.com/a b"}, "a space"),
    ({"publish": "http://r.example.com/x", **WHO}, "cross the network in clear"),
    ({"publish": "git+http://r.example.com/x", **WHO}, "cross the network in clear"),
    ({"publish": "https://r.example.com", "publish_user": "a"}, "publish_password was not given"),
    ({"publish": "s3://reports", "publish_user": "a"}, "publish_password was not given"),
    ({"publish": "s3://reports", "publish_password": "S3cret-41"}, "publish_user was not given"),
    ({"publish": "git+ssh://g.example.com/x.git", **WHO}, "git+ssh:// takes none"),
    ({"publish": "https://r.example.com", "publish_key_file": "/x"}, "only git+ssh:// takes a key"),
    ({"publish": "https://r.example.com", **WHO, "publish_user": "a:b"}, "what the protocol does not take"),
    ({"publish": "git+https://r.example.com/x", **WHO, "publish_password": "S3cret-41\nhost=x"}, "does not take"),
    ({"publish": "s3://reports", "publish_page": "https://a:S3cret-41@r.example.com"}, "publish_page must be"),
    ({"publish": "s3://reports", "publish_page": "javascript:S3cret-41"}, "publish_page must be"),
]


@pytest.mark.parametrize(("options", "why"), REFUSED, ids=[f"{number}" for number in range(len(REFUSED))])
def test_what_is_refused_is_not_repeated(options: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Refusal) as refused:
        target_of(options)
    assert why in refused.value.msg
    assert "S3cret" not in refused.value.told


def test_a_password_is_not_in_what_python_shows_of_a_target() -> None:
    assert "S3cret" not in repr(target_of({"publish": "https://r.example.com", **WHO}))
