# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the property tests run: no deadline of their own, as CI's machine is slow now and then."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Many random requests are refused, rightly; the tests of plans pass over those.
settings.register_profile(
    "keyholder", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
settings.load_profile("keyholder")
