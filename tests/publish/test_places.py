# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report and its history reach each kind of place, on servers as they are, and no audit is lost on the way."""

from __future__ import annotations

import contextlib
import gc
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
from readings import NOW, PHANTOM, reading
from servers import PLACES, Where, breaking

from ansible_collections.keyholder.macos.plugins.action.audit_report import ActionModule
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish import git, s3
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.publication import Publication
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import target_of

KEEPING = sorted(PLACES.keys() - {"web"})
WITH_PASSWORD = sorted(PLACES.keys() - {"git over file"})


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    room = tmp_path / "place"
    room.mkdir()
    with PLACES[request.param](room) as found:
        yield found


every = pytest.mark.parametrize("where", sorted(PLACES), indirect=True)
keeping = pytest.mark.parametrize("where", KEEPING, indirect=True)


def audit(folder: Path, options: dict[str, Any], broken: bool = False, **more: Any) -> dict[str, Any]:
    """One audit of one Mac, in a folder that is as empty as a new container."""
    folder.mkdir(exist_ok=True)
    saved = folder / "read.jsonl"
    mac = reading(accounts=(PHANTOM,)) if broken else reading()
    saved.write_text(Answer("a", "read", NOW, mac).text() + "\n")
    args: dict[str, Any] = {"dest": str(folder / "report"), "saved": [str(saved)], **options, **more}
    task = MagicMock(args=args, async_val=0, check_mode=False, action="keyholder.macos.audit_report")
    action = ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), None)
    result: dict[str, Any] = action.run(None, {"hostvars": {}})
    return result


def with_history(folder: Path) -> dict[str, str]:
    return {"history": str(folder / "history.sqlite")}


def runs_in(path: str | Path) -> int:
    history = History(str(path))
    try:
        return len(history.runs())
    finally:
        history.close()


def histories(where: Where) -> dict[str, bytes]:
    return {name: content for name, content in where.files().items() if name.startswith("audit-history/")}


@every
def test_what_lies_there_is_the_report(where: Where, tmp_path: Path) -> None:
    assert "failed" not in audit(tmp_path / "one", where.options, validate_only=True)
    assert [name for name in where.files() if "check" in name] == []
    result = audit(tmp_path / "one", where.options)
    assert "failed" not in result, result["msg"]
    there = where.files()
    for path in result["files"]:
        assert there[Path(path).name] == Path(path).read_bytes()
    assert result["page"].endswith("/audit.html")
    assert result["summary"][-1] == f"Published: {result['page']}"
    assert histories(where) == {}


@pytest.mark.parametrize("where", ["web", "webdav"], indirect=True)
def test_the_controllers_netrc_takes_no_credentials_place(
    where: Where, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login another password of-another-one-31\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert not audit(tmp_path / "one", where.options).get("failed")
    assert "audit.html" in where.files()


@keeping
def test_the_history_outlives_the_container(where: Where, tmp_path: Path) -> None:
    for number, broken in enumerate((False, True, False), 1):
        folder = tmp_path / str(number)
        result = audit(folder, where.options | with_history(tmp_path / str(number)), broken)
        assert "failed" not in result, result["msg"]
        assert runs_in(folder / "history.sqlite") == number
        assert len(histories(where)) == 1
        told = [(one["was"], one["now"]) for one in result["changes"]]
        assert len(told) == (number > 1)


def test_a_plain_web_server_is_no_place_for_a_history(tmp_path: Path) -> None:
    with PLACES["web"](tmp_path) as where:
        for more in ({"validate_only": True}, {}):
            refused = audit(tmp_path / "one", where.options | with_history(tmp_path), **more)
            assert (refused["reason"], where.files()) == ("value_unusable", {})
            assert "can keep no history" in refused["msg"]


@keeping
def test_two_audits_at_once_lose_neither(where: Where, tmp_path: Path) -> None:
    """Both fetch what was there, and only then do both put theirs."""
    assert "failed" not in audit(tmp_path / "first", where.options | with_history(tmp_path / "first"))
    target = target_of(where.options)
    assert target is not None
    both = []
    for name in ("left", "right"):
        result = audit(tmp_path / name, with_history(tmp_path / name))
        publication = Publication(target, "audit", str(tmp_path / name / "history.sqlite"), False)
        publication.fetch()
        both.append((publication, result))
    for publication, result in both:
        publication.publish(result["files"])
        publication.close()
    assert "failed" not in audit(tmp_path / "last", where.options | with_history(tmp_path / "last"))
    assert runs_in(tmp_path / "last" / "history.sqlite") == 4
    assert len(histories(where)) == 1


@keeping
def test_many_audits_side_by_side_lose_none(where: Where, tmp_path: Path) -> None:
    results: dict[int, dict[str, Any]] = {}

    def one(number: int) -> None:
        folder = tmp_path / f"side-{number}"
        results[number] = audit(folder, where.options | with_history(folder))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.get("msg") for result in results.values()] == [None] * 4
    assert "failed" not in audit(tmp_path / "last", where.options | with_history(tmp_path / "last"))
    assert runs_in(tmp_path / "last" / "history.sqlite") == 5


