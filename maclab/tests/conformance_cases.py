# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say how each transcript is repeated: as its setup declares, as a case of its own, or as the line itself tells."""

from __future__ import annotations

import functools
import importlib

from cases_kit import CASES
from conformance_setups import UNREPEATED, case_of
from transcripts import TRANSCRIPTS

for name in ("cases_accounts", "cases_filevault", "cases_volume"):
    importlib.import_module(name)

# A line that nobody has declared anything of says by itself on what Mac it can be repeated.
for record_id in TRANSCRIPTS.keys() - CASES.keys() - UNREPEATED.keys():
    CASES[record_id] = functools.partial(case_of, TRANSCRIPTS[record_id], {})

__all__ = ["CASES"]
