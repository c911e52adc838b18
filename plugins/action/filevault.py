# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module filevault, with age recipients served on the controller."""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.plugin_utils._key_action import KeyAction


class ActionModule(KeyAction):
    """See the module of the same name."""
