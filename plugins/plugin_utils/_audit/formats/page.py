# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report as one page that asks the network for nothing: a picture, a table to search, each Mac's details.

A browser holds a short row of each Mac. The details of two hundred Macs at a time lie in the page compressed, until the
reader opens one. The page's policy allows its own script and style alone, so that nothing that a Mac says can be one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import tempfile
import typing as t
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.causes import RULE
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import for_script, plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import STATES, TITLES, Judged, json_with
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import SEVERITIES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.sentences import iso, numbers, some
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import LISTED, Summary

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
    from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.history import Change

CHUNK = 200
"""Macs whose details are unpacked at once."""

_FOLDER = Path(__file__).parent
_WHY = 240
_NEW, _CHANGED = 1, 2


class HtmlPage:
    """Write rows and details into two temporary files while the Macs come by, because the head is only known at the
    end."""

    def __init__(self, file: WholeFile, summary: Summary) -> None:
        self._file = file
        self._numbers = {rule.id: number for number, rule in enumerate(summary.policy.rules)}
        self._columns = summary.columns
        self._rows: t.IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._details: t.IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._waiting: list[str] = []
        self._count = 0
        self._chunks = 0

    def add(self, judged: Judged, change: Change | None) -> None:
        """Write one Mac's row, and its details once there are enough for a chunk."""
        self._rows.write(f"{',' if self._count else ''}{for_script(self._row(judged, change))}\n")
        self._count += 1
        self._waiting.append(self._detail(judged, change))
        if len(self._waiting) == CHUNK:
            self._pack()

    def end(self, summary: Summary) -> None:
        """Write the page."""
        self._pack()
        style, script = (_FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
        environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        environment.filters["plain"] = plain_text
        page = environment.get_template("page.html.j2").render(
            summary=summary,
            states=[(state, TITLES[state], summary.states[state]) for state in STATES],
            total=max(1, len(summary.rows)),
            numbers=numbers(summary.recoverable, summary.compliant),
            shares=_shares(summary),
            causes=[(cause, self._numbers.get(cause.code) if cause.kind == RULE else None) for cause in summary.causes],
            changed=summary.changed,
            some=some,
            ranking=summary.ranking[:LISTED],
            titles=TITLES,
            since=None if summary.since is None else iso(summary.since.at),
            trend=_trend(summary),
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
        head, foot = page.split("<!-- data -->\n")
        self._file.write(head)
        self._data("head", for_script(self._head(summary)))
        self._file.write('<script type="application/json" id="rows">[\n')
        self._copy(self._rows)
        self._file.write("]</script>\n")
        self._copy(self._details)
        self._file.write(foot)

    def _head(self, summary: Summary) -> dict[str, t.Any]:
        """Return what the script needs to know beside the rows."""
        return {
            "chunk": CHUNK,
            "states": list(STATES),
            "titles": TITLES,
            "severities": list(SEVERITIES),
            "rules": [rule.view() for rule in summary.policy.rules],
            "since": None if summary.since is None else iso(summary.since.at),
            "columns": list(summary.columns),
            "inventory": summary.inventory,
        }

    def _row(self, judged: Judged, change: Change | None) -> list[t.Any]:
        """Return what the table shows of a Mac, in the order that page.js reads; a Mac that was not read has less."""
        mac = judged.answer.mac
        changed = 0 if change is None else _CHANGED if change.was else _NEW
        why = judged.why if len(judged.why) <= _WHY else f"{judged.why[: _WHY - 1]}\u2026"
        columns = [judged.answer.columns.get(name, "") for name in self._columns]
        row = [judged.answer.host, STATES.index(judged.state), judged.score, why, changed, columns, judged.recoverable]
        row.append([self._numbers[finding.rule.id] for finding in judged.failed])
        if mac is None:
            return row
        filevault, management = mac["filevault"]["state"], mac["management"]["bootstrap_token"]
        chip = 1 if mac["hardware"]["apple_silicon"] else 0
        return [*row, mac["os"]["version"], chip, mac["holders"], len(mac["accounts"]), filevault, management]

    def _detail(self, judged: Judged, change: Change | None) -> str:
        """Return the rest about a Mac, as JSON."""
        content = {
            "host": judged.answer.host,
            "read_at": None if judged.answer.read_at is None else iso(judged.answer.read_at),
            "reason": judged.answer.reason,
            "why": judged.why,
            "remedy": judged.answer.remedy,
            "evidence": judged.answer.evidence,
            "recoverable": judged.recoverable,
            "compliant": judged.compliant,
            "next": judged.next,
            "change": None if change is None else change.view(),
        }
        return json_with(content, judged.ready)

    def _pack(self) -> None:
        """Write the details that wait as one compressed chunk."""
        if not self._waiting:
            return
        packed = gzip.compress(f"[{','.join(self._waiting)}]".encode("ascii"), 4, mtime=0)
        text = base64.b64encode(packed).decode("ascii")
        self._details.write(f'<script type="application/octet-stream" id="chunk-{self._chunks}">{text}</script>\n')
        self._chunks += 1
        self._waiting = []

    def _data(self, name: str, text: str) -> None:
        self._file.write(f'<script type="application/json" id="{name}">{text}</script>\n')

    def _copy(self, stream: t.IO[str]) -> None:
        stream.seek(0)
        while block := stream.read(1 << 20):
            self._file.write(block)
        stream.close()


def _shares(summary: Summary) -> list[tuple[str, int, int]]:
    """Return the two numbers: the word, how many Macs it is true of, and how many percent of all, rounded down."""
    total = max(1, len(summary.rows))
    counted = (("recoverable", summary.recoverable["yes"]), ("compliant", summary.compliant["yes"]))
    return [(word, number, 100 * number // total) for word, number in counted]


def _trend(summary: Summary) -> dict[str, t.Any] | None:
    """Return the two lines of a chart of 600 by 120; None for a single audit."""
    times = [*(run.at for run in summary.trend), summary.now]
    counted = {
        "recoverable": [*(run.recoverable for run in summary.trend), summary.recoverable],
        "compliant": [*(run.compliant for run in summary.trend), summary.compliant],
    }
    if len(times) < 2:
        return None
    width, height = 600.0, 120.0
    begin, end = times[0], times[-1]
    across = [width * (at - begin) / ((end - begin) or 1.0) for at in times]
    lines, words = [], []
    for word, numbers_then in counted.items():
        shares = [one.get("yes", 0) / max(1, sum(one.values())) for one in numbers_then]
        # A line at the very edge would be half as thick.
        spots = " ".join(f"{x:.1f},{4 + (height - 8) * (1 - y):.1f}" for x, y in zip(across, shares))
        lines.append({"word": word, "points": spots})
        words.append(
            f"{word.capitalize()}: {int(100 * shares[0])} % on {iso(begin)[:10]}, {int(100 * shares[-1])} % now"
        )
    return {"lines": lines, "from": iso(begin)[:10], "to": iso(end)[:10], "audits": len(times), "words": words}


def _hash(text: str) -> str:
    """Return how a Content-Security-Policy names a script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
