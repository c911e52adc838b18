# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts this folder on the import path, so that the tests of the audit share their readings, and that of the core's
tests, whose tables hold for the controller too; and loads the baseline.

ansible-test gives each test a process of its own, a copy of this one: what is compiled here need not be compiled there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.policy import load_policy

load_policy()
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.with_name("module_utils"))]
