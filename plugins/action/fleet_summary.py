# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what a run did to its Macs, all of it on the controller, from what its tasks have registered."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.files import write
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.row import (
    GONE,
    HOLDERS,
    NOT_BEGUN,
    SHOWN,
    Row,
    Source,
    row_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._summary.told import (
    counts,
    failed_macs,
    lines,
    outcome,
    progress,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._writes import run_of

SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["told", "judged"], "default": "told"},
    "before": {"type": "str", "default": ""},
    "results": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "variable": {"type": "str", "required": True},
            "what": {"type": "str", "default": ""},
            "done": {"type": "str", "default": ""},
        },
    },
    "after": {"type": "str", "default": ""},
    "failed": {"type": "str", "default": ""},
    "says": {"type": "str", "default": ""},
    "shows": {"type": "str", "choices": list(SHOWN), "default": HOLDERS},
    "title": {"type": "str"},
    "dest": {"type": "path"},
    "file": {"type": "str", "default": "summary"},
    "max_fail_percentage": {"type": "float", "default": 100},
}

NOT_AS_ASKED = "the run did not do what was asked on this Mac: the summary says why, and what to do"


class ActionModule(Action):
    """Run the module of the same name."""

    _supports_async = False
    _requires_connection = False
    SPEC = SPEC

    def check(self) -> None:
        """Raise :class:`Refusal` for a name that leads out of the folder."""
        super().check()
        if "/" in str(self._task.args.get("file") or ""):
            raise Refusal("value_unusable", "file holds a slash, and must be the name of a file")

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the summary of all Macs, or what became of this one."""
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        check = bool(self._task.check_mode)
        if given["state"] == "judged":
            return _judged(_row(given, task_vars, str(task_vars["inventory_hostname"]), check))
        rows = [_row(given, task_vars, str(host), check) for host in task_vars.get("ansible_play_hosts_all") or []]
        batch = [str(host) for host in task_vars.get("ansible_play_batch") or []]
        ended = _ends([row for row in rows if row.host in batch], rows, given["max_fail_percentage"])
        title = given["title"] or str(task_vars.get("ansible_play_name") or "Summary")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
        about = {"title": title, "time": now, "check_mode": check, **run_of(task_vars)}
        told = lines(title, rows, given["shows"], check) if ended else [progress(rows, check)]
        files, problem = _written(given, about, rows, check)
        if ended:
            told += [f"Written: {', '.join(files)}"] if files else []
        told += [problem] if problem else []
        about_all = {"counts": counts(rows), "failure": failed_macs(rows), "ended": ended}
        about_all["troubled"] = [row.host for row in rows if row.troubled]
        return {"changed": False, "summary": told, "files": files, **about_all}


def _written(
    given: Mapping[str, t.Any], about: Mapping[str, t.Any], rows: list[Row], check: bool
) -> tuple[list[str], str]:
    """Return the files that were written, and why none were. That costs no run its summary."""
    if not given["dest"]:
        return [], ""
    try:
        return write(given["dest"], f"{given['file']}{'-check' if check else ''}", about, rows), ""
    except OSError as problem:
        return [], f"No file of this summary was written in {given['dest']}: {problem}"


def _row(given: Mapping[str, t.Any], variables: Mapping[str, t.Any], host: str, check: bool) -> Row:
    hostvars = variables["hostvars"]
    known = hostvars.raw_get(host) if host in hostvars else {}
    sources = [Source(one["variable"], one["what"] or "", one["done"] or "") for one in given["results"]]
    return row_of(
        host,
        _data(known.get(given["before"])) if given["before"] else "",
        [(source, _data(known.get(source.variable))) for source in sources],
        _data(known.get(given["after"])),
        _data(known.get(given["failed"])),
        given["shows"],
        check,
        _data(known.get(given["says"])),
    )


def _ends(batch: list[Row], rows: list[Row], percentage: float) -> bool:
    """Return whether the play ends with this batch, as Ansible counts: all Macs were begun, or too many failed."""
    if not any(row.status == NOT_BEGUN for row in rows) or not batch:
        return True
    troubled = [row for row in batch if row.troubled]
    failed = [row for row in troubled if row.status != GONE]
    return len(troubled) == len(batch) or len(failed) / len(batch) > percentage / 100


def _judged(row: Row) -> dict[str, t.Any]:
    """Return the result of the task for this Mac: its failure is the run's."""
    if not row.troubled:
        return {"changed": False, "outcome": row.status}
    told = {"changed": False, "outcome": outcome(row), "reason": row.first_reason}
    if row.status == GONE:
        return {**told, "unreachable": True, "msg": row.why or NOT_AS_ASKED}
    return {**told, "failed": True, "msg": NOT_AS_ASKED}


def _data(value: t.Any) -> t.Any:
    """Return plain data: Ansible's own kinds of text and dictionary carry more than a summary needs."""
    if isinstance(value, Mapping):
        return {str(key): _data(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(entry) for entry in value]
    return str(value) if isinstance(value, str) else value
