# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asserts what is so of every change: check mode predicts it, the run makes it, and the next run finds it made."""

from __future__ import annotations

from harness.batch import Answer


def predicted(check: Answer, run: Answer) -> None:
    """Nothing but looked at, the same steps, and the state that came true; None is what macOS alone can tell."""
    assert check.ok, check
    assert check.changed
    assert check.touched_nothing, check
    assert check.result["plan"] == run.result["plan"]
    assert check.before == run.before
    foreseen = {key: value for key, value in check.after.items() if value is not None}
    assert foreseen == {key: run.after[key] for key in foreseen}
    assert check.after.keys() == run.after.keys()
    assert check.result.get("diff", {"before": check.before, "after": check.after}) == {
        "before": check.before,
        "after": check.after,
    }


def done(run: Answer) -> None:
    assert run.ok, run
    assert run.changed
    assert run.writes, run


def found_done(again: Answer, run: Answer | None = None) -> None:
    assert again.ok, again
    assert not again.changed
    assert again.result["plan"] == []
    assert again.touched_nothing, again
    if run is not None:
        assert again.before == again.after == run.after
