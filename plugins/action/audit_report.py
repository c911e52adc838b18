# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the report of the module audit_report, all of it on the controller, from this run's readings or saved ones."""

from __future__ import annotations

import base64
import contextlib
import datetime
import itertools
import json
import os
import time
import typing as t
import zlib
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import shortened
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure, failure_after
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.audit import NoAnswersError, run_audit
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.expressions import AuditPolicyError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats import FORMATS, base
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import History, HistoryError
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.inventory import (
    check_columns,
    columns_of,
    inventory_words,
    texts_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.keys import check_store, with_store
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer, answer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import Policy, load_policy
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy_file import layer_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.saved import (
    absent,
    entry_answer,
    saved_answers,
    with_missing,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import macs, some
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import Summary
from ansible_collections.keyholder.macos.plugins.plugin_utils._folder_lock import alone_in
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import is_list, is_text, kind_of
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.publication import Publication
from ansible_collections.keyholder.macos.plugins.plugin_utils._publish.target import target_of

NEVER = "never"
PACKED = "keyholder_packed_"
"""The names of variables that hold one Mac's answer each begin so. Slices of a job cannot share a variable."""

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
    "since": {"type": "raw"},
    "partial": {"type": "bool", "default": False},
    "validate_only": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": [*SEVERITIES, "recoverable", "compliant", NEVER], "default": NEVER},
    "columns": {"type": "list", "elements": "str", "default": []},
    "about": {"type": "dict", "default": {}},
    "publish": {"type": "str"},
    "publish_user": {"type": "str"},
    "publish_password": {"type": "str", "no_log": True},
    "publish_key_file": {"type": "path"},
    "publish_page": {"type": "str"},
    "recovery_key_store": {"type": "path"},
}


class ActionModule(Action):
    """Run the module of the same name."""

    _supports_async = False
    _requires_connection = False
    SPEC = SPEC

    def check(self) -> None:
        """Raise :class:`Refusal` for options that keep the report from being made, whatever the Macs say."""
        super().check()
        given = {option: value for option, value in self._task.args.items() if value is not None}
        for option in ("name", "variable"):
            if given.get(option, "x") == "":
                raise Refusal("value_unusable", f"{option} is empty, and must be text")
        _check_policy_option(given.get("policy"))
        check_columns(given.get("columns"))
        _end_of(given.get("since"))
        check_store(given.get("recovery_key_store"))
        target_of(given)

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the task's result: what was made, or why nothing was."""
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        try:
            return self._act(given, task_vars)
        except Refusal as refusal:
            return failure(refusal)
        except AuditPolicyError as problem:
            return failure(Refusal("policy_unusable", f"no report could be made: {problem}"))
        except HistoryError as problem:
            return failure(Refusal("history_unusable", f"no report could be made: {problem}"))
        except OSError as problem:
            return failure(Refusal("report_unwritable", f"no report was made in {given['dest']}: {problem}"))

    def _act(self, given: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result of a report, of packing, or of checking alone. Raise what :meth:`act` makes failures of."""
        now = time.time()
        if not given["dest"] and not given["pack"] and not given["validate_only"]:
            raise Refusal("option_missing", "dest was not given: name the folder on the controller for the report")
        if given["validate_only"]:
            _validate(given)
            return {"changed": False}
        unread: list[str] = []
        answers = with_store(self._answers(given, variables, now, unread), given["recovery_key_store"])
        if given["pack"]:
            return {"changed": False, "packed": dict(map(_packed, answers))}
        summary = Summary(_policy(given), given["title"], now, unread=unread)
        os.makedirs(given["dest"], exist_ok=True)
        # A report that takes up the readings of the last may not miss any.
        with alone_in(given["dest"]):
            return self._published(given, lambda: self._report(given, variables, summary, answers))

    def _published(self, given: dict[str, t.Any], report: t.Callable[[], dict[str, t.Any]]) -> dict[str, t.Any]:
        """Return the result of a report that is published, too. It is made here whatever becomes of that."""
        with _publication(given) as publication:
            if publication is None:
                return report()
            problem = _refusal_of(publication.fetch)
            result = report()
            for note in publication.notes:
                self._display.warning(note)
            result["notes"] = [*result["notes"], *publication.notes]
            if problem is None:
                problem = _refusal_of(lambda: result.update(page=publication.publish(result["files"])))
        if problem is None:
            result["summary"] = [*result["summary"], f"Published: {result['page']}"]
            return result
        failed = failure_after(result, problem)
        return {**failed, "msg": f"{result['msg']}; {problem.told}"} if result.get("msg") else failed

    def _report(
        self, given: dict[str, t.Any], variables: dict[str, t.Any], summary: Summary, answers: t.Iterable[Answer]
    ) -> dict[str, t.Any]:
        """Return the result of a report."""
        try:
            summary.columns, summary.about = tuple(given["columns"]), texts_of(given["about"])
            summary.inventory = inventory_words(variables.get("ansible_inventory_sources"))
            result = _write_report(given, answers, summary)
        except NoAnswersError as problem:
            raise Refusal("answers_missing", f"no report was made: {problem}", tuple(summary.unread)) from problem
        for note in result["notes"]:
            self._display.warning(note)
        return result

    def _answers(
        self, given: dict[str, t.Any], variables: dict[str, t.Any], now: float, unread: list[str]
    ) -> t.Iterator[Answer]:
        """Yield the answers, this run's first, so that they win over those of the same Mac in a saved file.

        ``now``: in seconds since 1970; ``unread`` gets, in words, what could not be used.
        """
        hosts = given["hosts"]
        if hosts is None:
            hosts = [] if given["saved"] or given["packed"] else variables.get("ansible_play_hosts_all") or []
        hostvars = variables["hostvars"]
        for host in hosts:
            known = hostvars.raw_get(host) if host in hostvars else {}
            columns = columns_of(hostvars[host], given["columns"]) if given["columns"] and known else {}
            yield answer_of(str(host), _data(known.get(given["variable"])), now, columns)
        # By the hosts' names, as an inventory of AWX has them: the marks have another order.
        keys = sorted((key for key in variables if key.startswith(PACKED)), key=_host_of) if given["packed"] else []
        packed = (answer for key in keys for answer in _unpacked(key, variables[key], unread))
        saved = (answer for path in _saved(given) for answer in saved_answers(path, unread))
        if keys:
            yield from with_missing(itertools.chain(packed, saved), given["expected"], unread)
        else:
            yield from saved
            # A file that cannot be read does not say which Macs were in it.
            yield from absent(given["expected"], unread) if unread else ()


@contextlib.contextmanager
def _publication(given: dict[str, t.Any]) -> t.Iterator[Publication | None]:
    """Have the place that a report is published at for a while, None for none."""
    target = target_of(given)
    if target is None or given["pack"]:
        yield None
        return
    # A report that keeps what it had is about all Macs, however few were read for it.
    own = os.path.join(given["dest"] or "", given["name"] + ".jsonl")
    with contextlib.closing(
        Publication(target, given["name"], given["history"], given["partial"] and own not in given["saved"])
    ) as publication:
        yield publication


def _refusal_of(what: t.Callable[[], t.Any]) -> Refusal | None:
    """Return why a step cannot be done, None once it is done."""
    try:
        what()
    except Refusal as refusal:
        return refusal
    return None


def _saved(given: dict[str, t.Any]) -> list[str]:
    """Return the saved files, without the report's own readings before there is a report."""
    own = os.path.join(given["dest"] or "", given["name"] + ".jsonl")
    return [path for path in given["saved"] if path and (path != own or os.path.exists(path))]


def _check_policy_option(value: t.Any) -> None:
    """Raise :class:`Refusal` for what is neither a dictionary nor a list of them."""
    if value is None or value == "":
        return
    entries = enumerate(value) if is_list(value) else [(None, value)]
    for index, entry in entries:
        if not isinstance(entry, Mapping):
            option = "policy" if index is None else f"policy[{index}]"
            raise Refusal("value_unusable", f"{option} is {kind_of(entry)}, and must be a dictionary with a policy")


def _policy(given: dict[str, t.Any]) -> Policy:
    """Return the policy: the files first, then what the task says, so that a task can change a parameter of a file.

    Raise :class:`AuditPolicyError`.
    """
    inline = _data(given["policy"])
    layers = [layer_of(Path(path)) for path in given["policy_files"] if path]
    return load_policy(*layers, *([inline] if isinstance(inline, dict) else inline or []))


def _validate(given: dict[str, t.Any]) -> None:
    """Raise what would keep the report from being made, before the Macs are read for it.

    Make the folder and the history if they are not there.
    """
    _policy(given)
    _end_of(given["since"])
    if given["dest"] and not given["pack"]:
        os.makedirs(given["dest"], exist_ok=True)
        if not os.access(given["dest"], os.W_OK):
            raise PermissionError(f"dest {given['dest']} is not a writable folder")
    if given["history"] and not given["pack"]:
        History(given["history"]).close()
    with _publication(given) as publication:
        if publication is not None:
            publication.check()


def _write_report(given: dict[str, t.Any], answers: t.Iterable[Answer], summary: Summary) -> dict[str, t.Any]:
    """Write all files beside their places, put them there once all are whole, and return the task's result.

    Raise ``OSError`` if a file cannot be written, and :class:`NoAnswersError`.
    """
    folder = given["dest"]
    summary.partial = given["partial"]
    history = _opened_history(given["history"], summary)
    written: list[base.WholeFile] = []

    def new(ending: str) -> base.WholeFile:
        """Open a file of the report."""
        written.append(base.WholeFile(os.path.join(folder, given["name"] + ending)))
        return written[-1]

    def finish() -> None:
        """Put all files in their place, once each of them is whole."""
        for one in written:
            one.close()
        for one in written:
            one.done()

    try:
        outputs = [make(new, summary) for name, make in FORMATS.items() if name in given["formats"]]
        run_audit(answers, summary, outputs, history, _end_of(given["since"]), finish)
    finally:
        for one in written:
            one.drop()
        if history is not None:
            history.close()
    return _report_result(given, summary, [one.path for one in written])


def _opened_history(path: str | None, summary: Summary) -> History | None:
    """Return the history, None if there is none, or if it fails: the summary says so, and the report is made anyway."""
    try:
        return History(path) if path else None
    except HistoryError as problem:
        summary.history_failed = str(problem)
        return None


def _report_result(given: dict[str, t.Any], summary: Summary, paths: list[str]) -> dict[str, t.Any]:
    """Return the task's result; it is a failure if a Mac breaks a rule that is as severe as ``fail_on``."""
    result: dict[str, t.Any] = {
        "changed": False,
        "files": paths,
        "fleet": summary.view(),
        "summary": summary.lines(),
        "changes": [change.view() for change in summary.changes[:1000]],
        "notes": summary.notes,
    }
    problem = "" if given["fail_on"] == NEVER else _problem(given["fail_on"], *summary.failing(given["fail_on"]))
    if problem:
        result.update(failed=True, msg=problem)
    return result


def _problem(limit: str, failed: list[str], unknown: list[str]) -> str:
    """Return which Macs fail ``limit``, and of which nobody knows, which counts as a failure; "" for none."""
    told = []
    if failed and limit in SEVERITIES:
        told.append(f"{macs(len(failed))} fail{'s' if len(failed) == 1 else ''} a rule that is {limit} or worse")
    elif failed:
        told.append(f"{macs(len(failed))} {'is' if len(failed) == 1 else 'are'} not {limit}")
    told = [f"{words}: {some(failed, 10)}" for words in told]
    if unknown:
        what = f"a rule that is {limit} or worse is kept" if limit in SEVERITIES else f"they are {limit}"
        told.append(f"{macs(len(unknown))} did not tell whether {what}: {some(unknown, 10)}")
    return "; ".join(told)


def _end_of(value: t.Any) -> float | None:
    """Return a day and a time, or the end of a day that is given alone, as seconds since 1970; None if not given.

    It is UTC if it does not say. YAML makes a date of what has no quotes. Raise :class:`Refusal` for anything else.
    """
    if value is None or value == "":
        return None
    text = str(value)
    try:
        if not is_text(value) and not isinstance(value, datetime.date):
            raise ValueError
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        if len(text) == len("2026-01-31"):
            moment += datetime.timedelta(days=1) - datetime.timedelta(microseconds=1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()
    except ValueError as problem:
        told = repr(shortened(text)) if is_text(value) else kind_of(value)
        raise Refusal(
            "value_unusable", f"since is {told}, and must be a day or a time, such as 2026-01-31"
        ) from problem


def _data(value: t.Any) -> t.Any:
    """Return plain data: Ansible's own kinds of text and dictionary carry more than a report needs."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _data(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(entry) for entry in value]
    if isinstance(value, str):
        return str(value)
    return value


def _packed(answer: Answer) -> tuple[str, str]:
    """Return a variable for this Mac alone, and its value; the name fits any host's name."""
    name = base64.b32encode(answer.host.encode("utf-8")).decode("ascii").rstrip("=").lower()
    return PACKED + name, base64.b64encode(zlib.compress(answer.text().encode("ascii"), 9)).decode("ascii")


def _unpacked(name: str, text: t.Any, unread: list[str]) -> t.Iterator[Answer]:
    """Yield the answer in a variable; of a damaged one the Mac, because the variable's name holds it as well."""
    content: t.Any = None
    with contextlib.suppress(ValueError, RecursionError, zlib.error):
        content = json.loads(zlib.decompress(base64.b64decode(str(text), validate=True)))
    return entry_answer(content, f"the variable {name}", unread, _host_of(name))


def _host_of(name: str) -> str:
    """Return the Mac whose answer a variable holds; "" if its name says none."""
    code = name[len(PACKED) :].upper()
    with contextlib.suppress(ValueError):
        return base64.b32decode(code + "=" * (-len(code) % 8)).decode("utf-8")
    return ""
