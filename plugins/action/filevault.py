# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module filevault; age recipients are served on the controller."""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.plugin_utils._key_action import KeyAction


class ActionModule(KeyAction):
    """Run the module of the same name."""
