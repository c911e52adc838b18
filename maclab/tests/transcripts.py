# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real Macs were seen to print, by the id of the transcript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).with_name("fixtures") / "transcripts.jsonl"
TRANSCRIPTS: dict[str, dict[str, Any]] = {
    record["id"]: record for record in map(json.loads, FIXTURE.read_text(encoding="utf-8").splitlines())
}
