# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the options of the module account on the controller, then run it on the Mac."""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action


class ActionModule(Action):
    """Run the module of the same name."""