@keeping
def test_an_audit_that_could_not_be_published_is_published_later(where: Where, tmp_path: Path) -> None:
    kept = with_history(tmp_path / "laptop")
    assert "failed" not in audit(tmp_path / "one", where.options | with_history(tmp_path / "one"))
    failed = audit(tmp_path / "laptop", {"publish": "s3+http://127.0.0.1:1/reports", "publish_user": "a",
                                         "publish_password": "b"} | kept)  # fmt: skip
    assert (failed["failed"], failed["reason"]) == (True, "report_unpublished")
    assert all(Path(path).is_file() for path in failed["files"])
    assert "failed" not in audit(tmp_path / "three", where.options | with_history(tmp_path / "three"))
    assert "failed" not in audit(tmp_path / "laptop", where.options | kept)
    assert runs_in(kept["history"]) == 4


@pytest.mark.parametrize("where", WITH_PASSWORD, indirect=True)
def test_wrong_credentials_are_said_before_a_mac_is_read_and_keep_no_report_from_being_made(
    where: Where, tmp_path: Path
) -> None:
    wrong = {**where.options, "publish_password": "wr0ng-77d1"}
    before = audit(tmp_path / "one", wrong, validate_only=True)
    assert (before["failed"], before["reason"]) == (True, "report_unpublished")
    after = audit(tmp_path / "one", wrong)
    assert (after["failed"], after["reason"]) == (True, "report_unpublished")
    assert (tmp_path / "one" / "report" / "audit.html").is_file()
    assert after["summary"]
    for told in (before, after):
        assert where.url in told["msg"]
        assert "40" in told["msg"] or "Authentication failed" in told["msg"]
        assert "wr0ng-77d1" not in json.dumps(told)
    assert where.files() in ({}, {"README": b"Reports\n"})


@every
def test_an_audit_of_some_macs_leaves_the_page_of_all(where: Where, tmp_path: Path) -> None:
    audit(tmp_path / "all", where.options)
    page = where.files()["audit.html"]
    result = audit(tmp_path / "some", where.options, broken=True, partial=True)
    assert result["page"].endswith("/limited/audit.html")
    there = where.files()
    assert there["audit.html"] == page != there["limited/audit.html"]


@pytest.mark.parametrize("where", ["web", "webdav"], indirect=True)
def test_a_line_that_breaks_once_is_tried_again(where: Where, tmp_path: Path) -> None:
    with broken_line(where, 1) as options:
        result = audit(tmp_path / "one", options)
    assert "failed" not in result, result["msg"]
    assert where.files()["audit.html"] == (tmp_path / "one" / "report" / "audit.html").read_bytes()


# cheroot notices only when it is cleared away that its line is gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", sorted(set(KEEPING) - {"git over file"}), indirect=True)
def test_a_line_that_breaks_each_time_costs_no_audit(where: Where, tmp_path: Path) -> None:
    assert "failed" not in audit(tmp_path / "first", where.options | with_history(tmp_path / "first"))
    with broken_line(where, 100) as options:
        failed = audit(tmp_path / "one", options | with_history(tmp_path / "one"))
    assert (failed["failed"], failed["reason"]) == (True, "report_unpublished")
    assert (tmp_path / "one" / "report" / "audit.html").is_file()
    result = audit(tmp_path / "next", where.options | with_history(tmp_path / "next"))
    assert "failed" not in result, result["msg"]
    assert runs_in(tmp_path / "next" / "history.sqlite") == 2
    gc.collect()


@contextlib.contextmanager
def broken_line(where: Where, times: int) -> Iterator[dict[str, str]]:
    """The same options through a line that breaks in the middle of a long file."""
    port = urlsplit(where.url).port
    assert port is not None
    # git packs what it sends.
    with breaking(port, 3000 if where.url.startswith("git") else 9000, times) as own:
        yield {**where.options, "publish": where.url.replace(f":{port}", f":{own}")}


def test_what_is_missing_on_the_controller_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "boto3", None)
    monkeypatch.setattr(git.shutil, "which", lambda _name: None)
    for url, name in (("s3://reports", "ee-requirements.txt"), ("git+file:///srv/x.git", "ee-bindep.txt")):
        refused = audit(tmp_path / "one", {"publish": url}, validate_only=True)
        assert (refused["reason"], name in refused["msg"]) == ("report_unpublished", True)
