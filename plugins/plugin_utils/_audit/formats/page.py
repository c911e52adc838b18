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

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import for_script, plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import STATES, TITLES, Judged, json_with
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.rules import FAIL, SEVERITIES
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.summary import LISTED, Summary, iso

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
            rules=_broken_rules(summary),
            ranking=summary.ranking[:LISTED],
            titles=TITLES,
            since=None if summary.since is None else iso(summary.since.at),
            gone=[change.host for change in summary.changes if not change.now],
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
            "inventory": summary.inventory,
        }

    def _row(self, judged: Judged, change: Change | None) -> list[t.Any]:
        """Return what the table shows of a Mac, in the order that page.js reads; a Mac that was not read has less."""
        mac = judged.answer.mac
        changed = 0 if change is None else _CHANGED if change.was else _NEW
        why = judged.why if len(judged.why) <= _WHY else f"{judged.why[: _WHY - 1]}\u2026"
        row = [judged.answer.host, STATES.index(judged.state), judged.score, why, changed]
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


def _broken_rules(summary: Summary) -> list[dict[str, t.Any]]:
    """Return the rules that a Mac breaks: the most severe first, then by the number of Macs."""
    rules = [
        {"number": number, "rule": rule, "failed": summary.results[rule.id][FAIL]}
        for number, rule in enumerate(summary.policy.rules)
    ]
    broken = [entry for entry in rules if entry["failed"]]
    return sorted(broken, key=lambda entry: (SEVERITIES.index(entry["rule"].severity), -entry["failed"]))


def _trend(summary: Summary) -> dict[str, t.Any] | None:
    """Return the areas of a chart of 600 by 120, the states upon each other, the best at the bottom; None for a single
    audit."""
    points = [(run.at, dict(run.states)) for run in summary.trend] + [(summary.now, summary.states)]
    if len(points) < 2:
        return None
    width, height = 600.0, 120.0
    begin, end = points[0][0], points[-1][0]
    across = [width * (at - begin) / ((end - begin) or 1.0) for at, _states in points]
    below = [0.0] * len(points)
    areas = []
    for state in reversed(STATES):
        above = [
            floor + states.get(state, 0) / max(1, sum(states.values())) for floor, (_at, states) in zip(below, points)
        ]
        if above != below:
            line = [f"{x:.1f},{height * (1 - y):.1f}" for x, y in zip(across, above)]
            line += [f"{x:.1f},{height * (1 - y):.1f}" for x, y in zip(reversed(across), reversed(below))]
            areas.append({"state": state, "title": TITLES[state], "points": " ".join(line)})
        below = above
    shares = [states.get("recoverable", 0) / max(1, sum(states.values())) for _at, states in points]
    return {
        "areas": areas,
        "from": iso(begin)[:10],
        "to": iso(end)[:10],
        "audits": len(points),
        "words": f"Recoverable: {int(100 * shares[0])} % on {iso(begin)[:10]}, {int(100 * shares[-1])} % now",
    }


def _hash(text: str) -> str:
    """Return how a Content-Security-Policy names a script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
