# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module audit_report, which is all here: a report on the controller, of this run's readings or saved ones."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import os
import sqlite3
import time
import typing as t
import zlib
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit import files, html, report
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.fleet import Answer, answer_from, answer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History, HistoryError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import (
    SEVERITIES,
    Policy,
    PolicyError,
    layer_of,
    load,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.text import plain

FORMATS = ("html", "json", "csv", "junit", "markdown", "readings")
NEVER = "never"
PACKED = "keyholder_packed_"
"""Variables whose names begin so hold one Mac's answer each: slices of a job cannot share a variable."""

_NO_REPORT = (PolicyError, HistoryError, ValueError, OSError, sqlite3.Error)
"""What keeps a report from being made, and is the user's to put right."""

SPEC: dict[str, dict[str, t.Any]] = {
    "dest": {"type": "path"},
    "name": {"type": "str", "default": "audit"},
    "title": {"type": "str", "default": "Audit of the Macs"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "variable": {"type": "str", "default": "keyholder_reading"},
    "hosts": {"type": "list", "elements": "str"},
    "packed": {"type": "bool", "default": False},
    "pack": {"type": "bool", "default": False},
    "expected": {"type": "list", "elements": "str", "default": []},
    "saved": {"type": "list", "elements": "path", "default": []},
    "policy": {"type": "raw"},
    "policy_files": {"type": "list", "elements": "path", "default": []},
    "history": {"type": "path"},
    "since": {"type": "str"},
    "partial": {"type": "bool", "default": False},
    "validate_only": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": [*SEVERITIES, NEVER], "default": NEVER},
}


class ActionModule(ActionBase):
    """See the module of the same name."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        variables = task_vars or {}
        now = time.time()
        if given["validate_only"]:
            try:
                _validate(given)
            except _NO_REPORT as problem:
                raise AnsibleActionFail(f"no report could be made: {problem}") from problem
            result.update(changed=False)
            return result
        answers = self._answers(given, variables, now)
        if given["pack"]:
            result.update(changed=False, packed=dict(map(_packed, answers)))
            return result
        if not given["dest"]:
            raise AnsibleActionFail("dest is missing: the folder on the controller that the report goes to")
        try:
            result.update(_write(given, answers, _policy(given), now))
        except _NO_REPORT as problem:
            raise AnsibleActionFail(f"no report was made: {problem}") from problem
        return result

    def _answers(self, given: dict[str, t.Any], variables: dict[str, t.Any], now: float) -> t.Iterator[Answer]:
        """This run's first, so that they count where a Mac is in a saved file too."""
        hosts = given["hosts"]
        if hosts is None:
            hosts = [] if given["saved"] or given["packed"] else variables.get("ansible_play_hosts_all") or []
        everybody = variables["hostvars"]
        for host in hosts:
            known = everybody.raw_get(host) if host in everybody else {}
            yield answer_of(str(host), _data(known.get(given["variable"])), now)
        if given["packed"]:
            keys = sorted(key for key in variables if key.startswith(PACKED))
            yield from report.with_missing((_unpacked(variables[key]) for key in keys), given["expected"])
        for path in given["saved"]:
            yield from report.saved(path)


def _policy(given: dict[str, t.Any]) -> Policy:
    """The files first, then what the task says, so that a task can change a parameter of a file."""
    inline = _data(given["policy"])
    layers = [layer_of(Path(path)) for path in given["policy_files"]]
    return load(*layers, *([inline] if isinstance(inline, dict) else inline or []))


def _validate(given: dict[str, t.Any]) -> None:
    """All that could keep the report from being made, however long the Macs have been read for it."""
    _policy(given)
    _moment(given["since"])
    if given["dest"] and not given["pack"]:
        os.makedirs(given["dest"], exist_ok=True)
        if not os.access(given["dest"], os.W_OK):
            raise PermissionError(f"dest {given['dest']} is not a folder that can be written to")
    if given["history"] and not given["pack"]:
        History(given["history"]).close()


def _write(given: dict[str, t.Any], answers: t.Iterable[Answer], policy: Policy, now: float) -> dict[str, t.Any]:
    folder = given["dest"]
    os.makedirs(folder, exist_ok=True)
    summary = report.Summary(policy, given["title"], now, partial=given["partial"])
    history = History(given["history"]) if given["history"] else None
    made: list[report.File] = []

    def file(ending: str) -> report.File:
        made.append(report.File(os.path.join(folder, given["name"] + ending)))
        return made[-1]

    makers: dict[str, t.Callable[[], report.Output]] = {
        "html": lambda: html.Html(file(".html"), summary),
        "json": lambda: files.Json(file(".json"), summary),
        "csv": lambda: files.Csv(file(".csv"), file("-findings.csv")),
        "junit": lambda: files.Junit(file(".xml"), summary),
        "markdown": lambda: files.Markdown(file(".md")),
        "readings": lambda: files.Readings(file(".jsonl")),
    }
    try:
        outputs = [makers[name]() for name in FORMATS if name in given["formats"]]
        report.run(answers, summary, outputs, history, _moment(given["since"]))
        for one in made:
            one.done()
    finally:
        for one in made:
            one.drop()
        if history is not None:
            history.close()
    return _result(given, summary, [one.path for one in made])


def _result(given: dict[str, t.Any], summary: report.Summary, paths: list[str]) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {
        "changed": False,
        "files": paths,
        "fleet": summary.view(),
        "summary": summary.lines(),
        "changes": [change.view() for change in summary.changes[:1000]],
    }
    limit = given["fail_on"]
    if limit != NEVER and summary.worst and SEVERITIES.index(summary.worst) <= SEVERITIES.index(limit):
        broken = [row.host for row in summary.rows if row.worst in SEVERITIES[: SEVERITIES.index(limit) + 1]]
        names = ", ".join(map(plain, broken[:10])) + (f" and {len(broken) - 10} more" if len(broken) > 10 else "")
        macs = "1 Mac breaks" if len(broken) == 1 else f"{len(broken)} Macs break"
        result.update(failed=True, msg=f"{macs} a rule that is {limit} or worse: {names}")
    return result


def _moment(text: str | None) -> float | None:
    """A day, or a day and a time, in UTC where it does not say; the end of a day that is given alone."""
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError as problem:
        raise ValueError(f"since is {text!r}, and must be a day or a time, such as 2026-01-31") from problem
    if len(str(text)) == len("2026-01-31"):
        moment += datetime.timedelta(days=1) - datetime.timedelta(microseconds=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _data(value: t.Any) -> t.Any:
    """Plain data: Ansible's own kinds of text and dictionary carry more with them than a report needs."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _data(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(entry) for entry in value]
    if isinstance(value, str):
        return str(value)
    return value


def _packed(answer: Answer) -> tuple[str, str]:
    """A variable of its own for each Mac, with a name that any host may have."""
    name = base64.b32encode(answer.host.encode("utf-8")).decode("ascii").rstrip("=").lower()
    return PACKED + name, base64.b64encode(zlib.compress(answer.text().encode("ascii"), 9)).decode("ascii")


def _unpacked(text: t.Any) -> Answer:
    content: t.Any = None
    with contextlib.suppress(ValueError, zlib.error):
        content = json.loads(zlib.decompress(base64.b64decode(str(text), validate=True)))
    try:
        return answer_from(content)
    except ValueError as problem:
        raise AnsibleActionFail(f"a variable whose name begins with {PACKED} holds no answer: {problem}") from problem
