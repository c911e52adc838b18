# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the property tests run: no deadline of their own, as CI's machine is slow now and then.

Few examples, for whoever tries one test by hand; the checks of the core ask for many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Many random requests are refused, rightly; the tests of plans pass over those.
settings.register_profile(
    "keyholder",
    max_examples=int(os.environ.get("KEYHOLDER_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
settings.load_profile("keyholder")
