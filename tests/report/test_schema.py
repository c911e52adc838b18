# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON report is what its published schema says, and the schema would notice if it were not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "schema" / "audit-2.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def problems(content: Any) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(content)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_report_keeps_the_schema(small: Path) -> None:
    content = json.loads((small / "audit.json").read_text())
    assert problems(content) == []
    assert content["changes"]
    assert content["trend"]
    # Nothing is in a report that the schema does not tell of.
    assert set(content) == set(SCHEMA["properties"])
    assert set(content["macs"][0]) == set(SCHEMA["$defs"]["mac"]["properties"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("summary"),
        lambda report: report.update(schema="keyholder.macos.audit/1"),
        lambda report: report["macs"][0].update(state="fine"),
        lambda report: report["macs"][0]["mac"].pop("accounts"),
        lambda report: report["macs"][0]["findings"][0].update(result="maybe"),
        lambda report: report["changes"][0].pop("was"),
    ],
)
def test_a_spoiled_report_does_not(small: Path, spoil: Any) -> None:
    content = json.loads((small / "audit.json").read_text())
    spoil(content)
    assert problems(content)
