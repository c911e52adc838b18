# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan for the module local_account on the controller, and run it on the Mac if something has to change."""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction


class ActionModule(ChangingAction):
    """Run the module of the same name."""
